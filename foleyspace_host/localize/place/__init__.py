"""How far away a thing is."""
