"""The folder through which a script in REAPER and the bridge talk.

``request.json`` and ``cancel`` are the script's, ``progress.json`` and ``response.json`` the bridge's. Each is written
under another name and then renamed, so that nobody reads half of one. ``progress.json`` is written twice a second as
long as the bridge is alive: a script that does not see it change gives up. When the script removes the folder, the
bridge stops.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Heartbeat", "Mailbox"]


class Mailbox:
    """The files of one job.

    Parameters
    ----------
    folder : Path
        The job's folder, which the script has made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = folder / "bridge.pid"

    @property
    def answered(self) -> bool:
        """Whether the response is there."""
        return (self.folder / "response.json").exists()

    @property
    def gone(self) -> bool:
        """Whether the script has removed the folder."""
        return not self._lock.exists()

    @property
    def cancelled(self) -> bool:
        """Whether the script wants it to end."""
        return (self.folder / "cancel").exists()

    def take(self) -> bool:
        """Make the folder this process's own; False if another bridge that lives has it."""
        for _ in range(3):
            try:
                descriptor = os.open(self._lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                if self._holder_lives():
                    return False
                with suppress(FileNotFoundError):
                    self._lock.unlink()
                continue
            with os.fdopen(descriptor, "w") as file:
                file.write(str(os.getpid()))
            return True
        return False

    def request(self) -> bytes:
        """Return the bytes of the request; OSError if there is none."""
        return (self.folder / "request.json").read_bytes()

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Write one of the files, whole or not at all; OSError if that is not possible."""
        hidden = self.folder / f".{name}.{os.getpid()}"
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        try:
            hidden.write_bytes(text.encode("utf-8", "replace"))
            for attempt in range(20):
                try:
                    os.replace(hidden, self.folder / name)
                    return
                except PermissionError:  # Windows, while the script reads the one before
                    if attempt == 19:
                        raise
                    time.sleep(0.01)
        finally:
            with suppress(OSError):
                hidden.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove what the bridge has made in a folder that the script has given up, and the folder if that was all."""
        for pattern in ("bridge.pid", "bridge.log", "progress.json", ".*.json.*", "clip_*"):
            for path in self.folder.glob(pattern):
                with suppress(OSError):
                    path.unlink()
        shutil.rmtree(self.folder / "results", ignore_errors=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _holder_lives(self) -> bool:
        try:
            holder = int(self._lock.read_text())
        except (OSError, ValueError):  # it has just begun, or died before it could write
            with suppress(OSError):
                return time.time() - self._lock.stat().st_mtime < 2.0
            return False
        import psutil

        return holder != os.getpid() and psutil.pid_exists(holder)


class Heartbeat:
    """Writes the progress from a thread of its own, so that it goes on while the work is in a long call.

    It stops when the work has given no sign for `patience_s`: then nobody should wait any longer.

    Parameters
    ----------
    mailbox : Mailbox
        Where to.
    every_s : float
        How often [s].
    patience_s : float
        See above [s].
    """

    def __init__(self, mailbox: Mailbox, every_s: float = 0.3, patience_s: float = 120.0) -> None:
        self._mailbox, self._every_s, self._patience_s = mailbox, every_s, patience_s
        self._state: dict[str, Any] = {"state": "starting", "fraction": 0.0, "stage": "", "item": 0, "items": 0}
        self._state |= {"message": "starting"}
        self._seq = 0
        self._alive_at = time.monotonic()
        self._ended = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Write the first one, and go on."""
        self.beat()
        self._thread.start()

    def tell(self, **state: Any) -> None:
        """Take what is to be said from now on; the fraction never falls."""
        fraction = max(float(self._state["fraction"]), float(state.get("fraction", 0.0)))
        self._state = {**self._state, **state, "fraction": round(min(fraction, 1.0), 4)}
        self.alive()

    def alive(self) -> None:
        """Give the sign that the work goes on."""
        self._alive_at = time.monotonic()

    def beat(self) -> None:
        """Write the progress now."""
        with self._writing, suppress(OSError):
            self._seq += 1
            self._mailbox.write("progress.json", {"seq": self._seq, "pid": os.getpid(), **self._state})

    def stop(self) -> None:
        """Write no more."""
        self._ended.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            if time.monotonic() - self._alive_at < self._patience_s:
                self.beat()
