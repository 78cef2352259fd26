"""Chunks go out as far as there is credit, in order and without a gap, and a slow client is let go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foleyspace_host.errors import Busy, NotFound
from foleyspace_host.host import preview_pump as module
from foleyspace_host.host.preview_pump import PreviewPump
from foleyspace_host.host.roots import Roots
from foleyspace_host.host.sessions import Session
from foleyspace_host.jobs.preview import PreviewHead, PreviewWriter
from foleyspace_host.protocol.messages import JobReport, PreviewClose, PreviewCredit, PreviewOpen

RATE_HZ = 1000


class Stage:
    """A job that renders, a client that listens, and the pump between them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "preview.f32"
        self.state = "running"
        self.sent: list[tuple[str, Any, list[bytes]]] = []
        self.answer: bool | None = True
        self.pump = PreviewPump(self.send, self)  # type: ignore[arg-type]
        self.session = Session(b"peer", 7, "client", "test", Roots())

    def status(self, job_id: str) -> JobReport:
        return JobReport(
            job_id=job_id, kind="render", state=self.state, client_id="client", client_name="n", created_s=0.0
        )

    def preview(self, job_id: str) -> Path | None:
        return self.path if job_id == "job" else None

    def send(self, peer: bytes, kind: str, body: Any, buffers: Any = ()) -> bool | None:
        assert peer == b"peer"
        if self.answer:
            self.sent.append((kind, body, list(buffers)))
        return self.answer

    def render(self, head: PreviewHead, samples: np.ndarray) -> None:
        """Put samples, sample after sample, where the worker does."""
        writer = PreviewWriter(self.path, head)
        writer.write(samples)
        writer.close()

    def open(self, credit: int = 4, start_sample: int = 0) -> str:
        wanted = PreviewOpen(job_id="job", credit=credit, start_sample=start_sample)
        return self.pump.open(self.session, wanted).preview_id

    def heard(self) -> np.ndarray:
        """What the client has got, channels by samples; every chunk must follow the one before."""
        chunks = [(body, buffers) for kind, body, buffers in self.sent if kind == "preview.chunk"]
        at = chunks[0][0].start_sample
        for number, (body, buffers) in enumerate(chunks):
            assert (body.seq, body.start_sample) == (number, at)
            assert body.n_samples <= RATE_HZ
            assert len(buffers[0]) == 4 * body.n_samples * body.n_channels
            at += body.n_samples
        return np.concatenate([np.frombuffer(raw[0], "<f4").reshape(body.n_channels, -1) for body, raw in chunks], 1)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_all_of_it_arrives_channel_after_channel(stage: Stage) -> None:
    """The job renders while the client listens; 30 s are spent, one credit for each chunk."""
    sound = np.random.default_rng(1).normal(size=(3, 5300)).astype("<f4")
    preview_id = stage.open(credit=2)
    stage.pump.turn()
    assert stage.sent == []
    writer = PreviewWriter(stage.path, PreviewHead(RATE_HZ, 3, 5300))
    for start in range(0, 5300, 700):
        writer.write(np.ascontiguousarray(sound[:, start : start + 700].T))
        stage.pump.turn()
        stage.pump.credit(stage.session, PreviewCredit(preview_id=preview_id, n=1))
    writer.close()
    stage.pump.finished("job", "done")
    stage.pump.turn()
    np.testing.assert_array_equal(stage.heard(), sound)
    chunks = [body for kind, body, _ in stage.sent if kind == "preview.chunk"]
    assert [body.last for body in chunks] == [False] * (len(chunks) - 1) + [True]
    kind, body, _ = stage.sent[-1]
    assert (kind, body.reason) == ("preview.end", "complete")
    assert stage.pump.turn() == 1.0, "nothing is open any more"


def test_no_credit_no_chunk(stage: Stage) -> None:
    stage.render(PreviewHead(RATE_HZ, 2), np.zeros((20 * RATE_HZ, 2), "<f4"))
    preview_id = stage.open(credit=3)
    for _ in range(5):
        stage.pump.turn()
    assert len(stage.sent) == 3
    stage.pump.credit(stage.session, PreviewCredit(preview_id=preview_id, n=2))
    stage.pump.credit(stage.session, PreviewCredit(preview_id="another", n=60))
    other = Session(b"peer", 8, "client", "test", Roots())
    stage.pump.credit(other, PreviewCredit(preview_id=preview_id, n=60))
    stage.pump.turn()
    assert len(stage.sent) == 5


def test_much_credit_does_not_mean_much_memory(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_ON_THE_WAY_BYTES", 3 * RATE_HZ * 8)
    stage.render(PreviewHead(RATE_HZ, 2), np.zeros((50 * RATE_HZ, 2), "<f4"))
    preview_id = stage.open(credit=64)
    stage.pump.turn()
    assert len(stage.sent) == 3
    stage.pump.credit(stage.session, PreviewCredit(preview_id=preview_id, n=2))
    stage.pump.turn()
    assert len(stage.sent) == 5


def test_a_client_that_reads_nothing_is_let_go(stage: Stage, clock: list[float]) -> None:
    stage.render(PreviewHead(RATE_HZ, 1), np.zeros((9 * RATE_HZ, 1), "<f4"))
    stage.open(credit=1)
    for _ in range(3):
        stage.pump.turn()
        clock[0] += module.CREDIT_TIMEOUT_S * 0.4
    stage.pump.turn()
    assert [(kind, getattr(body, "reason", None)) for kind, body, _ in stage.sent] == [
        ("preview.chunk", None),
        ("preview.end", "client_slow"),
    ]
    assert stage.path.exists()


def test_a_slow_render_is_not_the_client_s_fault(stage: Stage, clock: list[float]) -> None:
    stage.render(PreviewHead(RATE_HZ, 1), np.zeros((0, 1), "<f4"))
    stage.open(credit=1)
    for _ in range(20):
        stage.pump.turn()
        clock[0] += module.CREDIT_TIMEOUT_S
    assert stage.sent == []
    stage.pump.finished("job", "cancelled")
    stage.pump.turn()
    assert stage.sent[-1][1].reason == "cancelled"


def test_from_the_middle_and_after_the_end(stage: Stage) -> None:
    sound = np.arange(2 * 2500, dtype="<f4").reshape(2, 2500)
    stage.render(PreviewHead(RATE_HZ, 2, 2500), np.ascontiguousarray(sound.T))
    stage.state = "done"
    stage.open(start_sample=1200)
    stage.pump.turn()
    np.testing.assert_array_equal(stage.heard(), sound[:, 1200:])
    assert stage.sent[-1][1].reason == "complete"


def test_closing_and_refusing(stage: Stage) -> None:
    with pytest.raises(NotFound):
        stage.pump.open(stage.session, PreviewOpen(job_id="other"))
    ids = [stage.open() for _ in range(4)]
    with pytest.raises(Busy):
        stage.open()
    stage.pump.close(stage.session, PreviewClose(preview_id=ids[0]))
    assert stage.sent[-1][1].reason == "closed"
    with pytest.raises(NotFound):
        stage.pump.close(stage.session, PreviewClose(preview_id=ids[0]))
    stage.open()
    stage.pump.drop(stage.session)
    assert stage.pump.turn() == 1.0


@pytest.mark.parametrize(("answer", "open_after"), [(None, False), (False, True)])
def test_a_client_that_is_gone_or_behind(stage: Stage, answer: bool | None, open_after: bool) -> None:
    stage.render(PreviewHead(RATE_HZ, 1), np.zeros((2 * RATE_HZ, 1), "<f4"))
    stage.open()
    stage.answer = answer
    wait_s = stage.pump.turn()
    assert (wait_s < 1.0) is open_after
    stage.answer = True
    stage.pump.turn()
    assert len(stage.sent) == (2 if open_after else 0)
    if open_after:
        assert stage.heard().shape == (1, 2 * RATE_HZ), "what could not be sent is sent later"


def test_wide_chunks_fit_into_a_buffer(stage: Stage) -> None:
    """64 channels at 192 kHz are 49 MB a second; a chunk holds what a frame may."""
    head = PreviewHead(192_000, 64)
    stage.render(head, np.zeros((50_000, 64), "<f4"))
    stage.open(credit=1)
    stage.pump.turn()
    assert len(stage.sent[0][2][0]) == module.MAX_BUFFER_BYTES
