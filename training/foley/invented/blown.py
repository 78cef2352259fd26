"""Voices and pipes: horns, whistles, animals, beeps."""

from __future__ import annotations

import numpy as np

from training.foley.invented.making import (
    RATE_HZ,
    Rng,
    Sound,
    between,
    coloured,
    event_times,
    harmonics,
    repeated,
    resonant,
    samples,
    slow,
)

__all__ = ["beast", "beep", "birds", "horn", "livestock", "whistle"]


def _held(n_samples: int, attack_s: float, release_s: float) -> Sound:
    """Return a tone's loudness: up, held, down."""
    place = np.arange(n_samples)
    rise = np.minimum(place / samples(attack_s), 1.0)
    return np.minimum(rise, np.minimum((n_samples - place) / samples(release_s), 1.0))


def horn(rng: Rng) -> Sound:
    """Car horns of two tones, and the deep ones of ships and lorries."""
    seconds, deep = rng.uniform(1.5, 3.5), rng.uniform() < 0.4
    lowest = between(rng, 70.0, 180.0) if deep else between(rng, 300.0, 480.0)
    ratios = (1.0, rng.choice([1.25, 1.26, 1.2, 1.5])) if rng.uniform() < 0.8 else (1.0,)
    slope, length = rng.uniform(-5.0, -1.5), seconds * rng.uniform(0.6, 0.9) if deep else rng.uniform(0.25, 0.9)

    def blast(_: int) -> Sound:
        n = samples(length)
        tones = [
            harmonics(rng, lowest * ratio * (1 + 0.001 * slow(rng, n, 5.0)), n, 24, slope, 0.1) for ratio in ratios
        ]
        made = np.sum(tones, axis=0)
        made = made / np.abs(made).max() + 0.01 * coloured(rng, n, -2.0)
        return made * _held(n, 0.06 if deep else 0.015, 0.2 if deep else 0.04)

    return repeated(seconds, event_times(rng, seconds, 1.0 / (length + rng.uniform(0.1, 0.6)), 0.1), blast)


def whistle(rng: Rng) -> Sound:
    """Steam through a pipe: a few near harmonics, breath, and a pitch that settles."""
    seconds = rng.uniform(1.5, 3.5)
    pitches = between(rng, 300.0, 2400.0) * np.array([1.0, 1.19, 1.5])[: int(rng.integers(1, 4))]
    length = rng.uniform(0.5, 2.0)

    def blow(_: int) -> Sound:
        n = samples(length)
        settle = 2.0 ** (-0.15 * np.exp(-np.arange(n) / (0.08 * RATE_HZ)) + 0.01 * slow(rng, n, 6.0))
        made = np.sum([harmonics(rng, pitch * settle, n, 4, -9.0, 0.3) for pitch in pitches], axis=0)
        breath = resonant(coloured(rng, n, 0.0, 300.0, 12_000.0), float(pitches[0]), 400.0) + 0.2 * coloured(
            rng, n, 0.0
        )
        return (made / np.abs(made).max() + rng.uniform(0.05, 0.35) * breath) * _held(n, 0.08, 0.2)

    return repeated(seconds, event_times(rng, seconds, 1.0 / (length + rng.uniform(0.1, 0.8)), 0.1), blow)


def _voice(rng: Rng, n: int, pitch_hz: Sound, formants_hz: tuple[float, ...], rough: float) -> Sound:
    """Return a voice: pulses of a throat through the resonances of a mouth (the source-filter model)."""
    source = harmonics(rng, pitch_hz, n, 60, -6.0, rough) + rough * coloured(rng, n, -3.0, 100.0, 6000.0)
    made = np.zeros(n)
    for number, formant in enumerate(formants_hz):
        made += resonant(source, formant * rng.uniform(0.9, 1.1), 0.12 * formant + 40.0) / (1.0 + 0.6 * number)
    return made / (np.abs(made).max() + 1e-9)


def livestock(rng: Rng) -> Sound:
    """Cows, sheep and goats, pigs."""
    seconds, kind = rng.uniform(1.5, 3.0), int(rng.integers(0, 3))

    def call(_: int) -> Sound:
        if kind == 0:  # a low, long arch
            n = samples(rng.uniform(0.9, 1.8))
            pitch = between(rng, 90.0, 150.0) * 2.0 ** (0.5 * np.sin(np.pi * np.arange(n) / n) - 0.1)
            return _voice(rng, n, pitch, (300.0, 700.0, 1800.0), 0.3) * _held(n, 0.15, 0.3)
        if kind == 1:  # a bleat, which trembles
            n = samples(rng.uniform(0.5, 1.1))
            tremble = np.sin(2 * np.pi * rng.uniform(7.0, 12.0) * np.arange(n) / RATE_HZ)
            pitch = between(rng, 250.0, 480.0) * 2.0 ** (0.08 * tremble - 0.2 * np.arange(n) / n)
            return _voice(rng, n, pitch, (700.0, 1300.0, 2900.0), 0.3) * (1 + 0.4 * tremble) * _held(n, 0.05, 0.15)
        n = samples(rng.uniform(0.12, 0.4))
        pitch = between(rng, 60.0, 200.0) * 2.0 ** (0.3 * np.sin(np.pi * np.arange(n) / n))
        return _voice(rng, n, pitch, (500.0, 1100.0, 2300.0), 1.5) * _held(n, 0.02, 0.08)

    pace = rng.uniform(1.5, 3.5) if kind == 2 else rng.uniform(0.4, 0.8)
    return repeated(seconds, event_times(rng, seconds, pace, 0.3), call)


def beast(rng: Rng) -> Sound:
    """Roars and growls, and barks."""
    seconds, bark = rng.uniform(1.5, 3.0), rng.uniform() < 0.5

    def call(_: int) -> Sound:
        if bark:
            n = samples(rng.uniform(0.12, 0.25))
            pitch = between(rng, 180.0, 550.0) * 2.0 ** (0.7 * np.sin(np.pi * np.arange(n) / n) - 0.3)
            return _voice(rng, n, pitch, (600.0, 1300.0, 2600.0), 0.8) * _held(n, 0.012, 0.07)
        n = samples(rng.uniform(1.0, 2.0))
        pitch = between(rng, 45.0, 130.0) * 2.0 ** (0.4 * np.sin(np.pi * np.arange(n) / n) + 0.1 * slow(rng, n, 12.0))
        return _voice(rng, n, pitch, (350.0, 800.0, 1900.0), 2.5) * _held(n, 0.2, 0.6)

    return repeated(seconds, event_times(rng, seconds, rng.uniform(1.0, 2.5) if bark else 0.5, 0.3), call)


def birds(rng: Rng) -> Sound:
    """Songs of sweeps and trills, or the caws of crows."""
    seconds, crow = rng.uniform(2.0, 4.0), rng.uniform() < 0.25
    centre = between(rng, 2000.0, 5500.0)

    def note(_: int) -> Sound:
        if crow:
            n = samples(rng.uniform(0.2, 0.4))
            pitch = between(rng, 350.0, 550.0) * 2.0 ** (0.3 * np.sin(np.pi * np.arange(n) / n))
            return _voice(rng, n, pitch, (1200.0, 1700.0, 3000.0), 1.2) * _held(n, 0.03, 0.08)
        n = samples(between(rng, 0.03, 0.25))
        part = np.arange(n) / n
        sweep = rng.uniform(-0.6, 0.6) * part + rng.uniform(0.0, 0.4) * np.sin(2 * np.pi * rng.uniform(0.5, 4.0) * part)
        trill = 0.08 * np.sin(2 * np.pi * rng.uniform(20.0, 45.0) * np.arange(n) / RATE_HZ) * (rng.uniform() < 0.4)
        pitch = centre * rng.uniform(0.75, 1.3) * 2.0 ** (sweep + trill)
        return rng.uniform(0.3, 1.0) * harmonics(rng, pitch, n, 2, -18.0) * np.sin(np.pi * part) ** 0.5

    rate, jitter = (rng.uniform(0.8, 1.8), 0.3) if crow else (between(rng, 2.0, 9.0), 0.7)
    return repeated(seconds, event_times(rng, seconds, rate, jitter), note)


def beep(rng: Rng) -> Sound:
    """Alarms, telephones, sirens and little tunes of machines."""
    seconds, kind = rng.uniform(1.5, 3.0), rng.uniform()
    pitch, slope = between(rng, 400.0, 3000.0), rng.uniform(-14.0, -3.0)
    if kind < 0.25:
        n = samples(seconds)
        sway = np.sin(2 * np.pi * between(rng, 0.3, 4.0) * np.arange(n) / RATE_HZ)
        return harmonics(rng, between(rng, 500.0, 1100.0) * 2.0 ** (0.4 * sway), n, 8, slope)
    length, tune = rng.uniform(0.05, 0.3), rng.choice([1.0, 1.0, 1.25, 1.5, 0.75], 4)

    def one(number: int) -> Sound:
        n = samples(length)
        return harmonics(rng, pitch * tune[number % 4], n, 8, slope) * _held(n, 0.004, 0.01)

    return repeated(seconds, event_times(rng, seconds, rng.uniform(0.5, 1.0) / length, 0.02), one)
