"""From words, and from what is seen, to mono sound."""
