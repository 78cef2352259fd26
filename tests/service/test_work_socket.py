"""What the host does for a client beside accepting jobs: telling, handing out, listening in, and letting go."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from foleyspace_host.protocol.messages import AudioInput, BufferSpec, GenerateJob, JobSubmit, RenderJob, TrajectoryInput

TRAJECTORY = {
    "schema": "foleyspace.trajectory/1",
    "duration_s": 1.0,
    "sources": [{"id": "s", "keys": [{"t_s": 0.0, "azimuth_deg": 30.0, "elevation_deg": 0.0, "distance_m": 2.0}]}],
}


def test_the_end_is_told_at_each_hello_until_it_is_acknowledged(host: Any) -> None:
    first = host.peer()
    job_id = first.submit_fake(stages=3)
    assert first.finished(job_id).state == "done"
    with pytest.raises(TimeoutError):
        first.finished(job_id, 0.3)
    first.hello()  # on the same connection: whoever greets wants to know
    assert first.finished(job_id).state == "done"
    second = host.peer(client_id=first.client_id)
    assert second.finished(job_id).artifacts
    other = host.peer()
    with pytest.raises(TimeoutError):
        other.finished(job_id, 0.3)
    second.ask("job.ack", {"job_id": job_id})
    with pytest.raises(TimeoutError):
        host.peer(client_id=first.client_id).finished(job_id, 0.3)


def test_the_latest_connection_is_told_and_the_other_when_it_is_gone(host: Any, eventually: Any) -> None:
    first = host.peer()
    second = host.peer(client_id=first.client_id)
    job_id = first.submit_fake(stages=3)
    assert second.finished(job_id).state == "done"
    second.close()
    time.sleep(0.3)
    job_id = first.submit_fake(stages=3)
    assert first.finished(job_id).state == "done"


@pytest.mark.parametrize("cancel", [True, False])
def test_jobs_end_with_their_client_only_if_it_wants_so(host: Any, eventually: Any, cancel: bool) -> None:
    watcher = host.peer()
    peer = host.peer(cancel_on_disconnect=cancel)
    job_id = peer.submit_fake(stages=400, step_ms=10)
    peer.event("job.progress", job_id=job_id)
    peer.close()
    report = eventually(lambda: ended(watcher, job_id), timeout_s=40)
    assert report.state == ("cancelled" if cancel else "done")


def test_a_client_that_comes_back_keeps_its_jobs(host: Any, eventually: Any) -> None:
    peer = host.peer(cancel_on_disconnect=True)
    job_id = peer.submit_fake(stages=350, step_ms=10)
    peer.close()
    time.sleep(0.5)
    again = host.peer(client_id=peer.client_id, cancel_on_disconnect=True)
    assert again.finished(job_id).state == "done"


def ended(peer: Any, job_id: str) -> Any:
    report = peer.ask("job.status", {"job_id": job_id})
    return report if report.state in ("done", "failed", "cancelled") else None


def test_a_result_in_pieces(host: Any, refused: Any) -> None:
    peer = host.peer()
    report = peer.finished(peer.submit_fake(stages=3))
    (artifact,) = report.artifacts
    collected = b""
    while True:
        wanted = {"job_id": report.job_id, "offset": len(collected), "n_bytes": 7}
        sent = peer.send(peer.work, "artifact.read", wanted)
        message = peer.reply(peer.work, sent)
        collected += bytes(message.buffers[0])
        assert message.body.n_bytes == len(message.buffers[0]) <= 7
        if message.body.last:
            break
    assert hashlib.sha256(collected).hexdigest() == artifact.sha256
    assert len(collected) == artifact.n_bytes
    past = peer.ask_work("artifact.read", {"job_id": report.job_id, "offset": 1 << 40})
    assert (past.n_bytes, past.last) == (0, True)
    with pytest.raises(refused, match="not_found"):
        peer.ask_work("artifact.read", {"job_id": report.job_id, "index": 5})
    with pytest.raises(refused, match="not_found"):
        peer.ask_work("artifact.read", {"job_id": "no-such-job"})
    Path(artifact.path).write_bytes(b"somebody edits it")
    with pytest.raises(refused, match="conflict"):
        peer.ask_work("artifact.read", {"job_id": report.job_id})
    Path(artifact.path).unlink()
    with pytest.raises(refused, match="not_found"):
        peer.ask_work("artifact.read", {"job_id": report.job_id})


def test_listening_in_while_it_is_made(host: Any, refused: Any) -> None:
    peer = host.peer()
    job_id = peer.submit_fake(stages=40, step_ms=20, preview=6000)
    with pytest.raises(refused, match="not_found"):
        peer.ask_work("preview.open", {"job_id": peer.submit_fake(stages=1)})
    preview_id = peer.ask_work("preview.open", {"job_id": job_id, "credit": 2}).preview_id
    samples, heard_early = 0, False
    for number in range(1000):
        chunk = peer.event("preview.chunk", preview_id=preview_id)
        assert (chunk.seq, chunk.start_sample, chunk.n_channels, chunk.rate_hz) == (number, samples, 2, 48_000)
        samples += chunk.n_samples
        heard_early = heard_early or (not chunk.last and ended(peer, job_id) is None)
        peer.send(peer.work, "preview.credit", {"preview_id": preview_id, "n": 1})
        if chunk.last:
            break
    assert samples == 40 * 6000
    assert heard_early, "it could be heard before it was done"
    peer.event("preview.end", preview_id=preview_id, reason="complete")
    assert peer.finished(job_id).state == "done"


def test_buffers_that_are_not_what_is_said(host: Any, refused: Any, sound_buffers: Any) -> None:
    peer = host.peer()
    (spec,), (frame,) = sound_buffers(1, 4800)
    audio = AudioInput(buffers=[0], rate_hz=48_000)
    job = RenderJob(audio=audio, trajectory=TrajectoryInput(inline=TRAJECTORY))
    body = JobSubmit(job=job, buffers=[spec])
    with pytest.raises(refused, match=r"invalid: \$\.buffers\[0\]\.blake2b"):
        peer.ask_work("job.submit", body, [frame[:-4] + b"\0\0\0\1"])
    with pytest.raises(refused, match="invalid"):
        peer.ask_work("job.submit", body, [frame[:-4]])
    with pytest.raises(refused, match="invalid"):
        peer.ask_work("job.submit", body, [])
    assert list((host.data / "spool").iterdir()) == []
    assert peer.ask("job.list").jobs == []
    request = {"request_id": "same"}
    first = peer.ask_work("job.submit", body, [frame], **request)
    assert peer.ask_work("job.submit", body, [frame], **request).job_id == first.job_id
    assert list((host.data / "spool").iterdir()) == []
    other = BufferSpec(dtype="f32le", n_bytes=len(frame), blake2b="0" * 64, shape=(1, 4800))
    with pytest.raises(refused, match="conflict"):
        peer.ask_work("job.submit", JobSubmit(job=job, buffers=[other]), [frame], **request)


def test_a_request_on_the_wrong_socket_says_where_it_belongs(host: Any, refused: Any) -> None:
    peer = host.peer()
    with pytest.raises(refused) as caught:
        peer.ask("artifact.read", {"job_id": "j"})
    assert "work" in caught.value.error.cure
    with pytest.raises(refused) as caught:
        peer.ask_work("health")
    assert "control" in caught.value.error.cure


@pytest.mark.parametrize("gap_ms", [0, 30])
def test_a_client_that_leaves_at_once_leaves_nothing_behind(host: Any, eventually: Any, gap_ms: int) -> None:
    """Hello and a job, and the connection is closed before or while they are read."""
    for _ in range(10):
        peer = host.peer(hello=False)
        peer.send(peer.work, "hello", {"client_name": "brief", "versions": ((1, 0), (1, 0))})
        time.sleep(gap_ms / 1000)
        peer.work.close(linger=100)
    time.sleep(0.2)
    eventually(lambda: len(gone(host)) == len(hellos(host)))
    assert host.peer().ask("health").pid == host.pid


def hellos(host: Any) -> list[Any]:
    return [line for line in host.log() if line["event"] == "hello" and line["client_name"] == "brief"]


def gone(host: Any) -> list[Any]:
    return [line for line in host.log() if line["event"] == "gone" and line["client_name"] == "brief"]


def test_a_slow_reader_does_not_hold_up_the_others(host: Any, sound_buffers: Any) -> None:
    """Two thousand answers of a megabyte that nobody reads: the host does not keep them, and serves the others."""
    import psutil

    greedy, other = host.peer(), host.peer()
    specs, frames = sound_buffers(2, 1_000_000)
    accepted = greedy.ask_work("job.submit", JobSubmit(job=GenerateJob(prompt="{}"), buffers=specs), frames)
    report = greedy.finished(accepted.job_id)
    assert report.artifacts[0].n_bytes > 8_000_000
    before = psutil.Process(host.pid).memory_info().rss
    for _ in range(2000):
        greedy.send(greedy.work, "artifact.read", {"job_id": report.job_id})
    most = 0
    for _ in range(100):
        assert other.ask("health").pid == host.pid
        most = max(most, psutil.Process(host.pid).memory_info().rss)
    assert other.submit_fake(stages=1)
    assert most - before < 64 << 20
