"""Why a job failed through no fault of what it was to do, in the words that its client reads."""

from __future__ import annotations

from foleyspace_host.errors import DeadlineExceeded, OutOfMemory, TimedOut, WorkerDied
from foleyspace_host.jobs.process import Died
from foleyspace_host.jobs.record import JobRow
from foleyspace_host.jobs.talk import Failed
from foleyspace_host.protocol.failure import failure
from foleyspace_host.protocol.messages import Error, Progress

__all__ = ["given_up", "late", "stuck", "too_large", "worker_died"]


def late() -> Error:
    """Say that its deadline passed in the queue."""
    problem = "the job was not started before its deadline"
    return failure(DeadlineExceeded(problem, cure="give it more time, or wait for other jobs to end"))


def stuck(limit_s: float, progress: Progress | None) -> Error:
    """Say that it reported no progress for too long."""
    stage = f"the stage {progress.stage}" if progress else "its start"
    problem = f"there was no progress for {limit_s:g} s at {stage}"
    return failure(TimedOut(problem, cure="try again, or raise stage_deadline_s in the configuration"))


def too_large(limit_mb: int) -> Error:
    """Say that its worker used more memory than it may."""
    problem = f"the job needs more than the {limit_mb} MiB that a worker may use"
    cure = "raise memory_limit_mb in the configuration, or send less at a time"
    return failure(OutOfMemory(problem, cure=cure))


def worker_died(row: JobRow, end: Died | Failed) -> Error:
    """Say that its worker died, or ran out of memory, at each attempt; `row` is as it was when the last one began."""
    if isinstance(end, Failed):
        return end.error
    if end.code == OutOfMemory.code:
        return failure(OutOfMemory("there was not enough memory for the job", cure="close other programs"))
    problem = f"the process that worked on the job ended {row.deaths + 1} times ({end.reason})"
    return failure(WorkerDied(problem, cure="report it, with the worker's log in the host's state folder"))


def given_up(row: JobRow) -> Error:
    """Say that the host itself ended at each attempt."""
    problem = f"the job was begun {row.attempts} times, and the host ended each time"
    return failure(WorkerDied(problem, cure="look into the host's log for what ends it"))
