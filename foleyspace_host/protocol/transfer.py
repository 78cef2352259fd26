"""Sound on its way to the client: pieces of finished files, and previews of what is being made."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from foleyspace_host.protocol.limits import MAX_BUFFER_BYTES
from foleyspace_host.protocol.scalars import Body, Count, Id

__all__ = [
    "ArtifactRead",
    "ArtifactReadOk",
    "PreviewChunk",
    "PreviewClose",
    "PreviewCloseOk",
    "PreviewCredit",
    "PreviewEnd",
    "PreviewOpen",
    "PreviewOpenOk",
]


class ArtifactRead(Body, frozen=True, kw_only=True):
    """``artifact.read``: a piece of a finished job's file, for clients that cannot open it."""

    job_id: Id  # as in job.finished
    index: Annotated[int, Meta(ge=0, le=1000)] = 0  # place in artifacts, from 0
    offset: Count = 0  # first byte that is wanted
    n_bytes: Annotated[int, Meta(ge=1, le=MAX_BUFFER_BYTES)] = MAX_BUFFER_BYTES  # an answer has 1 MiB at most


class ArtifactReadOk(Body, frozen=True, kw_only=True):
    """``artifact.read.ok``: one raw frame follows."""

    job_id: Id  # as asked
    index: Count  # as asked
    offset: Count  # as asked
    n_bytes: Count  # length of the raw frame
    last: bool  # the file ends with it


class PreviewOpen(Body, frozen=True, kw_only=True):
    """``preview.open``: send what is being rendered, as far as there is credit."""

    job_id: Id  # as in job.submit.ok
    credit: Annotated[int, Meta(ge=1, le=64)] = 4  # chunks that may be sent
    start_sample: Count = 0  # where to begin


class PreviewOpenOk(Body, frozen=True, kw_only=True):
    """``preview.open.ok``: chunks follow."""

    preview_id: Id  # names the preview on this connection
    rate_hz: Count | None = None  # nil until rendering has begun; every chunk says it
    n_channels: Count | None = None  # likewise
    n_samples: Count | None = None  # of the whole sound; likewise


class PreviewCredit(Body, frozen=True, kw_only=True):
    """``preview.credit``: the client has read n chunks; there is no answer."""

    preview_id: Id  # as in preview.open.ok
    n: Annotated[int, Meta(ge=1, le=64)]  # so many more chunks may be sent


class PreviewClose(Body, frozen=True, kw_only=True):
    """``preview.close``: send no more."""

    preview_id: Id  # as in preview.open.ok


class PreviewCloseOk(Body, frozen=True, kw_only=True):
    """``preview.close.ok``: nothing more comes but ``preview.end``."""

    preview_id: Id  # as asked


class PreviewChunk(Body, frozen=True, kw_only=True):
    """``preview.chunk``: one raw frame follows, float32 little endian, channel after channel, at most 1 s."""

    preview_id: Id  # as in preview.open.ok
    seq: Count  # counts from 0 without gaps
    start_sample: Count  # where the chunk belongs in the sound
    n_samples: Count  # of each channel
    n_channels: Count  # the frame has n_channels x n_samples x 4 bytes
    rate_hz: Count  # sampling rate
    last: bool = False  # the sound ends with it


class PreviewEnd(Body, frozen=True, kw_only=True):
    """``preview.end``: nothing more comes."""

    preview_id: Id  # as in preview.open.ok
    reason: Literal["complete", "failed", "cancelled", "client_slow", "closed"]  # client_slow: no credit for 10 s
