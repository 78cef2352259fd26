"""The flow model: its spectra, network, losses and averaged weights."""
