"""How far a binaural rendering is from a reference: levels, phases, spectra, and what ears hear of direction and room.

All functions take a reference and a prediction, float arrays of shape (2, n_samples) at the same rate, left ear
first. Wave, amplitude and phase are those of the models for binaural speech (Richard et al., ICLR 2021, whose
short-time spectra have transforms of 2048, windows of 40 ms and steps of 10 ms), so that numbers can be laid beside
theirs; they depend on level, so `levelled` brings the reference to -26 dB and the prediction along.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "METRICS",
    "amplitude_l2",
    "iacc",
    "iacc_error",
    "ild_db",
    "ild_error_db",
    "ipd_error_rad",
    "itd_error_us",
    "itd_us",
    "levelled",
    "measured",
    "mrstft",
    "phase_l2",
    "wave_l2",
]

Sound = NDArray[np.float64]

_LEVEL = 0.05
_N_FFT, _WINDOW_S, _HOP_S = 2048, 0.04, 0.01
_LOUD = 0.2  # of the reference's mean, below which a bin has no phase worth comparing
_RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
_FRAME_S = 0.085
_FRAME_GATE_DB, _BAND_GATE_DB = -40.0, -50.0
_LARGEST_ITD_S = 1e-3
_ITD_BAND_HZ = (100.0, 1500.0)
_OVERSAMPLING = 16
_N_BANDS = 32
_ILD_BAND_HZ = (200.0, 16_000.0)
_OCTAVES_HZ = (500.0, 1000.0, 2000.0, 4000.0)


def levelled(reference: Sound, prediction: Sound) -> tuple[Sound, Sound]:
    """Scale both by the factor that brings the reference's rms over both ears to 0.05."""
    factor = _LEVEL / max(float(np.sqrt(np.mean(reference**2))), 1e-12)
    return reference * factor, prediction * factor


def wave_l2(reference: Sound, prediction: Sound, _rate: int = 48_000) -> float:
    """Mean square of the difference, times 1000."""
    return float(1000.0 * np.mean((prediction - reference) ** 2))


def amplitude_l2(reference: Sound, prediction: Sound, rate: int = 48_000) -> float:
    """Mean difference of the magnitudes of short-time spectra (its name in the literature, though it is no square)."""
    y, p = _spectra(reference, rate), _spectra(prediction, rate)
    return float(np.mean(np.abs(np.abs(p) - np.abs(y))))


def phase_l2(reference: Sound, prediction: Sound, rate: int = 48_000) -> float:
    """Mean difference of the phases of short-time spectra where both are loud [rad]: 0 to pi, pi / 2 by chance."""
    y, p = _spectra(reference, rate), _spectra(prediction, rate)
    size_y, size_p = (np.abs(x.real) + np.abs(x.imag) for x in (y, p))
    loud = _LOUD * size_y.mean()
    both = (size_y > loud) & (size_p > loud)
    if not both.any():
        return 0.0
    apart = np.abs(np.angle(p[both]) - np.angle(y[both]))
    return float(np.mean(np.pi - np.abs(apart - np.pi)))


def mrstft(reference: Sound, prediction: Sound, _rate: int = 48_000) -> float:
    """Distance of magnitudes at three resolutions (Yamamoto et al. 2020): spectral convergence and log magnitude.

    Returns
    -------
    float
        Mean over the resolutions of the norm of the difference over the norm, plus the mean difference of the
        natural logarithms.
    """
    total = 0.0
    for n_fft, hop, width in _RESOLUTIONS:
        y, p = (np.abs(_stft(x, n_fft, hop, width)) for x in (reference, prediction))
        y, p = np.maximum(y, 1e-4), np.maximum(p, 1e-4)
        convergence = np.linalg.norm(p - y) / np.linalg.norm(y)
        total += float(convergence + np.mean(np.abs(np.log(y) - np.log(p))))
    return total / len(_RESOLUTIONS)


def itd_us(sound: Sound, rate: int) -> tuple[Sound, Sound]:
    """Time by which the left ear is earlier, in frames of 85 ms: the peak of the cross-correlation's phase transform.

    Parameters
    ----------
    sound : ndarray, shape (2, n_samples)
        Both ears.
    rate : int
        Sampling rate [Hz].

    Returns
    -------
    itd : ndarray, shape (n_frames,)
        Between -1000 and 1000 [us], from 100 Hz to 1.5 kHz.
    energy : ndarray, shape (n_frames,)
        Of the frames in this band.
    """
    frames = _frames(sound, rate)
    n = frames.shape[-1]
    spectra = np.fft.rfft(frames * np.hanning(n), 2 * n)
    hz = np.fft.rfftfreq(2 * n, 1.0 / rate)
    band = ((hz >= _ITD_BAND_HZ[0]) & (hz <= _ITD_BAND_HZ[1])).astype(np.float64)
    cross = spectra[1] * spectra[0].conj() * band
    # bins without sound have no say
    size = np.abs(cross)
    cross /= np.maximum(size, 1e-3 * size.max(axis=-1, keepdims=True) + 1e-30)
    wide = np.fft.irfft(cross, 2 * n * _OVERSAMPLING)
    reach = int(_LARGEST_ITD_S * rate * _OVERSAMPLING)
    wide = np.concatenate([wide[:, -reach:], wide[:, : reach + 1]], axis=1)
    energy = (np.abs(spectra) ** 2 * band).sum(axis=(0, 2))
    return (wide.argmax(axis=1) - reach) * (1e6 / (rate * _OVERSAMPLING)), energy


def itd_error_us(reference: Sound, prediction: Sound, rate: int = 48_000) -> float:
    """Mean difference of the interaural time over the frames within 40 dB of the reference's loudest [us]."""
    wanted, energy = itd_us(reference, rate)
    found, _ = itd_us(prediction, rate)
    loud = energy > energy.max() * 10.0 ** (_FRAME_GATE_DB / 10.0)
    return float(np.mean(np.abs(found - wanted)[loud]))


def ild_db(sound: Sound, rate: int) -> tuple[Sound, Sound]:
    """Level differences, left over right, in 32 auditory bands from 200 Hz to 16 kHz.

    Returns
    -------
    ild : ndarray, shape (n_bands, n_frames)
        Differences [dB].
    energy : ndarray, shape (n_bands, n_frames)
        Energy of both ears.
    """
    power = np.abs(_spectra(sound, rate)) ** 2
    weights = _bands(rate)
    left, right = weights @ power[0], weights @ power[1]
    return 10.0 * np.log10(np.maximum(left, 1e-14) / np.maximum(right, 1e-14)), left + right


def ild_error_db(reference: Sound, prediction: Sound, rate: int = 48_000) -> float:
    """Mean difference of the interaural level over bands and frames within 50 dB of the reference's loudest [dB]."""
    wanted, energy = ild_db(reference, rate)
    found, _ = ild_db(prediction, rate)
    loud = energy > energy.max() * 10.0 ** (_BAND_GATE_DB / 10.0)
    return float(np.mean(np.abs(found - wanted)[loud]))


def ipd_error_rad(reference: Sound, prediction: Sound, rate: int = 48_000) -> float:
    """Difference of the interaural phase below 1.5 kHz, weighted with the reference's energy [rad]."""
    y, p = _spectra(reference, rate), _spectra(prediction, rate)
    low = np.arange(y.shape[1]) * rate / _N_FFT < _ITD_BAND_HZ[1]
    wanted, found = (x[0, low] * x[1, low].conj() for x in (y, p))
    weight = np.abs(y[:, low]).prod(axis=0)
    return float((np.abs(np.angle(found * wanted.conj())) * weight).sum() / max(weight.sum(), 1e-30))


def iacc(sound: Sound, rate: int) -> tuple[Sound, Sound]:
    """Interaural cross-correlation: the greatest within 1 ms, in octaves from 500 Hz to 4 kHz and frames of 85 ms.

    Returns
    -------
    iacc : ndarray, shape (4, n_frames)
        0 to 1.
    energy : ndarray, shape (4, n_frames)
        Energy of both ears.
    """
    frames = _frames(sound, rate)
    n = frames.shape[-1]
    spectra = np.fft.rfft(frames * np.hanning(n), 2 * n)
    hz = np.maximum(np.fft.rfftfreq(2 * n, 1.0 / rate), 1.0)
    reach = int(_LARGEST_ITD_S * rate)
    found, energies = [], []
    for centre in _OCTAVES_HZ:
        band = spectra * (np.abs(np.log2(hz / centre)) <= 0.5)
        power = (np.abs(band) ** 2).sum(axis=-1)
        # the correlation at all lags, over the length of the transform
        lags = np.fft.irfft(band[0] * band[1].conj(), 2 * n) * n
        near = np.concatenate([lags[:, -reach:], lags[:, : reach + 1]], axis=1)
        found.append(np.abs(near).max(axis=1) / np.maximum(np.sqrt(power[0] * power[1]), 1e-30))
        energies.append(power.sum(axis=0))
    return np.minimum(np.stack(found), 1.0), np.stack(energies)


def iacc_error(reference: Sound, prediction: Sound, rate: int = 48_000) -> float:
    """Mean difference of the interaural cross-correlation where an octave is within 40 dB of its loudest frame."""
    wanted, energy = iacc(reference, rate)
    found, _ = iacc(prediction, rate)
    loud = energy > energy.max(axis=1, keepdims=True) * 10.0 ** (_FRAME_GATE_DB / 10.0)
    return float(np.mean(np.abs(found - wanted)[loud]))


METRICS: dict[str, Callable[[Sound, Sound, int], float]] = {
    "wave L2 x1e3": wave_l2,
    "amplitude L2": amplitude_l2,
    "phase L2": phase_l2,
    "MRSTFT": mrstft,
    "ITD, µs": itd_error_us,
    "ILD, dB": ild_error_db,
    "IPD, rad": ipd_error_rad,
    "IACC": iacc_error,
}
"""All metrics, by the name of their column; less is better."""


def measured(reference: NDArray[np.floating], prediction: NDArray[np.floating], rate: int) -> dict[str, float]:
    """Compute all metrics of a pair, at the common level.

    Parameters
    ----------
    reference, prediction : ndarray, shape (2, n_samples)
        Renderings of the same sound.
    rate : int
        Sampling rate [Hz].

    Returns
    -------
    dict of str to float
    """
    wanted, found = levelled(reference.astype(np.float64), prediction.astype(np.float64))
    return {name: metric(wanted, found, rate) for name, metric in METRICS.items()}


def _spectra(sound: Sound, rate: int) -> NDArray[np.complex128]:
    return _stft(sound, _N_FFT, round(_HOP_S * rate), round(_WINDOW_S * rate))


def _stft(sound: Sound, n_fft: int, hop: int, width: int) -> NDArray[np.complex128]:
    """Spectra of centred frames, reflected at the ends, shape (n_channels, n_bins, n_frames)."""
    window = np.zeros(n_fft)
    start = (n_fft - width) // 2
    window[start : start + width] = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(width) / width)
    padded = np.pad(sound, ((0, 0), (n_fft // 2, n_fft // 2)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=1)[:, ::hop]
    return np.fft.rfft(frames * window).transpose(0, 2, 1)


def _frames(sound: Sound, rate: int) -> Sound:
    """Frames of 85 ms, each half over the next, shape (2, n_frames, n)."""
    n = min(round(_FRAME_S * rate), sound.shape[1])
    return np.lib.stride_tricks.sliding_window_view(sound, n, axis=1)[:, :: max(n // 2, 1)]


def _bands(rate: int) -> Sound:
    """Triangles over the auditory scale (Glasberg & Moore 1990), shape (n_bands, n_bins)."""

    def number(hz: Sound) -> Sound:
        return 21.4 * np.log10(4.37e-3 * hz + 1.0)

    low, high = number(np.array(_ILD_BAND_HZ))
    centres = np.linspace(low, high, _N_BANDS)
    apart = np.abs(number(np.arange(_N_FFT // 2 + 1) * rate / _N_FFT) - centres[:, None])
    return np.maximum(1.0 - apart / (centres[1] - centres[0]), 0.0)
