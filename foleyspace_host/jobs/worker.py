"""A worker process: does one job after the other and stays warm between them.

The main thread works; a second one listens. A cancel reaches the job as `errors.Cancelled` at its next report of
progress. When the host is gone the pipe ends and so does this process, at once: what it was at lies in the
record as running, and the next host starts it again from the last finished stage.

Started as ``python -P -m foleyspace_host.jobs.worker RUNNER MEMORY_LIMIT_BYTES HOST_PID``.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import queue
import signal
import sys
import threading
import time
import traceback
from dataclasses import replace
from typing import BinaryIO

from foleyspace_host.errors import Cancelled, FoleySpaceError
from foleyspace_host.jobs.model import Assignment, Runner
from foleyspace_host.jobs.talk import (
    Advanced,
    Cancel,
    Done,
    Failed,
    FromWorker,
    decode_to_worker,
    encode_line,
    load_assignment,
)
from foleyspace_host.protocol.failure import failure

__all__ = ["main"]

_EVERY_S = 0.02  # the host passes on a tenth of it, and always the newest
_RESULT_BYTES = 128 << 10  # a result must fit into a message's body beside everything else
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Work until the host says no more.

    Parameters
    ----------
    arguments : list of str
        Dotted path of the module with ``run`` (see `model.Runner`), limit of memory in bytes or 0, and the
        process id of the host.
    """
    runner, limit, host = arguments
    ears, mouth = _pipes()
    _behave(int(host))
    if int(limit):
        _limit_memory(int(limit))
    worker = _Worker(runner, mouth)
    threading.Thread(target=worker.listen, args=(ears,), name="listener", daemon=True).start()
    worker.work()


class _Worker:
    def __init__(self, runner: str, mouth: BinaryIO) -> None:
        self._runner = runner
        self._mouth = mouth
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._cancelled: set[str] = set()

    def listen(self, ears: BinaryIO) -> None:
        """Hear the host; ends the process when there is none any more."""
        with contextlib.suppress(OSError, ValueError):
            for line in ears:
                message = decode_to_worker(line)
                if isinstance(message, Cancel):
                    self._cancelled.add(message.job_id)
                else:
                    self._cancelled.clear()  # an earlier attempt at the same job may have been cancelled
                    self._waiting.put(message.path)
        os._exit(0)

    def work(self) -> None:
        """Do what comes, for ever."""
        while True:
            self.say(self._attempt(self._waiting.get()))

    def _attempt(self, path: str) -> Done | Failed:
        try:
            assignment = load_assignment(path)
            runner: Runner = importlib.import_module(self._runner)
            outcome = runner.run(assignment, _Reporter(self, assignment).report)
            if len(encode_line(Done(outcome))) > _RESULT_BYTES:
                told = (*outcome.warnings[:10], "the report was too long to be kept")
                outcome = replace(outcome, result={}, warnings=told)
        except Cancelled as error:
            return Failed(failure(error), cancelled=True)
        except BaseException as error:  # nothing that a job does may end the process by accident
            if not isinstance(error, MemoryError | FoleySpaceError):  # a bug
                traceback.print_exc()
            return Failed(failure(error))
        return Done(outcome)

    def is_cancelled(self, assignment: Assignment) -> bool:
        """Whether the host wants this job to stop."""
        return assignment.job_id in self._cancelled

    def say(self, message: FromWorker) -> None:
        """Tell the host."""
        try:
            self._mouth.write(encode_line(message))
            self._mouth.flush()
        except OSError:
            os._exit(0)  # the host is gone


class _Reporter:
    """Hands progress on, thinned out, and stops the job when that is wanted."""

    def __init__(self, worker: _Worker, assignment: Assignment) -> None:
        self._worker = worker
        self._assignment = assignment
        self._stage = ""
        self._said_s = -math.inf

    def report(self, stage: str, done: int, total: int, fraction: float) -> None:
        if self._worker.is_cancelled(self._assignment):
            raise Cancelled("the job was cancelled")
        now_s = time.monotonic()
        if stage == self._stage and done < total and now_s - self._said_s < _EVERY_S:
            return
        self._stage, self._said_s = stage, now_s
        share = min(max(float(fraction), 0.0), 1.0) if math.isfinite(fraction) else 0.0
        self._worker.say(Advanced(str(stage)[:64] or "work", max(int(done), 0), max(int(total), 0), share))


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes for this conversation alone: what a library prints must not get in between."""
    if sys.platform == "win32":
        import msvcrt

        for stream in (0, 1):
            msvcrt.setmode(stream, os.O_BINARY)
    ears, mouth = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(ears, "rb"), os.fdopen(mouth, "wb")


def _behave(host: int) -> None:
    """Leave the keyboard's signals and the better part of the machine to others, and never outlive the host."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(5)
    if sys.platform == "linux":
        # the listener hears of the host's end too, but not while a library holds the interpreter's lock
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != host:
            os._exit(0)


def _limit_memory(n_bytes: int) -> None:
    """Make allocations beyond a limit fail, where the system can; elsewhere the host watches and kills."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, hard))


if __name__ == "__main__":
    main(sys.argv[1:])
