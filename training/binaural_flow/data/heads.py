"""Measured heads: read from an archive or from SOFA files, split, and thinned as a user's own measurements would be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from foleyspace_host.errors import InvalidInput
from foleyspace_host.hrtf.refine import lattice
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa

__all__ = ["VALIDATION", "Head", "read_archive", "read_folder", "split_heads", "thinned", "write_archive"]

VALIDATION = ("CIPIC 018", "CIPIC 058", "CIPIC 124", "CIPIC 155")
"""Heads that no model is trained on. Not 003, whose SOFA file tests use, nor the manikins 021 and 165."""

_LOWEST_Z = -0.72  # sets end 45 degrees below the horizon


@dataclass(frozen=True, slots=True, eq=False)  # identity: what is derived from a head is cached by it
class Head:
    """A listener and their measured responses.

    Parameters
    ----------
    name : str
        Unique.
    measured : MeasuredHrirs
        Responses.
    held_out : bool
        Whether the head is for validation only.
    """

    name: str
    measured: MeasuredHrirs
    held_out: bool = False


def read_archive(path: Path) -> list[Head]:
    """Read heads of one grid of directions from an archive of numpy arrays.

    Parameters
    ----------
    path : Path
        ``.npz`` with ``hrir_int16`` (n_heads, n_directions, 2, n_taps), ``scale``, ``direction`` (n_directions, 3),
        ``sampling_rate_hz``, ``subject`` (n_heads,) and perhaps ``database``.

    Returns
    -------
    list of Head

    Raises
    ------
    InvalidInput
        If it is no such archive.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            hrirs = stored["hrir_int16"]
            scale, rate = float(stored["scale"]), int(stored["sampling_rate_hz"])
            unit, subjects = stored["direction"].astype(np.float64), stored["subject"]
            database = str(stored["database"]) if "database" in stored else "CIPIC"
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise InvalidInput(f"holds no heads ({error})", where=str(path), cure="see training/README.md") from None
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    heads = []
    for subject, one in zip(subjects.tolist(), hrirs, strict=True):
        name = f"{database} {subject:03d}"
        delay = np.zeros(one.shape[:2])
        measured = MeasuredHrirs(unit, one.astype(np.float32) * np.float32(scale), delay, rate, name)
        heads.append(Head(name, measured, name in VALIDATION))
    return heads


def write_archive(path: Path, heads: Sequence[Head], database: str = "CIPIC") -> None:
    """Write heads of one grid of directions, as `read_archive` reads them; names end in the number of the subject."""
    first = heads[0].measured
    if any(not np.array_equal(head.measured.unit, first.unit) for head in heads):
        raise InvalidInput("the heads were measured in different directions", where=str(path))
    hrirs = np.stack([head.measured.hrirs for head in heads])
    scale = float(np.abs(hrirs).max()) / 32_767.0
    np.savez_compressed(
        path,
        hrir_int16=np.round(hrirs / scale).astype(np.int16),
        scale=np.float32(scale),
        direction=first.unit.astype(np.float32),
        sampling_rate_hz=first.sample_rate_hz,
        subject=np.array([int(head.name.split()[-1]) for head in heads]),
        database=database,
    )


def read_folder(folder: Path) -> list[Head]:
    """Read all SOFA files of a folder and those below it; those that are no sets of responses are refused.

    Parameters
    ----------
    folder : Path
        HUTUBS, ARI, SADIE and so on.

    Returns
    -------
    list of Head
        In the order of their paths; none is held out.

    Raises
    ------
    InvalidInput
        If there are none.
    HrtfInvalid
        If a file cannot be used.
    """
    files = sorted(folder.rglob("*.sofa"))
    if not files:
        raise InvalidInput("holds no SOFA files", where=str(folder))
    return [Head(file.relative_to(folder).as_posix(), read_sofa(file)) for file in files]


def split_heads(heads: Sequence[Head], share: float = 0.1) -> list[Head]:
    """Hold out heads where none are yet: those whose names hash lowest.

    Parameters
    ----------
    heads : sequence of Head
        All heads.
    share : float
        Share to hold out, at least one of two or more.

    Returns
    -------
    list of Head
        In the same order.
    """
    if any(head.held_out for head in heads) or len(heads) < 2:
        return list(heads)
    count = max(round(share * len(heads)), 1)
    order = sorted(heads, key=lambda head: hashlib.sha256(head.name.encode()).hexdigest())
    chosen = {head.name for head in order[:count]}
    return [replace(head, held_out=head.name in chosen) for head in heads]


def thinned(measured: MeasuredHrirs, count: int, rng: np.random.Generator) -> MeasuredHrirs:
    """Keep few of the measured directions, spread evenly: what a user measures at home.

    Parameters
    ----------
    measured : MeasuredHrirs
        A dense set.
    count : int
        Directions to keep.
    rng : numpy.random.Generator
        Turns the grid.

    Returns
    -------
    MeasuredHrirs
        With `count` directions, or all if there are fewer.
    """
    if count >= len(measured.unit):
        return measured
    turn = rng.uniform(-np.pi, np.pi)
    spin = np.array([[np.cos(turn), -np.sin(turn), 0.0], [np.sin(turn), np.cos(turn), 0.0], [0.0, 0.0, 1.0]])
    grid = lattice(round(count * 2.0 / (1.0 - _LOWEST_Z))) @ spin.T
    grid = grid[np.argsort(-grid[:, 2], kind="stable")[:count]]
    chosen: list[int] = []
    for wanted in grid:
        order = np.argsort(-(measured.unit @ wanted), kind="stable")
        chosen.append(next(int(index) for index in order if index not in chosen))
    keep = np.sort(chosen)
    return replace(
        measured, unit=measured.unit[keep], hrirs=measured.hrirs[keep], delay_samples=measured.delay_samples[keep]
    )
