"""The main job on real files: lengths, picture, bed, trajectory, and where the sound comes from."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal

import foleyspace_host
from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import dumps, read_trajectory

LEFT = "t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n"
LEFT_TO_RIGHT = "t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n2,-60,0,2\n"


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[str], Path]:
    """Write a CSV trajectory."""

    def write(text: str) -> Path:
        (tmp_path / "keys.csv").write_text(text)
        return tmp_path / "keys.csv"

    return write


def read(path: Path) -> np.ndarray:
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate_hz == 48000
    return np.asarray(sound.T)


def level_difference_db(sound: np.ndarray) -> float:
    left, right = np.sqrt((sound.astype(np.float64) ** 2).mean(axis=1))
    return float(20 * np.log10(left / right))


def lag_samples(first: np.ndarray, second: np.ndarray) -> int:
    """By how many samples the second sound comes later, at the peak of their cross-correlation."""
    size = 2 * max(len(first), len(second))
    correlation = np.fft.irfft(np.fft.rfft(second, size) * np.conj(np.fft.rfft(first, size)))
    peak = int(np.argmax(correlation))
    return peak if peak < size // 2 else peak - size


def packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """Times and bytes of the picture's packets."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size and p.pts is not None]


def decoded(path: Path) -> np.ndarray:
    from foleyspace_host.media.audio import read_audio

    return read_audio(path)[0]


def test_a_wav_lasts_as_long_as_the_clip_and_comes_from_the_left(
    tmp_path: Path, make_clip: Any, noise: Any, keys: Any
) -> None:
    clip = make_clip(seconds=2.0, sound=noise(2, 2.0))
    seen: list[str] = []

    def on_progress(stage: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        if not seen or seen[-1] != stage:
            seen.append(stage)

    result = foleyspace_host.spatialize(clip, tmp_path / "o.wav", keys=keys(LEFT), on_progress=on_progress)
    sound = read(tmp_path / "o.wav")
    assert sound.shape == (2, 96000)
    assert level_difference_db(sound) > 5.0
    assert seen == ["decode", "render"]
    assert (result.n_samples, result.sample_rate_hz, result.codec) == (96000, 48000, "PCM_24")
    assert result.sound.fit == "exact"
    assert result.sources[0].azimuth_deg == (60.0, 60.0)
    assert result.gain_db == 0.0
    assert result.true_peak_db is not None
    assert result.true_peak_db >= 20 * np.log10(np.abs(sound).max()) - 0.01
    assert [model.name for model in result.provenance.models] == ["kemar"]
    assert set(result.times_s) == {"decode", "render", "total"}


def test_sound_moves_with_the_trajectory_and_spread_widens_it(
    tmp_path: Path, make_clip: Any, noise: Any, keys: Any
) -> None:
    clip = make_clip(seconds=2.0, sound=noise(1, 2.0))
    path = keys(LEFT_TO_RIGHT)
    foleyspace_host.spatialize(clip, tmp_path / "o.wav", keys=path)
    sound = read(tmp_path / "o.wav")
    differences = [level_difference_db(sound[:, start : start + 9600]) for start in range(0, 96000, 9600)]
    assert differences[0] > 5.0
    assert differences[-1] < -5.0
    assert differences == sorted(differences, reverse=True) or np.corrcoef(differences, range(10))[0, 1] < -0.95
    foleyspace_host.spatialize(clip, tmp_path / "flat.wav", keys=path, spread=0.0)
    assert abs(level_difference_db(read(tmp_path / "flat.wav")[:, :9600])) < 1.0


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30000, 1001), 25])
def test_the_length_is_the_clip_s_at_any_frame_rate(
    tmp_path: Path, make_clip: Any, noise: Any, make_sound: Any, keys: Any, fps: Fraction
) -> None:
    clip = make_clip("clip.mov", seconds=48 / fps, fps=fps)
    dry = make_sound("dry.wav", noise(1, 5.0))
    result = foleyspace_host.spatialize(clip, tmp_path / "o.wav", audio=dry, keys=keys(LEFT))
    expected = int(48 / Fraction(fps) * 48000 + Fraction(1, 2))
    assert result.n_samples == read(tmp_path / "o.wav").shape[1] == expected


@pytest.mark.parametrize(("seconds", "fit"), [(1.0, "padded"), (2.0, "exact"), (3.0, "cut")])
def test_a_dry_sound_of_another_length_is_fitted_and_that_is_said(
    tmp_path: Path, make_clip: Any, make_sound: Any, noise: Any, keys: Any, seconds: float, fit: str
) -> None:
    clip = make_clip(seconds=2.0)
    dry = make_sound("dry.wav", noise(1, seconds))
    result = foleyspace_host.spatialize(clip, tmp_path / "o.wav", audio=dry, keys=keys(LEFT))
    sound = read(tmp_path / "o.wav")
    assert sound.shape == (2, 96000)
    assert result.sound.fit == fit
    assert result.sound.duration_s == seconds
    if fit == "padded":
        assert np.abs(sound[:, :48000]).max() > 0.01
        assert np.abs(sound[:, 50000:]).max() < 1e-6


def test_the_bed_is_the_original_stereo_under_the_point_source(
    tmp_path: Path, make_clip: Any, noise: Any, keys: Any
) -> None:
    original = noise(2, 2.0)
    clip = make_clip(seconds=2.0, sound=original)
    path = keys(LEFT)
    foleyspace_host.spatialize(clip, tmp_path / "dry.wav", keys=path)
    foleyspace_host.spatialize(clip, tmp_path / "bed.wav", keys=path, bed_db=-6.0)
    difference = read(tmp_path / "bed.wav") - read(tmp_path / "dry.wav")
    assert_allclose(difference, original * 10 ** (-6 / 20), atol=1e-6)


def test_a_bed_stays_in_sync_under_a_sound_of_another_rate(
    tmp_path: Path, make_clip: Any, make_sound: Any, noise: Any, keys: Any
) -> None:
    clip = make_clip(seconds=2.0, sound=noise(2, 2.0))
    silence = make_sound("silence.wav", np.zeros((1, 44100), np.float32), 44100)
    foleyspace_host.spatialize(clip, tmp_path / "o.wav", audio=silence, keys=keys(LEFT), bed_db=0.0)
    sound, rate_hz = soundfile.read(tmp_path / "o.wav", dtype="float32")
    assert (sound.shape, rate_hz) == ((88200, 2), 44100)
    import soxr

    low = soxr.resample(noise(2, 2.0).T, 48000, 44100, quality="VHQ")
    assert_allclose(sound[2000:-2000], low[2000:-2000], atol=2e-3)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mov", "pcm_s24le"), (".mkv", "flac")])
def test_the_picture_is_copied_packet_for_packet(
    tmp_path: Path, make_clip: Any, noise: Any, keys: Any, suffix: str, codec: str
) -> None:
    clip = make_clip("clip.mov", seconds=2.0, sound=noise(2, 2.0, 0.05))
    path = keys(LEFT_TO_RIGHT)
    foleyspace_host.spatialize(clip, tmp_path / "o.wav", keys=path)
    result = foleyspace_host.spatialize(clip, tmp_path / f"o{suffix}", keys=path)
    assert result.codec == codec
    assert result.n_samples == 96000
    assert [content for _, content in packets(tmp_path / f"o{suffix}")] == [content for _, content in packets(clip)]
    times = [float(time) for time, _ in packets(tmp_path / f"o{suffix}")]
    assert_allclose(times, [float(time) for time, _ in packets(clip)], atol=1e-3)
    exact, muxed = read(tmp_path / "o.wav"), decoded(tmp_path / f"o{suffix}")
    if suffix == ".mp4":
        assert abs(muxed.shape[1] - 96000) <= 1024
        assert [lag_samples(early, late) for early, late in zip(exact, muxed, strict=True)] == [0, 0]
    else:
        assert muxed.shape == (2, 96000)
        assert_allclose(muxed, exact * 10 ** (result.gain_db / 20), atol=2**-22)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["clip.mov", "keys.csv", f"o{suffix}", "o.wav"])


def test_loud_sound_in_a_video_is_turned_down_and_that_is_said(
    tmp_path: Path, make_clip: Any, make_sound: Any, noise: Any, keys: Any
) -> None:
    clip, loud = make_clip(seconds=1.0), make_sound("loud.wav", 8 * noise(1, 1.0))
    path = keys(LEFT)
    in_wav = foleyspace_host.spatialize(clip, tmp_path / "o.wav", audio=loud, keys=path, bit_depth="float")
    plain = foleyspace_host.spatialize(clip, tmp_path / "plain.wav", audio=loud, keys=path)
    in_mov = foleyspace_host.spatialize(clip, tmp_path / "o.mov", audio=loud, keys=path)
    assert in_wav.true_peak_db is not None
    assert in_wav.true_peak_db > 0.0
    assert in_wav.gain_db == 0.0
    assert np.abs(read(tmp_path / "plain.wav")).max() < 10 ** (-1.0 / 20) + 1e-6
    assert in_mov.true_peak_db == pytest.approx(-1.0, abs=0.05)
    assert plain.gain_db == pytest.approx(-1.0 - in_wav.true_peak_db, abs=0.05)
    assert in_mov.gain_db == pytest.approx(-1.0 - in_wav.true_peak_db, abs=0.05)
    assert_allclose(decoded(tmp_path / "o.mov"), read(tmp_path / "o.wav") * 10 ** (in_mov.gain_db / 20), atol=2**-22)


def test_the_two_halves_alone_give_the_same_as_the_whole(
    tmp_path: Path, make_clip: Any, noise: Any, foleyspace: Any, here: Any
) -> None:
    clip = make_clip(seconds=1.0, sound=noise(1, 1.0))
    whole = foleyspace(
        "spatialize", clip.name, "-o", "whole.wav", "--trajectory-out", "t.json", "--bit-depth", "float", "--json"
    )
    assert whole.err == ""
    assert whole.code == 0
    half = here("localize", clip.name, "-o", "half.json", "--json")
    assert half.code == 0, half.err
    assert (tmp_path / "half.json").read_text() == (tmp_path / "t.json").read_text()
    rendered = here("render", clip.name, "--trajectory", "half.json", "-o", "half.wav", "--json")
    assert rendered.code == 0, rendered.err
    assert rendered.json["n_samples"] == whole.json["n_samples"] == 48000
    assert_allclose(read(tmp_path / "half.wav"), read(tmp_path / "whole.wav"), atol=1e-4)
    trajectory = read_trajectory(tmp_path / "t.json")
    assert trajectory.duration_s == pytest.approx(1.0, abs=0.05)
    assert whole.json["sources"][0]["id"] == trajectory.selected[0].id
    assert {model["name"] for model in whole.json["provenance"]["models"]} == {"centernet", "yamnet", "kemar"}
    assert whole.json["settings"]["distance_gain"] == "relative"
    assert whole.json["settings"]["propagation"] == "none"


def test_same_input_same_bytes(tmp_path: Path, make_clip: Any, noise: Any, keys: Any) -> None:
    clip = make_clip(seconds=1.0, sound=noise(2, 1.0))
    path = keys(LEFT_TO_RIGHT)
    for name in ("a.wav", "b.wav"):
        foleyspace_host.spatialize(clip, tmp_path / name, keys=path)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_the_summary_is_for_people(tmp_path: Path, make_clip: Any, noise: Any, here: Any) -> None:
    make_clip("my clip.mov", seconds=1.0, sound=noise(2, 1.0))
    done = here("spatialize", "my clip.mov", "-o", "out file.mov", "--bed", "-12")
    assert done.code == 0
    assert done.err == ""
    assert done.out.startswith("out file.mov\n")
    for name in ("source", "azimuth", "distance", "peak", "time"):
        assert f"\n  {name}" in done.out


def test_what_does_not_sound_is_told_too(tmp_path: Path, make_clip: Any, noise: Any, here: Any) -> None:
    make_clip("clip.mov", seconds=1.0, sound=noise(2, 1.0))
    sources = (Source("dog-1", (Key(0.0, 30.0),)), Source("cat-1", (Key(0.0, -30.0),), confidence=0.25, selected=False))
    (tmp_path / "two.json").write_text(dumps(Trajectory(1.0, sources)))
    words = ["spatialize", "clip.mov", "-o", "out.wav", "--keys", "two.json"]
    done = here(*words, "--json")
    assert [source["id"] for source in done.json["sources"]] == ["dog-1"]
    assert [source["id"] for source in done.json["also_seen"]] == ["cat-1"]
    assert "\n  also seen  cat-1 (0.25); choose with --source\n" in here(*words).out
    assert "also seen  dog-1 (1.00)" in here(*words, "--source", "cat-1").out


def test_keys_and_label_exclude_each_other(tmp_path: Path, make_clip: Any, keys: Any) -> None:
    with pytest.raises(InvalidInput, match="label"):
        foleyspace_host.spatialize(make_clip(), tmp_path / "o.wav", keys=keys(LEFT), label="car")


def test_render_takes_csv_and_says_where_it_goes(
    tmp_path: Path, make_sound: Any, noise: Any, keys: Any, here: Any
) -> None:
    make_sound("dry.wav", noise(2, 1.0))
    keys(LEFT)
    done = here("render", "dry.wav", "--trajectory", "keys.csv", "-o", "o.flac", "--json")
    assert done.code == 0
    assert done.err == ""
    result = done.json
    assert (result["n_samples"], result["codec"], result["sources"][0]["id"]) == (48000, "PCM_24", "keys")
    assert level_difference_db(read(tmp_path / "o.flac")) > 5.0
    assert result["sound"]["n_channels"] == 2
    assert json.dumps(result, allow_nan=False)


def test_silence_stays_silence_and_is_said(tmp_path: Path, make_sound: Any, keys: Any, here: Any) -> None:
    make_sound("dry.wav", np.zeros((1, 24000), np.float32))
    keys(LEFT)
    done = here("render", "dry.wav", "--trajectory", "keys.csv", "-o", "o.wav")
    assert done.code == 0
    assert "silence" in done.out
    assert_array_equal(read(tmp_path / "o.wav"), 0.0)
