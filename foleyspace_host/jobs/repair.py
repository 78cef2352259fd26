"""What can be done about a record of jobs that is damaged."""

from __future__ import annotations

import os
import time
from pathlib import Path

from foleyspace_host.errors import JobsUnusable

__all__ = ["move_aside"]


def move_aside(path: Path) -> Path:
    """Rename a record, so that the host begins a new one; no host may have it open. Results stay where they are.

    Parameters
    ----------
    path : Path
        The file ``jobs.db``; those that SQLite keeps beside it go with it.

    Returns
    -------
    Path
        Its new name.

    Raises
    ------
    JobsUnusable
        If it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
    try:
        # the one that makes the others meaningful goes first
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                os.replace(part, aside.with_name(aside.name + suffix))
    except OSError as error:
        problem = f"it cannot be moved aside ({error.strerror})"
        raise JobsUnusable(problem, where=str(path), cure="end the host, then try again") from error
    return aside
