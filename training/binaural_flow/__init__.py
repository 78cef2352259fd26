"""The binaural flow model: what it learns from, how it is trained, and how it becomes a file that ships."""
