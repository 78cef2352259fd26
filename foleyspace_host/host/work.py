"""What the work socket does: takes jobs, tells how they go, hands out what they made.

Everything here runs in the socket's thread, except `Work.on_event`, which hands over to it.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from typing import cast

from foleyspace_host.errors import Busy, Conflict, FoleySpaceError, HelloRequired, NotFound, ProtocolError
from foleyspace_host.host.endpoint import Call, Endpoint, Reply
from foleyspace_host.host.greeting import Greeter
from foleyspace_host.host.lifecycle import Ending
from foleyspace_host.host.log import note
from foleyspace_host.host.preview_pump import PreviewPump
from foleyspace_host.host.sessions import RETURN_S, Session, Sessions
from foleyspace_host.host.spool import Spool
from foleyspace_host.host.submission import allowed_inputs, allowed_output
from foleyspace_host.jobs.model import Event, JobFinished, Submission
from foleyspace_host.jobs.service import JobService
from foleyspace_host.protocol.frames import body_hash
from foleyspace_host.protocol.messages import (
    ArtifactRead,
    ArtifactReadOk,
    Hello,
    HelloOk,
    JobList,
    JobProgress,
    JobReport,
    JobSubmit,
    PreviewClose,
    PreviewCredit,
    PreviewOpen,
)

__all__ = ["Work"]

_PIECE_BYTES = 1 << 20  # at most so much of a file in one reply: what waits for a slow reader is memory
_IDLE_S = 1.0
_CANCELLED_AT_ONCE = 50  # each is written to the disk, and other clients wait meanwhile
_DOUBT_S = 1.0  # ZeroMQ needs milliseconds to close a connection on both of its sides


class Work:
    """The handlers of the work socket, and what the host says there on its own.

    Parameters
    ----------
    endpoint : Endpoint
        The socket; gets its handlers here.
    service : JobService
        The jobs.
    greeter : Greeter
        What the host tells of itself.
    spool : Spool
        Where buffers are written to.
    ending : Ending
        Whether new jobs are refused.
    """

    def __init__(self, endpoint: Endpoint, service: JobService, greeter: Greeter, spool: Spool, ending: Ending) -> None:
        self.sessions = Sessions()
        self._endpoint = endpoint
        self._service = service
        self._greeter = greeter
        self._spool = spool
        self._ending = ending
        self._previews = PreviewPump(endpoint.send, service)
        self._doubted: deque[tuple[float, Session, HelloOk, str | None]] = deque()
        self._owed: set[str] = set()  # clients who may not know of all their finished jobs
        endpoint.on_turn, endpoint.on_lost, endpoint.on_unreachable = self._turn, self._lost, self._unreachable
        endpoint.handlers = {
            "hello": self._hello,
            "job.submit": self._submit,
            "artifact.read": self._read,
            "preview.open": self._open_preview,
            "preview.credit": self._credit,
            "preview.close": self._close_preview,
        }

    def expect_back(self) -> None:
        """Give clients of an earlier host, whose jobs are to end with them, time to say hello; before the start."""
        for client_id in self._service.bound_clients():
            self.sessions.forsake(client_id, RETURN_S)

    # --- requests ----------------------------------------------------------------------------------------------

    def _hello(self, call: Call) -> Reply | None:
        there = self._endpoint.is_there(call.descriptor)
        if there is False:
            return None  # nobody hears the answer
        hello, client_id = cast(Hello, call.message.body), call.message.header.client_id or ""
        answer, roots = self._greeter.hello(hello)
        session = Session(call.peer, call.descriptor, client_id, hello.client_name, roots, hello.cancel_on_disconnect)
        before = self.sessions.of_peer(call.peer)
        if before is not None and before.client_id == client_id:  # said anew: its previews go on
            before.client_name, before.roots, before.told = session.client_name, roots, set()
            before.cancel_on_disconnect = hello.cancel_on_disconnect
            session = before
        elif before is not None:
            self._previews.drop(before)
            self.sessions.drop(before)
        self.sessions.add(session)
        if there is None:
            self._doubted.append((time.monotonic() + _DOUBT_S, session, answer, call.message.header.request_id))
        self._service.bind(client_id, hello.cancel_on_disconnect)
        self._owed.add(client_id)  # paid after the reply
        note("hello", client_id=client_id, client_name=hello.client_name)
        return Reply(answer)

    def _submit(self, call: Call) -> Reply:
        session, message = self._session(call), call.message
        request_id, body = message.header.request_id or "", cast(JobSubmit, message.body)
        payload_hash = body_hash(message)
        known = self._service.known(session.client_id, request_id, payload_hash)
        if known is not None:  # sent again: nothing is written twice
            return Reply(known)
        if self._ending:
            raise Busy("the host is about to end", cure="send the request again when it has started anew")
        inputs, folder = allowed_inputs(body.job, session.roots), allowed_output(body.job, session.roots)
        buffers = [memoryview(buffer) for buffer in message.buffers]
        spool = self._spool.write(body.buffers, buffers)
        try:
            answer = self._service.submit(
                Submission(
                    session.client_id,
                    session.client_name,
                    request_id,
                    payload_hash,
                    body,
                    inputs,
                    folder,
                    spool,
                    session.cancel_on_disconnect,
                )
            )
        finally:
            self._spool.drop(spool)  # nothing is left here of what was accepted
        note(
            "job.accepted",
            job_id=answer.job_id,
            client_id=session.client_id,
            request_id=request_id,
            kind=type(body.job).__struct_config__.tag,
            n_bytes=sum(buffer.nbytes for buffer in buffers) or None,
            trace=message.header.trace,
        )
        return Reply(answer)

    def _read(self, call: Call) -> Reply:
        self._session(call)
        wanted = cast(ArtifactRead, call.message.body)
        artifacts = self._service.status(wanted.job_id).artifacts
        if wanted.index >= len(artifacts):
            problem = f"the job has {len(artifacts)} results, and none with number {wanted.index}"
            raise NotFound(problem, where="$.index", cure="wait for job.finished, and count from 0")
        artifact = artifacts[wanted.index]
        piece = _piece(artifact.path, artifact.n_bytes, wanted.offset, min(wanted.n_bytes, _PIECE_BYTES))
        return Reply(
            ArtifactReadOk(
                job_id=wanted.job_id,
                index=wanted.index,
                offset=wanted.offset,
                n_bytes=len(piece),
                last=wanted.offset + len(piece) >= artifact.n_bytes,
            ),
            [piece],
        )

    def _open_preview(self, call: Call) -> Reply:
        return Reply(self._previews.open(self._session(call), cast(PreviewOpen, call.message.body)))

    def _credit(self, call: Call) -> None:
        self._previews.credit(self._session(call), cast(PreviewCredit, call.message.body))

    def _close_preview(self, call: Call) -> Reply:
        return Reply(self._previews.close(self._session(call), cast(PreviewClose, call.message.body)))

    def _session(self, call: Call) -> Session:
        session = self.sessions.of_peer(call.peer)
        if session is None:
            raise HelloRequired("this connection has not said hello yet", cure="send hello, then this again")
        if call.message.header.client_id != session.client_id:
            problem = "another client than the one that said hello"
            raise ProtocolError(problem, where="header.client_id", cure="say hello with this client_id")
        return session

    # --- what the host says on its own -------------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """Tell a client how its job goes; from any thread."""
        self._endpoint.post(lambda: self._tell(event))

    def _tell(self, event: Event) -> None:
        if isinstance(event, JobFinished):
            self._previews.finished(event.report.job_id, event.report.state)
        session = self.sessions.of_client(event.client_id)
        if session is None:
            return  # told at the next hello
        if isinstance(event, JobFinished):
            self._tell_ends(session, [event.report])
            return
        body = JobProgress(job_id=event.job_id, seq=event.seq, progress=event.progress)
        if self._endpoint.send(session.peer, "job.progress", body) is None:
            self._drop(session)

    def _tell_ends(self, session: Session, reports: Sequence[JobReport]) -> None:
        for report in reports:
            if report.job_id in session.told:
                continue
            sent = self._endpoint.send(session.peer, "job.finished", report)
            if sent is None:
                self._drop(session)
                return
            if not sent:  # it reads too slowly: again at the next turn
                self._owed.add(session.client_id)
                return
            session.told.add(report.job_id)

    def _turn(self) -> float:
        owed, self._owed = self._owed, set()
        for client_id in owed:
            session = self.sessions.of_client(client_id)
            if session is not None:
                self._tell_ends(session, self._service.unacked(client_id))
        self._check_doubted()
        for client_id in self.sessions.forsaken():
            self._cancel_all(client_id)
        return min(self._previews.turn(), 0.1 if self._owed else _IDLE_S)

    def _check_doubted(self) -> None:
        while self._doubted and self._doubted[0][0] <= time.monotonic():
            _, session, answer, request_id = self._doubted.popleft()
            if self.sessions.of_peer(session.peer) is not session:
                continue
            # the answer once more: whoever is there does not wait for it, and it shows who is not
            if self._endpoint.send(session.peer, "hello.ok", answer, request_id=request_id) is None:
                self._drop(session)

    def _lost(self, descriptor: int) -> None:
        for session in self.sessions.lost(descriptor):
            self._drop(session)

    def _unreachable(self, peer: bytes) -> None:
        session = self.sessions.of_peer(peer)
        if session is not None:
            self._drop(session)

    def _drop(self, session: Session) -> None:
        self.sessions.drop(session)
        self._previews.drop(session)
        note("gone", client_id=session.client_id, client_name=session.client_name)

    def _cancel_all(self, client_id: str) -> None:
        listed = self._service.list(client_id, JobList(states=["queued", "running"], limit=_CANCELLED_AT_ONCE))
        again_s = 0.0 if listed.more else None
        try:
            for job in listed.jobs:
                self._service.cancel(job.job_id)
                note("job.cancel", job_id=job.job_id, client_id=client_id, reason="its client is gone")
        except FoleySpaceError:  # a full disk
            again_s = _IDLE_S
        if again_s is not None and self.sessions.of_client(client_id) is None:
            self.sessions.forsake(client_id, again_s)


def _piece(path: str, n_bytes: int, offset: int, length: int) -> bytes:
    """Read a part of a result, which must be the file that the job wrote."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise NotFound(f"the result is not there any more ({error.strerror})", where=path) from error
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if os.fstat(descriptor).st_size != n_bytes:
            raise Conflict("the result was changed since it was made", where=path, cure="render again")
        file.seek(offset)
        return file.read(length)
