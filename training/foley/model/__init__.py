"""The network of the foley model, and its flow."""
