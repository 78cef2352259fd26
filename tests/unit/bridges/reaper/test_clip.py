"""Clips: what an item lets hear, sample by sample, against the formula of the sound that was put in."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foleyspace_host.bridges.reaper.clip import bake, item_samples
from foleyspace_host.bridges.reaper.request import Fade, Item, Sound
from foleyspace_host.errors import Cancelled, InvalidInput, MediaDamaged, MediaMissing

RATE = 48_000
Bake = Callable[..., np.ndarray]


@pytest.fixture
def baked(tmp_path: Path) -> Bake:
    """Bake an item and return its samples, (n_channels, n_samples)."""

    def make(item: Item, rate_hz: int = RATE, **options: Any) -> np.ndarray:
        clip = bake(item, tmp_path, tmp_path / "clip.wav", rate_hz, **options)
        samples, found_hz = soundfile.read(tmp_path / "clip.wav", dtype="float32", always_2d=True)
        assert found_hz == rate_hz
        assert samples.shape == (clip.n_samples, clip.n_channels)
        return samples.T

    return make


def tone(frequency_hz: float, rate_hz: int, n_samples: int, start: int = 0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * (start + np.arange(n_samples)) / rate_hz).astype(np.float32)


@pytest.fixture
def noise(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """Three seconds of stereo noise at the project's rate: the file, and its samples."""
    samples = np.random.default_rng(8).uniform(-0.9, 0.9, (2, 3 * RATE)).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", samples.T, RATE, subtype="FLOAT")
    return tmp_path / "noise.wav", samples


def item(path: Path, length_s: float, position_s: float = 0.0, **fields: Any) -> Item:
    sound = {name: fields.pop(name) for name in ("start_s", "duration_s", "channel_mode") if name in fields}
    return Item(id="x", position_s=position_s, length_s=length_s, sound=Sound(path=str(path), **sound), **fields)


def test_a_plain_item_is_its_part_of_the_file_to_the_bit(baked: Bake, noise: Any) -> None:
    path, samples = noise
    np.testing.assert_array_equal(baked(item(path, 1.25, start_s=0.5)), samples[:, 24_000:84_000])


def test_items_that_adjoin_adjoin_in_samples(noise: Any) -> None:
    path, _ = noise
    cuts = [0.0, 0.1000104, 0.2777777, 1.0000104166, 2.5]
    items = [item(path, end - start, start) for start, end in pairwise(cuts)]
    assert sum(item_samples(one, RATE) for one in items) == round(2.5 * RATE)


@given(st.floats(0.0, 5000.0), st.floats(1e-4, 2.0), st.sampled_from([44_100, 48_000, 96_000]))
def test_the_length_is_the_rounded_end_less_the_rounded_start(position_s: float, length_s: float, rate: int) -> None:
    one = Item(id="x", position_s=position_s, length_s=length_s)
    end, start = (position_s + length_s) * rate, position_s * rate
    assert abs(item_samples(one, rate) - (end - start)) <= 1.0
    assert item_samples(one, rate) == max(1, int(np.floor(end + 0.5) - np.floor(start + 0.5))) or (end + 0.5) % 1 < 1e-6


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 48_000), (48_000, 44_100), (96_000, 48_000), (22_050, 48_000)])
def test_another_rate_is_converted_as_if_the_file_had_been(
    baked: Bake, tmp_path: Path, from_hz: int, to_hz: int
) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.5 * tone(1000.0, from_hz, 3 * from_hz), from_hz, subtype="FLOAT")
    start_s = 441 / 22_050  # a whole number of samples at every rate
    made = baked(item(path, 2.0, 7.0, start_s=start_s), rate_hz=to_hz)
    truth = 0.5 * tone(1000.0, to_hz, 2 * to_hz, round(start_s * to_hz))
    assert made.shape == (1, 2 * to_hz)
    # in the middle of the file the cut leaves no trace: neither at the start nor at the end
    np.testing.assert_allclose(made[0], truth, atol=1e-4)


def test_the_script_rounds_halves_as_it_likes() -> None:
    one = Item(id="x", position_s=0.0, length_s=0.5, n_samples=23_999)
    assert item_samples(one, RATE) == 23_999
    assert item_samples(Item(id="x", length_s=0.5, n_samples=20_000), RATE) == 24_000


def test_what_lies_before_and_after_the_file_is_silence(baked: Bake, noise: Any) -> None:
    path, samples = noise
    made = baked(item(path, 4.0, start_s=-0.5))
    assert not made[:, :24_000].any()
    np.testing.assert_array_equal(made[:, 24_000:168_000], samples)
    assert not made[:, 168_000:].any()


def test_a_shorter_part_ends_in_silence(baked: Bake, noise: Any) -> None:
    path, samples = noise
    made = baked(item(path, 1.0, start_s=1.0, duration_s=0.25))
    np.testing.assert_array_equal(made[:, :12_000], samples[:, 48_000:60_000])
    assert not made[:, 12_000:].any()


def test_a_duration_that_rounds_otherwise_leaves_no_gap(baked: Bake, noise: Any) -> None:
    path, _ = noise
    length_s = 0.5 + 0.9 / RATE
    made = baked(item(path, length_s, 0.4 / RATE, duration_s=length_s))  # 24001.3 less 0.4: 24001 samples
    assert made.shape[1] == 24_001
    assert made[:, -1].any()


def test_the_tail_is_silence_after_the_item(baked: Bake, noise: Any) -> None:
    path, samples = noise
    made = baked(item(path, 0.5), tail_s=0.25)
    np.testing.assert_array_equal(made[:, :24_000], samples[:, :24_000])
    assert made.shape[1] == 36_000
    assert not made[:, 24_000:].any()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0, [[1, 0], [0, 1]]), (1, [[0, 1], [1, 0]]), (2, [[0.5, 0.5]]), (3, [[1, 0]]), (4, [[0, 1]])],
)
def test_the_channel_mode_of_a_take(baked: Bake, noise: Any, mode: int, expected: list[list[float]]) -> None:
    path, samples = noise
    made = baked(item(path, 1.0, channel_mode=mode))
    np.testing.assert_allclose(made, np.array(expected) @ samples[:, :RATE], atol=1e-6)


def test_six_channels_stay_six(baked: Bake, tmp_path: Path) -> None:
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, (6, RATE)).astype(np.float32)
    soundfile.write(tmp_path / "six.wav", samples.T, RATE, subtype="FLOAT")
    np.testing.assert_array_equal(baked(item(tmp_path / "six.wav", 0.5)), samples[:, : RATE // 2])


def test_gain_polarity_envelope_and_fades_are_one_factor(baked: Bake, noise: Any) -> None:
    path, samples = noise
    made = baked(
        item(
            path,
            2.0,
            gain=-0.5,
            fade_in=Fade(length_s=0.5, shape=0),
            fade_out=Fade(length_s=0.25, shape=0),
            volume_envelope=[(0.5, 1.0), (1.5, 0.25)],
        )
    )
    t = np.arange(2 * RATE) / RATE
    factor = -0.5 * np.clip(t / 0.5, 0, 1) * np.clip((2.0 - t) / 0.25, 0, 1)
    factor *= np.where(t < 0.5, 1.0, np.where(t > 1.5, 0.25, 1.0 - 0.75 * (t - 0.5)))
    np.testing.assert_allclose(made, factor * samples[:, : 2 * RATE], atol=1e-6)


def test_fades_that_overlap_are_both_heard(baked: Bake, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.ones(RATE, np.float32), RATE, subtype="FLOAT")
    made = baked(item(tmp_path / "one.wav", 1.0, fade_in=Fade(length_s=0.8), fade_out=Fade(length_s=0.8)))[0]
    assert made[RATE // 2] == pytest.approx((0.5 / 0.8) ** 2, abs=1e-4)


def test_a_wav_of_reaper_s_own_is_taken_from_its_start(baked: Bake, tmp_path: Path) -> None:
    samples = np.random.default_rng(3).uniform(-0.5, 0.5, 30_000).astype(np.float32)
    soundfile.write(tmp_path / "item_0001.wav", samples, RATE, subtype="FLOAT")
    made = baked(Item(id="x", position_s=3.0, length_s=0.5, sound=Sound(wav="item_0001.wav"), gain=2.0))
    np.testing.assert_array_equal(made[0], 2.0 * samples[:24_000])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.floats(0.0, 2.5), st.floats(0.001, 1.0), st.floats(0.0, 100.0))
def test_every_clip_has_the_length_of_its_item(
    baked: Bake, tmp_path: Path, start: float, length: float, at: float
) -> None:
    path = tmp_path / "short.flac"
    if not path.exists():
        soundfile.write(path, np.full((3 * 44_100, 2), 0.25), 44_100)
    one = item(path, length, at, start_s=start)
    assert baked(one).shape == (2, item_samples(one, RATE))


def test_silence_is_told(tmp_path: Path, noise: Any) -> None:
    path, _ = noise
    assert bake(item(path, 1.0, gain=0.0), tmp_path, tmp_path / "out.wav", RATE).silent
    assert not bake(item(path, 1.0), tmp_path, tmp_path / "out.wav", RATE).silent


def test_what_cannot_be_baked_says_why(tmp_path: Path, noise: Any) -> None:
    path, _ = noise
    (tmp_path / "text.wav").write_text("no sound")
    for one, kind, text in (
        (item(path, 1.0, start_s=5.0), InvalidInput, "has ended"),
        (item(path, 1.0, start_s=-2.0), InvalidInput, "nothing of the file"),
        (item(tmp_path / "none.wav", 1.0), MediaMissing, "none.wav"),
        (item(tmp_path / "text.wav", 1.0), MediaDamaged, "text.wav"),
        (item(Path("noise.wav"), 1.0), InvalidInput, "absolute"),
        (Item(id="x", length_s=1.0), InvalidInput, "no sound"),
    ):
        with pytest.raises(kind, match=text):
            bake(one, tmp_path, tmp_path / "out.wav", RATE)


def test_baking_can_be_stopped(tmp_path: Path, noise: Any) -> None:
    def stop(done: int, total: int) -> None:
        assert 0 < done <= total
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        bake(item(noise[0], 3.0), tmp_path, tmp_path / "out.wav", RATE, on_progress=stop)
