"""Sounds that are learnt from are brought into shape, packed small, and unpack as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.errors import InvalidInput
from training.flow.sounds import Sound, conditioned, pack_sounds, unpack_sounds

RATE = 48_000


def test_sounds_are_packed_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = conditioned(0.1 * np.cumsum(rng.standard_normal(RATE)) / 20.0, RATE)
    sounds = [Sound("a", noise), Sound("b/c", noise[::-1].copy(), "spoken", held_out=True)]
    pack_sounds(tmp_path / "sounds.npz", sounds)
    found = unpack_sounds(tmp_path / "sounds.npz")
    assert [(one.name, one.kind, one.held_out) for one in found] == [("a", "recorded", False), ("b/c", "spoken", True)]
    for one, other in zip(found, sounds, strict=True):
        assert one.samples.shape == other.samples.shape
        error = np.sum((one.samples - other.samples) ** 2) / np.sum(other.samples**2)
        assert 10 * np.log10(error) < -15.0
    assert (tmp_path / "sounds.npz").stat().st_size < 0.4 * 2 * 2 * sum(len(one.samples) for one in sounds)


def test_what_holds_no_sounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no sounds"):
        unpack_sounds(tmp_path / "nowhere.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(InvalidInput, match="holds no sounds"):
        unpack_sounds(tmp_path / "text.npz")


def test_recordings_are_conditioned() -> None:
    burst = np.zeros((3 * 44_100, 2))
    burst[44_100 : 2 * 44_100, 0] = 0.01 * np.sin(2 * np.pi * 500.0 * np.arange(44_100) / 44_100)
    burst += 0.002
    found = conditioned(burst, 44_100)
    assert len(found) == pytest.approx(RATE, abs=200)
    assert np.abs(found).max() == pytest.approx(0.7, abs=0.05)
    assert not len(conditioned(np.zeros(1000), RATE))
    assert not len(conditioned(np.ones(3), RATE))
