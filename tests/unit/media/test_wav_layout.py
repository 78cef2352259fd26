"""What WAV files of many channels say about them, read byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleyspace_host.media import wav
from foleyspace_host.media.write import write_audio
from foleyspace_host.render.formats import find_format

PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")
FLOAT_GUID = bytes.fromhex("0300000000001000800000aa00389b71")


def format_chunk(path: Path) -> tuple[bytes, bytes]:
    """The kind of file and the body of its format chunk."""
    data = path.read_bytes()
    position = 12
    while data[position : position + 4] != b"fmt ":
        size = struct.unpack_from("<I", data, position + 4)[0]
        position += 8 + size + (size & 1)
    size = struct.unpack_from("<I", data, position + 4)[0]
    return data[:4], data[position + 8 : position + 8 + size]


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize(("subtype", "bits"), [("FLOAT", 32), ("PCM_24", 24), ("PCM_16", 16)])
@pytest.mark.parametrize(
    ("name", "mask"), [("foa", 0), ("hoa2", 0), ("hoa3", 0), ("5.1", 0b111111), ("7.1.4", 0b10_1101_0110_0011_1111)]
)
def test_the_header_of_many_channels(
    name: str, mask: int, subtype: str, bits: int, long: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if long:
        monkeypatch.setattr(wav, "_RIFF_LIMIT_BYTES", 10_000)
    form = find_format(name)
    n = form.n_channels
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (n, 3001)).astype(np.float32)
    write_audio(tmp_path / "o.wav", [sound], 48_000, n, subtype=subtype, channel_mask=form.speaker_mask)
    kind, body = format_chunk(tmp_path / "o.wav")
    assert kind == (b"RF64" if long else b"RIFF")
    frame = n * bits // 8
    guid = FLOAT_GUID if subtype == "FLOAT" else PCM_GUID
    assert body == struct.pack("<HHIIHHHHI", 0xFFFE, n, 48_000, 48_000 * frame, frame, bits, 22, bits, mask) + guid
    back, rate_hz = soundfile.read(tmp_path / "o.wav", dtype="float32")
    assert rate_hz == 48_000
    np.testing.assert_allclose(back.T, sound, atol=0 if subtype == "FLOAT" else 2.0 ** (2 - bits))
