"""Commands: ``python -m training.binaural_flow --help``."""

from training.binaural_flow.commands import commands
from training.flow.commands import main

main(commands)
