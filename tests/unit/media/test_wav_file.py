"""The reader of plain WAV files against libsndfile."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import MediaDamaged
from foleyspace_host.media.audio import open_audio
from foleyspace_host.media.wav_file import plain_wav

CODINGS = ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]


def sound(n: int, n_channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, n_channels))


@given(
    coding=st.sampled_from(CODINGS),
    kind=st.sampled_from(["WAV", "WAVEX", "RF64"]),
    n=st.integers(1, 3000),
    n_channels=st.integers(1, 7),
    first=st.integers(0, 3100),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_samples_are_those_of_libsndfile(
    tmp_path: Path, coding: str, kind: str, n: int, n_channels: int, first: int
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(n, n_channels), 44_100, coding, format=kind)
    reader = plain_wav(path)
    assert reader is not None
    assert (reader.sample_rate_hz, reader.n_channels, reader.n_samples) == (44_100, n_channels, n)
    assert reader.codec == coding.lower()
    assert reader.n_samples_there() == n
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    blocks = list(reader.blocks(first))
    found = np.concatenate([np.zeros((n_channels, 0), np.float32), *blocks], axis=1)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected.T[:, first:])
    assert all(block.flags.writeable for block in blocks)


def test_long_files_come_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(200_001, 2), 48_000, "PCM_24")
    pieces = list(open_audio(path).blocks(50_000))
    assert [piece.shape[1] for piece in pieces] == [50_000] * 4 + [1]
    expected, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), expected.T)


@pytest.mark.parametrize("coding", ["PCM_U8", "ULAW", "ALAW", "IMA_ADPCM"])
def test_other_codings_are_left_to_libsndfile(tmp_path: Path, coding: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(5000, 1), 8000, coding)
    assert plain_wav(path) is None
    assert open_audio(path).n_samples >= 5000


@pytest.mark.parametrize("suffix", ["flac", "aiff", "ogg"])
def test_other_files_are_none_of_its_business(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, sound(500, 1), 8000)
    assert plain_wav(path) is None
    assert plain_wav(tmp_path / "missing.wav") is None


def chunk(name: bytes, body: bytes, length: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if length is None else length) + body + b"\0" * (len(body) & 1)


def header(tag: int = 1, n_channels: int = 1, n_bits: int = 16, frame_bytes: int | None = None) -> bytes:
    frame_bytes = n_channels * n_bits // 8 if frame_bytes is None else frame_bytes
    return struct.pack("<HHIIHH", tag, n_channels, 8000, 8000 * frame_bytes, frame_bytes, n_bits)


DATA = np.arange(50, dtype="<i2").tobytes()


def test_odd_chunks_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    body = chunk(b"LIST", b"abc") + chunk(b"fmt ", header()) + chunk(b"junk", bytes(9001)) + chunk(b"data", DATA)
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    np.testing.assert_array_equal(next(open_audio(path).blocks())[0] * 32768, np.arange(50))
    assert plain_wav(path) is not None


@pytest.mark.parametrize(
    "body",
    [
        chunk(b"data", DATA),
        chunk(b"fmt ", header()[:10]) + chunk(b"data", DATA),
        chunk(b"fmt ", header(n_channels=0)) + chunk(b"data", DATA),
        chunk(b"fmt ", header(frame_bytes=3)) + chunk(b"data", DATA),
        chunk(b"fmt ", header(tag=0xFFFE)) + chunk(b"data", DATA),
        chunk(b"fmt ", header(tag=0xFFFE) + bytes(24)) + chunk(b"data", DATA),
        chunk(b"fmt ", header()) + chunk(b"data", DATA[:-1]),
        chunk(b"fmt ", header()) + chunk(b"data", DATA, 0xFFFF_FFFF),
        chunk(b"fmt ", header()) + chunk(b"data", DATA, 0),
        chunk(b"fmt ", header()),
        b"",
    ],
)
def test_headers_with_anything_unusual_are_left_to_libsndfile(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    assert plain_wav(path) is None


def test_a_file_that_is_cut_off_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(100_000, 1), 8000, "FLOAT")
    reader = plain_wav(path)
    assert reader is not None
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert reader.n_samples_there() < 51_000
    with pytest.raises(MediaDamaged, match="cut off"):
        list(reader.blocks())
    path.unlink()
    with pytest.raises(MediaDamaged, match="cannot be read"):
        list(reader.blocks())
