"""Loudness that is laid upon a sound, and the gestures of the classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.diffusion.features import HOP, N_FFT
from foleyspace_host.errors import Cancelled, InvalidInput
from foleyspace_host.generate.classes import CLASSES, class_named
from foleyspace_host.generate.envelope import SILENCE_DB, Envelope, frame_levels_db
from foleyspace_host.generate.gestures import default_envelope, struck
from foleyspace_host.generate.impose import impose, impose_in_place, measured_db
from foleyspace_host.generate.request import GenerateRequest
from foleyspace_host.media.tape import Tape


def noise(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((1, n)).astype("f4")


@pytest.mark.parametrize("n", [1, 255, 256, 1000, 48_000, 256 * 4096 + 17])
def test_levels_in_blocks_are_those_of_the_whole(n: int) -> None:
    sound = noise(n)[0]
    padded = np.pad(sound.astype(float), (N_FFT // 2, N_FFT)) ** 2
    weight = np.sin(np.pi * np.arange(N_FFT) / N_FFT) ** 2
    whole = [padded[k * HOP : k * HOP + N_FFT] @ weight / weight.sum() for k in range(-(-n // HOP))]
    assert np.abs(measured_db(sound) - 10 * np.log10(whole)).max() < 1e-3


@pytest.mark.parametrize("name", ["rain", "footsteps-hard", "bell", "hooves", "keys"])
def test_any_sound_gets_the_loudness_of_the_curve(name: str) -> None:
    curve = default_envelope([name], 4.0, 5)
    wobbling = noise(4 * 48_000) * (1.2 + np.sin(np.arange(4 * 48_000) / 9_000)).astype("f4") * 0.01
    made = impose(wobbling, curve)
    wanted, got = frame_levels_db(curve, 750), measured_db(made[0])
    counts = wanted > wanted.max() - 45.0
    assert np.corrcoef(wanted[counts], got[counts])[0, 1] > 0.99
    assert np.percentile(np.abs(wanted - got)[counts], 95) < 1.0


def test_onsets_stay_as_sharp_as_they_are_drawn() -> None:
    points = [(0.0, SILENCE_DB, False), (0.5, SILENCE_DB, True), (0.5005, 0.0, False), (0.7, -60.0, False)]
    made = impose(noise(48_000), Envelope.of(points))[0]
    loud = np.flatnonzero(np.abs(made) > 0.1 * np.abs(made).max())
    assert not made[:24_000].any()
    assert abs(loud[0] - 24_000) < 48


def test_silence_stays_silence() -> None:
    curve = Envelope.of([(0.0, 0.0, True)])
    assert not impose(np.zeros((1, 4800), "f4"), curve).any()
    assert not impose(noise(4800), Envelope.of([(0.0, SILENCE_DB, False)])).any()


def test_where_a_sound_has_nothing_its_noise_is_not_drawn_up() -> None:
    sound = noise(48_000)
    sound[:, 24_000:] *= 1e-4
    made = impose(sound, Envelope.of([(0.0, 0.0, True)]))
    levels = measured_db(made[0])
    assert levels[20:80].mean() == pytest.approx(-20.0, abs=0.5)
    assert levels[110:180].max() < -30.0


def test_it_can_be_stopped() -> None:
    def stop(_done: int, _total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        impose_in_place(noise(48_000)[0], Envelope.of([(0.0, 0.0, True)]), on_progress=stop)


@settings(max_examples=30)
@given(st.sampled_from([one.name for one in CLASSES]), st.floats(0.05, 40.0), st.integers(0, 2**63 - 1), st.booleans())
def test_every_gesture_is_a_curve_of_its_length(name: str, duration_s: float, seed: int, loop: bool) -> None:
    curve = default_envelope([name], duration_s, seed, loop=loop)
    again = default_envelope([name], duration_s, seed, loop=loop)
    assert (curve.t_s == again.t_s).all()
    assert (curve.level_db == again.level_db).all()
    assert curve.t_s[-1] <= duration_s * (1 + 1e-9)
    assert curve.level_db.max() > -30.0
    rate_hz = class_named(name).gesture.rate_hz
    if rate_hz and duration_s * rate_hz > 30:
        assert 0.6 < len(curve.onsets_s) / (duration_s * rate_hz) < 1.6


def test_seeds_differ_and_lasting_loops_have_no_ends() -> None:
    first, second = (default_envelope(["hooves"], 8.0, seed) for seed in (1, 2))
    assert list(first.onsets_s) != list(second.onsets_s)
    loop = default_envelope(["rain"], 8.0, 1, loop=True)
    assert loop.level_db[0] == loop.level_db[-1] > -10.0
    assert default_envelope(["rain"], 8.0, 1).level_db[[0, -1]].max() == -60.0


def test_of_two_classes_the_louder_counts() -> None:
    both = default_envelope(["rain", "footsteps-hard"], 6.0, 1)
    steps = default_envelope(["footsteps-hard"], 6.0, 1)
    assert set(np.round(steps.onsets_s, 6)) <= set(np.round(both.onsets_s, 6))
    assert both.at(np.arange(1.0, 5.0, 0.01)).min() > -20.0


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"prompt": "  "}, "prompt"),
        ({"duration_s": 0}, "duration"),
        ({"duration_s": 10_000.0}, "duration"),
        ({"duration_s": float("nan")}, "duration"),
        ({"seed": -1}, "seed"),
        ({"quality": "best"}, "quality"),
    ],
)
def test_what_cannot_be_made_is_told(fields: dict, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        GenerateRequest(**({"prompt": "rain", "duration_s": 1.0} | fields))
    assert caught.value.where == where
    assert "\n" not in str(caught.value)


def test_an_unknown_prompt_names_the_nearest_when_its_curve_is_needed() -> None:
    with pytest.raises(InvalidInput, match="nearest are"):
        GenerateRequest("qwzx", 1.0).shaped()
    assert GenerateRequest("rain", 1.0).n_samples == 48_000


def test_a_horn_holds_its_level_before_it_falls() -> None:
    gesture = class_named("horn").gesture
    held = struck(np.array([0.5]), np.array([-3.0]), gesture, 4.0)
    until_s = 0.5 + gesture.attack_s + gesture.hold_s
    assert (held.at(np.linspace(0.5 + gesture.attack_s, until_s, 20)) == -3.0).all()
    assert held.at([until_s + 0.5 * gesture.decay_s])[0] == pytest.approx(-33.0, abs=0.1)
    # where the next one comes soon, it falls all the same
    close = struck(np.array([0.5, 1.0]), np.array([0.0, 0.0]), gesture, 4.0)
    assert close.at([0.99])[0] < -20.0


def filed(sound: np.ndarray) -> Tape:
    tape = Tape(len(sound), held_samples=0)
    tape[:] = sound
    return tape


@pytest.mark.parametrize("made_for", [np.copy, Tape.of, filed])
def test_in_place_is_the_same_in_memory_and_on_the_disk(made_for: Callable[[np.ndarray], Any]) -> None:
    curve = default_envelope(["hooves"], 30.0, 1)
    sound = noise(30 * 48_000)
    before = sound.copy()
    made = impose(sound, curve)
    assert (sound == before).all()
    place = made_for(sound[0])
    told: list[tuple[int, int]] = []
    impose_in_place(place, curve, on_progress=lambda done, total: told.append((done, total)))
    assert place[:].tobytes() == made[0].tobytes()
    assert [done for done, _ in told] == list(range(1, told[0][1] + 1))
