"""Measured head-related impulse responses as they stand in a SOFA file (AES69)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import HrtfInvalid
from foleyspace_host.geometry.frames import angles_to_unit

__all__ = ["MIN_DIRECTIONS", "MeasuredHrirs", "read_sofa"]

MIN_DIRECTIONS = 4
"""A closed mesh of triangles needs four directions that do not lie in one plane."""

_CONVENTIONS = ("SimpleFreeFieldHRIR", "GeneralFIR", "GeneralFIR-E", "SimpleFreeFieldHRSOS")
_CURE = "use a SOFA file of the SimpleFreeFieldHRIR convention"


@dataclass(frozen=True, slots=True)
class MeasuredHrirs:
    """Impulse responses of both ears for a set of directions.

    Parameters
    ----------
    unit : ndarray, float64, shape (n_directions, 3)
        Directions in the listener's frame (x front, y left, z up).
    hrirs : ndarray, float64, shape (n_directions, 2, n_taps)
        Responses, left ear first.
    delay_samples : ndarray, float64, shape (n_directions, 2)
        Travel time that was taken out of the responses (``Data.Delay``) [samples].
    sample_rate_hz : int
        Sampling rate [Hz].
    name : str
        Title or file name, for people.
    """

    unit: NDArray[np.float64]
    hrirs: NDArray[np.float64]
    delay_samples: NDArray[np.float64]
    sample_rate_hz: int
    name: str


def read_sofa(path: Path) -> MeasuredHrirs:
    """Read and check a SOFA file.

    Of several radii the one nearest to the largest is taken, since distance is rendered apart; directions
    that repeat are averaged.

    Parameters
    ----------
    path : Path
        SOFA file of the convention SimpleFreeFieldHRIR or of its general form with FIR data.

    Returns
    -------
    MeasuredHrirs

    Raises
    ------
    HrtfInvalid
        If the file is missing, damaged, of another convention, not finite, silent at an ear, or holds
        fewer than four directions.
    """
    where = str(path)
    sofa = _open(path)
    convention = str(getattr(sofa, "GLOBAL_SOFAConventions", "unknown"))
    if getattr(sofa, "GLOBAL_DataType", "") not in ("FIR", "FIR-E") or convention not in _CONVENTIONS:
        raise HrtfInvalid(f"convention {convention} holds no head-related impulse responses", where=where, cure=_CURE)
    hrirs = np.atleast_3d(np.asarray(sofa.Data_IR, dtype=np.float64))
    if hrirs.ndim != 3 or hrirs.shape[1] != 2:
        raise HrtfInvalid(f"data of shape {hrirs.shape} are not two ears", where=where, cure=_CURE)
    if not np.isfinite(hrirs).all():
        raise HrtfInvalid("the impulse responses hold NaN or infinite samples", where=where, cure="use an intact file")
    if not (np.abs(hrirs).max(axis=(0, 2)) > 0.0).all():
        raise HrtfInvalid("one ear is silent in every direction", where=where, cure="use an intact file")
    rate = float(np.ravel(sofa.Data_SamplingRate)[0])
    if not (np.isfinite(rate) and 8000.0 <= rate <= 384_000.0 and rate == round(rate)):
        raise HrtfInvalid(f"a sampling rate of {rate} Hz is not usable", where=where, cure="use 8 to 384 kHz")
    delay = np.broadcast_to(np.atleast_2d(np.asarray(sofa.Data_Delay, dtype=np.float64)), hrirs.shape[:2])
    unit, radius_m = _directions(sofa, len(hrirs), where)
    if not (np.isfinite(delay).all() and np.isfinite(unit).all() and np.isfinite(radius_m).all()):
        raise HrtfInvalid("positions or delays are not finite", where=where, cure="use an intact file")
    keep = np.abs(radius_m - radius_m.max()) < 0.01 + 0.01 * radius_m.max()
    unit, hrirs, delay = _merge_repeats(unit[keep], hrirs[keep], np.array(delay)[keep])
    if len(unit) < MIN_DIRECTIONS or np.linalg.matrix_rank(unit - unit.mean(axis=0), tol=1e-3) < 3:
        raise HrtfInvalid(
            f"{len(unit)} directions do not surround the listener",
            where=where,
            cure="use a set measured on a sphere",
        )
    name = str(getattr(sofa, "GLOBAL_Title", "") or path.stem)
    return MeasuredHrirs(unit, hrirs, delay, round(rate), name)


def _open(path: Path) -> Any:
    import sofar

    if not path.is_file():
        raise HrtfInvalid("there is no such file", where=str(path), cure="check the path of the SOFA file")
    try:
        with warnings.catch_warnings():  # about preliminary conventions, which do not concern users
            warnings.simplefilter("ignore")
            return sofar.read_sofa(str(path), verify=False, verbose=False)
    except Exception as error:  # netCDF, HDF5 and sofar raise OSError, ValueError, KeyError, AttributeError ...
        raise HrtfInvalid("not a readable SOFA file", where=str(path), cure="copy or download it again") from error


def _directions(sofa: Any, n_measurements: int, where: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return unit vectors and radii of the sources as the listener sees them."""
    position = np.atleast_2d(np.asarray(sofa.SourcePosition, dtype=np.float64))
    if position.shape[1] != 3 or len(position) not in (1, n_measurements):
        raise HrtfInvalid(
            f"{len(position)} source positions for {n_measurements} measurements", where=where, cure=_CURE
        )
    vectors = np.broadcast_to(_cartesian(position, sofa.SourcePosition_Type), (n_measurements, 3))
    listener = np.atleast_2d(np.asarray(getattr(sofa, "ListenerPosition", [[0.0, 0.0, 0.0]]), dtype=np.float64))
    vectors = vectors - _cartesian(listener, getattr(sofa, "ListenerPosition_Type", "cartesian"))
    radius_m = np.linalg.norm(vectors, axis=1)
    if (radius_m == 0).any():
        raise HrtfInvalid("a source stands in the middle of the head", where=where, cure="use an intact file")
    view_type = getattr(sofa, "ListenerView_Type", "cartesian")
    view = _cartesian(np.atleast_2d(np.asarray(getattr(sofa, "ListenerView", [[1, 0, 0]]), float)), view_type)
    up = _cartesian(np.atleast_2d(np.asarray(getattr(sofa, "ListenerUp", [[0, 0, 1]]), float)), view_type)
    left = np.cross(up, view)
    lengths = [np.linalg.norm(axis, axis=1, keepdims=True) for axis in (view, left)]
    if min(float(length.min()) for length in lengths) < 1e-6:
        raise HrtfInvalid("the listener's view and up are parallel or missing", where=where, cure=_CURE)
    view, left = view / lengths[0], left / lengths[1]
    axes = [view, left, np.cross(view, left)]
    local = np.stack([(vectors * axis).sum(axis=1) for axis in axes], axis=1)
    return local / radius_m[:, None], radius_m


def _cartesian(position: NDArray[np.float64], kind: object) -> NDArray[np.float64]:
    if str(kind).lower().startswith("spherical"):
        return angles_to_unit(position[:, 0], position[:, 1]) * position[:, 2:3]
    return position


def _merge_repeats(
    unit: NDArray[np.float64], hrirs: NDArray[np.float64], delay: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Average measurements of one direction (poles are often measured at every azimuth)."""
    _, first, group = np.unique(np.round(unit, 5) + 0.0, axis=0, return_index=True, return_inverse=True)
    if len(first) == len(unit):
        return unit, hrirs, delay
    group = group.reshape(-1)
    order = np.argsort(first)  # keep the file's order
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    group, count = rank[group], np.bincount(rank[group])
    merged = []
    for values in (unit, hrirs, delay):
        total = np.zeros((len(first), *values.shape[1:]))
        np.add.at(total, group, values)
        merged.append(total / count.reshape(-1, *[1] * (values.ndim - 1)))
    merged[0] /= np.linalg.norm(merged[0], axis=1, keepdims=True)
    return merged[0], merged[1], merged[2]
