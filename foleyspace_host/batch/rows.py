"""One stage as it stands on record, and how the record lies in SQLite."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from foleyspace_host.protocol.messages import Error

__all__ = ["COLUMNS", "TABLES", "StageRow", "StageState"]

StageState = Literal["queued", "running", "done", "failed"]

TABLES = """
CREATE TABLE items (
  item_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  asked_by TEXT NOT NULL,        -- list and line
  out TEXT NOT NULL,
  stages TEXT NOT NULL,          -- JSON: keys, in order
  state TEXT NOT NULL CHECK (state IN ('queued', 'done', 'failed')),
  error TEXT,                    -- JSON
  finished_s REAL                -- seconds since 1970, like all times here
);
CREATE TABLE stages (
  key TEXT PRIMARY KEY,          -- digest of the contents of all inputs, and of the settings
  kind TEXT NOT NULL,
  body TEXT NOT NULL,            -- JSON of work.Request
  out TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  worker TEXT,
  started_s REAL,
  finished_s REAL,
  n_bytes INTEGER,               -- of the result, as it was left
  mtime_ns INTEGER,
  result TEXT,                   -- JSON
  warnings TEXT,                 -- JSON
  error TEXT                     -- JSON
);
CREATE TABLE files (path TEXT PRIMARY KEY, n_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage as it stands on record."""

    key: str
    kind: str
    body: str
    out: str
    state: StageState
    attempts: int
    worker: str | None
    started_s: float | None
    finished_s: float | None
    n_bytes: int | None
    mtime_ns: int | None
    result: str | None
    warnings: str | None
    error: str | None

    @property
    def failure(self) -> Error | None:
        """Why it failed."""
        return None if self.error is None else msgspec.json.decode(self.error, type=Error)

    @property
    def told(self) -> list[str]:
        """What the user should know of it."""
        return [] if self.warnings is None else msgspec.json.decode(self.warnings, type=list[str])

    def is_there(self) -> bool:
        """Whether it is done, and its result is still what it was."""
        if self.state != "done":
            return False
        try:
            found = Path(self.out).stat()
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns) == (self.n_bytes, self.mtime_ns)


COLUMNS = ", ".join(StageRow.__slots__)
