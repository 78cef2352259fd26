"""A runner of jobs that does nothing, for measuring what the rest costs (``batch_throughput.py``)."""

from __future__ import annotations

from foleyspace_host.jobs.model import Assignment, OnProgress, Outcome
from foleyspace_host.protocol.messages import Artifact


def run(assignment: Assignment, on_progress: OnProgress) -> Outcome:
    """Say that it is done."""
    on_progress("nothing", 1, 1, 1.0)
    artifact = Artifact(role="nothing", path=str(assignment.output_folder), n_bytes=0, sha256="0" * 64)
    return Outcome((artifact,), {"mtime_ns": 0, "result": {}})
