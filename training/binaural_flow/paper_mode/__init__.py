"""The paper's own way, for comparison: a waveform diffusion model that is told the trajectory and has no prior."""
