"""What the parts of the job system hand to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from foleyspace_host.protocol.messages import Artifact, JobReport, JobSubmit, Progress

__all__ = [
    "Assignment",
    "Event",
    "InputFile",
    "JobFinished",
    "JobProgressed",
    "OnProgress",
    "Outcome",
    "Runner",
    "Submission",
]

OnProgress = Callable[[str, int, int, float], None]
"""Called with the stage, what is done and what is to do of it, and the fraction of the whole job (0 to 1).

It raises `errors.Cancelled` when the job is to stop, so it is to be called at least a few times a second.
"""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that a job reads, as it was when the job was accepted.

    Parameters
    ----------
    field : str
        Where the request names it: ``$.job.audio.path``.
    path : str
        The file with all links followed.
    device, inode : int
        Its identity on this machine.
    n_bytes : int
        Its size [bytes].
    mtime_ns : int
        When it was last changed [ns since 1970].
    """

    field: str
    path: str
    device: int
    inode: int
    n_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Submission:
    """A request for a job that was found valid and allowed; nothing of it is on record yet.

    Parameters
    ----------
    client_id : str
        Who asks.
    client_name : str
        The same for people.
    request_id : str
        The client's name for this request: the same one never makes two jobs.
    payload_hash : str
        What was asked, as a hash: tells a repeated request from another one of the same name.
    body : JobSubmit
        The request.
    inputs : tuple of InputFile
        The files it names.
    output_folder : Path, optional
        Where results go, resolved and allowed; the job's own folder if None.
    spool : Path, optional
        Folder of the raw buffers as ``00.buf``, ``01.buf`` ...; it becomes the job's if the job is accepted.
    with_client : bool
        Whether the job is to end when its client is gone.
    """

    client_id: str
    client_name: str
    request_id: str
    payload_hash: str
    body: JobSubmit
    inputs: tuple[InputFile, ...] = ()
    output_folder: Path | None = None
    spool: Path | None = None
    with_client: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at a job, as a worker process gets it.

    Parameters
    ----------
    job_id : str
        The job.
    attempt : int
        1 for the first.
    body : bytes
        The request (msgpack of `JobSubmit`).
    folder : Path
        The job's own; its raw buffers are in ``buffers``.
    inputs : tuple of InputFile
        The files it names, as they were when it was accepted.
    output_folder : Path
        Where results go; it exists.
    stem : str
        First part of the names of results.
    cache_folder : Path
        Where finished stages are kept for this and later jobs; need not exist.
    cache_limit_bytes : int
        Size that it may grow to.
    device : str
        Where models are to run: ``auto``, ``cpu`` or ``cuda``.
    preview : Path, optional
        File to write what is rendered to, while it is being rendered; see `jobs.preview`.
    """

    job_id: str
    attempt: int
    body: bytes
    folder: Path
    inputs: tuple[InputFile, ...]
    output_folder: Path
    stem: str
    cache_folder: Path
    cache_limit_bytes: int
    device: str = "auto"
    preview: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job that ended well.

    Parameters
    ----------
    artifacts : tuple of Artifact
        The files it made, complete and on the disk.
    result : dict
        What the command line's ``--json`` would say; plain types only.
    warnings : tuple of str
        What the user should know, one line each.
    fallbacks : tuple of str
        Why models compute on the processor though the worker was to use a GPU, one line each.
    """

    artifacts: tuple[Artifact, ...]
    result: dict[str, Any]
    warnings: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()


class Runner(Protocol):
    """A module that does the work of jobs, named by its dotted path: `jobs.run`, or a fake one in tests.

    It is imported in the worker process, once; what it keeps in globals stays between jobs.
    """

    def run(self, assignment: Assignment, on_progress: OnProgress) -> Outcome:
        """Do what the assignment says.

        Raises
        ------
        FoleySpaceError
            If it cannot be done; another attempt would end the same.
        MemoryError
            If there is not enough memory.
        """


@dataclass(frozen=True, slots=True)
class JobProgressed:
    """A job came further; `seq` counts from 1 within the job."""

    client_id: str
    job_id: str
    seq: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class JobFinished:
    """A job came to its end, of which there is exactly one."""

    client_id: str
    report: JobReport


Event = JobProgressed | JobFinished
