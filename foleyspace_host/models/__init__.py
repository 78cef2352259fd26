"""The models and measured data that the program ships or takes from the user, and the runtime they run in."""
