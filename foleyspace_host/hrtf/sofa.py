"""Measured head-related impulse responses as they stand in a SOFA file (AES69)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import HrtfInvalid
from foleyspace_host.hrtf.ears import left_receiver
from foleyspace_host.hrtf.netcdf import SofaFile, open_sofa
from foleyspace_host.hrtf.positions import cartesian, choose_shell, frame_axes, merge_repeats

__all__ = ["MIN_DIRECTIONS", "MeasuredHrirs", "read_sofa"]

MIN_DIRECTIONS = 4
"""A closed mesh of triangles needs four directions that do not lie in one plane."""

_CONVENTIONS = ("SimpleFreeFieldHRIR", "FreeFieldHRIR", "GeneralFIR", "GeneralFIR-E")
_CURE = "use a SOFA file of the SimpleFreeFieldHRIR convention"
_INTACT = "use an intact file"
_ABSURD = 1e15  # what was never written reads as 9.97e36
_DEAD_EAR_DB = -60.0
_LONGEST_DELAY_S = 0.1
_TAPS = (8, 65_536)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeasuredHrirs:
    """Impulse responses of both ears for a set of directions.

    Parameters
    ----------
    unit : ndarray, float64, shape (n_directions, 3)
        Distinct directions in the listener's frame (x front, y left, z up).
    hrirs : ndarray, float32, shape (n_directions, 2, n_taps)
        Responses, left ear first.
    delay_samples : ndarray, float64, shape (n_directions, 2)
        Travel time that was taken out of the responses (``Data.Delay``) [samples].
    sample_rate_hz : int
        Sampling rate [Hz].
    name : str
        Title, database and listener, or the file's name, for people.
    convention : str
        ``SOFAConventions`` of the file.
    n_measurements : int
        Measurements in the file, of all distances and with repeats.
    radii_m : tuple of float
        Distances in the file [m].
    radius_m : float
        The distance that was taken [m].
    notes : tuple of str
        What was found odd in the file and how it was understood.
    """

    unit: Floats
    hrirs: NDArray[np.float32]
    delay_samples: Floats
    sample_rate_hz: int
    name: str
    convention: str = "SimpleFreeFieldHRIR"
    n_measurements: int = 0
    radii_m: tuple[float, ...] = ()
    radius_m: float = float("nan")
    notes: tuple[str, ...] = ()


def read_sofa(path: Path) -> MeasuredHrirs:
    """Read and check a SOFA file.

    Of several distances one is taken (see `choose_shell`), since distance is rendered apart. Directions that
    repeat are averaged. The responses decide which receiver is the left ear where they are clear about it
    (see `left_receiver`). Measurements of which an ear is silent are left out.

    Parameters
    ----------
    path : Path
        SOFA file with finite impulse responses of two receivers: SimpleFreeFieldHRIR, FreeFieldHRIR,
        GeneralFIR or GeneralFIR-E.

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
    with open_sofa(path) as sofa:
        convention = sofa.attribute("SOFAConventions") or "unknown"
        if sofa.attribute("DataType") not in ("FIR", "FIR-E", "FIRE") or convention not in _CONVENTIONS:
            raise HrtfInvalid(
                f"convention {convention} holds no head-related impulse responses", where=where, cure=_CURE
            )
        hrirs = _responses(sofa, where)
        rate = _sampling_rate(sofa, where)
        delay = _delays(sofa, hrirs.shape, where)
        unit, radius_m, receiver_left_m = _directions(sofa, hrirs.shape, where)
        name = _name(sofa, path)
    n_measurements = hrirs.shape[0] * hrirs.shape[3]
    hrirs = np.moveaxis(hrirs, 3, 1).reshape(n_measurements, 2, -1)
    delay = np.moveaxis(delay, 2, 1).reshape(n_measurements, 2)

    notes = []
    sounding = _sounding(hrirs, where)
    if not sounding.all():
        notes.append(f"{(~sounding).sum()} measurements are silent and left out")
        unit, radius_m, hrirs, delay = unit[sounding], radius_m[sounding], hrirs[sounding], delay[sounding]
    shells = choose_shell(unit, radius_m)
    if len(shells.chosen) < len(unit):
        unit, hrirs, delay = unit[shells.chosen], hrirs[shells.chosen], delay[shells.chosen]
    n_used = len(unit)
    unit, hrirs, delay = merge_repeats(unit, hrirs, delay)
    if len(unit) < n_used:
        notes.append(f"{n_used - len(unit)} measurements repeat a direction and are averaged")
    if len(unit) < MIN_DIRECTIONS or np.linalg.matrix_rank(unit - unit.mean(axis=0), tol=1e-3) < 3:
        raise HrtfInvalid(
            f"{len(unit)} directions do not surround the listener", where=where, cure="use a set measured on a sphere"
        )
    if np.ptp(delay) > _LONGEST_DELAY_S * rate:
        raise HrtfInvalid("delays differ by more than 100 ms", where=where, cure=_INTACT)
    left, contradicted = left_receiver(unit, hrirs, delay, receiver_left_m)
    if contradicted:
        notes.append("the positions of the receivers are swapped: the responses show which ear is the left one")
    if left == 1:
        hrirs, delay = np.ascontiguousarray(hrirs[:, ::-1]), np.ascontiguousarray(delay[:, ::-1])
    return MeasuredHrirs(
        unit, hrirs, delay, rate, name, convention, n_measurements, shells.radii_m, shells.radius_m, tuple(notes)
    )


def _responses(sofa: SofaFile, where: str) -> NDArray[np.float32]:
    """Responses as (measurements, receivers, taps, emitters)."""
    values = sofa.values("Data.IR", "MRNE", np.float32)
    if values is None or values.size == 0:
        raise HrtfInvalid("there are no impulse responses in the file", where=where, cure=_CURE)
    if values.shape[1] != 2:
        raise HrtfInvalid(f"data of {values.shape[1]} receivers are not two ears", where=where, cure=_CURE)
    if not _TAPS[0] <= values.shape[2] <= _TAPS[1]:
        raise HrtfInvalid(f"responses of {values.shape[2]} samples are not usable", where=where, cure=_CURE)
    # the sum is not finite if any sample is not, and needs no array of its own
    if not (np.isfinite(values.sum(dtype=np.float64)) and max(values.max(), -values.min()) < _ABSURD):
        raise HrtfInvalid("the impulse responses hold NaN or infinite samples", where=where, cure=_INTACT)
    return values


def _sampling_rate(sofa: SofaFile, where: str) -> int:
    values = sofa.values("Data.SamplingRate", "M")
    rates = np.unique(values) if values is not None else np.zeros(1)
    if len(rates) != 1 or not (8000.0 <= rates[0] <= 384_000.0 and rates[0] == round(rates[0])):
        listed = ", ".join(f"{rate:g}" for rate in rates[:4])
        raise HrtfInvalid(f"a sampling rate of {listed} Hz is not usable", where=where, cure="use 8 to 384 kHz")
    return round(float(rates[0]))


def _delays(sofa: SofaFile, shape: tuple[int, ...], where: str) -> Floats:
    """Delays as (measurements, receivers, emitters) [samples]; none means zero."""
    wanted = (shape[0], shape[1], shape[3])
    values = sofa.values("Data.Delay", "MRE")
    if values is None:
        return np.zeros(wanted)
    if any(have not in (1, want) for have, want in zip(values.shape, wanted, strict=True)):
        raise HrtfInvalid(f"delays of shape {values.shape} do not fit the responses", where=where, cure=_INTACT)
    if not (np.abs(values) < _ABSURD).all():
        raise HrtfInvalid("positions or delays are not finite", where=where, cure=_INTACT)
    return np.array(np.broadcast_to(values, wanted))


def _directions(sofa: SofaFile, shape: tuple[int, ...], where: str) -> tuple[Floats, Floats, tuple[float, float]]:
    """Return directions and distances as the listener sees them, and how far left the receivers are [m]."""
    n_measurements, n_emitters = shape[0], shape[3]
    missing = np.zeros((1, 3))
    source = _vectors(sofa, "SourcePosition", n_measurements, where)
    if source is None:
        raise HrtfInvalid("there are no source positions in the file", where=where, cure=_CURE)
    listener = _vectors(sofa, "ListenerPosition", n_measurements, where)
    relative = source - (missing if listener is None else listener)
    if n_emitters > 1:  # a loudspeaker array: each emitter is a source of its own
        emitter = _vectors(sofa, "EmitterPosition", n_emitters, where)
        if emitter is None or len(emitter) != n_emitters:
            raise HrtfInvalid(f"{n_emitters} emitters lack positions", where=where, cure=_CURE)
        axes = _axes(sofa, "Source", n_measurements, where)
        relative = relative[:, None] + np.einsum("ec,mcd->med", emitter, axes)
    else:
        relative = relative[:, None]
    axes = _axes(sofa, "Listener", n_measurements, where)
    vectors = np.broadcast_to(np.einsum("med,mcd->mec", relative, axes), (n_measurements, n_emitters, 3)).reshape(-1, 3)
    radius_m = np.linalg.norm(vectors, axis=1)
    if not radius_m.min() > 0.0:
        raise HrtfInvalid("a source stands in the middle of the head", where=where, cure=_INTACT)
    receiver = _vectors(sofa, "ReceiverPosition", 2, where)
    left_m = (0.0, 0.0) if receiver is None or len(receiver) != 2 else (float(receiver[0, 1]), float(receiver[1, 1]))
    return vectors / radius_m[:, None], radius_m, left_m


def _axes(sofa: SofaFile, body: str, n_measurements: int, where: str) -> Floats:
    view = _vectors(sofa, f"{body}View", n_measurements, where)
    up = _vectors(sofa, f"{body}Up", n_measurements, where, same_kind_as=f"{body}View")
    view = np.array([[1.0, 0.0, 0.0]]) if view is None else view
    axes = frame_axes(view, np.array([[0.0, 0.0, 1.0]]) if up is None else up)
    if axes is None:
        raise HrtfInvalid(f"the {body.lower()}'s view and up are parallel or missing", where=where, cure=_CURE)
    return np.broadcast_to(axes, (n_measurements, 3, 3)) if len(axes) == 1 else axes


def _vectors(sofa: SofaFile, name: str, n: int, where: str, same_kind_as: str | None = None) -> Floats | None:
    """Cartesian coordinates, shape (n or 1, 3); None if the file has none."""
    values = sofa.positions(name)
    if values is None:
        return None
    if values.shape[1] != 3 or len(values) not in (1, n):
        raise HrtfInvalid(f"{name} of shape {values.shape} for {n} places", where=where, cure=_CURE)
    if not (np.abs(values) < _ABSURD).all():
        raise HrtfInvalid("positions or delays are not finite", where=where, cure=_INTACT)
    # the standard gives Up no type of its own
    kind = sofa.attribute("Type", name) or (sofa.attribute("Type", same_kind_as) if same_kind_as else "")
    units = sofa.attribute("Units", name) or (sofa.attribute("Units", same_kind_as) if same_kind_as else "")
    if "harmonics" in kind.lower():
        raise HrtfInvalid(f"{name} in spherical harmonics is not supported", where=where, cure=_CURE)
    if not kind:
        kind = "spherical" if "deg" in units.lower() else "cartesian"
    return cartesian(values, kind, units)


def _sounding(hrirs: NDArray[np.float32], where: str) -> NDArray[np.bool_]:
    """Measurements of which both ears hold sound."""
    power = np.einsum("den,den->de", hrirs, hrirs).astype(np.float64)
    total = power.sum(axis=0)
    if not total.min() > 10.0 ** (_DEAD_EAR_DB / 10.0) * total.max():
        raise HrtfInvalid("one ear is silent in every direction", where=where, cure=_INTACT)
    return np.asarray((power > 0.0).all(axis=1))


def _name(sofa: SofaFile, path: Path) -> str:
    parts = [sofa.attribute(name).strip() for name in ("Title", "DatabaseName", "ListenerShortName")]
    return ", ".join(dict.fromkeys(part for part in parts if part)) or path.stem
