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

    job_id: Id
    index: Annotated[int, Meta(ge=0, le=1000)] = 0
    offset: Count = 0
    n_bytes: Annotated[int, Meta(ge=1, le=MAX_BUFFER_BYTES)] = MAX_BUFFER_BYTES


class ArtifactReadOk(Body, frozen=True, kw_only=True):
    """``artifact.read.ok``: one raw frame follows."""

    job_id: Id
    index: Count
    offset: Count
    n_bytes: Count
    last: bool


class PreviewOpen(Body, frozen=True, kw_only=True):
    """``preview.open``: send what is being rendered, as far as there is credit."""

    job_id: Id
    credit: Annotated[int, Meta(ge=1, le=64)] = 4  # chunks that may be sent
    start_sample: Count = 0


class PreviewOpenOk(Body, frozen=True, kw_only=True):
    """``preview.open.ok``: chunks follow."""

    preview_id: Id
    rate_hz: Count | None = None  # None until rendering has begun; every chunk says it
    n_channels: Count | None = None
    n_samples: Count | None = None


class PreviewCredit(Body, frozen=True, kw_only=True):
    """``preview.credit``: the client has read n chunks; there is no answer."""

    preview_id: Id
    n: Annotated[int, Meta(ge=1, le=64)]


class PreviewClose(Body, frozen=True, kw_only=True):
    """``preview.close``: send no more."""

    preview_id: Id


class PreviewCloseOk(Body, frozen=True, kw_only=True):
    """``preview.close.ok``: nothing more comes but ``preview.end``."""

    preview_id: Id


class PreviewChunk(Body, frozen=True, kw_only=True):
    """``preview.chunk``: one raw frame follows, float32 little endian, channel after channel, at most 1 s."""

    preview_id: Id
    seq: Count
    start_sample: Count
    n_samples: Count
    n_channels: Count
    rate_hz: Count
    last: bool = False


class PreviewEnd(Body, frozen=True, kw_only=True):
    """``preview.end``: nothing more comes."""

    preview_id: Id
    reason: Literal["complete", "failed", "cancelled", "client_slow", "closed"]
