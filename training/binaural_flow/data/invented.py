"""Sounds that no one recorded: noises, sweeps, clicks, chords, and what espeak-ng says where it is installed."""

from __future__ import annotations

import io
import shutil
import subprocess
import zlib

import numpy as np
from numpy.typing import NDArray

from training.binaural_flow.data.presets import SAMPLE_RATE_HZ
from training.flow.sounds import Sound, conditioned

__all__ = ["SENTENCES", "generated_sounds", "spoken_sounds"]

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "Please walk around the table and come closer to the window.",
    "She sells sea shells by the sea shore, six sunny Saturdays in succession.",
    "A large truck stopped at the corner, and its engine kept running.",
    "How far away is the voice that you hear, and from which side does it come?",
    "Eleven benevolent elephants thundered past the whispering willows.",
    "Peter picked a peck of pickled peppers before the kettle began to boil.",
    "Mind the gap between the train and the platform edge.",
)
"""What is said; each sentence by several voices."""

_VOICES = ("en-gb", "en-us", "en-gb-scotland", "en-029", "de", "fr", "es", "it")
_DURATION_S = 4.0


def generated_sounds(seed: int = 0) -> list[Sound]:
    """Generate sounds.

    Parameters
    ----------
    seed : int
        Of the noises; every seed gives other sounds.

    Returns
    -------
    list of Sound
        Noises of several colours and envelopes, sweeps, clicks and chords, 4 s each. One of each sort is held out.
    """
    rng = np.random.default_rng(seed)
    n = int(_DURATION_S * SAMPLE_RATE_HZ)
    time_s = np.arange(n) / SAMPLE_RATE_HZ
    made: list[tuple[str, NDArray[np.float64]]] = []
    for number in range(6):
        steady = _coloured(rng, n, rng.uniform(-6.0, 0.5))
        made.append((f"noise {number}", steady))
        rate = np.exp(rng.uniform(np.log(1.0), np.log(20.0)))
        bursts = np.clip(np.sin(2.0 * np.pi * rate * time_s + rng.uniform(0, 6.28)), 0.0, None) ** rng.uniform(0.5, 4.0)
        made.append((f"bursts {number}", bursts * _coloured(rng, n, rng.uniform(-4.0, 0.5))))
        low, high = np.exp(rng.uniform(np.log(60.0), np.log(400.0))), np.exp(rng.uniform(np.log(4e3), np.log(18e3)))
        length_s = rng.uniform(0.5, 2.0)
        phase = 2.0 * np.pi * low * length_s / np.log(high / low)
        made.append((f"sweep {number}", np.sin(phase * ((high / low) ** ((time_s % length_s) / length_s) - 1.0))))
        clicks = np.zeros(n)
        clicks[rng.integers(0, n, int(rng.uniform(3, 60)))] = rng.choice([-1.0, 1.0])
        body = np.exp(-time_s[:4800] * rng.uniform(50, 2000)) * rng.standard_normal(4800)
        made.append((f"clicks {number}", np.convolve(clicks, body)[:n]))
        pitch = np.exp(rng.uniform(np.log(60.0), np.log(800.0)))
        glide = pitch * (1.0 + 0.05 * np.sin(2.0 * np.pi * rng.uniform(0.2, 6.0) * time_s))
        turn = 2.0 * np.pi * np.cumsum(glide) / SAMPLE_RATE_HZ
        partials = range(1, min(int(16_000.0 / (1.05 * pitch)), 40) + 1)
        chord = np.sum([np.sin(k * turn + rng.uniform(0, 6.28)) / k ** rng.uniform(0.5, 1.2) for k in partials], axis=0)
        made.append((f"chord {number}", chord))
    return [
        Sound(name, conditioned(samples, SAMPLE_RATE_HZ), "generated", held_out=name.endswith(" 5"))
        for name, samples in made
    ]


def spoken_sounds() -> list[Sound]:
    """Have espeak-ng say `SENTENCES` in several voices.

    Returns
    -------
    list of Sound
        None where it is not installed. The last sentence is held out.
    """
    import soundfile

    program = shutil.which("espeak-ng")
    if program is None:
        return []
    sounds = []
    for voice in _VOICES:
        for number, sentence in enumerate(SENTENCES):
            pitch = 20 + zlib.crc32(f"{voice} {number}".encode()) % 60
            command = [program, "-v", voice, "-p", str(pitch), "-s", str(130 + pitch), "--stdout", sentence]
            done = subprocess.run(command, capture_output=True, check=False, timeout=60)  # noqa: S603 - a fixed command
            if done.returncode:
                continue  # a voice that this installation lacks
            samples, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
            mono = conditioned(samples, rate)
            if len(mono):
                last = number == len(SENTENCES) - 1
                sounds.append(Sound(f"speech {voice} {number}", mono, "spoken", held_out=last))
    return sounds


def _coloured(rng: np.random.Generator, n: int, slope_db: float) -> NDArray[np.float64]:
    """Noise whose spectrum changes by so many decibels per octave."""
    hz = np.maximum(np.fft.rfftfreq(n, 1.0 / SAMPLE_RATE_HZ), 40.0)
    spectrum = np.fft.rfft(rng.standard_normal(n)) * (hz / 1000.0) ** (slope_db / 6.02)
    return np.fft.irfft(spectrum, n)
