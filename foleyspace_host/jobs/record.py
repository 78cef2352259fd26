"""One job as it stands on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from foleyspace_host.jobs.model import InputFile
from foleyspace_host.protocol.messages import Artifact, Error, JobReport, JobState, JobSubmit, Progress

__all__ = ["ENDS", "TABLE", "Ending", "JobRow"]

ENDS: tuple[JobState, ...] = ("done", "failed", "cancelled")
"""The states that a job never leaves."""


TABLE = """
CREATE TABLE jobs (
  job_id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL,
  client_name TEXT NOT NULL,
  request_id TEXT NOT NULL,
  payload_hash TEXT NOT NULL,
  kind TEXT NOT NULL,
  body BLOB NOT NULL,            -- msgpack of JobSubmit
  inputs BLOB NOT NULL,          -- msgpack of [InputFile]
  output_folder TEXT,
  priority INTEGER NOT NULL,
  deadline_s REAL,               -- seconds since 1970, like all times here
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  created_s REAL NOT NULL UNIQUE,
  started_s REAL,                -- of the first attempt
  finished_s REAL,
  attempts INTEGER NOT NULL DEFAULT 0,
  deaths INTEGER NOT NULL DEFAULT 0,      -- attempts whose worker died
  cancelling INTEGER NOT NULL DEFAULT 0,  -- the client was told that its cancel was heard
  acked INTEGER NOT NULL DEFAULT 0,       -- the client was told the end
  with_client INTEGER NOT NULL DEFAULT 0, -- it ends when its client is gone
  reached REAL NOT NULL DEFAULT 0,        -- share of the work that clients were told of, or a little more
  ending BLOB,                   -- msgpack of Ending
  UNIQUE (client_id, request_id),
  CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_s IS NOT NULL))
);
CREATE INDEX jobs_by_state ON jobs (state, acked);
CREATE TRIGGER an_end_is_an_end BEFORE UPDATE OF state ON jobs
  WHEN OLD.state IN ('done', 'failed', 'cancelled')
  BEGIN SELECT RAISE(ABORT, 'a job ends once'); END;
"""
"""How `JobRow` lies in SQLite."""


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a job ended."""

    artifacts: list[Artifact] = []
    result: dict[str, Any] | None = None
    error: Error | None = None
    warnings: list[str] = []


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as it stands in the record; times in seconds since 1970."""

    job_id: str
    client_id: str
    client_name: str
    request_id: str
    payload_hash: str
    kind: str
    body: bytes
    inputs: bytes
    output_folder: str | None
    priority: int
    deadline_s: float | None
    state: JobState
    created_s: float
    started_s: float | None
    finished_s: float | None
    attempts: int
    deaths: int
    cancelling: int
    acked: int
    with_client: int
    reached: float
    ending: bytes | None

    @property
    def request(self) -> JobSubmit:
        """What was asked."""
        return _SUBMIT.decode(self.body)

    @property
    def files(self) -> tuple[InputFile, ...]:
        """The files that it reads."""
        return _INPUTS.decode(self.inputs)

    def report(self, progress: Progress | None = None, *, with_result: bool = True) -> JobReport:
        """Return the row as the body of a message."""
        ending = _ENDING.decode(self.ending) if self.ending else Ending()
        return JobReport(
            job_id=self.job_id,
            kind=self.kind,
            state=self.state,
            client_id=self.client_id,
            client_name=self.client_name,
            created_s=self.created_s,
            started_s=self.started_s,
            finished_s=self.finished_s,
            attempts=self.attempts,
            progress=progress,
            artifacts=ending.artifacts,
            result=ending.result if with_result else None,
            error=ending.error,
            warnings=ending.warnings,
        )


_SUBMIT = msgspec.msgpack.Decoder(JobSubmit)
_INPUTS = msgspec.msgpack.Decoder(tuple[InputFile, ...])
_ENDING = msgspec.msgpack.Decoder(Ending)
