"""Who is next: the queue of accepted jobs, in memory; the record on disk is what survives.

Every client gets the same share. The next job is one of the client that has the fewest jobs running, and among
those of the client that was served the longest time ago; so a client with five hundred jobs delays another's
single job by no more than the one that is running. Among a client's own jobs the higher priority goes first,
then the older job.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

__all__ = ["Queue", "Waiting"]


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A job in the queue; sorts in the order in which its client wants it.

    Parameters
    ----------
    rank : int
        Lower goes first: the negative priority.
    created_s : float
        When it was accepted [s since 1970].
    job_id, client_id, kind : str
        The job.
    deadline_s : float, optional
        It must not be started after this time [s since 1970].
    """

    rank: int
    created_s: float
    job_id: str
    client_id: str = field(compare=False)
    kind: str = field(compare=False)
    deadline_s: float | None = field(default=None, compare=False)


class Queue:
    """Jobs that wait; not safe to use from several threads at once."""

    def __init__(self) -> None:
        self._jobs: dict[str, Waiting] = {}
        self._of_client: dict[str, list[Waiting]] = {}
        self._served: dict[str, int] = {}
        self._clock = count(1)

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._jobs

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._jobs.values())

    def add(self, job: Waiting) -> None:
        """Let a job wait, once; one that was begun before keeps its place."""
        if job.job_id not in self._jobs:
            self._jobs[job.job_id] = job
            insort(self._of_client.setdefault(job.client_id, []), job)

    def remove(self, job_id: str) -> bool:
        """Take a job out; False if it was not waiting."""
        job = self._jobs.pop(job_id, None)
        if job is None:
            return False
        waiting = self._of_client[job.client_id]
        waiting.remove(job)
        if not waiting:
            del self._of_client[job.client_id]
        return True

    def take(self, running: Counter[str], can_run: Callable[[str], bool]) -> Waiting | None:
        """Take out the job that is to be started now.

        Parameters
        ----------
        running : Counter of str
            How many jobs of each client run.
        can_run : callable
            Whether a job of this kind could be started now.
        """
        for client_id in sorted(self._of_client, key=lambda name: (running[name], self._served.get(name, 0))):
            job = next((job for job in self._of_client[client_id] if can_run(job.kind)), None)
            if job is not None:
                self.remove(job.job_id)
                # who has nothing waiting is remembered as well, else a client with one job after the other
                # would always be new and go first
                self._served[client_id] = next(self._clock)
                if len(self._served) > _REMEMBERED:
                    del self._served[min(self._served, key=self._served.__getitem__)]
                return job
        return None

    def late(self, now_s: float) -> list[Waiting]:
        """Return the jobs whose deadline has passed; they stay until removed."""
        return [job for job in self._jobs.values() if job.deadline_s is not None and job.deadline_s <= now_s]

    def next_deadline_s(self) -> float | None:
        """Return the earliest deadline [s since 1970], if there is any."""
        return min((job.deadline_s for job in self._jobs.values() if job.deadline_s is not None), default=None)


_REMEMBERED = 1000
