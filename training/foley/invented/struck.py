"""Things that are hit, stepped on, closed or dropped: a short push on a body that rings in its modes.

Modes of bars and plates are spread as in N. Fletcher and T. Rossing: "The Physics of Musical Instruments" (2nd ed.,
1998), chapters 2 and 3; how quickly they die is what tells materials apart (R. Klatzky and others, Presence 9, 2000).
"""

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
    modes,
    repeated,
    resonant,
    samples,
)

__all__ = [
    "applause",
    "bell",
    "door",
    "drum",
    "footsteps_hard",
    "footsteps_soft",
    "glass",
    "hooves",
    "impact",
    "keys",
    "metal",
    "wood",
]


def _body(rng: Rng, lowest_hz: float, n_modes: int, spread: float, damping: float, brightness_db: float) -> Sound:
    """Return modes of a body: stretched by `spread`, damped in proportion to frequency (`damping`: periods)."""
    numbers = np.arange(1, n_modes + 1)
    frequencies = lowest_hz * numbers**spread * rng.uniform(0.93, 1.07, n_modes)
    t60 = np.clip(damping / frequencies, 0.01, 4.0) * rng.uniform(0.6, 1.4, n_modes)
    gains = 10.0 ** (brightness_db * np.log2(numbers) / 20.0) * rng.uniform(0.3, 1.0, n_modes)
    return modes(rng, frequencies, t60, gains)


def _click(rng: Rng, t60_s: float, low_hz: float, high_hz: float, slope_db: float = -3.0) -> Sound:
    n = samples(t60_s)
    return coloured(rng, n, slope_db, low_hz, high_hz) * exponential(n, 0.0005, t60_s)


def _together(*parts: tuple[float, Sound]) -> Sound:
    made = np.zeros(max(len(sound) for _, sound in parts))
    for gain, sound in parts:
        made[: len(sound)] += gain * sound / (np.abs(sound).max() + 1e-12)
    return made


def footsteps_hard(rng: Rng) -> Sound:
    """Shoes on stone, tiles or boards: a heel, then a sole."""
    board, weight = rng.uniform() < 0.5, between(rng, 60.0, 130.0)

    def step(_: int) -> Sound:
        ring = between(rng, 160.0, 420.0) if board else between(rng, 700.0, 1800.0)
        heel = _together(
            (1.0, _click(rng, between(rng, 0.02, 0.06), 200.0, between(rng, 2500.0, 7000.0))),
            (0.7, _body(rng, weight, 3, 1.4, 6.0, -6.0)),
            (0.5 if board else 0.3, _body(rng, ring, 6, 1.25, 14.0, -4.0)),
        )
        sole = 0.4 * _together((1.0, _click(rng, between(rng, 0.03, 0.08), 300.0, 5000.0, -5.0)))
        gap = samples(rng.uniform(0.05, 0.13))
        made = np.zeros(gap + max(len(sole), len(heel)))
        made[: len(heel)] += heel
        made[gap : gap + len(sole)] += sole
        return made * rng.uniform(0.6, 1.0)

    seconds = rng.uniform(2.0, 4.0)
    return repeated(seconds, event_times(rng, seconds, rng.uniform(1.4, 2.6), 0.1), step)


def footsteps_soft(rng: Rng) -> Sound:
    """Gravel, snow, grass: many grains that give way under a foot."""
    grain_s, density = between(rng, 0.001, 0.008), between(rng, 150.0, 1500.0)
    low, high = between(rng, 300.0, 1500.0), between(rng, 4000.0, 14_000.0)

    def step(_: int) -> Sound:
        length = rng.uniform(0.12, 0.35)
        load = np.sin(np.pi * np.minimum(np.arange(samples(length)) / samples(length), 1.0)) ** 0.7
        when = event_times(rng, length, density, 1.0)
        made = repeated(length, when, lambda _: rng.uniform(0.1, 1.0) ** 3 * _click(rng, grain_s, low, high, 0.0))
        return made * load * rng.uniform(0.6, 1.0)

    seconds = rng.uniform(2.0, 4.0)
    return repeated(seconds, event_times(rng, seconds, rng.uniform(1.3, 2.4), 0.12), step)


def hooves(rng: Rng) -> Sound:
    """Four hooves: a gallop's or a trot's beat of hollow knocks."""
    seconds, stride = rng.uniform(2.0, 4.0), rng.uniform(0.45, 0.75)
    beat = (0.0, 0.18, 0.34, 0.5) if rng.uniform() < 0.5 else (0.0, 0.25, 0.5, 0.75)
    hollow = between(rng, 500.0, 1100.0)
    when = np.sort([stride * (n + part) for n in range(int(seconds / stride)) for part in beat])
    when = np.clip(when + rng.normal(0.0, 0.008, len(when)), 0.0, seconds)

    def hoof(number: int) -> Sound:
        knock = _body(rng, hollow * (1.0 + 0.12 * (number % 4)), 4, 1.5, 18.0, -5.0)
        return _together(
            (1.0, knock), (0.5, _click(rng, 0.03, 150.0, 4000.0)), (0.5, _body(rng, 90.0, 2, 1.5, 6.0, -6.0))
        )

    return repeated(seconds, when, hoof)


def impact(rng: Rng) -> Sound:
    """Thuds: heavy, soft things that do not ring."""
    seconds = rng.uniform(1.0, 2.5)

    def thud(_: int) -> Sound:
        return rng.uniform(0.5, 1.0) * _together(
            (1.0, _body(rng, between(rng, 45.0, 160.0), 4, 1.5, between(rng, 5.0, 14.0), -7.0)),
            (0.5, _click(rng, between(rng, 0.03, 0.15), 60.0, between(rng, 600.0, 4000.0), -6.0)),
        )

    return repeated(seconds, event_times(rng, seconds, rng.uniform(0.5, 2.0), 0.3), thud)


def wood(rng: Rng) -> Sound:
    """Knocks and chops on wood, whose modes die within some tens of periods."""
    seconds, lowest = rng.uniform(1.0, 2.5), between(rng, 180.0, 900.0)

    def knock(_: int) -> Sound:
        body = _body(rng, lowest, 7, 1.35, between(rng, 18.0, 40.0), -4.0)
        return rng.uniform(0.5, 1.0) * _together((1.0, body), (0.5, _click(rng, 0.02, 400.0, 8000.0)))

    return repeated(seconds, event_times(rng, seconds, rng.uniform(0.7, 4.0), 0.2), knock)


def metal(rng: Rng) -> Sound:
    """Clangs of bars, plates and pipes, which ring for hundreds of periods."""
    seconds, lowest = rng.uniform(1.2, 3.0), between(rng, 250.0, 1800.0)
    spread, damping = rng.uniform(1.2, 1.9), between(rng, 250.0, 2500.0)

    def clang(_: int) -> Sound:
        body = _body(rng, lowest, 12, spread, damping, -2.5)
        return rng.uniform(0.4, 1.0) * _together((1.0, body), (0.5, _click(rng, 0.01, 1000.0, 15_000.0, 0.0)))

    return repeated(seconds, event_times(rng, seconds, rng.uniform(0.4, 2.5), 0.3), clang)


def glass(rng: Rng) -> Sound:
    """Clinks, or a pane that bursts into pieces that ring and bounce."""
    seconds = rng.uniform(1.0, 2.2)

    def piece(_: int) -> Sound:
        body = _body(rng, between(rng, 1800.0, 5500.0), 6, rng.uniform(1.2, 1.7), between(rng, 250.0, 1500.0), -2.0)
        return rng.uniform(0.1, 1.0) ** 2 * body / (np.abs(body).max() + 1e-9)

    if rng.uniform() < 0.4:
        return repeated(seconds, event_times(rng, seconds, rng.uniform(0.8, 2.5), 0.3), piece)
    when = np.sort(rng.exponential(rng.uniform(0.1, 0.3), rng.integers(25, 80)))
    made = repeated(seconds, np.clip(when, 0.0, seconds), piece)
    burst = 2.0 * _click(rng, between(rng, 0.08, 0.25), 1500.0, 16_000.0, 1.0)
    made[: len(burst)] += burst[: len(made)]
    return made


def door(rng: Rng) -> Sound:
    """Make a latch, a creak perhaps, and a heavy slam with the rattle of its frame."""
    slam = _together(
        (1.0, _body(rng, between(rng, 60.0, 140.0), 6, 1.4, between(rng, 8.0, 20.0), -5.0)),
        (0.6, _click(rng, between(rng, 0.05, 0.2), 80.0, 3000.0, -4.0)),
        (0.3, _body(rng, between(rng, 700.0, 1500.0), 5, 1.3, 40.0, -3.0)),
    )
    latch = 0.4 * _together(
        (1.0, _click(rng, 0.015, 1200.0, 9000.0, 0.0)), (0.7, _body(rng, 2200.0, 4, 1.4, 60.0, -3.0))
    )
    seconds = rng.uniform(1.2, 2.5)
    at = rng.uniform(0.3, 0.7 * seconds)
    made = repeated(seconds, np.array([at, at + rng.uniform(0.02, 0.12)]), lambda n: (slam, latch)[n])
    if rng.uniform() < 0.5:  # stick and slip of a hinge: pulses through the panel's resonances
        n = samples(at)
        pitch = between(rng, 60.0, 300.0) * 2.0 ** (0.5 * np.sin(np.linspace(0.0, rng.uniform(2.0, 6.0), n)))
        pulses = np.diff(np.floor(np.cumsum(pitch) / RATE_HZ), prepend=0.0) * rng.uniform(0.5, 1.0, n)
        creak = resonant(pulses, between(rng, 700.0, 1500.0), 80.0) + resonant(
            pulses, between(rng, 1800.0, 3200.0), 150.0
        )
        made[:n] += 0.25 * creak / (np.abs(creak).max() + 1e-9) * np.hanning(n)
    return made


def keys(rng: Rng) -> Sound:
    """Keyboards, coins and key rings: small clicks and jingles."""
    seconds = rng.uniform(1.5, 3.0)
    ring = rng.uniform() < 0.5

    def one(_: int) -> Sound:
        if ring:
            body = _body(rng, between(rng, 2500.0, 7000.0), 5, 1.35, between(rng, 150.0, 700.0), -1.5)
            return rng.uniform(0.2, 1.0) * body / (np.abs(body).max() + 1e-9)
        press = _together((1.0, _click(rng, 0.012, 1200.0, 9000.0, -1.0)), (0.5, _body(rng, 300.0, 4, 1.5, 8.0, -4.0)))
        return rng.uniform(0.4, 1.0) * press

    return repeated(seconds, event_times(rng, seconds, rng.uniform(4.0, 11.0), 1.0 if ring else 0.7), one)


def drum(rng: Rng) -> Sound:
    """Membranes, whose modes are those of a circle, with or without a snare."""
    seconds, lowest = rng.uniform(1.5, 3.0), between(rng, 60.0, 260.0)
    circle = np.array([1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.16, 3.5])
    snare, t60 = rng.uniform() < 0.4, between(rng, 0.15, 0.7)

    def beat(_: int) -> Sound:
        gains = 10.0 ** (-0.25 * np.arange(8)) * rng.uniform(0.4, 1.0, 8)
        head = modes(rng, lowest * circle, t60 * circle**-0.8, gains)
        wires = (0.6 if snare else 0.15, _click(rng, t60 * (1.0 if snare else 0.15), 800.0, 12_000.0, 0.0))
        return rng.uniform(0.4, 1.0) * _together((1.0, head), wires)

    return repeated(seconds, event_times(rng, seconds, rng.uniform(1.5, 6.0), 0.04), beat)


def bell(rng: Rng) -> Sound:
    """Bells: a hum, prime, tierce, quint and nominal, and partials above them that die sooner."""
    seconds, nominal = rng.uniform(2.0, 4.0), between(rng, 500.0, 2600.0)
    partials = np.array([0.25, 0.5, 0.6, 0.75, 1.0, 1.25, 1.33, 1.5, 2.0, 2.6, 3.2])
    t60 = between(rng, 1.5, 6.0) * np.clip(partials, 0.3, None) ** -0.9

    def stroke(_: int) -> Sound:
        gains = rng.uniform(0.3, 1.0, len(partials)) * np.array([0.6, 0.7, 0.9, 0.4, 1, 0.4, 0.4, 0.5, 0.6, 0.4, 0.3])
        body = modes(rng, nominal * partials * rng.uniform(0.998, 1.002, len(partials)), t60, gains)
        return _together((1.0, body), (0.25, _click(rng, 0.008, 1500.0, 14_000.0, 0.0)))

    return repeated(seconds, event_times(rng, seconds, rng.uniform(0.3, 1.2), 0.1), stroke)


def applause(rng: Rng) -> Sound:
    """Many people who clap, each at a pace and with hands of their own."""
    seconds = rng.uniform(2.0, 4.0)
    made = np.zeros(samples(seconds))
    for _ in range(int(between(rng, 4.0, 60.0))):
        centre, pace, near = between(rng, 600.0, 2600.0), rng.uniform(2.5, 5.0), between(rng, 0.2, 1.0)
        hands = resonant(_click(rng, between(rng, 0.01, 0.03), 300.0, 9000.0, 0.0), centre, centre / 2.0)
        hands = near * hands / (np.abs(hands).max() + 1e-9)

        def clap(_: int, hands: Sound = hands) -> Sound:
            return hands * rng.uniform(0.6, 1.0)

        made += repeated(seconds, event_times(rng, seconds, pace, 0.25), clap)
    return made
