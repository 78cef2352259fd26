"""Training of the model that makes sounds: its corpus, its data, its network."""
