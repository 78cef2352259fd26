"""What the trainings of flow models have in common: steps that may stop and go on, averaged weights, checkpoints."""
