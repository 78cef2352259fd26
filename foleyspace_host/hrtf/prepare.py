"""The set of responses that the renderer reads, made from a SOFA file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.cache import load_cached
from foleyspace_host.hrtf.prepared import Hrtf

if TYPE_CHECKING:
    from foleyspace_host.hrtf.align import Alignment
    from foleyspace_host.hrtf.blend import Trend
    from foleyspace_host.hrtf.ear_prior import EarPrior
    from foleyspace_host.hrtf.refine import Stencil
    from foleyspace_host.hrtf.sofa import MeasuredHrirs

__all__ = ["DEFAULT_SOFA", "Hrtf", "load_hrtf", "prepare"]

DEFAULT_SOFA = "MIT_KEMAR_normal_pinna.sofa"
"""File name of the set that ships: a KEMAR manikin, Gardner & Martin, MIT Media Lab 1994."""

_LEVEL_BAND_HZ = (100.0, 16_000.0)
_LARGEST_BYTES = 256 << 20


def prepare(
    measured: MeasuredHrirs, sample_rate_hz: int, ears: EarPrior | Literal["shipped"] | None = "shipped"
) -> Hrtf:
    """Prepare measured responses for rendering.

    Parameters
    ----------
    measured : MeasuredHrirs
        Responses as measured.
    sample_rate_hz : int
        Rate at which will be rendered [Hz]; the responses are resampled once.
    ears : EarPrior, "shipped" or None
        What ears have in common, which helps between directions that are fewer than `FEW_DIRECTIONS`; None to do
        without.

    Returns
    -------
    Hrtf
        At measured directions the response and its travel time are exactly the measured ones.
    """
    # a set from the cache needs none of these
    from foleyspace_host.hrtf.align import Alignment, pre_roll_samples
    from foleyspace_host.hrtf.blend import dense_responses, sounding_taps
    from foleyspace_host.hrtf.ear_prior import shipped_ears
    from foleyspace_host.hrtf.expected import FEW_DIRECTIONS, Expected, ear_traits
    from foleyspace_host.hrtf.head import HeadShadow
    from foleyspace_host.hrtf.onset import best_onsets
    from foleyspace_host.hrtf.refine import MAX_VERTICES, dense_mesh, stencils

    hrirs = np.asarray(measured.hrirs, dtype=np.float32)
    onset, estimator = best_onsets(measured.unit, hrirs, measured.sample_rate_hz)
    plan = Alignment.between(hrirs.shape[-1], float(onset.min()), measured.sample_rate_hz, sample_rate_hz)
    plan = plan.cut_to(sounding_taps(hrirs, plan))
    mesh = dense_mesh(measured.unit, min(MAX_VERTICES, _LARGEST_BYTES // (2 * 4 * plan.n_taps)))
    made = stencils(measured.unit, mesh.unit[len(measured.unit) :])
    frequency_hz = np.arange(plan.n_bins, dtype=np.float64) * (sample_rate_hz / plan.n_fft)
    trend: Trend = HeadShadow(mesh.unit, frequency_hz)
    delay = (onset + measured.delay_samples) * (sample_rate_hz / measured.sample_rate_hz)
    expected_delay = np.zeros((len(mesh.unit), 2))
    if ears is not None and len(measured.unit) < FEW_DIRECTIONS:
        prior = shipped_ears() if ears == "shipped" else ears
        trend = Expected(prior, mesh.unit, ear_traits(measured, onset), made, frequency_hz)
        expected_delay = trend.arrival_us * (sample_rate_hz / 1e6)
    responses, power = dense_responses(hrirs, onset, plan, made, trend, _pink_weights(plan, sample_rate_hz))
    delay = expected_delay + _spread(delay - expected_delay[: len(delay)], made)
    areas = mesh.vertex_areas()
    delay -= np.average(delay.mean(axis=1), weights=areas)
    gain = 1.0 / np.sqrt(np.average(power, weights=areas))
    responses *= np.float32(gain)
    return Hrtf(
        name=measured.name,
        sample_rate_hz=sample_rate_hz,
        mesh=mesh,
        responses=responses,
        delay_samples=delay,
        pre_roll_samples=pre_roll_samples(sample_rate_hz),
        gain_db=float(20.0 * np.log10(gain)),
        onset_estimator=estimator,
    )


def _spread(values: NDArray[np.float64], made: Stencil) -> NDArray[np.float64]:
    """Return values of measured directions, followed by those of the directions made from them."""
    neighbours, weights = made
    return np.concatenate([values, (weights[..., None] * values[neighbours]).sum(axis=1)])


def load_hrtf(path: Path | str | None, sample_rate_hz: int) -> Hrtf:
    """Load a SOFA file, or the KEMAR that ships, ready for rendering.

    Repeated calls share one copy; other processes find the prepared set on disk (see `cache`).

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
    file = Path(__file__).parent / "assets" / DEFAULT_SOFA
    return load_cached(file, sample_rate_hz, lambda: _made(file, sample_rate_hz))


@lru_cache(maxsize=2)
def _load_file(path: Path, changed_ns: int, sample_rate_hz: int) -> Hrtf:  # noqa: ARG001 - part of the key
    if not path.is_file():
        return _made(path, sample_rate_hz)  # which says what is wrong
    return load_cached(path, sample_rate_hz, lambda: _made(path, sample_rate_hz))


def _made(path: Path, sample_rate_hz: int) -> Hrtf:
    from foleyspace_host.hrtf.sofa import read_sofa

    return prepare(read_sofa(path), sample_rate_hz)


def _pink_weights(plan: Alignment, sample_rate_hz: int) -> NDArray[np.float32]:
    """Weights of the bins whose sum with a power spectrum is its mean over the octaves from 100 Hz to 16 kHz."""
    frequency = np.fft.rfftfreq(plan.n_fft, 1.0 / sample_rate_hz)
    top = min(_LEVEL_BAND_HZ[1], 0.45 * sample_rate_hz)
    pink = np.where((frequency >= _LEVEL_BAND_HZ[0]) & (frequency <= top), 1.0 / np.maximum(frequency, 1.0), 0.0)
    return (pink / pink.sum()).astype(np.float32)
