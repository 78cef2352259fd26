"""The life of the process: one for each profile, and every reason for which it ends.

Whatever asks for the end (a signal, a message, nothing to do, the parent's death) sets the same `Ending`; the
main thread waits for it and lays everything down in order.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from foleyspace_host.errors import HostError, HostRunning

__all__ = ["DRAIN_S", "ORPHAN_DRAIN_S", "Ending", "ParentWatch", "leave_command", "profile_lock", "signals_to"]

DRAIN_S = 8.0
"""How long running jobs may take to finish when the host ends [s]; those that take longer start again later."""

ORPHAN_DRAIN_S = 3.0
"""The same when the process is gone for which the host was started [s]."""

_ONE_S = 0.25  # signals which come together are one: a supervisor may tell the process and its group


class Ending:
    """Why and how the host is to end, once it is."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self.reason = ""
        self.drain_s = DRAIN_S

    def __bool__(self) -> bool:
        """Return whether the end was asked for."""
        return self._asked.is_set()

    def ask(self, reason: str, *, drain_s: float = DRAIN_S) -> None:
        """Ask for the end; the first reason counts, the shortest time does."""
        self.reason = self.reason or reason
        self.drain_s = min(self.drain_s, drain_s)
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the end is asked for, and not longer than so long; return whether it is."""
        return self._asked.wait(seconds)


@contextmanager
def profile_lock(folder: Path, running: Callable[[], str | None]) -> Iterator[None]:
    """Be the only host of a profile while the block runs.

    The operating system holds the lock and gives it back whatever becomes of the process; the file stays.

    Parameters
    ----------
    folder : Path
        The profile's state folder; it exists.
    running : callable
        Says where the host is that has the lock, if that is known yet.

    Raises
    ------
    HostRunning
        Another process has it.
    """
    path = folder / "host.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise HostError(f"the lock cannot be opened ({error.strerror})", where=str(path)) from error
    try:
        if not _locked(descriptor):
            place = _patiently(running)
            raise HostRunning(f"already running at {place}" if place else "already starting or ending")
        yield
    finally:
        os.close(descriptor)  # which ends the lock


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def leave_command(folder: Path) -> None:
    """Leave the words that start this installation, as ``command.json``, for programs that cannot find it.

    A program with windows, such as a DAW, often has neither this Python nor a PATH.

    Parameters
    ----------
    folder : Path
        The profile's state folder; it exists.
    """
    path = folder / "command.json"
    partial = path.with_suffix(".part")
    with suppress(OSError):  # a convenience
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump([sys.executable, "-P", "-m", "foleyspace_host"], file)
        os.replace(partial, path)


def _patiently(ask: Callable[[], str | None]) -> str | None:
    """Ask for up to three seconds: the other host may be just starting."""
    deadline = time.monotonic() + 3.0
    while (answer := ask()) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


@contextmanager
def signals_to(ending: Ending, at_once: Callable[[], object]) -> Iterator[None]:
    """Let Ctrl-C and a request to end set `ending`, and a second one end the process on the spot.

    Parameters
    ----------
    ending : Ending
        What the first signal asks.
    at_once : callable
        The little that must still be done when a second signal comes.
    """
    first_s: list[float] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        first_s.append(time.monotonic())
        if time.monotonic() - first_s[0] >= _ONE_S:
            _leave(128 + number)
        ending.ask(signal.Signals(number).name)

    def _leave(code: int) -> NoReturn:
        with suppress(BaseException):
            at_once()
        os._exit(code)  # the workers see their pipes end, and end

    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ParentWatch:
    """Tells when the process for which the host was started is gone.

    Parameters
    ----------
    pid : int
        That process; another one which gets its number later is not taken for it.
    """

    def __init__(self, pid: int) -> None:
        import psutil

        self._gone: tuple[type[Exception], ...] = (psutil.NoSuchProcess,)
        self._dead = psutil.STATUS_ZOMBIE
        try:
            self._process: psutil.Process | None = psutil.Process(pid)
        except psutil.NoSuchProcess:
            self._process = None

    def gone(self) -> bool:
        """Return whether it is."""
        try:
            # a killed process keeps its number until somebody asks how it ended
            return self._process is None or not self._process.is_running() or self._process.status() == self._dead
        except self._gone:
            return True
