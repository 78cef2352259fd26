"""Machines: pulses of a steady or wandering pace through the resonances of what they shake."""

from __future__ import annotations

import numpy as np

from training.foley.invented.making import (
    RATE_HZ,
    Rng,
    Sound,
    between,
    coloured,
    event_times,
    exponential,
    harmonics,
    modes,
    repeated,
    resonant,
    samples,
    slow,
)

__all__ = ["engine", "heavy_engine", "insects", "jet", "machine", "propeller", "saw", "skid", "train"]


def _firing(rng: Rng, pace_hz: Sound, n_cylinders: int, softness_s: float) -> Sound:
    """Return the pulses of cylinders that fire in turn, none like another."""
    phase = np.cumsum(pace_hz) / RATE_HZ
    fired = np.diff(np.floor(phase), prepend=0.0) > 0.0
    which = np.floor(phase).astype(int) % n_cylinders
    strength = rng.uniform(0.6, 1.0, n_cylinders)[which] * rng.uniform(0.85, 1.15, len(phase))
    length = samples(4.0 * softness_s)
    time = np.arange(length) / RATE_HZ
    puff = time / softness_s * np.exp(-time / softness_s) * (1.0 + 0.4 * rng.standard_normal(length))
    return np.convolve(fired * strength, puff)[: len(phase)]


def _exhaust(rng: Rng, pulses: Sound, lowest_hz: float, n_pipes: int = 4) -> Sound:
    made = np.zeros(len(pulses))
    for number in range(1, n_pipes + 1):
        centre = lowest_hz * (2 * number - 1) * rng.uniform(0.9, 1.1)  # a pipe that is open at one end
        made += resonant(pulses, centre, centre * rng.uniform(0.15, 0.5)) / number**0.5
    return made / (np.sqrt(np.mean(made**2)) + 1e-9)


def _motor(rng: Rng, slowest_hz: float, fastest_hz: float, softness_s: float, pipe_hz: float, noise: float) -> Sound:
    n = samples(rng.uniform(2.5, 4.0))
    pace = between(rng, slowest_hz, fastest_hz)
    swing = rng.choice([0.01, 0.05, 0.35], p=[0.5, 0.3, 0.2])  # idling, driving, revving
    pulses = _firing(rng, pace * 2.0 ** (swing * slow(rng, n, 0.8)), int(rng.integers(2, 9)), softness_s)
    made = _exhaust(rng, pulses, between(rng, 0.6 * pipe_hz, 1.6 * pipe_hz))
    grind = coloured(rng, n, -4.0, 100.0, 6000.0) * (0.5 + np.minimum(np.abs(made), 3.0))
    return made + noise * grind


def engine(rng: Rng) -> Sound:
    """Cars, motorcycles, mowers."""
    return _motor(rng, 35.0, 180.0, between(rng, 0.0008, 0.003), 180.0, rng.uniform(0.1, 0.5))


def heavy_engine(rng: Rng) -> Sound:
    """Lorries, buses, diesels that knock."""
    made = _motor(rng, 18.0, 60.0, between(rng, 0.002, 0.006), 75.0, rng.uniform(0.1, 0.4))
    pace = between(rng, 18.0, 45.0)
    knock = repeated(
        len(made) / RATE_HZ,
        event_times(rng, len(made) / RATE_HZ, pace, 0.1),
        lambda _: rng.uniform(0.3, 1.0) * modes(rng, np.array([900.0, 1700.0, 2900.0]), np.full(3, 0.02), np.ones(3)),
    )
    return made + rng.uniform(0.05, 0.3) * knock[: len(made)]


def propeller(rng: Rng) -> Sound:
    """Blades that beat the air, and the engine behind them."""
    n = samples(rng.uniform(2.5, 4.0))
    pace = (between(rng, 10.0, 24.0) if rng.uniform() < 0.6 else between(rng, 50.0, 110.0)) * (
        1 + 0.01 * slow(rng, n, 0.7)
    )
    phase = np.cumsum(pace) / RATE_HZ
    beat = np.exp(-(((phase % 1.0) - 0.3) ** 2) / rng.uniform(0.004, 0.03))
    thump = _exhaust(rng, np.gradient(beat), between(rng, 50.0, 110.0))
    chop = coloured(rng, n, -4.0, 100.0, 5000.0) * (0.15 + beat)
    whine = harmonics(rng, between(rng, 200.0, 800.0), n, 6, -9.0, 0.2)
    return thump + rng.uniform(0.3, 1.0) * chop + rng.uniform(0.0, 0.1) * whine


def jet(rng: Rng) -> Sound:
    """Make a roar, and the whine of a compressor above it."""
    n = samples(rng.uniform(3.0, 4.0))
    thrust = np.linspace(rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), n) + 0.1 * slow(rng, n, 2.0)
    roar = coloured(rng, n, rng.uniform(-5.0, -3.0), 60.0, between(rng, 1500.0, 6000.0))
    flutter = 1.0 + 0.3 * slow(rng, n, 15.0)
    whine = harmonics(rng, between(rng, 1200.0, 3500.0) * 2.0 ** (0.5 * thrust), n, 3, -6.0, 0.5)
    return (roar * flutter + rng.uniform(0.02, 0.25) * whine) * 10.0 ** (0.4 * thrust)


def saw(rng: Rng) -> Sound:
    """Chainsaws, circular saws and drills under load, or a hand saw to and fro."""
    n = samples(rng.uniform(2.0, 4.0))
    if rng.uniform() < 0.3:
        pace = rng.uniform(1.2, 2.5)
        stroke = np.abs(np.sin(np.pi * pace * np.arange(n) / RATE_HZ)) ** 0.7
        teeth = np.sign(np.sin(2.0 * np.pi * np.cumsum(between(rng, 150.0, 400.0) * stroke) / RATE_HZ))
        rasp = coloured(rng, n, 0.0, 700.0, 7000.0) * (1.2 + teeth)
        return stroke * (rasp + resonant(rasp, between(rng, 700.0, 2000.0), 300.0))
    load = slow(rng, n, 1.2)
    pitch = between(rng, 90.0, 700.0) * 2.0 ** (0.25 * load)
    tone = harmonics(rng, pitch, n, 30, rng.uniform(-5.0, -2.0), 0.6)
    tone /= np.sqrt(np.mean(tone**2)) + 1e-9
    grit = coloured(rng, n, 0.0, 800.0, 10_000.0) * (0.6 + 0.4 * np.tanh(load))
    return tone + rng.uniform(0.2, 0.8) * grit


def machine(rng: Rng) -> Sound:
    """Make a hum, a whir, and parts that strike in a beat."""
    n = samples(rng.uniform(2.5, 4.0))
    seconds, pace = n / RATE_HZ, between(rng, 2.0, 25.0)
    hum = harmonics(rng, between(rng, 48.0, 200.0), n, 12, rng.uniform(-7.0, -3.0), 0.1)
    hum /= np.sqrt(np.mean(hum**2)) + 1e-9
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        lowest, count = between(rng, 150.0, 2500.0), 4
        part = modes(
            rng, lowest * np.arange(1.0, count + 1.0) ** 1.4, np.full(count, between(rng, 0.02, 0.2)), np.ones(count)
        )
        length = samples(0.02)
        part[:length] += coloured(rng, length, -2.0, 300.0, 9000.0)[: len(part)] * exponential(length, 0.0005, 0.02)
        parts.append(rng.uniform(0.3, 1.0) * part / (np.abs(part).max() + 1e-9))
    beat = repeated(seconds, event_times(rng, seconds, pace, 0.03), lambda number: parts[number % len(parts)])
    whir = coloured(rng, n, -3.0, 200.0, 6000.0)
    return rng.uniform(0.05, 0.5) * hum + 2.0 * beat[:n] + rng.uniform(0.02, 0.2) * whir


def train(rng: Rng) -> Sound:
    """Wheels over joints, or the chuffs of a steam engine, four in a turn."""
    n = samples(rng.uniform(3.0, 4.0))
    seconds = n / RATE_HZ
    rolling = coloured(rng, n, -5.0, 50.0, 3000.0) * (1.0 + 0.2 * slow(rng, n, 5.0))
    if rng.uniform() < 0.5:
        pace = between(rng, 2.0, 9.0)
        length = samples(0.8 / pace)

        def chuff(number: int) -> Sound:
            rough = coloured(rng, length, -4.0, 150.0, 5000.0) * exponential(length, 0.02, 0.9 / pace)
            return (1.0 if number % 4 == 0 else 0.75) * rough

        return 0.15 * rolling + repeated(seconds, event_times(rng, seconds, pace, 0.04), chuff)[:n]
    gap, bogie = rng.uniform(0.5, 1.1), rng.uniform(0.09, 0.18)
    when = np.concatenate([np.arange(0.1, seconds, gap) + part for part in (0.0, bogie)])
    joint = modes(
        rng, np.array([180.0, 420.0, 900.0, 1900.0]), np.array([0.15, 0.12, 0.08, 0.05]), np.array([1, 0.8, 0.6, 0.3])
    )
    return 0.4 * rolling + repeated(seconds, np.sort(when), lambda _: rng.uniform(0.5, 0.9) * joint)[:n]


def skid(rng: Rng) -> Sound:
    """Rubber that sticks and slips: a rough squeal that wanders."""
    n = samples(rng.uniform(1.0, 2.2))
    made = np.zeros(n)
    for _ in range(int(rng.integers(1, 4))):
        pitch = between(rng, 500.0, 1400.0) * 2.0 ** (0.12 * slow(rng, n, 3.0))
        tone = harmonics(rng, pitch, n, 6, -5.0, 1.2)
        made += tone * (0.6 + 0.4 * np.tanh(slow(rng, n, 20.0)))
    return (made + 0.3 * coloured(rng, n, 0.0, 600.0, 8000.0)) * exponential(n, 0.08, 2.5)


def insects(rng: Rng) -> Sound:
    """Crickets that chirp in pulses, or wings that buzz."""
    n = samples(rng.uniform(2.5, 4.0))
    made = np.zeros(n)
    time = np.arange(n) / RATE_HZ
    if rng.uniform() < 0.6:
        for _ in range(int(rng.integers(1, 7))):
            pitch, chirp, pulse = between(rng, 3500.0, 7500.0), rng.uniform(0.8, 3.5), rng.uniform(25.0, 60.0)
            gate = (np.sin(2 * np.pi * (chirp * time + rng.uniform())) > rng.uniform(-0.5, 0.6)).astype(float)
            gate = np.convolve(gate, np.ones(240) / 240, mode="same") * (0.5 - 0.5 * np.cos(2 * np.pi * pulse * time))
            made += rng.uniform(0.2, 1.0) * gate * np.sin(2 * np.pi * pitch * time + 0.3 * slow(rng, n, 20.0))
        return made
    for _ in range(int(rng.integers(1, 4))):
        wings = between(rng, 110.0, 600.0) * 2.0 ** (0.1 * slow(rng, n, 3.0))
        made += 10.0 ** (0.5 * slow(rng, n, 1.0)) * harmonics(rng, wings, n, 25, -3.5, 0.2)
    return made
