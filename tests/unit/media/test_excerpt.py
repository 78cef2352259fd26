"""A part of a file is what cutting the whole would give, to the sample and to the picture."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from foleyspace_host.errors import InvalidInput, MediaDamaged
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.media.audio import open_audio, read_audio
from foleyspace_host.media.video import read_frames

RATE_HZ = 44_100
N_SAMPLES = 3 * RATE_HZ + 17


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.5, 0.5, (2, N_SAMPLES)).astype(np.float32)


@pytest.fixture
def write(tmp_path: Path, noise: np.ndarray) -> Callable[..., Path]:
    def make(name: str, **options: Any) -> Path:
        soundfile.write(tmp_path / name, noise.T, RATE_HZ, **options)
        return tmp_path / name

    return make


def part(path: Path, start_s: Fraction, duration_s: Fraction) -> np.ndarray:
    return np.concatenate(list(open_audio(path, Span(start_s, duration_s)).blocks(1000)), axis=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    edges=st.lists(st.integers(0, 70), min_size=2, max_size=5, unique=True),
    fps=st.sampled_from([Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)]),
)
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_parts_between_frames_joined_are_the_whole(write: Any, name: str, edges: list[int], fps: Fraction) -> None:
    path = write(name)
    whole, _ = read_audio(path)
    edges = sorted(edges)
    parts = [part(path, first / fps, (last - first) / fps) for first, last in pairwise(edges)]
    start, end = (round(float(edge / fps * RATE_HZ)) for edge in (edges[0], edges[-1]))
    assert_array_equal(np.concatenate(parts, axis=1), whole[:, start:end])


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_a_part_of_the_sound_of_a_video_is_cut_at_its_sample(make_video: Any, noise: np.ndarray, codec: str) -> None:
    path = make_video("a.mov", n_frames=75, audio=noise[:, : 3 * RATE_HZ], audio_rate_hz=RATE_HZ, audio_codec=codec)
    whole, _ = read_audio(path)
    assert_array_equal(part(path, Fraction(1001, 24000), Fraction(2)), whole[:, 1839 : 1839 + 2 * RATE_HZ])


def test_a_part_ends_with_the_sound_and_counts_its_samples(write: Any) -> None:
    source = open_audio(write("a.wav"), Span(Fraction(2), Fraction(5)))
    assert source.n_samples == N_SAMPLES - 2 * RATE_HZ
    assert source.span == Span(Fraction(2), Fraction(5))


def test_the_mono_gain_is_that_of_the_part_alone(tmp_path: Path) -> None:
    # the second second holds the same in both channels, the first only opposites
    one = np.random.default_rng(1).uniform(-0.5, 0.5, RATE_HZ).astype(np.float32)
    both = np.concatenate([np.stack([one, -one]), np.stack([one, one])], axis=1)
    soundfile.write(tmp_path / "a.wav", both.T, RATE_HZ, subtype="FLOAT")
    assert open_audio(tmp_path / "a.wav", Span(Fraction(1), Fraction(1))).mono_gain == pytest.approx(1.0)


@pytest.mark.parametrize("start_s", [Fraction(N_SAMPLES, RATE_HZ), Fraction(100)])
@pytest.mark.parametrize("name", ["a.wav", "a.ogg"])
def test_a_part_after_the_end_is_refused(write: Any, name: str, start_s: Fraction) -> None:
    with pytest.raises(InvalidInput, match=r"a\.\w+: the span starts at .*where the sound has ended"):
        open_audio(write(name), Span(start_s, Fraction(1))).scan()


def test_a_part_without_a_sample_is_refused(write: Any) -> None:
    with pytest.raises(InvalidInput, match="holds no sample"):
        open_audio(write("a.wav"), Span(Fraction(1), Fraction(1, 10**6)))


def test_a_cut_off_file_is_damaged_even_where_the_part_is_whole(write: Any) -> None:
    path = write("a.wav", subtype="FLOAT")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(MediaDamaged):
        part(path, Fraction(0), Fraction(1))


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("start", [0, 3, 299, 310])
def test_pictures_of_a_part_are_those_of_the_whole(make_video: Any, start: int, b_frames: int) -> None:
    fps = Fraction(24000, 1001)
    path = make_video("a.mp4", n_frames=320, fps=fps, flash=311, b_frames=b_frames)
    whole = list(read_frames(path))
    seen = list(read_frames(path, span=Span(start / fps, 5 / fps)))
    assert [frame.t_s for frame in seen] == pytest.approx([n / float(fps) for n in range(5)])
    for mine, other in zip(seen, whole[start : start + 5], strict=True):
        assert_array_equal(mine.image, other.image)


def test_what_is_on_the_screen_when_a_part_starts_comes_first(make_video: Any) -> None:
    path = make_video("a.mp4", n_frames=10, fps=10, flash=4)
    seen = list(read_frames(path, span=Span(Fraction(47, 100), Fraction(1, 10))))
    assert [frame.t_s for frame in seen] == pytest.approx([0.0, 0.03])
    assert seen[0].image.mean() > 100 > seen[1].image.mean()
    # the last picture stays
    (last,) = read_frames(path, span=Span(Fraction(95, 100), Fraction(10)))
    assert last.t_s == 0.0


def test_pictures_after_the_end_are_refused(make_video: Any) -> None:
    path = make_video("a.mp4", n_frames=10, fps=10)
    with pytest.raises(InvalidInput, match="where the video has ended"):
        list(read_frames(path, span=Span(Fraction(1), Fraction(1))))
