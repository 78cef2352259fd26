"""The page on which a person looks at a trajectory over its video, and corrects it."""
