"""The messages, as structs: the truth from which ``schemas/v1`` is exported.

Every message has a header and a body. A request of type T is answered by ``T.ok`` or by ``error``, with the
request's ``request_id``; what the host says on its own (``job.progress``, ``job.finished``, ``preview.chunk``,
``preview.end``) carries none. Unknown fields are ignored and reported as warnings, so that a later minor
version can add some. A comment beside a field becomes its description in the exported schema.
"""

# ruff: noqa: RUF012 - msgspec copies the empty lists that are defaults

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from foleyspace_host.protocol.greeting import (
    Capability,
    Health,
    HealthOk,
    Hello,
    HelloOk,
    WorkerHealth,
)
from foleyspace_host.protocol.limits import MAX_BUFFERS
from foleyspace_host.protocol.scalars import Body, Count, Digest, Id, Line, Path, Seconds, Version, Word
from foleyspace_host.protocol.transfer import (
    ArtifactRead,
    ArtifactReadOk,
    PreviewChunk,
    PreviewClose,
    PreviewCloseOk,
    PreviewCredit,
    PreviewEnd,
    PreviewOpen,
    PreviewOpenOk,
)
from foleyspace_host.protocol.work import (
    AudioInput,
    BufferSpec,
    EnvelopeInput,
    GenerateJob,
    GenerateSettings,
    Job,
    LocalizeJob,
    LocalizeSettings,
    Output,
    RenderJob,
    RenderSettings,
    Span,
    SpatializeJob,
    TimelineJob,
    TrajectoryInput,
    VideoInput,
)

__all__ = [
    "BODIES",
    "PROTOCOL",
    "SERVED",
    "Artifact",
    "ArtifactRead",
    "ArtifactReadOk",
    "AudioInput",
    "BufferSpec",
    "Capability",
    "EnvelopeInput",
    "Error",
    "GenerateJob",
    "GenerateSettings",
    "Header",
    "Health",
    "HealthOk",
    "Hello",
    "HelloOk",
    "Job",
    "JobAck",
    "JobAckOk",
    "JobCancel",
    "JobCancelOk",
    "JobList",
    "JobListOk",
    "JobProgress",
    "JobReport",
    "JobState",
    "JobStatus",
    "JobSubmit",
    "JobSubmitOk",
    "LocalizeJob",
    "LocalizeSettings",
    "Output",
    "PreviewChunk",
    "PreviewClose",
    "PreviewCloseOk",
    "PreviewCredit",
    "PreviewEnd",
    "PreviewOpen",
    "PreviewOpenOk",
    "Progress",
    "RenderJob",
    "RenderSettings",
    "Shutdown",
    "ShutdownOk",
    "Span",
    "SpatializeJob",
    "TimelineJob",
    "TrajectoryInput",
    "VideoInput",
    "WorkerHealth",
]

PROTOCOL = (1, 0)
"""Version (major, minor) of this specification, apart from that of the package."""

SERVED = ((1, 0), (1, 0))
"""Lowest and highest version that this host serves."""


class Header(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What stands before every body."""

    v: Version
    type: Annotated[str, Meta(min_length=1, max_length=32)]  # of the message
    client_id: Id | None = None  # all but the host's own messages
    request_id: Id | None = None  # a client's; repeated in the reply
    instance_id: Id | None = None  # the host's incarnation, in all it sends
    trace: Annotated[str, Meta(max_length=128)] | None = None  # handed through to the log


# --- errors ----------------------------------------------------------------------------------------------------


class Error(Body, frozen=True, kw_only=True):
    """``error``: why a request was not carried out, or why a job failed."""

    code: Word  # open: later versions may add codes
    message: Line  # one line for people: what, where, what to do
    where: Line | None = None  # the file, or the path of the field in the body: ``$.job.settings.spread``
    cure: Line | None = None  # what to do about it
    retryable: bool = False  # the same request may succeed a little later


# --- jobs ------------------------------------------------------------------------------------------------------


JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class JobSubmit(Body, frozen=True, kw_only=True):
    """``job.submit``: do this. Sent again with the same client_id and request_id it makes no second job."""

    job: Job  # what is to be done; its kind says which of these it is
    buffers: Annotated[list[BufferSpec], Meta(max_length=MAX_BUFFERS)] = []  # the raw frames behind the body, in order
    deadline_s: Annotated[float, Meta(gt=0.0, le=1e7)] | None = None  # from now; not started after it
    priority: Annotated[int, Meta(ge=-10, le=10)] = 0  # among the client's own jobs; higher first
    preview: bool = False  # keep what is rendered ready for ``preview.open``


class JobSubmitOk(Body, frozen=True, kw_only=True):
    """``job.submit.ok``: the job is on disk and will not be lost."""

    job_id: Id  # names the job in all that follows
    state: JobState  # queued; of a request that was sent again, what it is by now
    warnings: list[Line] = []  # fields that were ignored


class Artifact(Body, frozen=True, kw_only=True):
    """A file that a job made."""

    role: Word  # "audio", "video", "trajectory", "timeline", "mix", "adm", "media"
    path: Path  # absolute
    n_bytes: Count  # length of the file
    sha256: Digest  # of the whole file


class Progress(Body, frozen=True, kw_only=True):
    """How far a job is."""

    stage: Word  # decode, localize, render, write, place; later versions may have others
    done: Count  # of the stage
    total: Count  # of the stage
    fraction: Annotated[float, Meta(ge=0.0, le=1.0)]  # of the whole job; never falls
    eta_s: Seconds | None = None  # seconds that are left, once that can be told


class JobStatus(Body, frozen=True, kw_only=True):
    """``job.status``: tell how a job is. Any client may ask."""

    job_id: Id  # as in job.submit.ok


class JobReport(Body, frozen=True, kw_only=True):
    """What is known of a job: the body of ``job.status.ok``, of ``job.finished`` and in lists."""

    job_id: Id  # as in job.submit.ok
    kind: Word  # localize, render ...
    state: JobState  # the last three are ends and never change
    client_id: Id  # whose job it is
    client_name: Word  # the same for people
    created_s: Seconds  # seconds since 1970, UTC
    started_s: Seconds | None = None  # of the first attempt
    finished_s: Seconds | None = None  # when it came to its end
    attempts: Count = 0  # how often it was started
    progress: Progress | None = None  # while it is worked on
    artifacts: list[Artifact] = []  # the files of a job that is done
    result: dict[str, Any] | None = None  # as the command line's --json
    error: Error | None = None  # of a job that failed
    warnings: list[Line] = []  # what the user should know, one line each


class JobList(Body, frozen=True, kw_only=True):
    """``job.list``: name the jobs there are."""

    states: Annotated[list[JobState], Meta(max_length=5)] = []  # all if empty
    mine: bool = True  # only this client_id's
    limit: Annotated[int, Meta(ge=1, le=200)] = 50  # of jobs in the answer
    before_s: Seconds | None = None  # only jobs created before: the next page


class JobListOk(Body, frozen=True, kw_only=True):
    """``job.list.ok``: the newest first, without ``result``."""

    jobs: list[JobReport]  # without `result`
    more: bool = False  # there are others: ask again with before_s


class JobCancel(Body, frozen=True, kw_only=True):
    """``job.cancel``: stop a job."""

    job_id: Id  # as in job.submit.ok


class JobCancelOk(Body, frozen=True, kw_only=True):
    """``job.cancel.ok``: heard. A running job ends with ``job.finished`` soon after."""

    job_id: Id  # as asked
    state: JobState  # what it is now
    already_finished: bool = False  # it had ended before; nothing was changed


class JobAck(Body, frozen=True, kw_only=True):
    """``job.ack``: the client has the result; ``job.finished`` is not sent again."""

    job_id: Id  # as in job.finished


class JobAckOk(Body, frozen=True, kw_only=True):
    """``job.ack.ok``: it is not said again."""

    job_id: Id  # as told


class JobProgress(Body, frozen=True, kw_only=True):
    """``job.progress``, at most ten a second; may be lost, ``job.status`` is the truth."""

    job_id: Id  # as in job.submit.ok
    seq: Count  # rises with each of a job
    progress: Progress  # the newest there is


# --- end -------------------------------------------------------------------------------------------------------


class Shutdown(Body, frozen=True, kw_only=True):
    """``shutdown``: finish or lay down what runs, then end; what is queued waits for the next start."""

    now: bool = False  # do not wait for running jobs; they start again later


class ShutdownOk(Body, frozen=True, kw_only=True):
    """``shutdown.ok``: the host is about to end."""


BODIES: dict[str, type[Struct]] = {
    "error": Error,
    "hello": Hello,
    "hello.ok": HelloOk,
    "health": Health,
    "health.ok": HealthOk,
    "job.submit": JobSubmit,
    "job.submit.ok": JobSubmitOk,
    "job.status": JobStatus,
    "job.status.ok": JobReport,
    "job.list": JobList,
    "job.list.ok": JobListOk,
    "job.cancel": JobCancel,
    "job.cancel.ok": JobCancelOk,
    "job.ack": JobAck,
    "job.ack.ok": JobAckOk,
    "job.progress": JobProgress,
    "job.finished": JobReport,
    "artifact.read": ArtifactRead,
    "artifact.read.ok": ArtifactReadOk,
    "preview.open": PreviewOpen,
    "preview.open.ok": PreviewOpenOk,
    "preview.credit": PreviewCredit,
    "preview.close": PreviewClose,
    "preview.close.ok": PreviewCloseOk,
    "preview.chunk": PreviewChunk,
    "preview.end": PreviewEnd,
    "shutdown": Shutdown,
    "shutdown.ok": ShutdownOk,
}
"""Body of each type of message."""
