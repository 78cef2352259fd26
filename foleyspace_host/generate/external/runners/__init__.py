"""Scripts that other interpreters run: they import nothing of this program, and it imports none of them."""
