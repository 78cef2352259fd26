"""What is in the picture: cuts, things with names, things that move, and how the camera moves."""
