from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import soundfile

from foleyspace_host.errors import InvalidInput, MediaDamaged, MediaEmpty, MediaMissing, NoAudio, NonFinite
from foleyspace_host.media.audio import mono_blocks, mono_gain, open_audio, read_audio
from foleyspace_host.media.probe import probe

RATE_HZ = 48_000


@pytest.fixture
def noise() -> np.ndarray:
    return (np.random.default_rng(7).uniform(-0.5, 0.5, (2, 30_001))).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "subtype", "error"),
    [
        ("a.wav", "FLOAT", 0),
        ("a.wav", "DOUBLE", 0),
        ("a.wav", "PCM_24", 2**-23),
        ("a.wav", "PCM_16", 2**-15),
        ("a.wav", "PCM_U8", 2**-7),
        ("a.flac", "PCM_24", 2**-23),
        ("a.aiff", "PCM_16", 2**-15),
        ("a.rf64", "FLOAT", 0),
        ("a.caf", "FLOAT", 0),
        ("a.au", "PCM_16", 2**-15),
        ("a.w64", "FLOAT", 0),
    ],
)
def test_sound_files_exactly(tmp_path, noise, name, subtype, error):
    path = tmp_path / name
    soundfile.write(path, noise.T, RATE_HZ, subtype)
    with open_audio(path) as source:
        assert (source.sample_rate_hz, source.n_channels, source.n_samples) == (RATE_HZ, 2, 30_001)
        blocks = list(source.blocks(4096))
        again = list(source.blocks(1000))
    assert [b.shape[1] for b in blocks] == [4096] * 7 + [30_001 - 7 * 4096]
    assert all(b.dtype == np.float32 for b in blocks)
    assert np.max(np.abs(np.concatenate(blocks, axis=1) - noise)) <= error
    assert np.array_equal(np.concatenate(blocks, 1), np.concatenate(again, 1))
    info = probe(path)
    assert (info.kind, info.video, info.audio.n_samples) == ("audio", None, 30_001)
    assert info.duration_s == Fraction(30_001, RATE_HZ)


@pytest.mark.parametrize(("name", "subtype"), [("a.ogg", "VORBIS"), ("a.mp3", "MPEG_LAYER_III")])
def test_lossy_sound_files_in_place(tmp_path, click, name, subtype):
    sound = click(48_000, 20_000)
    soundfile.write(tmp_path / name, sound.T, RATE_HZ, subtype)
    samples, _ = read_audio(tmp_path / name)
    assert samples.shape == sound.shape  # the coder's delay and padding are dropped
    assert abs(int(np.argmax(samples[0])) - 20_000) <= 1


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "aac"), ("a.mov", "pcm_s16le"), ("a.mkv", "flac"), ("a.mkv", "aac"), ("a.avi", "pcm_s16le")],
)
def test_containers_in_place(make_video, click, name, codec):
    sound = click(40_000, 20_000)
    video = make_video(
        name, n_frames=10, audio=sound, audio_codec=codec, codec="mpeg4" if name == "a.avi" else "libx264"
    )
    samples, rate_hz = read_audio(video)
    assert rate_hz == RATE_HZ
    if codec == "aac":
        assert abs(samples.shape[1] - 40_000) < 1024
        peak = np.argmax(np.abs(samples[0]))
        assert abs(int(peak) - 20_000) <= 2
    else:
        assert samples.shape == (2, 40_000)
        assert np.max(np.abs(samples - sound)) < 2**-15


@pytest.mark.parametrize("name", ["a.mov", "a.mkv"])
def test_sound_that_starts_late_is_led_in_with_silence(make_video, noise, name):
    video = make_video(name, audio=noise, audio_codec="pcm_s16le", audio_start_s=Fraction(1, 4))
    samples, _ = read_audio(video)
    assert samples.shape == (2, 12_000 + 30_001)
    assert not samples[:, :12_000].any()
    assert np.max(np.abs(samples[:, 12_000:] - noise)) < 2**-14
    assert probe(video).audio.start_s == Fraction(1, 4)


def test_sound_and_picture_that_both_start_late_start_at_zero(make_video, noise):
    video = make_video("a.mov", audio=noise, audio_codec="pcm_s16le", audio_start_s=Fraction(2), start_s=Fraction(5, 2))
    assert open_audio(video).n_samples == 30_001
    info = probe(video)
    assert (info.audio.start_s, info.video.start_s) == (0, Fraction(1, 2))


def test_hole_in_the_sound_is_filled(make_video, tmp_path, noise):
    import av

    video = make_video("a.mkv", audio=noise, audio_codec="pcm_s16le", video=False)
    with av.open(str(video)) as given, av.open(str(tmp_path / "hole.mkv"), "w") as output:
        stream = given.streams.audio[0]
        copy = output.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.size and not 0.2 < packet.pts * packet.time_base < 0.4:
                packet.stream = copy
                output.mux(packet)
    samples, _ = read_audio(tmp_path / "hole.mkv")
    # time stamps of Matroska are whole milliseconds: after the hole the sound lies within one of its place
    assert abs(samples.shape[1] - noise.shape[1]) <= 48
    samples = np.pad(samples, ((0, 0), (0, 48)))[:, : noise.shape[1]]
    same = np.max(np.abs(samples - noise), axis=0) < 2**-14
    silent = ~samples.any(axis=0)
    assert same[: int(0.2 * RATE_HZ)].all()
    assert silent[int(0.23 * RATE_HZ) : int(0.39 * RATE_HZ)].all()
    shift = int(np.argmax(np.correlate(samples[0, 24_000:], noise[0, 24_000:], "full"))) - (30_001 - 24_001)
    assert abs(shift) <= 48


def test_mono_gain_cases(tmp_path):
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, 200_000)).astype(np.float32) * 0.1
    cases = {
        "dual": ([a, a], 1.0),
        "one": ([a], 1.0),
        "independent": ([a, b], np.sqrt(2)),
        "left only": ([a, 0 * a], np.sqrt(2)),
        "opposite": ([a, -a], 10 ** (6 / 20)),
        "nearly opposite": ([a, -0.999 * a], 10 ** (6 / 20)),
        "silence": ([0 * a, 0 * a], 1.0),
        "six": ([a, b, np.roll(a, 99), np.roll(b, 77), np.roll(a, 5000), np.roll(b, 6000)], 10 ** (6 / 20)),
    }
    for name, (channels, expected) in cases.items():
        path = tmp_path / f"{name}.wav"
        sound = np.stack(channels)
        soundfile.write(path, sound.T, RATE_HZ, "FLOAT")
        source = open_audio(path)
        assert mono_gain(source) == pytest.approx(expected, rel=0.01), name
        mono = np.concatenate(list(mono_blocks(source, 999)))
        assert mono.shape == (200_000,)
        assert mono.dtype == np.float32
        assert np.allclose(mono, mono_gain(source) * sound.mean(axis=0), atol=1e-6)
        assert np.array_equal(mono, np.concatenate(list(source.blocks(5000, "mono")), 1)[0])
        if name in ("dual", "one", "independent", "left only"):
            assert np.mean(mono**2) == pytest.approx(np.mean(sound**2), rel=1e-3), name


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["a.wav", "a.mkv"])
def test_samples_that_are_no_numbers(tmp_path, make_video, noise, bad, name):
    noise[1, 24_000] = bad
    if name == "a.wav":
        soundfile.write(tmp_path / name, noise.T, RATE_HZ, "FLOAT")
    else:
        make_video(name, audio=noise, audio_codec="pcm_f32le", n_frames=3)
    source = open_audio(tmp_path / name)
    for use in (source.scan, lambda: list(source.blocks()), lambda: list(mono_blocks(source))):
        with pytest.raises(NonFinite, match=r"0\.500 s") as caught:
            use()
        assert caught.value.where == str(tmp_path / name)
        assert caught.value.cure


def test_missing_empty_and_silent_files(tmp_path, make_video):
    (tmp_path / "zero.wav").write_bytes(b"")
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 2)), RATE_HZ)
    make_video("mute.mp4", n_frames=3)
    (tmp_path / "text.wav").write_text("this is not sound, " * 50)
    (tmp_path / "text.mp4").write_text("this is not a video, " * 50)
    cases = [
        ("gone.wav", MediaMissing),
        ("", MediaMissing),
        ("zero.wav", MediaEmpty),
        ("none.wav", MediaEmpty),
        ("mute.mp4", NoAudio),
        ("text.wav", MediaDamaged),
        ("text.mp4", MediaDamaged),
    ]
    for name, kind in cases:
        with pytest.raises(kind) as caught:
            read_audio(tmp_path / name)
        assert type(caught.value) is kind
        assert caught.value.where == str(tmp_path / name)
        assert caught.value.cure
        assert "\n" not in str(caught.value)


def test_wrong_requests(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise.T, RATE_HZ)
    source = open_audio(tmp_path / "a.wav")
    with pytest.raises(InvalidInput):
        source.blocks(0)
    with pytest.raises(InvalidInput):
        source.blocks(100, "left")


def test_odd_names(tmp_path, make_video, noise):
    for name in ("10:30 50%d [x] äß.mp4", "concat:a|b.mkv"):
        make_video("plain.mp4", n_frames=3, audio=noise).rename(tmp_path / name)
        assert read_audio(tmp_path / name)[0].shape[0] == 2


def test_blocks_are_the_callers_to_change(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise.T, RATE_HZ, "FLOAT")
    source = open_audio(tmp_path / "a.wav")
    for block in source.blocks(1000):
        block *= 0
    assert np.array_equal(np.concatenate(list(source.blocks(777)), 1), noise)
