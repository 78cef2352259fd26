"""Lengths and sums of streams of blocks."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from foleyspace_host.errors import InvalidInput
from foleyspace_host.media.audio import open_audio
from foleyspace_host.pipeline.bed import mixed, stereo_matrix
from foleyspace_host.pipeline.dry import DryClip, fitted


def _noise(n_channels: int, n_samples: int) -> np.ndarray:
    return np.random.default_rng(n_channels).uniform(-0.5, 0.5, (n_channels, n_samples)).astype(np.float32)


@given(st.lists(st.integers(0, 5), max_size=8), st.integers(0, 200_000), st.booleans())
def test_fitted_streams_have_the_length_asked_for(sizes: list[int], wanted: int, flat: bool) -> None:
    total = sum(sizes)
    sound = np.arange(1, total + 1, dtype=np.float32) if flat else np.arange(2 * total, dtype=np.float32).reshape(2, -1)
    edges = np.cumsum([0, *sizes])
    blocks = [sound[..., a:b] for a, b in pairwise(edges)] or [sound]
    result = np.concatenate([np.zeros((*sound.shape[:-1], 0), np.float32), *fitted(blocks, wanted)], axis=-1)
    expected = np.zeros((*sound.shape[:-1], wanted), np.float32)
    kept = min(wanted, total)
    expected[..., :kept] = sound[..., :kept]
    assert_array_equal(result, expected)


def test_cutting_does_not_read_on() -> None:
    def endless() -> object:
        while True:
            yield np.ones(100, np.float32)

    assert sum(len(block) for block in fitted(endless(), 250)) == 250  # type: ignore[arg-type]


@pytest.mark.parametrize(("wanted", "fit"), [(999, "cut"), (1000, "exact"), (1001, "padded")])
def test_a_dry_clip_is_mono_of_the_wanted_length(tmp_path: Path, wanted: int, fit: str) -> None:
    same = np.repeat(_noise(1, 1000), 2, axis=0)
    soundfile.write(tmp_path / "a.wav", same.T, 48000, subtype="FLOAT")
    clip = DryClip(open_audio(tmp_path / "a.wav"), wanted)
    mono = np.concatenate(list(clip.blocks()), axis=1)[0]
    assert clip.fit == fit
    assert mono.shape == (wanted,)
    assert_allclose(mono[:999], same[0, :999], atol=1e-7)


@pytest.mark.parametrize("n_channels", [1, 2, 5, 6, 8])
def test_folding_to_stereo_is_symmetric(n_channels: int) -> None:
    left, right = stereo_matrix(n_channels, "a.wav")
    assert left.sum() == pytest.approx(right.sum())
    mirrored = {1: [0], 2: [1, 0], 5: [1, 0, 2, 4, 3], 6: [1, 0, 2, 3, 5, 4], 8: [1, 0, 2, 3, 5, 4, 7, 6]}
    assert_array_equal(left[mirrored[n_channels]], right)
    if n_channels >= 6:
        assert left[3] == 0.0  # the LFE channel stays out


@pytest.mark.parametrize("n_channels", [3, 4, 7, 16])
def test_unknown_layouts_are_refused(n_channels: int) -> None:
    with pytest.raises(InvalidInput, match=f"a.wav.*{n_channels} channels.*leave out the bed"):
        stereo_matrix(n_channels, "a.wav")


def _mix(path: Path, rendered: np.ndarray, bed_db: float, rate: int, block: int) -> np.ndarray:
    n_samples = rendered.shape[1]
    blocks = (rendered[:, start : start + block] for start in range(0, n_samples, block))
    return np.concatenate(list(mixed(blocks, open_audio(path), bed_db, rate, n_samples)), axis=1)


@pytest.mark.parametrize("block", [1, 333, 4096, 1 << 17])
@pytest.mark.parametrize("bed_db", [0.0, -12.0])
def test_the_bed_is_the_original_at_its_level(tmp_path: Path, block: int, bed_db: float) -> None:
    size = 100 if block == 1 else 70_000
    original, rendered = _noise(2, size), _noise(3, size)[:2]
    soundfile.write(tmp_path / "a.wav", original.T, 48000, subtype="FLOAT")
    assert_allclose(
        _mix(tmp_path / "a.wav", rendered, bed_db, 48000, block),
        rendered + 10 ** (bed_db / 20) * original,
        atol=1e-6,
    )


@pytest.mark.parametrize("size", [500, 3000])
def test_a_bed_of_another_length_is_cut_or_padded(tmp_path: Path, size: int) -> None:
    original = _noise(2, size)
    soundfile.write(tmp_path / "a.wav", original.T, 48000, subtype="FLOAT")
    result = _mix(tmp_path / "a.wav", np.zeros((2, 1000), np.float32), 0.0, 48000, 256)
    assert_allclose(result[:, :size], original[:, :1000], atol=1e-7)
    assert not result[:, size:].any()


def test_a_bed_of_another_rate_is_resampled(tmp_path: Path) -> None:
    def tone(rate: int) -> np.ndarray:
        return np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)

    soundfile.write(tmp_path / "a.wav", tone(44100), 44100, subtype="FLOAT")
    result = _mix(tmp_path / "a.wav", np.zeros((2, 48000), np.float32), 0.0, 48000, 5000)
    assert_allclose(result[:, 2000:-2000], np.stack([tone(48000)] * 2)[:, 2000:-2000], atol=1e-3)
