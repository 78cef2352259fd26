"""The user's own recordings: an index of them, search by words, and sounds fitted in time to a curve."""
