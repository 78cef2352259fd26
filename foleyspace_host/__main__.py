"""``python -m foleyspace_host`` is the command ``foleyspace``."""

import sys

from foleyspace_host.cli import main

if __name__ == "__main__":
    sys.exit(main())
