"""Commands: ``python -m training.foley --help``."""

from training.foley.commands import main

main()
