"""The set of responses that the renderer reads, made from a SOFA file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.align import PRE_ROLL_SAMPLES, aligned_spectra, resample_responses
from foleyspace_host.hrtf.mesh import DirectionMesh
from foleyspace_host.hrtf.onset import best_onsets
from foleyspace_host.hrtf.refine import dense_mesh, stencils
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa

__all__ = ["DEFAULT_SOFA", "Hrtf", "load_hrtf", "prepare"]

DEFAULT_SOFA = "MIT_KEMAR_normal_pinna.sofa"
"""File name of the set that ships: a KEMAR manikin, Gardner & Martin, MIT Media Lab 1994."""

_LEVEL_BAND_HZ = (100.0, 16_000.0)


@dataclass(frozen=True, slots=True)
class Hrtf:
    """Head-related transfer functions on a dense mesh of directions, at one sampling rate.

    Parameters
    ----------
    name : str
        What was measured, for people.
    sample_rate_hz : int
        Sampling rate [Hz].
    mesh : DirectionMesh
        Directions of the vertices.
    responses : ndarray, float32, shape (n_vertices, 2, n_taps)
        Responses, left ear first, whose onsets all lie at `pre_roll_samples`; scaled so that the power
        averaged over all directions and both ears is 0 dB.
    delay_samples : ndarray, float64, shape (n_vertices, 2)
        Travel time to each ear re the mean over all directions [samples]; the left is the smaller for
        sources on the left.
    pre_roll_samples : int
        Delay inside the responses [samples].
    gain_db : float
        What was added to the measured level to reach 0 dB [dB].
    onset_estimator : str
        How the travel times were found; see `onset`.
    """

    name: str
    sample_rate_hz: int
    mesh: DirectionMesh
    responses: NDArray[np.float32]
    delay_samples: NDArray[np.float64]
    pre_roll_samples: int
    gain_db: float
    onset_estimator: str

    @property
    def n_taps(self) -> int:
        """Length of the responses [samples]."""
        return int(self.responses.shape[-1])

    def spectra(self, n_fft: int) -> NDArray[np.complex64]:
        """Spectra of the responses, shape (n_vertices, 2, n_fft // 2 + 1)."""
        from scipy import fft

        spectra: NDArray[np.complex64] = fft.rfft(self.responses, n_fft)
        return spectra


def prepare(measured: MeasuredHrirs, sample_rate_hz: int) -> Hrtf:
    """Prepare measured responses for rendering.

    Parameters
    ----------
    measured : MeasuredHrirs
        Responses as measured.
    sample_rate_hz : int
        Rate at which will be rendered [Hz]; the responses are resampled once.

    Returns
    -------
    Hrtf
        At measured directions the response and its travel time are exactly the measured ones.
    """
    hrirs = resample_responses(measured.hrirs, measured.sample_rate_hz, sample_rate_hz)
    scale = sample_rate_hz / measured.sample_rate_hz
    onset, estimator = best_onsets(measured.unit, measured.hrirs, measured.sample_rate_hz)
    onset = onset * scale
    mesh = dense_mesh(measured.unit)
    neighbours, weights = stencils(measured.unit, mesh.unit[len(measured.unit) :])

    n_taps = hrirs.shape[-1] + PRE_ROLL_SAMPLES - int(np.floor(onset.min()))
    n_fft = _even_length(n_taps + 4 * PRE_ROLL_SAMPLES)
    spectra = aligned_spectra(hrirs, onset, n_fft)
    responses = np.concatenate([_to_time(spectra, n_taps), _spread(spectra, neighbours, weights, n_taps)])

    measured_delay = onset + measured.delay_samples * scale
    delay = np.concatenate([measured_delay, (weights[..., None] * measured_delay[neighbours]).sum(axis=1)])
    areas = mesh.vertex_areas()
    delay -= np.average(delay.mean(axis=1), weights=areas)
    gain = 1.0 / np.sqrt(_diffuse_power(responses, areas, sample_rate_hz))
    return Hrtf(
        name=measured.name,
        sample_rate_hz=sample_rate_hz,
        mesh=mesh,
        responses=(responses * gain).astype(np.float32),
        delay_samples=delay,
        pre_roll_samples=PRE_ROLL_SAMPLES,
        gain_db=float(20.0 * np.log10(gain)),
        onset_estimator=estimator,
    )


def load_hrtf(path: Path | str | None, sample_rate_hz: int) -> Hrtf:
    """Load a SOFA file, or the KEMAR that ships, ready for rendering; repeated calls share one copy.

    Parameters
    ----------
    path : path-like or None
        SOFA file; None for the default set.
    sample_rate_hz : int
        Rate at which will be rendered [Hz].

    Returns
    -------
    Hrtf

    Raises
    ------
    HrtfInvalid
        If the file cannot be used; see `read_sofa`.
    """
    if path is None:
        return _load_default(sample_rate_hz)
    file = Path(path)
    changed_ns = file.stat().st_mtime_ns if file.is_file() else 0
    return _load_file(file.absolute(), changed_ns, sample_rate_hz)


@lru_cache(maxsize=4)
def _load_default(sample_rate_hz: int) -> Hrtf:
    with as_file(files("foleyspace_host.hrtf") / "assets" / DEFAULT_SOFA) as file:
        return prepare(read_sofa(file), sample_rate_hz)


@lru_cache(maxsize=2)
def _load_file(path: Path, changed_ns: int, sample_rate_hz: int) -> Hrtf:  # noqa: ARG001 - part of the key
    return prepare(read_sofa(path), sample_rate_hz)


def _spread(
    spectra: NDArray[np.complex128],
    neighbours: NDArray[np.int64],
    weights: NDArray[np.float64],
    n_taps: int,
    block: int = 256,
) -> NDArray[np.float32]:
    """Responses of new directions: spline of log-magnitudes, phase of the spline of spectra."""
    log_magnitude = np.log(np.maximum(np.abs(spectra), 1e-9 * np.abs(spectra).max())).astype(np.float32)
    spectra = spectra.astype(np.complex64)
    out = np.empty((len(neighbours), 2, n_taps), dtype=np.float32)
    shape = (-1, 2, spectra.shape[-1])
    flat_spectra, flat_magnitude = spectra.reshape(len(spectra), -1), log_magnitude.reshape(len(spectra), -1)
    for start in range(0, len(neighbours), block):
        part = slice(start, start + block)
        used, local = np.unique(neighbours[part], return_inverse=True)
        matrix = np.zeros((len(neighbours[part]), len(used)), dtype=np.float32)
        np.add.at(
            matrix, (np.arange(len(matrix))[:, None], local.reshape(matrix.shape[0], -1)), weights[part]
        )  # dense rows over the neighbours of a block: one matrix product instead of a gather
        blended = (matrix @ flat_spectra[used]).reshape(shape)
        magnitude = np.exp(matrix @ flat_magnitude[used]).reshape(shape)
        size = np.abs(blended)
        blended *= np.where(size > 0.0, magnitude / np.maximum(size, 1e-30), 0.0)
        out[part] = _to_time(blended, n_taps)
    return out


def _to_time(spectra: NDArray[np.complex128] | NDArray[np.complex64], n_taps: int) -> NDArray[np.float32]:
    from scipy import fft

    return np.asarray(fft.irfft(spectra)[..., :n_taps], dtype=np.float32)


def _diffuse_power(
    responses: NDArray[np.float32], areas: NDArray[np.float64], sample_rate_hz: int, block: int = 512
) -> float:
    """Mean power over the sphere, both ears and the octaves between 100 Hz and 16 kHz (pink weighting)."""
    from scipy import fft

    n_fft = _even_length(responses.shape[-1])
    frequency = np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz)
    top = min(_LEVEL_BAND_HZ[1], 0.45 * sample_rate_hz)
    pink = np.where((frequency >= _LEVEL_BAND_HZ[0]) & (frequency <= top), 1.0 / np.maximum(frequency, 1.0), 0.0)
    total = 0.0
    for start in range(0, len(responses), block):
        power = np.abs(fft.rfft(responses[start : start + block], n_fft)) ** 2
        total += float(areas[start : start + block] @ (power.mean(axis=1) @ pink))
    return total / float(areas.sum() * pink.sum())


def _even_length(n_samples: int) -> int:
    from scipy import fft

    return 2 * int(fft.next_fast_len(-(-n_samples // 2), real=True))
