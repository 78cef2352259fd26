"""Examples of sounds and what the network is told about them: a prepared folder, and batches out of it."""
