"""The embedded model: from classes of sounds and a loudness over time to mono sound, by flow matching."""
