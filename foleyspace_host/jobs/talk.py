"""What the host and a worker process say to each other: lines of JSON over the worker's stdin and stdout.

No line to a worker is longer than a pipe holds, so the host never waits for a worker: what a job is lies in a
file, and the line names it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from foleyspace_host.jobs.model import Assignment, Outcome
from foleyspace_host.protocol.messages import Error

__all__ = [
    "Advanced",
    "Cancel",
    "Done",
    "Failed",
    "FromWorker",
    "Start",
    "ToWorker",
    "decode_assignment",
    "decode_from_worker",
    "decode_to_worker",
    "encode_assignment",
    "encode_line",
    "load_assignment",
    "store_assignment",
]


class Start(msgspec.Struct, frozen=True, tag=True):
    """To a worker: do what the file at `path` says (see `load_assignment`)."""

    path: str


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """To a worker: stop this job, if you are at it."""

    job_id: str


class Advanced(msgspec.Struct, frozen=True, tag=True):
    """From a worker: how far it is; as `model.OnProgress`. On a cluster, `worker` says who."""

    stage: str
    done: int
    total: int
    fraction: float
    worker: str | None = None


class Done(msgspec.Struct, frozen=True, tag=True):
    """From a worker: the job ended well."""

    outcome: Outcome


class Failed(msgspec.Struct, frozen=True, tag=True):
    """From a worker: the job ended with an error; `cancelled` if it stopped because it was told to."""

    error: Error
    cancelled: bool = False


ToWorker = Start | Cancel
FromWorker = Advanced | Done | Failed

_to_worker = msgspec.json.Decoder(ToWorker)
_from_worker = msgspec.json.Decoder(FromWorker)


def encode_line(message: ToWorker | FromWorker) -> bytes:
    """Return a message as a line; raises TypeError for results that are not plain data."""
    return msgspec.json.encode(message) + b"\n"


def decode_to_worker(line: bytes) -> ToWorker:
    """Return the message in a line of the host's; ValueError if it is none."""
    return _to_worker.decode(line)


def decode_from_worker(line: bytes) -> FromWorker:
    """Return the message in a line of a worker's; ValueError if it is none."""
    return _from_worker.decode(line)


def store_assignment(assignment: Assignment) -> Path:
    """Write an assignment into the job's folder, where its worker finds it."""
    path = assignment.folder / "assignment.json"
    path.write_bytes(encode_assignment(assignment))
    return path


def load_assignment(path: str) -> Assignment:
    """Read what `store_assignment` wrote."""
    return decode_assignment(Path(path).read_bytes())


def encode_assignment(assignment: Assignment) -> bytes:
    """Return an assignment as JSON."""
    return msgspec.json.encode(assignment, enc_hook=str)


def decode_assignment(text: bytes) -> Assignment:
    """Return the assignment in a text of `encode_assignment`'s."""
    return msgspec.json.decode(text, type=Assignment, dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    return kind(value)
