"""Broken files give one of the project's errors, naming the file, and never anything else."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from foleyspace_host.errors import MediaDamaged, MediaEmpty, MediaError
from foleyspace_host.media.audio import read_audio
from foleyspace_host.media.probe import probe
from foleyspace_host.media.truncation import check_complete
from foleyspace_host.media.video import read_frames

RATE_HZ = 48_000


@pytest.fixture
def whole(tmp_path, make_video):
    """whole(name): a sound file, or a video with sound, that is in order."""

    def build(name: str):
        sound = np.random.default_rng(1).uniform(-0.3, 0.3, (2, 48_000)).astype(np.float32)
        suffix = name.rsplit(".")[-1]
        if suffix in ("wav", "flac", "aiff", "ogg", "rf64", "w64"):
            soundfile.write(tmp_path / name, sound.T, RATE_HZ)
            return tmp_path / name
        codec = "mpeg4" if suffix == "avi" else "libx264"
        return make_video(name, audio=sound, audio_codec="pcm_s16le" if suffix == "avi" else "aac", codec=codec)

    return build


@pytest.mark.parametrize("name", ["a.wav", "a.rf64", "a.flac", "a.aiff", "a.ogg", "a.mp4", "a.mov", "a.mkv", "a.avi"])
def test_files_cut_off_anywhere(whole, name):
    path = whole(name)
    data = path.read_bytes()
    read_audio(path)
    check_complete(path)
    for part in (0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(MediaError) as caught:
            read_audio(path)
        expected = MediaEmpty if part == 0 else MediaDamaged
        assert type(caught.value) is expected, (part, caught.value)
        assert caught.value.where == str(path)
        assert caught.value.cure
        if name.endswith(("mp4", "mov", "mkv", "avi")):
            for use in (lambda: list(read_frames(path)), lambda: probe(path)):
                with pytest.raises(expected):
                    use()


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.ogg", "a.mp4", "a.mkv", "a.avi"])
def test_flipped_bits_give_an_error_or_sound(whole, name):
    path = whole(name)
    data = path.read_bytes()
    rng = np.random.default_rng(8)
    for trial in range(30):
        broken = bytearray(data)
        # half of the flips in the header, where they do the most harm
        top = 200 if trial % 2 else len(broken)
        for at in rng.integers(0, top, 3):
            broken[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(broken)
        told = []
        try:
            samples, rate_hz = read_audio(path)
            assert np.isfinite(samples).all()
            assert rate_hz > 0
        except MediaError as error:
            told.append(error)
        try:
            probe(path)
        except MediaError as error:
            told.append(error)
        assert all(error.where == str(path) and error.cure for error in told)


@pytest.mark.parametrize("suffix", [".wav", ".mp4", ".mov", ".mkv", ".avi", ".flac", ".ogg", ".mp3", ".aiff"])
def test_garbage(tmp_path, suffix):
    rng = np.random.default_rng(4)
    heads = {
        ".wav": b"RIFF\xff\xff\xff\x7fWAVE",
        ".mp4": b"\0\0\0\x18ftypisom",
        ".mkv": b"\x1a\x45\xdf\xa3",
        ".avi": b"RIFF\0\0\1\0AVI ",
        ".flac": b"fLaC\0\0\0\x22",
        ".ogg": b"OggS",
        ".mp3": b"ID3\4",
        ".aiff": b"FORM\0\0\1\0AIFF",
    }
    for head in (b"", heads.get(suffix, b"")):
        path = tmp_path / f"junk{suffix}"
        path.write_bytes(head + rng.bytes(5000))
        for use in (read_audio, probe, lambda p: list(read_frames(p))):
            with pytest.raises(MediaError) as caught:
                use(path)
            assert caught.value.where == str(path)


def test_wav_of_unknown_length_is_not_called_cut_off(tmp_path):
    # as programs write it that pipe their sound
    path = tmp_path / "piped.wav"
    soundfile.write(path, np.zeros((1000, 2)), RATE_HZ, "PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = data[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert read_audio(path)[0].shape == (2, 1000)


def test_header_that_claims_too_much_allocates_nothing(tmp_path):
    path = tmp_path / "huge.flac"
    soundfile.write(path, np.zeros((1000, 2)), RATE_HZ)
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F  # the top of the 36 bits for the number of samples in STREAMINFO
    data[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(MediaDamaged):
        read_audio(path)
