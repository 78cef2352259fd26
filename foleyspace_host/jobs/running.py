"""A job that is being worked on: since when, and how far it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from foleyspace_host.jobs.record import JobRow
from foleyspace_host.jobs.talk import Advanced
from foleyspace_host.protocol.messages import Error, Progress

__all__ = ["Running"]

_LEAST_GAIN, _LEAST_S = 0.01, 0.5  # before which nobody can tell how long it takes


@dataclass(slots=True)
class Running:
    """One attempt at a job; times of the steady clock [s], shares of the whole job from 0 to 1.

    Parameters
    ----------
    row : JobRow
        The job as it stood when the attempt began.
    since_s : float
        When that was.
    moved_s : float
        When it last came further.
    seq : int
        Number of the last message about its progress.
    recorded : float
        Share that is on record: no attempt tells less than those before it.
    """

    row: JobRow
    since_s: float
    moved_s: float
    seq: int
    recorded: float
    step: tuple[str, int] = ("", -1)
    progress: Progress | None = None
    told_s: float = -1e9
    untold: bool = False
    cancel_s: float | None = None
    killed_for: Error | None = None
    laid_down: bool = False

    def share(self, step: Advanced) -> float:
        """Return the share that is done with a step; it never falls."""
        return max(step.fraction, self.progress.fraction if self.progress else self.row.reached)

    def to_record(self, step: Advanced) -> float | None:
        """Return what is to be on record before anyone is told of a step: the next hundredth; None if it is."""
        share = self.share(step)
        return min((math.floor(100.0 * share) + 1) / 100.0, 1.0) if share > self.recorded else None

    def advance(self, step: Advanced, now_s: float) -> None:
        """Hear that it came further."""
        if (step.stage, step.done) != self.step:
            self.step, self.moved_s = (step.stage, step.done), now_s
        share, spent_s = self.share(step), now_s - self.since_s
        gained = share - self.row.reached
        eta_s = spent_s * (1.0 - share) / gained if gained > _LEAST_GAIN and spent_s > _LEAST_S else None
        self.progress = Progress(
            stage=step.stage, done=step.done, total=step.total, fraction=share, eta_s=eta_s and min(eta_s, 1e9)
        )
        self.untold = True
