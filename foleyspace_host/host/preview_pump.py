"""Sends what is being rendered to who wants to hear it, as fast as they take it and not faster.

What is rendered lies on the disk. A chunk is read from there only when the client has credit for it, so a slow
client costs the memory of the chunks that are on their way to it, and a render never waits for anybody.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from foleyspace_host.errors import Busy, NotFound
from foleyspace_host.host.log import note
from foleyspace_host.host.sessions import Session
from foleyspace_host.jobs.preview import PreviewReader
from foleyspace_host.jobs.service import JobService
from foleyspace_host.protocol.limits import MAX_BUFFER_BYTES
from foleyspace_host.protocol.messages import (
    PreviewChunk,
    PreviewClose,
    PreviewCloseOk,
    PreviewCredit,
    PreviewEnd,
    PreviewOpen,
    PreviewOpenOk,
)

__all__ = ["CREDIT_TIMEOUT_S", "PreviewPump"]

CREDIT_TIMEOUT_S = 10.0
"""A preview ends whose client has no credit left and gives none for so long; its file stays."""

_MAX_CREDIT = 64
_MAX_ON_THE_WAY_BYTES = MAX_BUFFER_BYTES
_MAX_PREVIEWS = 4  # of one connection: with the bytes on the way the memory that it can take
_LOOK_S = 0.05  # how often to look for more of what is being rendered
_IDLE_S = 1.0
_SAMPLE_BYTES = 4

Reason = Literal["complete", "failed", "cancelled", "client_slow", "closed"]
_REASONS: dict[str, Reason] = {"done": "complete", "failed": "failed", "cancelled": "cancelled"}


@dataclass(slots=True, eq=False)
class _Preview:
    preview_id: str
    job_id: str
    session: Session
    reader: PreviewReader
    credit: int
    next_sample: int
    seq: int = 0
    on_the_way: deque[int] = field(default_factory=deque)  # bytes of each chunk that was not read yet
    waiting_since_s: float = 0.0
    end: Reason | None = None  # how the job ended


class PreviewPump:
    """All open previews; used in the work socket's thread alone.

    Parameters
    ----------
    send : callable
        `Endpoint.send`.
    service : JobService
        Knows the jobs' files.
    """

    def __init__(self, send: Callable[..., bool | None], service: JobService) -> None:
        self._send = send
        self._service = service
        self._open: dict[str, _Preview] = {}

    def open(self, session: Session, wanted: PreviewOpen) -> PreviewOpenOk:
        """Begin to send a job's sound to a connection.

        Raises
        ------
        NotFound
            There is no such job, or it keeps no preview.
        Busy
            The connection has too many previews open.
        """
        report = self._service.status(wanted.job_id)
        path = self._service.preview(wanted.job_id)
        if path is None:
            raise NotFound("the job keeps no preview", where="$.job_id", cure="submit it with preview: true")
        if sum(preview.session is session for preview in self._open.values()) >= _MAX_PREVIEWS:
            raise Busy(f"{_MAX_PREVIEWS} previews are open already", cure="close one")
        preview = _Preview(
            secrets.token_hex(8),
            wanted.job_id,
            session,
            PreviewReader(path),
            wanted.credit,
            wanted.start_sample,
            waiting_since_s=time.monotonic(),
            end=_REASONS.get(report.state),
        )
        self._open[preview.preview_id] = preview
        head = preview.reader.head()
        if head is None:
            return PreviewOpenOk(preview_id=preview.preview_id)
        return PreviewOpenOk(
            preview_id=preview.preview_id, rate_hz=head.rate_hz, n_channels=head.n_channels, n_samples=head.n_samples
        )

    def credit(self, session: Session, given: PreviewCredit) -> None:
        """Note that a client has read chunks; silently, if the preview is over."""
        preview = self._of(session, given.preview_id)
        if preview is not None:
            preview.credit = min(preview.credit + given.n, _MAX_CREDIT)
            preview.waiting_since_s = time.monotonic()
            for _ in range(min(given.n, len(preview.on_the_way))):
                preview.on_the_way.popleft()

    def close(self, session: Session, wanted: PreviewClose) -> PreviewCloseOk:
        """Send no more.

        Raises
        ------
        NotFound
            The connection has no such preview.
        """
        preview = self._of(session, wanted.preview_id)
        if preview is None:
            raise NotFound("there is no such preview", where="$.preview_id", cure="it may have ended already")
        self._finish(preview, "closed")
        return PreviewCloseOk(preview_id=wanted.preview_id)

    def finished(self, job_id: str, state: str) -> None:
        """Note that nothing more of a job is rendered."""
        for preview in self._open.values():
            if preview.job_id == job_id:
                preview.end = _REASONS.get(state, "failed")

    def drop(self, session: Session) -> None:
        """Forget the previews of a connection that is gone."""
        for preview in [preview for preview in self._open.values() if preview.session is session]:
            self._forget(preview)

    def turn(self) -> float:
        """Send what can be sent; return in how many seconds there may be more."""
        for preview in list(self._open.values()):
            while preview.preview_id in self._open and self._step(preview):
                pass
        return _LOOK_S if self._open else _IDLE_S

    def _of(self, session: Session, preview_id: str) -> _Preview | None:
        preview = self._open.get(preview_id)
        return preview if preview is not None and preview.session is session else None

    def _step(self, preview: _Preview) -> bool:
        """Send one chunk if there is credit and sound for it; return whether to try another."""
        if not preview.credit or sum(preview.on_the_way) >= _MAX_ON_THE_WAY_BYTES:
            if time.monotonic() - preview.waiting_since_s > CREDIT_TIMEOUT_S:
                note("preview.slow", level=logging.WARNING, job_id=preview.job_id, client_id=preview.session.client_id)
                self._finish(preview, "client_slow")
            return False
        end = preview.end  # before reading: what comes after it is then all there
        head = preview.reader.head()
        if head is None:
            return self._wait_for_more(preview, end)
        frame_bytes = head.n_channels * _SAMPLE_BYTES
        frames = preview.reader.read(preview.next_sample, min(head.rate_hz, MAX_BUFFER_BYTES // frame_bytes))
        if not frames:
            return self._wait_for_more(preview, end)
        n_samples = len(frames) // frame_bytes
        after = preview.next_sample + n_samples
        body = PreviewChunk(
            preview_id=preview.preview_id,
            seq=preview.seq,
            start_sample=preview.next_sample,
            n_samples=n_samples,
            n_channels=head.n_channels,
            rate_hz=head.rate_hz,
            last=head.n_samples is not None and after >= head.n_samples,
        )
        planes = _planes(frames, head.n_channels)
        sent = self._send(preview.session.peer, "preview.chunk", body, buffers=[planes])
        if sent is None:
            self._forget(preview)
        if not sent:
            return False
        preview.seq, preview.next_sample, preview.credit = preview.seq + 1, after, preview.credit - 1
        preview.on_the_way.append(len(planes))
        return True

    def _wait_for_more(self, preview: _Preview, end: Reason | None) -> bool:
        """End a preview after all of it was sent, or wait for what is being rendered."""
        preview.waiting_since_s = time.monotonic()  # it waits for us
        if end is not None:
            self._finish(preview, end)
        return False

    def _finish(self, preview: _Preview, reason: Reason) -> None:
        # whoever reads so slowly that even this does not get out sees no more chunks, which says the same
        self._send(preview.session.peer, "preview.end", PreviewEnd(preview_id=preview.preview_id, reason=reason))
        self._forget(preview)

    def _forget(self, preview: _Preview) -> None:
        self._open.pop(preview.preview_id, None)


def _planes(frames: bytes, n_channels: int) -> bytes:
    """Return samples channel after channel that came sample after sample."""
    samples = memoryview(frames).cast("I")  # four bytes are moved as one, whatever they mean
    return b"".join(samples[channel::n_channels].tobytes() for channel in range(n_channels))
