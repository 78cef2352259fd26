"""Frames: anything is decoded to a message or to one error, and what is written is read as it was."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import LimitExceeded, ProtocolError, VersionUnsupported
from foleyspace_host.protocol import messages
from foleyspace_host.protocol.frames import MAGIC, body_hash, buffer_digest, decode, encode
from foleyspace_host.protocol.limits import (
    MAX_BODY_BYTES,
    MAX_BUFFER_BYTES,
    MAX_BUFFERS_BYTES,
    MAX_DEPTH,
    MAX_HEADER_BYTES,
    MAX_REPLY_BYTES,
)

ABOUT = {"client_id": "me", "request_id": "r-1", "trace": "t"}


def head(kind: str = "job.submit", **fields: Any) -> bytes:
    return msgpack.packb({"v": [1, 0], "type": kind, **ABOUT, **fields})


def submit(**job: Any) -> dict[str, Any]:
    return {"job": {"kind": "render", "audio": {"path": "/a.wav"}, "trajectory": {"path": "/t.json"}, **job}}


def refuse(*frames: Any, **how: Any) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode(frames, **how)
    return caught.value


def refuse_body(body: Any, kind: str = "job.submit", *buffers: bytes) -> ProtocolError:
    error = refuse(MAGIC, head(kind), body if isinstance(body, bytes) else msgpack.packb(body), *buffers)
    assert error.about == {"type": kind, **ABOUT}, "it can be answered"
    return error


# --- total --------------------------------------------------------------------------------------------------------

TEXT, BYTES = st.text(max_size=8), st.binary(max_size=8)
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | TEXT | BYTES
PLAIN: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.integers(0, 3) | BYTES, inner, max_size=4),
    max_leaves=12,
)
PACKED = PLAIN.map(msgpack.packb) | st.binary(max_size=64)
HEADERS = st.sampled_from(sorted(messages.BODIES)).map(head)
FRAMES = st.lists(st.binary(max_size=64), max_size=6) | st.builds(
    lambda *frames: [MAGIC, *frames[:2], *frames[2]],
    HEADERS | PACKED,
    PACKED,
    st.lists(st.binary(max_size=16), max_size=4),
)


def is_total(frames: list[Any], sender: Any) -> None:
    refused: ProtocolError | None = None
    try:
        message = decode(frames, sender=sender)
    except ProtocolError as error:
        refused = error
    if refused is None:
        assert isinstance(message.body, messages.BODIES[message.header.type])
    else:
        assert refused.code in ("invalid", "limit_exceeded", "version_unsupported")
        assert refused.problem
        assert refused.where
        assert len(str(refused)) < 1000


SURROGATE = msgpack.packb({"v": [1, 0], "type": "health", "client_id": "\ud800"}, unicode_errors="surrogatepass")


@settings(max_examples=600)
@given(FRAMES, st.sampled_from(["client", "host"]))
@example([MAGIC, head(), b"\x91" * 100_000], "client")
@example([MAGIC, head(), b"\x81\xa1a" * 80_000], "client")
@example([MAGIC, b"\xdf\xff\xff\xff\xff", b""], "client")
@example([MAGIC, head(), b"\xdd\xff\xff\xff\xff"], "client")
@example([MAGIC, head(), b"\xc7\x00\x05"], "client")
@example([MAGIC, head(), b"\x81\xa1a\xd8\x05" + b"x" * 16], "client")
@example([MAGIC, SURROGATE, b"\x80"], "client")
def test_any_bytes_are_a_message_or_an_error(frames: list[Any], sender: str) -> None:
    is_total(frames, sender)
    is_total([memoryview(frame) for frame in frames], sender)


BODY = msgpack.packb(submit(settings={"spread": 1.5}))


@settings(max_examples=1000)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), st.integers(0, 400))
def test_flipped_and_cut_bytes_are_too(flips: list[tuple[int, int]], cut: int) -> None:
    raw = bytearray(head() + BODY)
    for place, byte in flips:
        raw[place % len(raw)] = byte
    split = len(head())
    is_total([MAGIC, bytes(raw[:split]), bytes(raw[split:])], "client")
    is_total([MAGIC, bytes(raw[:split]), bytes(raw[split : split + cut])], "client")


# --- what is refused, and where -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frames", [[], [b""], [MAGIC], [MAGIC, head()], [b"FSP2", head(), b"\x80"], [b"GET / HTTP/1.1"]]
)
def test_what_is_no_message(frames: list[bytes]) -> None:
    assert refuse(*frames).code == "invalid"


def test_each_limit_holds_to_the_byte() -> None:
    def with_body(n_bytes: int) -> bytes:
        lead = msgpack.packb(submit())
        rest = n_bytes - len(lead) - len(b"\xa1x\xdb....")
        return bytes([lead[0] + 1]) + lead[1:] + b"\xa1x\xdb" + struct.pack(">I", rest) + b"a" * rest

    assert decode([MAGIC, head(), with_body(MAX_BODY_BYTES)]).warnings == ("$.x: unknown field, ignored",)
    assert refuse_body(with_body(MAX_BODY_BYTES + 1)).code == "limit_exceeded"

    full = MAX_HEADER_BYTES - len(head(x="")) - 2
    decode([MAGIC, head(x="a" * full), BODY])
    assert isinstance(refuse(MAGIC, head(x="a" * (full + 1)), BODY), LimitExceeded)

    def nested(levels: int) -> bytes:
        return b"\x81\xa1x" + b"\x91" * (levels - 1) + b"\x00"

    decode([MAGIC, head("health"), nested(MAX_DEPTH)])
    assert refuse_body(nested(MAX_DEPTH + 1), "health").code == "limit_exceeded"


def test_buffers_are_bounded_one_by_one_and_together() -> None:
    long = bytes(MAX_BUFFER_BYTES + 1)
    error = refuse_body(submit(), "job.submit", b"", long)
    assert (error.code, error.where) == ("limit_exceeded", "buffer 1")
    error = refuse_body(submit(), "job.submit", *[b""] * 62)
    assert (error.code, error.where) == ("limit_exceeded", "message")
    full = memoryview(long)[:-1]
    frames = [full] * (MAX_BUFFERS_BYTES // MAX_BUFFER_BYTES)
    assert refuse_body(submit(), "job.submit", *frames).where == "$.buffers"
    assert refuse_body(submit(), "job.submit", *frames, b"x").where == "buffers"


@pytest.mark.parametrize(
    ("job", "place"),
    [
        ({"settings": {"spread": float("nan")}}, "$.job.settings.spread"),
        ({"settings": {"colour": float("-inf")}}, "$.job.settings.colour"),
        ({"settings": {"colour": [0, {"red": float("inf")}]}}, "$.job.settings.colour[1].red"),
        ({"settings": {"spread": 1e300}}, "$.job.settings.spread"),
        ({"settings": {"spread": "1"}}, "$.job.settings.spread"),
        ({"output": {"stem": b"a"}}, "$.job.output.stem"),
        ({"output": {"stem": "a\n"}}, "$.job.output.stem"),
        ({"output": {"suffix": ".wav\n"}}, "$.job.output.suffix"),
        ({"output": {"folder": "/home/\x00/etc"}}, "$.job.output.folder"),
        (
            {"audio": {"path": "/a.wav", "span": {"start": [0, 1], "duration": [1.0, 1]}}},
            "$.job.audio.span.duration[0]",
        ),
    ],
)
def test_the_path_of_a_wrong_value_is_named(job: dict[str, Any], place: str) -> None:
    assert refuse_body(submit(**job)).where == place


def test_the_error_s_text_is_one_short_line_whatever_was_sent() -> None:
    error = refuse_body({"job": {"kind": "x\n" * 10_000}})
    assert error.where == "$.job.kind"
    assert "\n" not in error.problem
    assert len(error.problem) <= 300
    assert len(refuse_body({"job": {"a" * 60_000: float("nan")}}).where or "") <= 300


def test_only_messages_of_the_sender_s_side_are_taken() -> None:
    done = encode("job.ack.ok", messages.JobAckOk(job_id="j"), request_id="r", instance_id="i")
    assert decode(done, sender="host").body == messages.JobAckOk(job_id="j")
    assert refuse(*done).where == "header.type"
    asked = encode("job.ack", messages.JobAck(job_id="j"), client_id="c", request_id="r")
    assert decode(asked).body == messages.JobAck(job_id="j")
    assert refuse(*asked, sender="host").where == "header.type"


def test_of_a_broken_header_what_can_be_read_is_told() -> None:
    broken = msgpack.packb({"type": "health", "client_id": "a b", "request_id": "r", "trace": "t" * 200, "v": 1})
    assert refuse(MAGIC, broken, b"\x80").about == {"type": "health", "request_id": "r"}


@pytest.mark.parametrize("v", [[2, 0], [0, 9], [9999, 1], [2, "x"], [2]])
def test_another_major_version_is_named(v: list[Any]) -> None:
    error = refuse(MAGIC, head("hello", v=v, odd={"x": 1}), b"\xc1")
    assert isinstance(error, VersionUnsupported)
    assert error.about["request_id"] == "r-1"
    assert "1.0" in str(error)
    assert ("update the host" if v[0] > 1 else "update the client") in str(error)


def test_a_later_minor_version_is_read() -> None:
    message = decode([MAGIC, head("health", v=[1, 99], shade="red"), msgpack.packb({"a": {"b": 1}})])
    assert message.warnings == ("header.shade: unknown field, ignored", "$.a: unknown field, ignored")


def test_warnings_are_few_and_short() -> None:
    fields = {f"{number}{'x' * 500}": 1 for number in range(100)}
    warnings = decode([MAGIC, head("health"), msgpack.packb(fields)]).warnings
    assert len(warnings) == 16
    assert max(map(len, warnings)) < 100


def test_unknown_fields_are_found_in_every_part() -> None:
    body = submit(settings={"colour": 1}, output={"shape": 1}, sky=1) | {"sea": 1}
    body["buffers"] = [{"dtype": "json", "n_bytes": 2, "blake2b": "0" * 64, "fish": 1}]
    warnings = decode([MAGIC, head(), msgpack.packb(body), b"{}"]).warnings
    places = {warning.split(":")[0] for warning in warnings}
    assert places == {"$.job.settings.colour", "$.job.output.shape", "$.job.sky", "$.sea", "$.buffers[0].fish"}


# --- what is written ----------------------------------------------------------------------------------------------


def test_buffers_are_handed_on_and_not_copied() -> None:
    sound = memoryview(bytearray(8))
    chunk = messages.PreviewChunk(preview_id="p", seq=0, start_sample=0, n_samples=1, n_channels=2, rate_hz=48_000)
    frames = encode("preview.chunk", chunk, buffers=[sound], instance_id="i")
    assert frames[3] is sound
    message = decode(frames, sender="host")
    assert message.buffers[0] is sound
    assert refuse(*frames[:3], sender="host").where == "buffers"
    assert refuse(*frames[:3], b"1234567", sender="host").where == "buffers"


def test_the_program_cannot_write_what_nobody_reads() -> None:
    with pytest.raises(TypeError, match="JobAck"):
        encode("job.ack", messages.JobAckOk(job_id="j"))
    report = {"job_id": "j", "kind": "render", "state": "done", "client_id": "c", "client_name": "n", "created_s": 0.0}
    long = messages.JobReport(**report, result={"x": "a" * MAX_REPLY_BYTES})
    with pytest.raises(LimitExceeded):
        encode("job.finished", long)
    fits = messages.JobReport(**report, result={"x": "a" * MAX_BODY_BYTES})
    assert decode(encode("job.finished", fits), sender="host").body == fits


def test_digests_are_blake2b_with_32_bytes() -> None:
    # of the empty text, as published with the algorithm's test vectors for this length
    assert buffer_digest(b"") == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
    assert buffer_digest(memoryview(b"abc")) == hashlib.blake2b(b"abc", digest_size=32).hexdigest()


# --- the same request ---------------------------------------------------------------------------------------------


def hashed(body: Any, *buffers: bytes, kind: str = "job.submit", **header: Any) -> str:
    return body_hash(decode([MAGIC, head(kind, **header), msgpack.packb(body), *buffers]))


def test_the_same_request_has_the_same_hash_however_it_is_written() -> None:
    one = hashed(submit(settings={"spread": 1.0, "format": "foa"}))
    assert one == hashed({"priority": 0, **submit(settings={"format": "foa", "air": None, "spread": 1})})
    assert one == hashed({**submit(settings={"spread": 1.0, "format": "foa"}), "later": 1}, request_id="other")
    inline = {"schema": "foleyspace.trajectory/1", "duration_s": 1.0, "sources": []}
    turned = dict(reversed(inline.items()))
    assert hashed(submit(trajectory={"inline": inline})) == hashed(submit(trajectory={"inline": turned}))


def test_another_request_has_another_hash() -> None:
    def with_sound(sound: bytes) -> str:
        spec = {"dtype": "f32le", "n_bytes": 8, "shape": [1, 2], "blake2b": buffer_digest(sound)}
        return hashed({**submit(audio={"buffers": [0], "rate_hz": 48_000}), "buffers": [spec]}, sound)

    hashes = [
        hashed(submit()),
        hashed(submit(settings={"spread": 1.0})),
        hashed(submit(settings={"spread": 1.5})),
        hashed({**submit(), "priority": 1}),
        with_sound(b"\0" * 8),
        with_sound(b"\1" + b"\0" * 7),
        hashed({"job_id": "j"}, kind="job.ack"),
        hashed({"job_id": "j"}, kind="job.cancel"),
    ]
    assert len(set(hashes)) == len(hashes)
