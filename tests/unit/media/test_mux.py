from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
import soundfile
from scipy.signal import resample

from foleyspace_host.errors import Cancelled, InvalidInput, MediaDamaged, NonFinite, NoVideo, OutputUnwritable
from foleyspace_host.media.audio import open_audio, read_audio
from foleyspace_host.media.mux import mux_audio
from foleyspace_host.media.probe import probe
from foleyspace_host.media.video import read_frames

RATE_HZ = 48_000


def flash_time_s(path) -> float:
    bright = [f.t_s for f in read_frames(path) if f.image.mean() > 128]
    assert len(bright) == 1
    return bright[0]


def click_sample(samples: np.ndarray) -> float:
    """Centre of gravity of the burst, to a fraction of a sample."""
    power = samples[0].astype(np.float64) ** 2
    around = np.arange(len(power))
    window = np.abs(around - int(np.argmax(power))) < 60
    return float(np.sum(around[window] * power[window]) / np.sum(power[window]))


SOURCES = {
    "plain": {},
    "b-frames": {"b_frames": 2},
    "video late": {"start_s": Fraction(1, 5)},
    "both late": {"start_s": Fraction(1, 2), "audio_start_s": Fraction(3, 10), "audio_codec": "pcm_s16le"},
    "b-frames, video late": {"b_frames": 2, "start_s": Fraction(1, 5)},
    "audio late": {"audio_start_s": Fraction(1, 4)},
    "29.97": {"fps": Fraction(30_000, 1001)},
}


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
@pytest.mark.parametrize("what", SOURCES)
def test_click_and_flash_stay_together(make_video, click, tmp_path, raw_packets, raw_audio, what, suffix, leftovers):
    settings = SOURCES[what]
    fps = Fraction(settings.get("fps", 25))
    # FFmpeg's MP4 writer does not hide the priming of AAC that starts late, so that case is PCM in MOV
    name = "in.mov" if "audio_codec" in settings else "in.mp4"
    video = make_video(name, n_frames=20, flash=10, audio=click(36_000, 20_000), **settings)
    flash_s = flash_time_s(video)
    starts = [Fraction(settings.get(k, 0)) for k in ("start_s", "audio_start_s")]
    assert flash_s == pytest.approx(float(10 / fps + starts[0] - min(starts)), abs=1e-4)

    at = round(flash_s * RATE_HZ)
    n_samples = 41_234
    sound = click(n_samples, at)
    sound[1] *= -0.5
    soundfile.write(tmp_path / "in.wav", sound.T, RATE_HZ, "FLOAT")
    out = tmp_path / f"out{suffix}"
    report = mux_audio(video, tmp_path / "in.wav", out)
    assert report.n_samples == n_samples
    assert leftovers() == []

    # the picture is the same, packet for packet, and in time to the container's tick
    before, after = raw_packets(video), raw_packets(out)
    assert [data for _, data in before] == [data for _, data in after]
    tick_s = 1e-3 if suffix == ".mkv" else 2e-5
    shift_s = float(min(starts))
    assert np.allclose([t - shift_s for t, _ in before], [t for t, _ in after], atol=tick_s)
    assert flash_time_s(out) == pytest.approx(flash_s, abs=tick_s)

    # the sound is where it was put: by FFmpeg's own time line, and by ours
    start, decoded = raw_audio(out)
    ours, rate_hz = read_audio(out)
    assert (start, rate_hz) == (0, RATE_HZ)
    assert ours.shape == sound.shape  # the edit list says where the sound ends within its last packet
    assert np.array_equal(ours, decoded[:, :n_samples])
    if suffix == ".mp4":
        assert abs(decoded.shape[1] - n_samples) < 1024
        assert click_sample(decoded) == pytest.approx(at, abs=2)
        assert report.codec == "aac"
    else:
        assert decoded.shape[1] == n_samples
        assert np.max(np.abs(decoded - sound)) <= 1.5 / 2**23 + 1e-9  # rounding and dither
        assert report.codec == {".mov": "pcm_s24le", ".mkv": "flac"}[suffix]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_clip_that_was_trimmed_by_its_edit_list(make_video, tmp_path, raw_packets, b_frames):
    # five pictures before time zero are kept in the file for decoding only
    video = make_video("in.mp4", n_frames=30, flash=15, b_frames=b_frames, start_s=Fraction(-1, 5))
    assert [f.t_s for f in read_frames(video)] == pytest.approx([k / 25 for k in range(25)])
    assert flash_time_s(video) == pytest.approx(0.4)
    soundfile.write(tmp_path / "a.wav", np.zeros((48_000, 2)), RATE_HZ, "FLOAT")
    for suffix in (".mp4", ".mov"):
        out = tmp_path / f"o{suffix}"
        mux_audio(video, tmp_path / "a.wav", out)
        assert raw_packets(out) == raw_packets(video)
        assert [f.t_s for f in read_frames(out)] == pytest.approx([k / 25 for k in range(25)])
        assert flash_time_s(out) == pytest.approx(0.4)
        assert open_audio(out).n_samples == 48_000
    # Matroska has no edit lists: the hidden pictures come to light, the sound waits for its place
    mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mkv")
    assert probe(tmp_path / "o.mkv").audio.start_s == Fraction(1, 5)
    assert flash_time_s(tmp_path / "o.mkv") == pytest.approx(0.6)


@pytest.mark.parametrize("n_samples", [1, 1000, 1024, 1025, 48_000, 100_000])
def test_length_of_the_sound_is_kept_whatever_the_picture_lasts(make_video, tmp_path, n_samples):
    video = make_video("in.mp4", n_frames=25)
    rng = np.random.default_rng(3)
    soundfile.write(tmp_path / "a.wav", rng.uniform(-0.1, 0.1, (n_samples, 2)), RATE_HZ, "FLOAT")
    for suffix in (".mov", ".mkv"):
        mux_audio(video, tmp_path / "a.wav", tmp_path / f"o{suffix}")
        assert open_audio(tmp_path / f"o{suffix}").n_samples == n_samples
    mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mp4")
    assert abs(open_audio(tmp_path / "o.mp4").n_samples - n_samples) < 1024


def test_vfr_times_survive(make_video, tmp_path, raw_packets):
    times_s = [Fraction(k * k, 100) for k in range(12)]
    video = make_video("vfr.mp4", n_frames=12, times_s=times_s, time_base=Fraction(1, 12_800))
    soundfile.write(tmp_path / "a.wav", np.zeros((60_000, 2)), RATE_HZ, "FLOAT")
    mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mp4")
    assert [t for t, _ in raw_packets(tmp_path / "o.mp4")] == pytest.approx([float(t) for t in times_s], abs=1e-6)


def test_shape_and_tags_survive(make_video, tmp_path, corner_picture):
    video = make_video(
        "in.mp4",
        n_frames=5,
        sample_aspect=Fraction(4, 3),
        picture=corner_picture(64, 48),
        metadata={"title": "A door", "comment": "shut"},
    )
    soundfile.write(tmp_path / "a.wav", np.zeros((9_600, 2)), RATE_HZ, "FLOAT")
    for suffix in (".mp4", ".mov", ".mkv"):
        out = tmp_path / f"o{suffix}"
        mux_audio(video, tmp_path / "a.wav", out)
        stream = probe(out).video
        assert (stream.width, stream.height, stream.sample_aspect) == (85, 48, Fraction(4, 3))
        with av.open(str(out)) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
        assert tags["title"] == "A door"
        assert tags["comment"] == "shut"


def test_chapters_survive(make_video, tmp_path):
    plain = make_video("plain.mp4", n_frames=50)
    tick = Fraction(1, 1000)
    chapters = [
        {"id": k, "start": 1000 * k, "end": 1000 * (k + 1), "time_base": tick, "metadata": {"title": name}}
        for k, name in enumerate(("arrival", "départ"))
    ]
    with av.open(str(plain)) as given, av.open(str(tmp_path / "in.mkv"), "w") as output:
        copy = output.add_stream_from_template(given.streams.video[0])
        output.set_chapters(chapters)
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    soundfile.write(tmp_path / "a.wav", np.zeros((9_600, 2)), RATE_HZ, "FLOAT")
    for suffix in (".mp4", ".mov", ".mkv"):
        mux_audio(tmp_path / "in.mkv", tmp_path / "a.wav", tmp_path / f"o{suffix}")
        with av.open(str(tmp_path / f"o{suffix}")) as container:
            found = [(c["start"] * c["time_base"], c["metadata"]["title"]) for c in container.chapters()]
        assert found == [(0, "arrival"), (1, "départ")]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_rotation_survives(make_video, tmp_path, turn, corner_picture, suffix):
    video = turn(make_video("in.mp4", n_frames=5, picture=corner_picture(64, 48)), (0, 1, -1, 0))
    soundfile.write(tmp_path / "a.wav", np.zeros((9_600, 2)), RATE_HZ, "FLOAT")
    mux_audio(video, tmp_path / "a.wav", tmp_path / f"o{suffix}")
    stream = probe(tmp_path / f"o{suffix}").video
    assert (stream.width, stream.height, stream.rotation_deg) == (48, 64, 270)
    image = next(read_frames(tmp_path / f"o{suffix}")).image
    assert np.array_equal(image, next(read_frames(video)).image)


def test_from_other_containers(make_video, tmp_path, raw_packets, click):
    soundfile.write(tmp_path / "a.wav", click(48_000, 19_200).T, RATE_HZ, "FLOAT")
    cases = [
        ("a.mkv", {"b_frames": 2}),
        ("b.avi", {"codec": "mpeg4"}),
        ("c.ts", {"b_frames": 2, "start_s": Fraction(7)}),
    ]
    for name, settings in cases:
        video = make_video(name, flash=10, **settings)
        out = tmp_path / f"{name}.mp4"
        mux_audio(video, tmp_path / "a.wav", out)
        # 1 ms is the tick of Matroska
        assert flash_time_s(out) == pytest.approx(flash_time_s(video), abs=1e-3)
        assert flash_time_s(out) == pytest.approx(0.4, abs=2e-3), name
        if not name.endswith(".ts"):  # start codes become lengths there, the coded picture is the same
            assert [d for _, d in raw_packets(out)] == [d for _, d in raw_packets(video)]


def test_loud_sound_is_turned_down_and_told(make_video, tmp_path, raw_audio):
    video = make_video("in.mp4", n_frames=25)
    tone = 1.5 * np.sin(2 * np.pi * 997 * np.arange(48_000) / RATE_HZ)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone], 1), RATE_HZ, "FLOAT")
    expected_db = -1 - 20 * np.log10(1.5)
    report = mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mov")
    assert report.gain_db == pytest.approx(expected_db, abs=0.02)
    assert report.true_peak_db == pytest.approx(-1, abs=1e-6)
    # a tone of -1 dB in both channels, all the time
    assert report.loudness_lufs == pytest.approx(-1, abs=0.05)
    _, sound = raw_audio(tmp_path / "o.mov")
    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(-1, abs=0.01)
    soundfile.write(tmp_path / "quiet.wav", np.stack([tone, tone], 1) / 4, RATE_HZ, "FLOAT")
    assert mux_audio(video, tmp_path / "quiet.wav", tmp_path / "q.mov").gain_db == 0


def test_rates_that_aac_lacks_are_converted(make_video, tmp_path, click, raw_audio):
    video = make_video("in.mp4", n_frames=25)
    at = 96_000
    n = np.arange(192_000)
    sound = 0.7 * np.exp(-0.5 * ((n - at) / 64.0) ** 2)
    soundfile.write(tmp_path / "a.wav", np.stack([sound, sound], 1), 192_000, "FLOAT")
    report = mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mp4")
    assert report.n_samples == 48_000
    _, decoded = raw_audio(tmp_path / "o.mp4")
    assert click_sample(decoded) == pytest.approx(24_000, abs=2)


def test_progress_is_told_and_cancel_leaves_nothing(make_video, tmp_path, leftovers):
    video = make_video("in.mp4", n_frames=50)
    soundfile.write(tmp_path / "a.wav", np.zeros((96_000, 2)), RATE_HZ, "FLOAT")
    seen = []
    mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mp4", on_progress=lambda *x: seen.append(x))
    assert seen[-1] == (96_000, 96_000)
    assert all(a[0] <= b[0] for a, b in pairwise(seen))
    old = (tmp_path / "o.mp4").read_bytes()

    def stop(done: int, total: int) -> None:
        if done > 40_000:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mp4", on_progress=stop)
    assert leftovers() == []
    assert (tmp_path / "o.mp4").read_bytes() == old


def test_errors_name_file_and_cure(make_video, tmp_path, leftovers):
    video = make_video("in.mp4", n_frames=5)
    wav = tmp_path / "a.wav"
    soundfile.write(wav, np.zeros((9_600, 2)), RATE_HZ, "FLOAT")
    bad = tmp_path / "nan.wav"
    soundfile.write(bad, np.full((9_600, 2), np.nan), RATE_HZ, "FLOAT")
    wide = tmp_path / "wide.wav"
    soundfile.write(wide, np.zeros((9_600, 16)), RATE_HZ, "FLOAT")
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 999)
    xvid = make_video("in.avi", codec="mpeg4")
    sound_only = make_video("s.mp4", video=False, audio=np.zeros((2, 4800), np.float32))
    cases = [
        (InvalidInput, ".mkv", video, wav, tmp_path / "o.webm"),
        (InvalidInput, "another name", video, wav, video),
        (InvalidInput, ".wav", video, wide, tmp_path / "o.mp4"),
        (NoVideo, "name a video", sound_only, wav, tmp_path / "o.mp4"),
        (NonFinite, "again", video, bad, tmp_path / "o.mp4"),
        (MediaDamaged, "again", tmp_path / "junk.mp4", wav, tmp_path / "o.mp4"),
        (OutputUnwritable, "folder", video, wav, tmp_path / "no" / "o.mp4"),
    ]
    for kind, cure, picture, sound, out in cases:
        with pytest.raises(kind) as caught:
            mux_audio(picture, sound, out)
        assert type(caught.value) is kind
        assert cure in caught.value.cure
        assert caught.value.where
        assert leftovers() == []
    assert not (tmp_path / "o.mp4").exists()
    mux_audio(xvid, wav, tmp_path / "o.mp4")


def test_picture_that_a_container_cannot_hold(make_video, tmp_path, leftovers):
    video = make_video("in.avi", codec="msmpeg4", n_frames=5)
    soundfile.write(tmp_path / "a.wav", np.zeros((9_600, 2)), RATE_HZ, "FLOAT")
    with pytest.raises(InvalidInput, match=r"\.mkv"):
        mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mp4")
    assert leftovers() == []
    mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mkv")
    assert len(list(read_frames(tmp_path / "o.mkv"))) == 5


def test_peaks_that_grow_in_a_lossy_coder_count(make_video, tmp_path, raw_audio):
    # noise that begins and ends hard at the ceiling: the coder rings beyond it by more than a decibel
    video = make_video("in.mp4", n_frames=25)
    noise = np.sign(np.random.default_rng(1).standard_normal((48_000, 2))) * 0.85
    soundfile.write(tmp_path / "a.wav", noise, RATE_HZ, "FLOAT")
    report = mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mp4")
    _, sound = raw_audio(tmp_path / "o.mp4")  # by FFmpeg alone
    decoded_db = 20 * np.log10(np.abs(resample(sound[:, :48_000], 4 * 48_000, axis=1)).max())
    assert report.true_peak_db <= -1
    assert decoded_db == pytest.approx(report.true_peak_db, abs=0.2)
    exact = mux_audio(video, tmp_path / "a.wav", tmp_path / "o.mov")
    assert report.gain_db < exact.gain_db - 0.3
