"""What earlier hosts did, read from their record where none is running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from foleyspace_host.config import Folders
from foleyspace_host.jobs.store import Store
from foleyspace_host.protocol.messages import JobState

__all__ = ["recorded_jobs"]


def recorded_jobs(profile: str, states: Sequence[JobState], limit: int) -> list[dict[str, Any]]:
    """Return the jobs on record, newest first, as a host tells them.

    Parameters
    ----------
    profile : str
        The host's profile.
    states : sequence of str
        Only jobs in these states; all if empty.
    limit : int
        How many at most.

    Returns
    -------
    list of dict
        Bodies of ``job.status.ok`` without ``result``. What was worked on waits for the next host, and is told
        as ``queued``.

    Raises
    ------
    JobsUnusable, JobsDamaged
        If the record cannot be read.
    """
    path = Folders(profile).data / "jobs.db"
    if not path.exists():
        return []
    store = Store(path)
    try:
        rows = store.page(None, states, None, limit)
    finally:
        store.close()
    reports = [row.report(with_result=False) for row in rows]
    waiting = [msgspec.structs.replace(one, state="queued") if one.state == "running" else one for one in reports]
    return [msgspec.to_builtins(report) for report in waiting]
