"""The late reverberation of a room as a pair of responses: shaped noise with the statistics of a diffuse field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S
from foleyspace_host.render.room.density import tail_share
from foleyspace_host.render.room.diffuse import DiffuseField
from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.statistics import OCTAVES_HZ

__all__ = ["tail_gain", "tail_noises", "tail_response"]

_LENGTH = 1.25  # of the longest reverberation time: 75 dB down
_FADE = 0.04  # of the length, at its end
_CROSSOVER_OCTAVES = 1.0 / 6.0
_STRETCHES = 16.0  # in a reverberation time, whose energy is evened out
_EVEN_CYCLES = 3.0  # least time-bandwidth product of such a stretch


def tail_gain(room: RoomModel, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain of the tail for a direct sound of gain 1 at a distance.

    The field's energy is the same everywhere but for what has decayed by the time that the direct sound
    arrives (Barron & Lee, JASA 84, 1988), while the direct sound falls with 1/r.

    Parameters
    ----------
    room : RoomModel
        The room.
    distance_m : ndarray, shape (n,)
        Distance of the source in the room [m].

    Returns
    -------
    ndarray, shape (n,)
        r / 1 m times the decay over r / c at the mid-frequency reverberation time.
    """
    return distance_m * np.exp(-3.0 * np.log(10.0) / (SPEED_OF_SOUND_M_S * room.mid_rt60_s) * distance_m)


def tail_response(room: RoomModel, field: DiffuseField, max_samples: int | None = None) -> NDArray[np.float32]:
    """Make the responses of both ears to the part of a sound that is not rendered as reflections.

    Parameters
    ----------
    room : RoomModel
        The room.
    field : DiffuseField
        The head's powers and coherence, at the sampling rate wanted.
    max_samples : int, optional
        Longest response of use: that of the clip.

    Returns
    -------
    ndarray, float32, shape (2, n_samples)
        From the arrival of the direct sound on, for a direct sound of unit pressure at 1 m; scale by
        `tail_gain`. The same room, head and rate give the same noise.
    """
    return np.ascontiguousarray(_shaped(room, field.sample_rate_hz, field.mixing_responses())[:, :max_samples])


def tail_noises(room: RoomModel, sample_rate_hz: int, count: int) -> NDArray[np.float32]:
    """Make independent decaying noises, each with the tail's power.

    Parameters
    ----------
    room : RoomModel
        The room.
    sample_rate_hz : int
        Sampling rate [Hz].
    count : int
        How many; a part of more noises is the same as fewer.

    Returns
    -------
    ndarray, float32, shape (count, n_samples)
        From the arrival of the direct sound on, scaled as in `tail_response`.
    """
    return _shaped(room, sample_rate_hz, np.eye(count)[..., None])


def _shaped(room: RoomModel, rate: int, mixing: NDArray[np.float64]) -> NDArray[np.float32]:
    """Decaying noises, mixed by responses of shape (n_channels, n_noises, n_taps) whose middle is time 0."""
    from scipy import fft

    n_all = max(int(_LENGTH * max(room.rt60_s) * rate), 2)
    n = fft.next_fast_len(max(n_all, mixing.shape[-1]), real=True)
    time_s = np.arange(n) / rate
    weights = _band_weights(np.arange(n // 2 + 1) * (rate / n))
    energy = room.diffuse_energy_per_s(time_s) * tail_share(room).at(time_s) * 10.0 ** (room.tail_db / 10.0) / rate
    # the noise repeats after n samples, and so may what is mixed of it
    padded = np.zeros((*mixing.shape[:2], n), dtype=np.float32)
    padded[..., : mixing.shape[-1]] = mixing
    mixer = fft.rfft(np.roll(padded, -(mixing.shape[-1] // 2), axis=-1))
    noise = fft.rfft(np.random.default_rng(room.seed).standard_normal((mixing.shape[1], n), dtype=np.float32))
    spectra, power = np.einsum("cjk,jk->ck", mixer, noise), (np.abs(mixer) ** 2).sum(axis=1)
    sound = np.zeros((len(mixing), n), dtype=np.float32)
    for band, centre_hz in enumerate(OCTAVES_HZ):
        if weights[band].any():
            part = fft.irfft(spectra * weights[band], n)
            expected = (power * weights[band] ** 2).mean(axis=-1, keepdims=True)
            stretch_s = max(room.rt60_s[band] / _STRETCHES, _EVEN_CYCLES / (0.7 * centre_hz))
            sound += _evened(part, expected, int(stretch_s * rate)) * np.sqrt(energy[band]).astype(np.float32)
    fade = int(_FADE * n_all)
    sound[:, n_all - fade : n_all] *= (np.cos(0.5 * np.pi * np.arange(fade) / max(fade, 1)) ** 2).astype(np.float32)
    return sound[:, :n_all]


def _band_weights(frequency_hz: NDArray[np.float64]) -> NDArray[np.float32]:
    """Gains of the bands at frequencies, shape (8, n): they add up to 1, with short crossovers between octaves."""
    position = np.log2(np.maximum(frequency_hz, 1e-3) / OCTAVES_HZ[0])  # 0, 1, ... at the centres
    edges = np.arange(len(OCTAVES_HZ) - 1) + 0.5
    above = np.clip((position - edges[:, None]) / _CROSSOVER_OCTAVES + 0.5, 0.0, 1.0)
    above = np.sin(0.5 * np.pi * above) ** 2
    edge = np.ones((1, len(frequency_hz)))
    weights = np.concatenate([edge, above]) - np.concatenate([above, 0.0 * edge])
    return weights.astype(np.float32)


def _evened(noise: NDArray[np.float32], power: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Noises (n_channels, n) whose power over any stretch much longer than `width` is `power` (n_channels, 1).

    Narrow bands of noise wander by some decibels for as long as a room decays, and the decay with them.
    """
    from scipy.ndimage import uniform_filter1d

    local = noise**2
    for _ in range(2):
        local = uniform_filter1d(local, max(width, 1), axis=-1, mode="wrap")
    evened: NDArray[np.float32] = noise * np.sqrt(power / np.maximum(local, np.float32(1e-3) * power))
    return evened
