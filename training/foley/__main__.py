"""Commands: ``python -m training.foley --help``."""

from training.flow.commands import main
from training.foley.commands import commands

main(commands)
