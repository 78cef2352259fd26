"""WAV files as others read them: libsndfile, and FFmpeg for the time reference."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
import soundfile

from foleyspace_host.errors import InvalidInput
from foleyspace_host.media import wav
from foleyspace_host.media.audio import open_audio
from foleyspace_host.media.wav import Broadcast, WavWriter, read_broadcast
from foleyspace_host.media.write import write_audio

RATE = 48_000
NOON = 12 * 3600 * RATE


def metadata(path) -> dict[str, str]:
    with av.open(str(path)) as file:
        return dict(file.metadata) | dict(file.streams.audio[0].metadata)


@pytest.fixture
def tone() -> np.ndarray:
    return np.tile(0.5 * np.sin(2 * np.pi * 997 * np.arange(RATE) / RATE), (2, 1)).astype(np.float32)


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_24", "PCM_16"])
@pytest.mark.parametrize("reference", [0, NOON, 86_400 * 192_000 - 1])
def test_ffmpeg_reads_the_time_reference(tmp_path, tone, subtype, reference) -> None:
    path = tmp_path / "a.wav"
    broadcast = Broadcast(reference, "Steps", "Recorder", "R-1", "2024-05-06", "12:00:00")
    write_audio(path, [tone], RATE, 2, subtype=subtype, broadcast=broadcast)
    seen = metadata(path)
    assert seen["time_reference"] == str(reference)
    assert (seen["comment"], seen["encoded_by"], seen["originator_reference"]) == ("Steps", "Recorder", "R-1")
    assert seen["date"] == "2024-05-06"
    assert read_broadcast(path) == broadcast
    samples, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(samples.T, tone, atol=2.0**-14 if subtype == "PCM_16" else 2.0**-22)
    assert open_audio(path).n_samples == RATE


def test_levels_stand_in_the_chunk(tmp_path, tone) -> None:
    # EBU Tech 3285 v2: at byte 412 of the chunk loudness, range, true peak, momentary, short-term in 0.01 units
    path = tmp_path / "a.wav"
    report = write_audio(path, [np.tile(tone, 4)], RATE, 2, broadcast=Broadcast(0))
    data = path.read_bytes()
    begin = data.index(b"bext") + 8
    assert int.from_bytes(data[begin - 4 : begin], "little") == 602
    assert int.from_bytes(data[begin + 346 : begin + 348], "little") == 2
    levels = np.frombuffer(data[begin + 412 : begin + 422], "<i2")
    assert levels[0] == round(100 * report.loudness_lufs) == pytest.approx(-602, abs=5)
    assert levels[1] == 0x7FFF
    assert levels[2] == round(100 * report.true_peak_db) == pytest.approx(-602, abs=5)
    assert levels[3] == pytest.approx(-602, abs=5)
    assert levels[4] == pytest.approx(-602, abs=5)


def test_files_of_others(tmp_path, tone) -> None:
    with av.open(str(tmp_path / "ff.wav"), "w", options={"write_bext": "1"}) as output:
        output.metadata.update({"time_reference": str(NOON), "description": "take 3"})
        stream = output.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray((tone.T * 20_000).astype(np.int16).reshape(1, -1)), format="s16", layout="stereo"
        )
        frame.sample_rate = RATE
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    read = read_broadcast(tmp_path / "ff.wav")
    assert read is not None
    assert (read.time_reference, read.description) == (NOON, "take 3")
    soundfile.write(tmp_path / "plain.wav", tone.T, RATE)
    soundfile.write(tmp_path / "plain.flac", tone.T, RATE)
    (tmp_path / "short.wav").write_bytes((tmp_path / "ff.wav").read_bytes()[:100])
    for name in ("plain.wav", "plain.flac", "short.wav"):
        assert read_broadcast(tmp_path / name) is None


def test_only_wav_holds_a_time(tmp_path, tone) -> None:
    with pytest.raises(InvalidInput, match="only WAV"):
        write_audio(tmp_path / "a.flac", [tone], RATE, 2, broadcast=Broadcast(0))


@pytest.mark.parametrize("with_time", [False, True])
@pytest.mark.parametrize(("n_channels", "subtype"), [(2, "FLOAT"), (6, "PCM_24"), (1, "PCM_16")])
def test_beyond_4_gib(tmp_path, n_channels, subtype, with_time) -> None:
    """A file of 5 GiB with holes on the disk; the last samples are really there."""
    size = wav.WAV_BYTES[subtype] * n_channels
    n_samples = 5 * 2**30 // size
    path = tmp_path / "big.wav"
    try:
        with path.open("wb") as file:
            broadcast = Broadcast(NOON) if with_time else None
            writer = WavWriter(file, RATE, n_channels, subtype, broadcast=broadcast)
            begin = file.tell()
            file.seek(begin + (n_samples - 1) * size)
            writer.n_samples = n_samples - 1
            last = np.full((n_channels, 1), 0.5, np.float32)
            writer.write(last if subtype == "FLOAT" else (last * 2 ** (8 * size // n_channels - 1)).astype(np.int32))
            writer.finish()
    except OSError:
        pytest.skip("no room for a file with holes")
    info = soundfile.info(str(path))
    assert (info.frames, info.channels, info.format) == (n_samples, n_channels, "RF64")
    with soundfile.SoundFile(str(path)) as sound:
        sound.seek(n_samples - 2)
        np.testing.assert_array_equal(sound.read(always_2d=True), [[0.0] * n_channels, [0.5] * n_channels])
    assert open_audio(path).sample_rate_hz == RATE  # not taken for truncated
    with av.open(str(path), format="wav") as file:
        assert file.streams.audio[0].duration == n_samples
    if with_time:
        assert metadata(path)["time_reference"] == str(NOON)
        assert read_broadcast(path).time_reference == NOON


@pytest.mark.parametrize(("n_channels", "mask"), [(1, None), (2, None), (4, 0), (6, 0x3F), (12, 0x2D63F)])
@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_24", "PCM_16"])
def test_channel_masks(tmp_path, n_channels, mask, subtype) -> None:
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (n_channels, 1001)).astype(np.float32)
    write_audio(tmp_path / "a.wav", [sound], RATE, n_channels, subtype=subtype, channel_mask=mask)
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    np.testing.assert_allclose(samples.T, sound, atol=2.0**-14 if subtype == "PCM_16" else 2.0**-22)
    assert soundfile.info(tmp_path / "a.wav").format == ("WAV" if mask is None else "WAVEX")
    with av.open(str(tmp_path / "a.wav")) as file:
        assert file.streams.audio[0].codec_context.layout.nb_channels == n_channels
        if mask == 0x3F:
            assert file.streams.audio[0].layout.name in ("5.1", "5.1(back)")


def test_odd_lengths_are_padded() -> None:
    file = io.BytesIO()
    writer = WavWriter(file, RATE, 1, "PCM_24")
    writer.write(np.array([[1, 2, 3]], np.int32))
    writer.finish()
    data = file.getvalue()
    assert len(data) % 2 == 0
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    file.seek(0)
    assert list(soundfile.read(file, dtype="int32")[0] >> 8) == [1, 2, 3]
