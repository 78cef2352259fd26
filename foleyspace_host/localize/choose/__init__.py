"""Which of the things seen is the one that sounds."""
