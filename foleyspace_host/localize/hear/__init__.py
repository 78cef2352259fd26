"""What is heard: what kind of sound it is, and when it begins."""
