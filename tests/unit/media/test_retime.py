from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import Cancelled, InvalidInput
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.media import retime
from foleyspace_host.media.retime import write_retimed

RATE = 48_000


def chirp(t_s: np.ndarray) -> np.ndarray:
    """A tone that rises from 500 Hz by 100 Hz a second, on the left; half as loud on the right."""
    one = 0.5 * np.sin(2 * np.pi * (500 * t_s + 50 * t_s**2))
    return np.stack([one, 0.5 * one])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("retime") / "chirp.wav"
    soundfile.write(path, chirp(np.arange(10 * RATE) / RATE).T, RATE, subtype="FLOAT")
    return path


def played(path: Path, start: float, duration: float, speed: Fraction, out: Path) -> np.ndarray:
    write_retimed(path, Span(Fraction(start), Fraction(duration)), speed, out)
    samples, rate = soundfile.read(out, dtype="float64", always_2d=True)
    assert rate == RATE
    return samples.T


@pytest.mark.parametrize("speed", [Fraction(2), Fraction(1, 2), Fraction(3, 7), Fraction(25, 24), Fraction(1001, 1000)])
def test_time_runs_as_fast_as_it_is_told(tmp_path: Path, sound: Path, speed: Fraction) -> None:
    found = played(sound, 2, 3, speed, tmp_path / "o.wav")
    assert found.shape == (2, round(3 / speed * RATE))
    expected = chirp(2 + np.arange(found.shape[1]) / RATE * float(speed))
    inside = slice(2000, -2000)  # the filter knows nothing of what lies outside of the part
    np.testing.assert_allclose(found[:, inside], expected[:, inside], atol=1e-5)


@pytest.mark.parametrize("speed", [Fraction(-1), Fraction(-2), Fraction(-1, 3)])
def test_backwards_it_starts_at_the_end_of_the_part(
    tmp_path: Path, sound: Path, speed: Fraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retime, "_CHUNK_SAMPLES", 50_000)  # several of them
    found = played(sound, 2, 3, speed, tmp_path / "o.wav")
    assert found.shape == (2, round(3 / -speed * RATE))
    # sample n - 1 of the part is the first one
    expected = chirp(5 - 1 / RATE + np.arange(found.shape[1]) / RATE * float(speed))
    inside = slice(7000, -7000)
    np.testing.assert_allclose(found[:, inside], expected[:, inside], atol=1e-5)


def test_backwards_at_its_own_speed_is_exact(tmp_path: Path, sound: Path) -> None:
    found = played(sound, 2, 3, Fraction(-1), tmp_path / "o.wav")
    whole, _ = soundfile.read(sound)
    np.testing.assert_array_equal(found, whole[2 * RATE : 5 * RATE].T[:, ::-1])


def test_what_lies_after_the_end_is_silence_before_the_start_when_it_runs_backwards(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retime, "_CHUNK_SAMPLES", 30_000)
    found = played(sound, 9, 3, Fraction(-1), tmp_path / "o.wav")
    assert found.shape == (2, 3 * RATE)
    assert not found[:, : 2 * RATE].any()
    whole, _ = soundfile.read(sound)
    np.testing.assert_array_equal(found[:, 2 * RATE :], whole[9 * RATE :].T[:, ::-1])


@settings(max_examples=25, deadline=None)
@given(st.fractions(Fraction(1, 40), Fraction(1000), max_denominator=10**6), st.booleans())
def test_any_speed_has_its_length(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, pace: Fraction, back: bool
) -> None:
    out = tmp_path_factory.mktemp("speed") / "o.wav"
    report = write_retimed(sound, Span(Fraction(1), Fraction(1, 2)), -pace if back else pace, out)
    assert abs(report.n_samples - RATE / 2 / pace) <= Fraction(1, 2)


def test_tones_that_would_be_above_half_the_rate_are_gone(tmp_path: Path) -> None:
    t_s = np.arange(2 * RATE) / RATE
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 15_000 * t_s), RATE, subtype="FLOAT")
    found = played(tmp_path / "a.wav", 0, 2, Fraction(2), tmp_path / "o.wav")
    assert np.abs(found[:, 2000:-2000]).max() < 1e-5


def test_what_cannot_be_played(tmp_path: Path, sound: Path) -> None:
    part = Span(Fraction(1), Fraction(1))
    with pytest.raises(InvalidInput, match="stands still"):
        write_retimed(sound, part, Fraction(0), tmp_path / "o.wav")
    for speed in (Fraction(2), Fraction(-2)):
        with pytest.raises(InvalidInput, match="has ended"):
            write_retimed(sound, Span(Fraction(11), Fraction(1)), speed, tmp_path / "o.wav")

    def stop(done: int, total: int) -> None:
        assert 0 < done <= total == RATE
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        write_retimed(sound, part, Fraction(2), tmp_path / "o.wav", on_progress=stop)
    assert list(tmp_path.iterdir()) == []
