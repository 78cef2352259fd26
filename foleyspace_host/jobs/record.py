"""One job as it stands on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from foleyspace_host.jobs.model import InputFile
from foleyspace_host.protocol.messages import Artifact, Error, JobReport, JobState, JobSubmit, Progress

__all__ = ["ENDS", "Ending", "JobRow"]

ENDS: tuple[JobState, ...] = ("done", "failed", "cancelled")
"""The states that a job never leaves."""


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
