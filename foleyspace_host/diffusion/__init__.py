"""What flow models share: the spectra they work on, their noise, their steps, and how long sounds are cut for them."""
