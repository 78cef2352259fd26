"""One worker process, as the host sees it: start it, give it a job, hear what it says, kill it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from foleyspace_host.jobs.talk import (
    Advanced,
    Cancel,
    Done,
    Failed,
    Start,
    ToWorker,
    decode_from_worker,
    encode_line,
)

__all__ = ["Died", "End", "Slot", "WorkerProcess"]

_LONGEST_LINE = 1 << 20
_LONG_LOG = 1 << 20
_NO_MEMORY = (b"MemoryError", b"bad_alloc", b"Cannot allocate memory", b"Out of memory")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one worker.

    Parameters
    ----------
    name : str
        Such as ``worker-1``.
    device : str
        What models run on there: ``cpu``, ``cuda:0``.
    wanted : str
        What the worker is told: ``auto``, ``cpu`` or ``cuda``.
    environment : dict of str to str
        Variables that it gets beside the host's own.
    """

    name: str
    device: str = "cpu"
    wanted: str = "auto"
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Died:
    """The process ended, or was ended, in the middle of a job; `code` is ``worker_died`` or ``out_of_memory``."""

    reason: str
    code: str = "worker_died"


End = Done | Failed | Died
"""How an attempt at a job can end."""


class WorkerProcess:
    """A process that is running or has just ended.

    It is no child of `multiprocessing`: so it imports nothing of the host's main module, exchanges plain data
    only, and opens no console window on Windows.

    Parameters
    ----------
    runner : str
        Module that does the work.
    slot : Slot
        Its place.
    log : Path
        File for what it, or a library in it, prints.
    memory_limit_bytes : int, optional
        Memory that it may use.

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(self, runner: str, slot: Slot, log: Path, memory_limit_bytes: int | None) -> None:
        self._log = log
        self._killed = False
        self._writing = threading.Lock()
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-X", "faulthandler", "-m", "foleyspace_host.jobs.worker"]
        _shorten(log)
        with log.open("ab") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*command, runner, str(memory_limit_bytes or 0), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=os.environ | slot.environment | {"PYTHONPATH": _python_path()},
                start_new_session=True,  # the keyboard's signals are for the host
                creationflags=_WINDOWS_FLAGS,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def start(self, assignment: Path) -> None:
        """Give it a job; it must have none."""
        _shorten(self._log)
        self._tell(Start(str(assignment)))

    def cancel(self, job_id: str) -> None:
        """Ask it to stop a job."""
        self._tell(Cancel(job_id))

    def kill(self) -> None:
        """End it at once."""
        self._killed = True
        with contextlib.suppress(OSError):
            self._process.kill()

    def wait_for_end(self, on_progress: Callable[[Advanced], None]) -> End:
        """Hear how the job goes until it ends, well or not."""
        stdout = self._process.stdout
        printed = self._log.stat().st_size if self._log.exists() else 0
        while stdout is not None and (line := stdout.readline(_LONGEST_LINE)):
            try:
                message = decode_from_worker(line)
            except ValueError:
                # cut off by its death, or not its own words any more
                break
            if not isinstance(message, Advanced):
                return message
            on_progress(message)
        return self._post_mortem(printed)

    def retire(self) -> None:
        """End it and forget it; it must have no job."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _tell(self, message: ToWorker) -> None:
        # a line is far shorter than a pipe holds, so this does not wait for the worker
        stdin = self._process.stdin
        with self._writing, contextlib.suppress(OSError, ValueError):
            if stdin is not None:
                stdin.write(encode_line(message))
                stdin.flush()

    def _post_mortem(self, printed: int) -> Died:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if self._killed:
            return Died("it was stopped")
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            file.seek(printed)
            if any(word in file.read(_LONG_LOG) for word in _NO_MEMORY):
                return Died("there was not enough memory", "out_of_memory")
        return Died(_reason(code))


_WINDOWS_FLAGS = sum(
    getattr(subprocess, name, 0)
    for name in ("CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP", "BELOW_NORMAL_PRIORITY_CLASS")
)


def _shorten(log: Path) -> None:
    with contextlib.suppress(OSError):
        if log.stat().st_size > _LONG_LOG:
            os.truncate(log, 0)


def _python_path() -> str:
    """Where the worker finds this very package, even if it was never installed."""
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path] + [here])


def _reason(code: int) -> str:
    if code >= 0:
        return f"it exited with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name
