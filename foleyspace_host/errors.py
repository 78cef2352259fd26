"""Every error that FoleySpace raises on purpose.

One tree; each class has a stable ``code``, the same on the command line, in ``--json`` output and on the wire::

    FoleySpaceError            internal
     ├── InvalidInput          invalid              a value or combination that cannot be used
     │    └── TrajectoryInvalid  trajectory_invalid   keys unsorted, not finite, out of range, wrong schema
     ├── MediaError            media                a sound or video file that cannot be used
     │    ├── MediaMissing     media_missing        there is no such file
     │    ├── MediaDamaged     media_damaged        truncated, corrupt or not media at all
     │    ├── MediaEmpty       media_empty          a valid file with no samples or frames in it
     │    ├── NoAudio          no_audio             no audio stream where one is needed
     │    ├── NoVideo          no_video             no video stream where one is needed
     │    └── NonFinite        nonfinite            NaN or infinite samples
     ├── HrtfInvalid           hrtf_invalid         a SOFA file that cannot be rendered with
     ├── ModelUnavailable      model_unavailable    a model or its runtime is missing or broken
     ├── NothingFound          nothing_found        localization found nothing that matches
     ├── OutputUnwritable      output_unwritable    the result cannot be written
     │    └── DiskFull         disk_full            no space left
     ├── Cancelled             cancelled            the user stopped it
     ├── ProtocolError         invalid              a message that is not what the protocol says
     │    ├── LimitExceeded    limit_exceeded       one that is longer, deeper or more than is allowed
     │    ├── VersionUnsupported  version_unsupported  the two sides have no version in common
     │    └── HelloRequired    hello_required       a request on a connection that has not greeted yet
     ├── UnauthorizedPath      unauthorized_path    a file outside of the folders that a client may use
     ├── NotFound              not_found            no job, result or preview of that name
     ├── Conflict              conflict             what was there before is another thing
     ├── JobError              job                  a job that was not done for its circumstances
     │    ├── Busy             busy                 too much to do already, or about to end
     │    ├── DeadlineExceeded  deadline_exceeded   not started before its deadline
     │    ├── TimedOut         timeout              no progress, or no answer, for too long
     │    ├── OutOfMemory      out_of_memory        more memory than there is, or than is allowed
     │    └── WorkerDied       worker_died          the process that worked on it ended by itself
     └── HostError             host                 the host cannot be started or reached
          ├── HostRunning      host_running         there is one for this profile already
          ├── JobsUnusable     jobs_unusable        its record of jobs is newer, or cannot be opened or written
          │    └── JobsDamaged  jobs_damaged         its record of jobs is damaged
          └── HostNotRunning   host_not_running     there is none for this profile

A message says what is wrong, where, and what to do about it, in one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

__all__ = [
    "Busy", "Cancelled", "Conflict", "DeadlineExceeded", "DiskFull", "FoleySpaceError", "HelloRequired",
    "HostError", "HostNotRunning", "HostRunning", "HrtfInvalid", "InvalidInput", "JobError", "JobsDamaged",
    "JobsUnusable", "LimitExceeded", "MediaDamaged", "MediaEmpty", "MediaError", "MediaMissing",
    "ModelUnavailable", "NoAudio", "NoVideo", "NonFinite", "NotFound", "NothingFound", "OutOfMemory",
    "OutputUnwritable", "ProtocolError", "TimedOut", "TrajectoryInvalid", "UnauthorizedPath",
    "VersionUnsupported", "WorkerDied",
]  # fmt: skip


class FoleySpaceError(Exception):
    """Base of all deliberate errors.

    ``retryable`` says that the same request, sent again unchanged a little later, may succeed.

    Parameters
    ----------
    problem : str
        What is wrong, without a full stop.
    where : str, optional
        The file, key or option it is about; printed first.
    cure : str, optional
        What the user can do, without a full stop.
    """

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, problem: str, *, where: str | None = None, cure: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.cure = cure

    def __str__(self) -> str:
        """Return the one line that users read: ``where: problem; cure.``."""
        line = self.problem if self.where is None else f"{self.where}: {self.problem}"
        line = line if self.cure is None else f"{line}; {self.cure}"
        return " ".join(line.split())

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only fields would be lost by the default pickling, which worker processes rely on
        return _rebuild, (type(self), self.problem, self.where, self.cure)


def _rebuild(kind: type[FoleySpaceError], problem: str, where: str | None, cure: str | None) -> FoleySpaceError:
    return kind(problem, where=where, cure=cure)


class InvalidInput(FoleySpaceError):
    """A value, or a combination of values, that cannot be used."""

    code = "invalid"


class TrajectoryInvalid(InvalidInput):
    """A trajectory whose keys are unsorted, not finite, out of range, or of an unknown schema."""

    code = "trajectory_invalid"


class MediaError(FoleySpaceError):
    """A sound or video file that cannot be used."""

    code = "media"


class MediaMissing(MediaError):
    """There is no such file, or it may not be read."""

    code = "media_missing"


class MediaDamaged(MediaError):
    """The file is truncated, corrupt, or not media at all."""

    code = "media_damaged"


class MediaEmpty(MediaError):
    """The file is valid but holds no samples or no frames."""

    code = "media_empty"


class NoAudio(MediaError):
    """The file has no audio stream and one is needed."""

    code = "no_audio"


class NoVideo(MediaError):
    """The file has no video stream and one is needed."""

    code = "no_video"


class NonFinite(MediaError):
    """The audio holds NaN or infinite samples."""

    code = "nonfinite"


class HrtfInvalid(FoleySpaceError):
    """A SOFA file that is damaged, of another convention, or not usable for rendering."""

    code = "hrtf_invalid"


class ModelUnavailable(FoleySpaceError):
    """A model file or the library that runs it is missing, broken, or not what it should be."""

    code = "model_unavailable"


class NothingFound(FoleySpaceError):
    """Localization found nothing that matches the request."""

    code = "nothing_found"


class OutputUnwritable(FoleySpaceError):
    """The result cannot be written where it was asked for."""

    code = "output_unwritable"


class DiskFull(OutputUnwritable):
    """There is no space left for the result."""

    code = "disk_full"


class Cancelled(FoleySpaceError):
    """The user stopped the work."""

    code = "cancelled"


class ProtocolError(FoleySpaceError):
    """A message that is not what the protocol says.

    ``where`` is the path of the field: ``$.job.settings.spread``, or ``header`` or ``frame 3``.

    Parameters
    ----------
    problem, where, cure : str
        As for every error.
    about : mapping of str to str, optional
        What could be read of the message's header (``type``, ``client_id``, ``request_id``, ``trace``), so that
        the error can be sent to whom it concerns.
    """

    code = "invalid"

    def __init__(
        self,
        problem: str,
        *,
        where: str | None = None,
        cure: str | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(problem, where=where, cure=cure)
        self.about = dict(about or {})


class LimitExceeded(ProtocolError):
    """A message or a request that is longer, deeper or more than is allowed."""

    code = "limit_exceeded"


class VersionUnsupported(ProtocolError):
    """Client and host have no version of the protocol in common."""

    code = "version_unsupported"


class HelloRequired(ProtocolError):
    """A request on a connection that has not said ``hello`` yet."""

    code = "hello_required"


class UnauthorizedPath(FoleySpaceError):
    """A file or folder outside of those that the client may use."""

    code = "unauthorized_path"


class NotFound(FoleySpaceError):
    """There is no job, result or preview of that name."""

    code = "not_found"


class Conflict(FoleySpaceError):
    """What was there before is another thing: a request sent twice with two contents, a file that changed."""

    code = "conflict"


class JobError(FoleySpaceError):
    """A job that was not done for its circumstances rather than for its content."""

    code = "job"


class Busy(JobError):
    """The host has too much to do already, or is about to end."""

    code = "busy"
    retryable = True


class DeadlineExceeded(JobError):
    """The job's deadline passed before it was started."""

    code = "deadline_exceeded"


class TimedOut(JobError):
    """There was no progress, or no answer, for too long."""

    code = "timeout"


class OutOfMemory(JobError):
    """The job needed more memory than there is, or than is allowed."""

    code = "out_of_memory"


class WorkerDied(JobError):
    """The process that worked on the job ended by itself."""

    code = "worker_died"


class HostError(FoleySpaceError):
    """The host cannot be started or reached."""

    code = "host"


class HostRunning(HostError):
    """There is a host for this profile already."""

    code = "host_running"


class JobsUnusable(HostError):
    """The host's record of jobs is of a newer version, or cannot be opened or written."""

    code = "jobs_unusable"


class JobsDamaged(JobsUnusable):
    """The host's record of jobs is damaged; moving it aside is all that can be done."""

    code = "jobs_damaged"


class HostNotRunning(HostError):
    """There is no host for this profile."""

    code = "host_not_running"
    retryable = True
