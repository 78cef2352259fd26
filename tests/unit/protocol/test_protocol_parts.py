"""Versions, errors as bodies, rules of jobs, and what the protocol may import."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host import errors
from foleyspace_host.errors import ProtocolError, VersionUnsupported
from foleyspace_host.protocol import messages
from foleyspace_host.protocol.catalogue import CATALOGUE
from foleyspace_host.protocol.failure import failure
from foleyspace_host.protocol.rules import check_submit
from foleyspace_host.protocol.versions import negotiate

VERSIONS = st.tuples(st.integers(0, 4), st.integers(0, 9))
RANGES = st.tuples(VERSIONS, VERSIONS).map(sorted).map(tuple)


@given(RANGES, RANGES)
def test_the_highest_common_version_is_agreed_on(client: Any, host: Any) -> None:
    common = {
        (major, minor)
        for major in range(5)
        for minor in range(10)
        if client[0] <= (major, minor) <= client[1] and host[0] <= (major, minor) <= host[1]
    }
    if common:
        assert negotiate(client, host) == max(common)
        return
    with pytest.raises(VersionUnsupported) as caught:
        negotiate(client, host)
    for version in (*client, *host):
        assert f"{version[0]}.{version[1]}" in str(caught.value)
    assert ("update the client" if client[1] < host[0] else "update the host") in str(caught.value)


def test_a_range_upside_down_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"\$\.versions: 1.2 to 1.0 is no range"):
        negotiate(((1, 2), (1, 0)))


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_becomes_a_body_with_its_code(name: str) -> None:
    kind = getattr(errors, name)
    body = failure(kind("went\nwrong", where="x", cure="do"))
    assert body == messages.Error(code=kind.code, message="went wrong", where="x", cure="do", retryable=kind.retryable)


def test_other_errors_tell_nothing_but_their_kind() -> None:
    body = failure(KeyError("secret"))
    assert body.code == "internal"
    assert "KeyError" in body.message
    assert "secret" not in str(body)
    assert failure(MemoryError()).code == "out_of_memory"
    assert len(failure(errors.InvalidInput("x" * 10_000)).message) == 4096


def test_every_request_has_an_answer_and_a_place() -> None:
    requests = [name for name, entry in CATALOGUE.items() if entry.sender == "client" and name != "preview.credit"]
    assert {CATALOGUE[name].reply for name in requests} == {name for name in messages.BODIES if name.endswith(".ok")}
    for name, entry in CATALOGUE.items():
        assert entry.sockets
        if entry.reply:
            assert CATALOGUE[entry.reply].sockets == entry.sockets, name


SPEC = {"n_bytes": 8, "blake2b": "0" * 64}
SOUND = messages.BufferSpec(dtype="f32le", shape=(1, 2), **SPEC)
STEREO = messages.BufferSpec(dtype="f32le", shape=(2, 1), **SPEC)
TEXT = messages.BufferSpec(dtype="json", **SPEC)
FILE = messages.TrajectoryInput(path="/t.json")
SPAN = messages.Span(start=(0, 1), duration=(1, 1))


def audio(**fields: Any) -> messages.RenderJob:
    return messages.RenderJob(audio=messages.AudioInput(**fields), trajectory=FILE)


@pytest.mark.parametrize(
    ("job", "buffers", "place"),
    [
        (audio(path="/a.wav"), [], None),
        (audio(path="/a.wav", span=SPAN), [], None),
        (audio(buffers=[0, 1], rate_hz=8000), [SOUND, SOUND], None),
        (audio(buffers=[0], rate_hz=8000, span=SPAN), [SOUND], None),
        (audio(), [], "$.job.audio"),
        (audio(path="/a.wav", buffers=[0], rate_hz=8000), [SOUND], "$.job.audio"),
        (audio(path="/a.wav", rate_hz=8000), [], "$.job.audio.rate_hz"),
        (audio(buffers=[0]), [SOUND], "$.job.audio.rate_hz"),
        (audio(buffers=[], rate_hz=8000), [SOUND], "$.job.audio.buffers"),
        (audio(buffers=[0, 1], rate_hz=8000), [SOUND], "$.job.audio.buffers[1]"),
        (audio(buffers=[0, 1], rate_hz=8000), [SOUND, TEXT], "$.job.audio.buffers[1]"),
        (audio(buffers=[0, 1], rate_hz=8000), [SOUND, STEREO], "$.job.audio.buffers[1]"),
    ],
)
def test_a_sound_has_one_source(job: Any, buffers: list[Any], place: str | None) -> None:
    submit = messages.JobSubmit(job=job, buffers=buffers)
    if place is None:
        check_submit(submit)
        return
    with pytest.raises(ProtocolError) as caught:
        check_submit(submit)
    assert caught.value.where == place


@pytest.mark.parametrize(
    ("trajectory", "place"),
    [
        ({"buffer": 1}, None),
        ({}, "$.job.trajectory"),
        ({"path": "/t", "buffer": 1}, "$.job.trajectory"),
        ({"buffer": 0}, "$.job.trajectory.buffer"),
        ({"buffer": 2}, "$.job.trajectory.buffer"),
        ({"inline": {}}, "$.job.trajectory.inline"),
    ],
)
@pytest.mark.parametrize("kind", ["render", "spatialize"])
def test_a_trajectory_has_one_source(kind: str, trajectory: dict[str, Any], place: str | None) -> None:
    given_one = messages.TrajectoryInput(**trajectory)
    job: Any = messages.SpatializeJob(video=messages.VideoInput(path="/v.mp4"), trajectory=given_one)
    if kind == "render":
        job = messages.RenderJob(audio=messages.AudioInput(path="/a.wav"), trajectory=given_one)
    submit = messages.JobSubmit(job=job, buffers=[SOUND, TEXT])
    if place is None:
        check_submit(submit)
        return
    with pytest.raises(ProtocolError) as caught:
        check_submit(submit)
    assert caught.value.where == place


@pytest.mark.parametrize("room", ["/etc/room.json", "x.JSON", "a.json "])
def test_a_room_is_no_file(room: str) -> None:
    job = messages.TimelineJob(timeline="/t.otio", settings=messages.RenderSettings(room=room))
    with pytest.raises(ProtocolError, match="not read from a file"):
        check_submit(messages.JobSubmit(job=job))


def test_the_protocol_needs_little() -> None:
    code = (
        "import pkgutil, importlib, sys, foleyspace_host.protocol as p\n"
        "for module in pkgutil.iter_modules(p.__path__, p.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*sys.modules)"
    )
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert {"msgspec", "msgpack"} <= loaded
    assert not loaded & {"numpy", "zmq", "onnxruntime", "torch", "scipy", "av", "cv2", "sqlite3", "rich", "click"}
