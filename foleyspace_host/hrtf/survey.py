"""What a SOFA file holds, in numbers and curves, for people who choose a set or wonder how it sounds."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.frames import angles_to_unit, unit_to_angles
from foleyspace_host.hrtf.mesh import locate
from foleyspace_host.hrtf.prepare import DEFAULT_SOFA, load_hrtf
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.refine import lattice, typical_spacing_rad
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa

__all__ = ["Curves", "Survey", "survey"]

Floats = NDArray[np.float64]

_LATTICE_POINTS = 40_000  # 1 degree apart
_LEVEL_DEG = 7.0  # measurements so near to the horizontal plane are shown beside its curve
_HEAT_N_FFT = 4096


@dataclass(frozen=True, slots=True)
class Survey:
    """Facts about a set.

    Parameters
    ----------
    file : str
        Path of the SOFA file.
    name : str
        Title, database and listener.
    convention : str
        SOFA convention.
    n_measurements, n_directions : int
        Measurements in the file, and distinct directions that are used.
    radii_m : tuple of float
        Distances of measurement [m].
    radius_m : float
        The distance that is used [m].
    sample_rate_hz : int
        Sampling rate of the file [Hz].
    n_taps : int
        Length of its responses [samples].
    elevation_deg : tuple of float
        Lowest and highest elevation [deg].
    spacing_deg : float
        Median angle between neighbouring directions [deg].
    hole_deg : float
        Largest angle from any direction to the nearest measured one [deg].
    hole_at_deg : tuple of float
        Azimuth and elevation of the middle of that hole [deg].
    delays_ms : tuple of float
        Smallest and largest delay stored apart from the responses (``Data.Delay``) [ms].
    onset_estimator : str
        How the travel times inside the responses are found.
    itd_max_us : float
        Largest interaural time difference [us].
    itd_max_at_deg : tuple of float
        Azimuth and elevation of its direction [deg].
    level_db : float
        Diffuse-field level as measured, which rendering brings to 0 dB [dB].
    notes : tuple of str
        What was odd in the file and how it was understood.
    """

    file: str
    name: str
    convention: str
    n_measurements: int
    n_directions: int
    radii_m: tuple[float, ...]
    radius_m: float
    sample_rate_hz: int
    n_taps: int
    elevation_deg: tuple[float, float]
    spacing_deg: float
    hole_deg: float
    hole_at_deg: tuple[float, float]
    delays_ms: tuple[float, float]
    onset_estimator: str
    itd_max_us: float
    itd_max_at_deg: tuple[float, float]
    level_db: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """What the picture shows.

    Parameters
    ----------
    unit : ndarray, shape (n_directions, 3)
        Measured directions.
    azimuth_deg : ndarray, shape (n_azimuths,)
        Azimuths in the horizontal plane, 180 (behind) over 90 (left) and 0 to -180 [deg].
    itd_us : ndarray, shape (n_azimuths,)
        Interaural time difference there, as rendered [us].
    measured_azimuth_deg, measured_itd_us : ndarray, shape (n,)
        The same of measurements near the horizontal plane.
    frequency_hz : ndarray, shape (n_bins,)
        Frequencies [Hz].
    level_db : ndarray, shape (n_azimuths, n_bins)
        Magnitude response of the left ear re the diffuse field [dB].
    """

    unit: Floats
    azimuth_deg: Floats
    itd_us: Floats
    measured_azimuth_deg: Floats
    measured_itd_us: Floats
    frequency_hz: Floats
    level_db: Floats


def survey(path: Path | str | None) -> tuple[Survey, Curves]:
    """Look at a set of responses.

    Parameters
    ----------
    path : path-like or None
        SOFA file; None for the set that ships.

    Returns
    -------
    survey : Survey
    curves : Curves

    Raises
    ------
    HrtfInvalid
        If the file cannot be used; see `read_sofa`.
    """
    if path is None:
        with as_file(files("foleyspace_host.hrtf") / "assets" / DEFAULT_SOFA) as file:
            return survey(file)
    measured = read_sofa(Path(path))
    hrtf = load_hrtf(path, measured.sample_rate_hz)
    itd_us = _itd_us(hrtf.delay_samples[: len(measured.unit)], hrtf)
    azimuth, elevation = unit_to_angles(measured.unit)
    side = int(np.argmax(np.abs(itd_us)))
    hole_deg, hole_at_deg = _largest_hole(measured.unit)
    delay_ms = 1e3 * measured.delay_samples / measured.sample_rate_hz
    facts = Survey(
        file=str(path),
        name=measured.name,
        convention=measured.convention,
        n_measurements=measured.n_measurements,
        n_directions=len(measured.unit),
        radii_m=measured.radii_m,
        radius_m=measured.radius_m,
        sample_rate_hz=measured.sample_rate_hz,
        n_taps=measured.hrirs.shape[-1],
        elevation_deg=(float(elevation.min()), float(elevation.max())),
        spacing_deg=float(np.degrees(typical_spacing_rad(measured.unit))),
        hole_deg=hole_deg,
        hole_at_deg=hole_at_deg,
        delays_ms=(float(delay_ms.min()), float(delay_ms.max())),
        onset_estimator=hrtf.onset_estimator,
        itd_max_us=float(np.abs(itd_us[side])),
        itd_max_at_deg=(float(azimuth[side]), float(elevation[side])),
        level_db=-hrtf.gain_db,
        notes=measured.notes,
    )
    return facts, _curves(measured, hrtf, azimuth, elevation, itd_us)


def _curves(measured: MeasuredHrirs, hrtf: Hrtf, azimuth: Floats, elevation: Floats, itd_us: Floats) -> Curves:
    from scipy import fft

    around = np.linspace(180.0, -180.0, 361)
    vertex, weight = _blend(hrtf, angles_to_unit(around, np.zeros_like(around)))
    responses = np.einsum("qk,qkn->qn", weight, hrtf.responses[vertex, 0])
    n_fft = max(_HEAT_N_FFT, fft.next_fast_len(hrtf.n_taps, real=True))
    level = 20.0 * np.log10(np.maximum(np.abs(fft.rfft(responses, n_fft)), 1e-6))
    near = np.abs(elevation) < _LEVEL_DEG
    return Curves(
        unit=measured.unit,
        azimuth_deg=around,
        itd_us=_itd_us(np.einsum("qk,qke->qe", weight, hrtf.delay_samples[vertex]), hrtf),
        measured_azimuth_deg=azimuth[near],
        measured_itd_us=itd_us[near],
        frequency_hz=np.arange(n_fft // 2 + 1) * (hrtf.sample_rate_hz / n_fft),
        level_db=level.astype(np.float64),
    )


def _blend(hrtf: Hrtf, wanted: Floats) -> tuple[NDArray[np.int32], Floats]:
    triangle, weight = np.empty(len(wanted), np.int32), np.empty((len(wanted), 3), np.float32)
    mesh = hrtf.mesh
    locate(np.ascontiguousarray(wanted), 0, mesh.triangles, mesh.neighbours, mesh.inverse, triangle, weight)
    return mesh.triangles[triangle], weight.astype(np.float64)


def _itd_us(delay_samples: Floats, hrtf: Hrtf) -> Floats:
    itd: Floats = (delay_samples[:, 1] - delay_samples[:, 0]) * (1e6 / hrtf.sample_rate_hz)
    return itd


def _largest_hole(unit: Floats) -> tuple[float, tuple[float, float]]:
    from scipy.spatial import cKDTree

    everywhere = lattice(_LATTICE_POINTS)
    chord = cKDTree(unit).query(everywhere)[0]
    middle = int(chord.argmax())
    azimuth, elevation = unit_to_angles(everywhere[middle])
    return float(np.degrees(2.0 * np.arcsin(min(chord[middle] / 2.0, 1.0)))), (float(azimuth), float(elevation))
