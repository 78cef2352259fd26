"""The host's log: one JSON object a line, in files that rotate; what happened and to which job, never what it held.

A line has ``time`` (UTC), ``level`` and ``event``, and of `FIELDS` those that belong to it. Nothing else is
written: no path, prompt, key or sample of a client gets in by accident.
"""

from __future__ import annotations

import json
import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

__all__ = ["FIELDS", "close_log", "note", "note_bug", "open_log"]

FIELDS = (
    "job_id", "client_id", "client_name", "request_id", "type", "kind", "state", "code", "stage", "attempts",
    "pid", "n_bytes", "seconds", "reason", "socket", "instance_id", "trace", "bug",
)  # fmt: skip
"""What a line may say beside its event."""

MAX_BYTES = 1 << 20
KEPT = 3

_LOGGER = logging.getLogger("foleyspace_host")


def open_log(folder: Path) -> None:
    """Write the log of this process to ``host.log`` in a folder, with up to `KEPT` older files of `MAX_BYTES`.

    Parameters
    ----------
    folder : Path
        The profile's state folder; it exists.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    close_log()
    handler = RotatingFileHandler(folder / "host.log", maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(_Line())
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    logging.raiseExceptions = False  # a full disk must not end what is being logged


def close_log() -> None:
    """Write to no file any more."""
    for handler in list(_LOGGER.handlers):
        _LOGGER.removeHandler(handler)
        handler.close()


def note(event: str, *, level: int = logging.INFO, **fields: str | float | None) -> None:
    """Write one line.

    Parameters
    ----------
    event : str
        What happened, as a word of this program: ``job.finished``.
    level : int
        As in `logging`.
    **fields : str, float or None
        Some of `FIELDS`; those that are None are left out.
    """
    _LOGGER.log(level, event, extra={"fields": {name: value for name, value in fields.items() if value is not None}})


def note_bug(event: str, error: BaseException, **fields: str | float | None) -> None:
    """Write one line about an error that nobody foresaw: its kind and place, but not its text."""
    trail = error.__traceback__
    while trail is not None and trail.tb_next is not None:
        trail = trail.tb_next
    place = "" if trail is None else f" at {Path(trail.tb_frame.f_code.co_filename).name}:{trail.tb_lineno}"
    note(event, level=logging.ERROR, bug=f"{type(error).__name__}{place}", code="internal", **fields)


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = getattr(record, "fields", {})
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {"time": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname.lower(), "event": record.msg}
        line |= {name: _short(told[name]) for name in FIELDS if name in told}
        return json.dumps(line)


def _short(value: object) -> object:
    return value[:200] if isinstance(value, str) else value
