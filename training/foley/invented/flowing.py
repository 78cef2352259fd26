"""Water, wind and fire, and what whistles through the air."""

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
    repeated,
    resonant,
    samples,
    slow,
    times,
)

__all__ = ["explosion", "fire", "gun", "rain", "splash", "stream", "thunder", "whoosh", "wind"]


def _bubble(rng: Rng, radius_m: float) -> Sound:
    """Return a bubble: M. Minnaert's pitch of 3.26 m/s over its radius, rising as it nears the surface.

    Damping as in K. van den Doel, ACM Trans. Appl. Percept. 2, 2005.
    """
    pitch = 3.26 / radius_m
    decay = 0.13 / radius_m + 0.0072 * radius_m**-1.5
    time = times(min(6.0 / decay, 0.5))
    rise = rng.uniform(0.0, 0.15) * decay
    return np.exp(-decay * time) * np.sin(2.0 * np.pi * pitch * time * (1.0 + 0.5 * rise * time))


def _bubbles(rng: Rng, seconds: float, rate_hz: float, smallest_m: float, largest_m: float) -> Sound:
    def one(_: int) -> Sound:
        radius = between(rng, smallest_m, largest_m)
        return rng.uniform(0.05, 1.0) ** 2 * (radius / largest_m) ** 0.7 * _bubble(rng, radius)

    return repeated(seconds, event_times(rng, seconds, rate_hz, 1.0), one)


def stream(rng: Rng) -> Sound:
    """Brooks of bubbles, or falls and surf, where they are too many to be told apart."""
    seconds = rng.uniform(2.5, 4.0)
    made = _bubbles(rng, seconds, between(rng, 100.0, 900.0), 0.0008, between(rng, 0.003, 0.008))
    made /= np.sqrt(np.mean(made**2)) + 1e-9
    hiss = coloured(rng, len(made), rng.uniform(-6.0, -2.0), 200.0, 9000.0)
    swell = 10.0 ** (rng.uniform(0.0, 0.4) * slow(rng, len(made), 0.7))
    return made * rng.uniform(0.2, 1.0) + hiss * swell * rng.uniform(0.2, 1.2)


def splash(rng: Rng) -> Sound:
    """Something falls into water: a slap, and bubbles that come up after it."""
    seconds = rng.uniform(1.2, 2.5)

    def one(_: int) -> Sound:
        length = rng.uniform(0.5, 1.1)
        n = samples(length)
        slap = coloured(rng, n, -3.0, 150.0, 8000.0) * exponential(n, 0.004, between(rng, 0.15, 0.6))
        after = _bubbles(rng, length, between(rng, 40.0, 300.0), 0.001, between(rng, 0.004, 0.015))
        after *= exponential(n, 0.06, between(rng, 0.4, 1.2)) / (np.abs(after).max() + 1e-9)
        return rng.uniform(0.5, 1.0) * (rng.uniform(0.2, 0.8) * slap + 3.0 * rng.uniform(0.3, 1.0) * after)

    return repeated(seconds, event_times(rng, seconds, rng.uniform(0.5, 1.5), 0.3), one)


def rain(rng: Rng) -> Sound:
    """Make drops: a hiss of those far away, and ticks and plops of those near."""
    seconds = rng.uniform(2.5, 4.0)
    n = samples(seconds)
    hiss = coloured(rng, n, rng.uniform(-2.0, 1.0), 600.0, 14_000.0)

    def drop(_: int) -> Sound:
        length = samples(between(rng, 0.001, 0.006))
        tick = coloured(rng, length, 0.0, 1500.0, 15_000.0) * exponential(length, 0.0002, 0.004)
        return rng.uniform(0.05, 1.0) ** 3 * tick

    near = repeated(seconds, event_times(rng, seconds, between(rng, 60.0, 900.0), 1.0), drop)
    plops = _bubbles(rng, seconds, between(rng, 2.0, 40.0), 0.0008, 0.002)
    return hiss * rng.uniform(0.3, 0.8) + near * rng.uniform(0.5, 2.0) + plops * rng.uniform(0.0, 0.6)


def wind(rng: Rng) -> Sound:
    """Gusts, whose pitch rises with their strength; at edges they whistle."""
    seconds = rng.uniform(3.0, 4.0)
    n = samples(seconds)
    gust = slow(rng, n, rng.uniform(0.4, 1.2))
    source, made = coloured(rng, n, -3.0, 30.0, 6000.0), np.zeros(n)
    for octave in (0.0, rng.uniform(0.6, 1.2)):
        low, high = between(rng, 120.0, 350.0) * 2.0**octave, between(rng, 500.0, 900.0) * 2.0**octave
        sides = [resonant(source, pitch, pitch * between(rng, 0.1, 0.6)) for pitch in (low, high)]
        part = 0.5 + 0.5 * np.tanh(gust)
        made += (1.0 - part) * sides[0] + part * sides[1]
    made /= np.sqrt(np.mean(made**2)) + 1e-9
    return (made + 0.4 * source) * 10.0 ** (0.25 * gust)


def fire(rng: Rng) -> Sound:
    """Flames that lap, and wood that crackles and hisses."""
    seconds = rng.uniform(2.5, 4.0)
    n = samples(seconds)
    lapping = coloured(rng, n, -6.0, 30.0, 700.0) * (1.0 + 0.4 * slow(rng, n, 9.0))
    hiss = coloured(rng, n, 0.0, 1000.0, 9000.0) * 10.0 ** (0.4 * slow(rng, n, 3.0))

    def crackle(_: int) -> Sound:
        length = samples(between(rng, 0.001, 0.012))
        snap = coloured(rng, length, -1.0, 400.0, 14_000.0) * exponential(length, 0.0002, length / RATE_HZ)
        return rng.uniform(0.05, 1.0) ** 3 * snap

    crackles = repeated(seconds, event_times(rng, seconds, between(rng, 15.0, 120.0), 1.0), crackle)
    return rng.uniform(0.1, 0.4) * lapping + rng.uniform(0.01, 0.06) * hiss + rng.uniform(1.0, 3.0) * crackles


def thunder(rng: Rng) -> Sound:
    """Make a crack, and what comes after it from other parts of the bolt, dull and long."""
    n = samples(4.0)
    rumble = coloured(rng, n, -6.0, 25.0, between(rng, 150.0, 500.0)) * 10.0 ** (0.5 * slow(rng, n, 2.5))
    rumble *= exponential(n, between(rng, 0.02, 0.5), rng.uniform(3.5, 7.0))
    crack = coloured(rng, n, -3.0, 60.0, between(rng, 1500.0, 7000.0)) * exponential(n, 0.005, between(rng, 0.3, 1.2))
    return rumble + rng.uniform(0.0, 0.8) * crack


def explosion(rng: Rng) -> Sound:
    """Make a blast: a pressure wave, a roar that falls in pitch, debris."""
    n = samples(rng.uniform(2.0, 3.5))
    time = np.arange(n) / RATE_HZ
    blast = coloured(rng, n, -4.0, 25.0, between(rng, 800.0, 4000.0)) * exponential(n, 0.003, between(rng, 0.4, 1.2))
    roar = coloured(rng, n, -6.0, 20.0, between(rng, 200.0, 600.0)) * exponential(n, 0.02, between(rng, 1.2, 3.5))
    thump = np.sin(2.0 * np.pi * between(rng, 25.0, 60.0) * time) * exponential(n, 0.005, 0.6)
    debris = repeated(
        n / RATE_HZ,
        np.sort(np.clip(rng.exponential(0.6, rng.integers(0, 60)), 0.0, n / RATE_HZ)),
        lambda _: rng.uniform(0.0, 0.3) * coloured(rng, 800, -2.0, 300.0, 6000.0) * exponential(800, 0.001, 0.02),
    )
    return blast + 0.8 * roar + thump + debris[:n]


def gun(rng: Rng) -> Sound:
    """Shots: a crack shorter than a hundredth of a second, and what comes back from around."""
    seconds = rng.uniform(1.2, 2.5)

    def shot(_: int) -> Sound:
        n = samples(0.9)
        crack = coloured(rng, n, -2.0, 150.0, 12_000.0) * exponential(n, 0.0003, between(rng, 0.02, 0.08))
        tail = coloured(rng, n, -5.0, 80.0, 4000.0) * exponential(n, 0.01, between(rng, 0.3, 1.0))
        return 3.0 * crack + rng.uniform(0.1, 0.5) * tail

    return repeated(seconds, event_times(rng, seconds, between(rng, 0.5, 8.0), 0.1), shot)


def whoosh(rng: Rng) -> Sound:
    """Something quick goes by: noise whose pitch and strength rise and fall."""
    seconds = rng.uniform(1.0, 2.5)

    def one(_: int) -> Sound:
        n = samples(rng.uniform(0.25, 0.9))
        arc = np.sin(np.pi * (np.arange(n) / n) ** rng.uniform(0.7, 1.6))
        low, high = between(rng, 200.0, 700.0), between(rng, 900.0, 4000.0)
        source = coloured(rng, n, -1.0, 100.0, 12_000.0)
        sides = [resonant(source, pitch, pitch * 0.5) for pitch in (low, high)]
        sides = [side / (np.sqrt(np.mean(side**2)) + 1e-9) for side in sides]
        return rng.uniform(0.5, 1.0) * arc**1.5 * ((1.0 - arc) * sides[0] + arc * sides[1])

    return repeated(seconds, event_times(rng, seconds, rng.uniform(0.6, 1.3), 0.2), one)
