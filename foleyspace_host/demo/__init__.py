"""A clip with known truth, spatialized, measured and drawn: `foleyspace demo`."""
