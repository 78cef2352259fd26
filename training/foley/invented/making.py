"""What the models are made of: time, noise, resonances, events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import SAMPLE_RATE_HZ

__all__ = [
    "RATE_HZ",
    "Rng",
    "Sound",
    "between",
    "coloured",
    "event_times",
    "exponential",
    "harmonics",
    "modes",
    "repeated",
    "resonant",
    "samples",
    "slow",
    "times",
]

RATE_HZ = SAMPLE_RATE_HZ

Sound = NDArray[np.float64]
Rng = np.random.Generator


def samples(seconds: float) -> int:
    """Return so many seconds in samples, at least 1."""
    return max(1, round(seconds * RATE_HZ))


def times(seconds: float) -> Sound:
    """Return the time of every sample [s]."""
    return np.arange(samples(seconds)) / RATE_HZ


def between(rng: Rng, low: float, high: float) -> float:
    """Draw a number of which every octave is as likely, low > 0."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def coloured(rng: Rng, n_samples: int, slope_db: float, low_hz: float = 20.0, high_hz: float = 20_000.0) -> Sound:
    """Return noise with a slope [dB per octave], fading 12 dB per octave outside a range; its rms is 1."""
    frequency = np.fft.rfftfreq(n_samples, 1.0 / RATE_HZ)
    octaves = np.log2(np.maximum(frequency, 1.0) / 1000.0)
    gain = 10.0 ** (slope_db * octaves / 20.0)
    gain /= 1.0 + (low_hz / np.maximum(frequency, 1e-3)) ** 2
    gain /= 1.0 + (frequency / high_hz) ** 2
    made = np.fft.irfft(gain * np.fft.rfft(rng.standard_normal(n_samples)), n_samples)
    return made / (np.sqrt(np.mean(made**2)) + 1e-12)


def slow(rng: Rng, n_samples: int, rate_hz: float) -> Sound:
    """Return a slowly wandering line of rms about 1 whose turns are about so many a second."""
    n_knots = max(4, int(n_samples / RATE_HZ * rate_hz) + 4)
    knots = rng.standard_normal(n_knots)
    place = np.linspace(0.5, n_knots - 2.5, n_samples)
    index = place.astype(int)
    part = 0.5 - 0.5 * np.cos(np.pi * (place - index))
    return knots[index] * (1.0 - part) + knots[index + 1] * part


def exponential(n_samples: int, attack_s: float, t60_s: float) -> Sound:
    """Return what rises in a time and then falls by 60 dB in another."""
    time = np.arange(n_samples) / RATE_HZ
    rise = np.minimum(time / max(attack_s, 1.0 / RATE_HZ), 1.0)
    return rise * 10.0 ** (-3.0 * np.maximum(time - attack_s, 0.0) / max(t60_s, 1e-3))


def modes(
    rng: Rng, frequencies_hz: NDArray[np.float64], t60_s: NDArray[np.float64], gains: NDArray[np.float64]
) -> Sound:
    """Return freely ringing modes, with random phases; as long as the longest rings."""
    time = times(min(float(t60_s.max()), 4.0))
    made = np.zeros(len(time))
    for frequency, t60, gain in zip(frequencies_hz, t60_s, gains, strict=True):
        if frequency < 0.45 * RATE_HZ:
            phase = rng.uniform(0.0, 2.0 * np.pi)
            made += gain * np.sin(2.0 * np.pi * frequency * time + phase) * 10.0 ** (-3.0 * time / t60)
    made[:48] *= np.linspace(0.0, 1.0, 48)
    return made


def resonant(sound: Sound, centre_hz: float, width_hz: float) -> Sound:
    """Send a sound through one resonance (two poles) whose peak has gain 1."""
    from scipy.signal import lfilter

    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    angle = 2.0 * np.pi * centre_hz / RATE_HZ
    made: Sound = lfilter([1.0 - radius], [1.0, -2.0 * radius * np.cos(angle), radius**2], sound)
    return made


def harmonics(
    rng: Rng, pitch_hz: Sound | float, n_samples: int, n_harmonics: int, slope_db: float, jitter: float = 0.0
) -> Sound:
    """Return harmonics of a pitch that may move, falling by so much an octave; jitter makes their phases wander."""
    pitch = np.broadcast_to(np.asarray(pitch_hz, dtype=float), (n_samples,))
    phase = 2.0 * np.pi * np.cumsum(pitch) / RATE_HZ
    made = np.zeros(n_samples)
    for number in range(1, n_harmonics + 1):
        if number * pitch.min() > 0.45 * RATE_HZ:
            break
        wander = jitter * slow(rng, n_samples, 8.0) if jitter else 0.0
        audible = number * pitch < 0.45 * RATE_HZ
        made += audible * number ** (slope_db / 6.02) * np.sin(number * phase + rng.uniform(0.0, 2.0 * np.pi) + wander)
    return made


def event_times(rng: Rng, seconds: float, rate_hz: float, jitter: float) -> NDArray[np.float64]:
    """Return when things happen: at a steady rate with jitter (below 1), or at random (1)."""
    if jitter >= 1.0:
        return np.sort(rng.uniform(0.0, seconds, rng.poisson(rate_hz * seconds)))
    n_events = max(1, int(seconds * rate_hz))
    when = (np.arange(n_events) + rng.uniform(0.0, 0.5) + jitter * rng.uniform(-0.5, 0.5, n_events)) / rate_hz
    return np.clip(when, 0.0, seconds)


def repeated(seconds: float, when: NDArray[np.float64], make: Callable[[int], Sound]) -> Sound:
    """Put made sounds at their times; what reaches past the end is cut."""
    made = np.zeros(samples(seconds))
    for number, time in enumerate(when):
        at = round(time * RATE_HZ)
        one = make(number)[: max(len(made) - at, 0)]
        made[at : at + len(one)] += one
    return made
