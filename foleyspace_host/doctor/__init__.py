"""Whether this installation works: small checks, each with what to do when it does not."""
