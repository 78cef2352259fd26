"""The command line: one module for each command, thin over `foleyspace_host.pipeline`."""

from foleyspace_host.cli.app import main

__all__ = ["main"]
