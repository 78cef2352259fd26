"""What the demo measures: interaural differences in a binaural sound, and errors of an estimate.

The expectation is measured too: the demo's own hoofbeats through the raw KEMAR responses, with the same
estimator, so that it does not depend on the renderer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from foleyspace_host.demo.scene import Truth
    from foleyspace_host.geometry.trajectory import Source

__all__ = ["Cues", "Errors", "cues_over_time", "expected_cues", "trajectory_errors"]

WINDOW_S = 0.5
_LAG_BAND_HZ = (100.0, 1500.0)  # where the ear follows the fine structure of the waveform
_LEVEL_BAND_HZ = (1000.0, 12000.0)  # where the head's shadow is
_MAX_LAG_S = 0.001
_QUIET_DB = -40.0


@dataclass(frozen=True, slots=True)
class Cues:
    """Interaural differences over time or direction; positive for sources on the left.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times they belong to: where the energy within each window lies [s].
    itd_us : ndarray, shape (n,)
        Interaural time difference [µs]; NaN where it is too quiet to measure.
    ild_db : ndarray, shape (n,)
        Interaural level difference [dB]; NaN likewise.
    """

    t_s: NDArray[np.float64]
    itd_us: NDArray[np.float64]
    ild_db: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Errors:
    """How far an estimated path is from the true one.

    Parameters
    ----------
    azimuth_mean_deg, azimuth_max_deg : float
        Absolute azimuth error [deg].
    elevation_mean_deg : float
        Absolute elevation error [deg].
    distance_mean_percent : float
        Absolute error of the distance relative to the true distance [%].
    """

    azimuth_mean_deg: float
    azimuth_max_deg: float
    elevation_mean_deg: float
    distance_mean_percent: float


def trajectory_errors(source: Source, truth: Truth) -> Errors:
    """Compare a source's keys with the true path.

    Parameters
    ----------
    source : Source
        Estimated source; its azimuths stay in front of the listener.
    truth : Truth
        The true path at the times to compare at.

    Returns
    -------
    Errors
        At the times of `truth`, the estimate interpolated linearly between its keys.
    """
    times = [key.t_s for key in source.keys]

    def at(values: list[float]) -> NDArray[np.float64]:
        return np.interp(truth.t_s, times, values)

    azimuth = np.abs(at([key.azimuth_deg for key in source.keys]) - truth.azimuth_deg)
    elevation = np.abs(at([key.elevation_deg for key in source.keys]) - truth.elevation_deg)
    distance = np.abs(at([key.distance_m for key in source.keys]) / truth.distance_m - 1.0)
    return Errors(float(azimuth.mean()), float(azimuth.max()), float(elevation.mean()), float(100.0 * distance.mean()))


def cues_over_time(binaural: NDArray[np.float32], sample_rate_hz: int, t_s: NDArray[np.float64]) -> Cues:
    """Measure interaural differences in Hann windows of half a second.

    Parameters
    ----------
    binaural : ndarray, shape (2, n_samples)
        Left and right.
    sample_rate_hz : int
        Sampling rate [Hz].
    t_s : ndarray, shape (n,)
        Middles of the windows [s].

    Returns
    -------
    Cues
    """
    size = round(WINDOW_S * sample_rate_hz)
    padded = np.pad(binaural.astype(np.float64), ((0, 0), (size, size)))
    starts = np.round(np.asarray(t_s) * sample_rate_hz).astype(int) + size - size // 2
    window = np.hanning(size)
    pieces = np.stack([padded[:, start : start + size] * window for start in starts])
    power = (pieces**2).sum(axis=(1, 2))
    cues = np.array([_cues(piece, sample_rate_hz) for piece in pieces])
    cues[power < power.max() * 10.0 ** (_QUIET_DB / 10.0)] = np.nan
    offset_s = (np.arange(size) - size // 2) / sample_rate_hz
    centre_s = t_s + (pieces**2).sum(axis=1) @ offset_s / np.maximum(power, 1e-30)
    return Cues(centre_s, cues[:, 0], cues[:, 1])


def expected_cues(
    t_s: NDArray[np.float64], azimuth_deg: NDArray[np.float64], dry: NDArray[np.float32], sample_rate_hz: int
) -> Cues:
    """Tell what a listener with KEMAR's head gets from a source on the horizon.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times [s].
    azimuth_deg : ndarray, shape (n,)
        Azimuths at these times, within ±40 [deg].
    dry : ndarray, shape (n_samples,)
        A sound like that of the source.
    sample_rate_hz : int
        Its sampling rate [Hz].

    Returns
    -------
    Cues
        Measured on the sound through each response of the horizontal plane, linear in azimuth between.
    """
    import sofar
    import soxr

    from foleyspace_host.models.registry import find

    measured = sofar.read_sofa(str(find("kemar")), verify=False, verbose=False)
    rate_hz = float(np.ravel(measured.Data_SamplingRate)[0])
    positions = np.asarray(measured.SourcePosition)
    azimuths = (positions[:, 0] + 180.0) % 360.0 - 180.0
    ring = np.nonzero((np.abs(positions[:, 1]) < 0.5) & (np.abs(azimuths) <= 45.0))[0]
    ring = ring[np.argsort(azimuths[ring])]
    sound = soxr.resample(dry, sample_rate_hz, rate_hz).astype(np.float64)
    n_fft = len(sound) + measured.Data_IR.shape[-1]
    spectrum = np.fft.rfft(sound, n_fft)
    cues = np.array(
        [_cues(np.fft.irfft(spectrum * np.fft.rfft(measured.Data_IR[index], n_fft), n_fft), rate_hz) for index in ring]
    )
    itd_us, ild_db = (np.interp(azimuth_deg, azimuths[ring], column) for column in cues.T)
    return Cues(np.asarray(t_s, dtype=np.float64), itd_us, ild_db)


def _cues(pair: NDArray[np.float64], rate_hz: float) -> tuple[float, float]:
    """ITD [µs] by the maximum of the cross-correlation, and ILD [dB], of a pair of signals, shape (2, n)."""
    n_fft = 1 << (2 * pair.shape[1] - 1).bit_length()
    left, right = np.fft.rfft(pair, n_fft)
    frequency = np.fft.rfftfreq(n_fft, 1.0 / rate_hz)
    lag_band = (frequency >= _LAG_BAND_HZ[0]) & (frequency <= _LAG_BAND_HZ[1])
    level_band = (frequency >= _LEVEL_BAND_HZ[0]) & (frequency <= _LEVEL_BAND_HZ[1])
    cross, omega = (np.conj(left) * right)[lag_band], 2.0 * np.pi * frequency[lag_band]
    # the correlation is a sum over the band, so it can be had at any lag: coarse first, then fine
    lag = 0.0
    for reach, step in ((_MAX_LAG_S, 2e-5), (2e-5, 1e-6)):
        lags = lag + np.arange(-reach, reach + step / 2, step)
        lag = float(lags[np.argmax((cross * np.exp(1j * np.outer(lags, omega))).real.sum(axis=1))])
    energy = [(np.abs(side[level_band]) ** 2).sum() + 1e-30 for side in (left, right)]
    return 1e6 * lag, float(10.0 * np.log10(energy[0] / energy[1]))
