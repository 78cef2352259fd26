"""What ears have in common, as a prior for the ears of a listener of whom little was measured.

Between fifty measured directions levels and travel times change more than the measurements tell, but much alike for all
listeners. From many ears the mean over them is learnt for each direction, and how what differs between ears goes
together at two directions: partly as it did among the ears that were learnt from, and partly as any two directions so
far apart. Given some measured directions, the most probable value elsewhere follows (Gaussian process regression,
which geologists call kriging: C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine Learning", MIT Press
2006, chapter 2).

A right ear is a left one in the mirror: all directions here are as a left ear hears them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.hrtf.refine import lattice, stencils

__all__ = ["EarPrior", "learn_ears", "on_grid", "shipped_ears"]

_FILE = Path(__file__).parent / "assets" / "ears.npz"
_GRID, _LOWEST_Z = 600, -0.72  # directions, of which those down to 46 degrees below the horizon
_KEPT = 32  # factors of each trait
_ANGLES_DEG = np.arange(0.0, 188.0, 4.0)
_N_TIMES = 5  # the last traits
_N_NEIGHBOURS = 12
_LEAST_SPREAD = 1e-3

# chosen by leaving every fourth of the listeners out who were learnt from, with 50 measurements each
_LEARNT = 0.6  # share of the covariance that is that of the ears that were learnt from
_REACH_DEG = 90.0  # beyond which what went together among them did so by chance
_NOISE = 0.3  # standard deviation of a measurement, re that between ears
_OFFSET_DB, _OFFSET_US = 2.0, 15.0  # by which one of two microphones may differ in each trait

_MIRROR = np.array([1.0, -1.0, 1.0])

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Fields:
    """What is known at directions.

    Parameters
    ----------
    mean, spread : ndarray, float64, shape (n_traits, n)
        Mean and standard deviation over ears.
    factors : ndarray, float64, shape (n_traits, n_factors, n)
        Their products, summed, are the covariance of two directions.
    """

    mean: Floats
    spread: Floats
    factors: Floats


@dataclass(frozen=True, slots=True)
class _Apart:
    """How far pairs of directions are apart.

    Parameters
    ----------
    learnt : ndarray, float64, shape (n_one, n_other)
        Share of the learnt covariance that counts.
    step : ndarray, int64, shape (n_one, n_other)
        Row of `EarPrior.alike` below the angle.
    part : ndarray, float64, shape (n_one, n_other)
        Way from there to the next.
    """

    learnt: Floats
    step: NDArray[np.int64]
    part: Floats

    @classmethod
    def between(cls, one: Floats, other: Floats) -> _Apart:
        """Compare directions (n, 3) with each other."""
        angle_deg = np.degrees(np.arccos(np.clip(one @ other.T, -1.0, 1.0)))
        steps = angle_deg / (_ANGLES_DEG[1] - _ANGLES_DEG[0])
        step = steps.astype(np.int64)
        return cls(_LEARNT * np.exp(-np.square(angle_deg / _REACH_DEG)), step, steps - step)


class EarPrior:
    """Mean and covariance of traits of ears over all directions.

    The traits of an ear in a direction are its levels in bands [dB], and then five times of arrival [us]: those of
    `foleyspace_host.hrtf.expected.ear_traits`.

    Parameters
    ----------
    unit : ndarray, float64, shape (n_grid, 3)
        Directions of the grid, as a left ear hears them.
    mean, spread : ndarray, float64, shape (n_traits, n_grid)
        Mean and standard deviation over ears.
    factors : ndarray, float64, shape (n_traits, n_factors, n_grid)
        Factors of the covariance.
    alike : ndarray, float64, shape (47, n_traits)
        Correlation of two directions 0, 4, ... 184 degrees apart, mean over directions.
    """

    def __init__(self, unit: Floats, mean: Floats, spread: Floats, factors: Floats, alike: Floats) -> None:
        self.unit, self.alike = unit, alike
        self._grid = _Fields(mean, spread, factors)

    @property
    def n_traits(self) -> int:
        """Number of traits."""
        return len(self._grid.mean)

    def given(self, unit: Floats, traits: Floats, wanted: Floats) -> tuple[Floats, Floats]:
        """Return what is to be expected of a listener of whom something was measured.

        Parameters
        ----------
        unit : ndarray, float64, shape (n, 3)
            Measured directions.
        traits : ndarray, float64, shape (n, 2, n_traits)
            What was measured at the left and the right ear there. An offset of each trait is arbitrary.
        wanted : ndarray, float64, shape (m, 3)
            Directions.

        Returns
        -------
        expected : ndarray, float64, shape (m, 2, n_traits)
            With the offsets of what was measured; in measured directions nearly what was measured.
        error : ndarray, float64, shape (n, 2, n_traits)
            By how much each measurement is missed when the others are given (Rasmussen & Williams, eq. 5.12).
        """
        found, missed = np.empty((len(wanted), *traits.shape[1:])), np.empty(traits.shape)
        near = [self._at(heard) for heard in (unit, unit * _MIRROR)]
        # sets differ in equalisation and in when they begin, both ears alike
        offset = (traits - np.stack([here.mean.T for here in near], axis=1)).mean(axis=(0, 1))
        for ear, here in enumerate(near):
            heard, asked = (unit * _MIRROR, wanted * _MIRROR) if ear else (unit, wanted)
            there = self._at(asked)
            among, across = _Apart.between(heard, heard), _Apart.between(asked, heard)
            for trait in range(self.n_traits):
                covariance = self._covariance(here, here, among, trait)
                covariance[np.diag_indices_from(covariance)] += (_NOISE * here.spread[trait].mean()) ** 2
                inverse = np.linalg.inv(covariance)
                apart = inverse @ (traits[:, ear, trait] - here.mean[trait] - offset[trait])
                missed[:, ear, trait] = apart / np.diag(inverse)
                reached = self._covariance(there, here, across, trait) @ apart
                found[:, ear, trait] = there.mean[trait] + offset[trait] + reached
        return found, missed

    def save(self, path: Path) -> None:
        """Write the prior, ``.npz``; eight bits are enough for each factor."""
        scale = np.maximum(np.abs(self._grid.factors).max(axis=2, keepdims=True), 1e-9) / 127.0
        np.savez_compressed(
            path,
            unit=self.unit.astype(np.float32),
            mean=self._grid.mean.astype(np.float32),
            spread=self._grid.spread.astype(np.float16),
            factors=np.round(self._grid.factors / scale).astype(np.int8),
            scale=scale.astype(np.float32),
            alike=self.alike.astype(np.float32),
        )

    @classmethod
    def load(cls, path: Path) -> EarPrior:
        """Read a prior.

        Raises
        ------
        InvalidInput
            If the file holds something else.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                names = ("unit", "mean", "spread", "factors", "scale", "alike")
                unit, mean, spread, factors, scale, alike = (stored[name].astype(np.float64) for name in names)
        except (OSError, KeyError, ValueError, BadZipFile) as problem:
            raise InvalidInput(f"holds no prior of ears ({problem})", where=str(path)) from None
        wanted = (len(mean), len(unit))
        fits = mean.shape == spread.shape == factors.shape[::2] == wanted
        fits &= unit.shape[1:] == (3,) and alike.shape == (len(_ANGLES_DEG), wanted[0])
        if not fits or scale.shape != (*factors.shape[:2], 1):
            raise InvalidInput("holds a prior of ears of other dimensions", where=str(path))
        return cls(unit / np.linalg.norm(unit, axis=1, keepdims=True), mean, spread, factors * scale, alike)

    def _at(self, unit: Floats) -> _Fields:
        """Fields at directions, interpolated over the grid."""
        neighbours, weights = stencils(self.unit, unit, n_neighbours=_N_NEIGHBOURS)
        matrix = np.zeros((len(self.unit), len(unit)))
        np.put_along_axis(matrix, neighbours.T, weights.T, axis=0)
        grid = self._grid
        return _Fields(grid.mean @ matrix, np.maximum(grid.spread @ matrix, _LEAST_SPREAD), grid.factors @ matrix)

    def _covariance(self, one: _Fields, other: _Fields, apart: _Apart, trait: int) -> Floats:
        """Covariance of a trait at directions, shape (n_one, n_other)."""
        covariance = apart.learnt * (one.factors[trait].T @ other.factors[trait])
        alike = (1.0 - _LEARNT) * self.alike[:, trait]
        rest = alike[apart.step]
        rest += apart.part * np.diff(alike)[apart.step]
        rest *= one.spread[trait, :, None]
        rest *= other.spread[trait]
        offset = _OFFSET_US if trait >= self.n_traits - _N_TIMES else _OFFSET_DB
        return covariance + rest + offset**2


def on_grid(unit: Floats, traits: Floats) -> Floats:
    """Carry the traits of a listener to the grid, as `learn_ears` takes them.

    Parameters
    ----------
    unit : ndarray, float64, shape (n, 3)
        Measured directions; dense ones.
    traits : ndarray, float64, shape (n, 2, n_traits)
        As for `EarPrior.given`.

    Returns
    -------
    ndarray, float64, shape (n_traits, 2, n_grid)
        Of both ears as if they were left ones.
    """
    free = traits - _offsets(traits)
    ears = []
    for ear in range(2):
        neighbours, weights = stencils(unit * _MIRROR if ear else unit, _grid())
        ears.append(np.einsum("nk,nkt->tn", weights, free[neighbours, ear]))
    return np.stack(ears, axis=1)


def learn_ears(listeners: Sequence[Floats]) -> EarPrior:
    """Learn what ears have in common.

    Parameters
    ----------
    listeners : sequence of ndarray, float64, shape (n_traits, 2, n_grid)
        Each from `on_grid`.

    Returns
    -------
    EarPrior

    Raises
    ------
    InvalidInput
        If there is only one listener.
    """
    if len(listeners) < 2:
        raise InvalidInput("one listener's ears say nothing of others", where="listeners", cure="give at least two")
    grid = _grid()
    table = np.concatenate(listeners, axis=1)
    mean = table.mean(axis=1)
    apart = table - mean[:, None]
    spread = np.maximum(apart.std(axis=1), _LEAST_SPREAD)
    kept = min(_KEPT, table.shape[1] - 1)
    factors = np.empty((len(mean), kept, len(grid)))
    angle_deg = np.degrees(np.arccos(np.clip(grid @ grid.T, -1.0, 1.0)))
    nearest = np.round(angle_deg / (_ANGLES_DEG[1] - _ANGLES_DEG[0])).astype(np.int64).ravel()
    counts = np.bincount(nearest, minlength=len(_ANGLES_DEG))
    filled = counts > 0
    alike = np.empty((len(_ANGLES_DEG), len(mean)))
    for trait in range(len(mean)):
        _, size, right = np.linalg.svd(apart[trait], full_matrices=False)
        factors[trait] = right[:kept] * size[:kept, None] / np.sqrt(len(apart[trait]))
        scaled = apart[trait] / spread[trait]
        sums = np.bincount(nearest, (scaled.T @ scaled / len(scaled)).ravel(), minlength=len(_ANGLES_DEG))
        alike[:, trait] = np.interp(_ANGLES_DEG, _ANGLES_DEG[filled], sums[filled] / counts[filled])
    return EarPrior(grid, mean, spread, factors, alike)


@lru_cache(maxsize=1)
def shipped_ears() -> EarPrior:
    """Return the prior that ships, learnt from the training listeners of `NOTICE`."""
    return EarPrior.load(_FILE)


@lru_cache(maxsize=1)
def _grid() -> Floats:
    grid = lattice(_GRID)
    return grid[grid[:, 2] >= _LOWEST_Z]


def _offsets(traits: Floats) -> Floats:
    """Return what is arbitrary of a set: one level for all bands, and one time, shape (n_traits,)."""
    offsets = np.full(traits.shape[-1], traits[..., :-_N_TIMES].mean())
    offsets[-_N_TIMES:] = traits[..., -_N_TIMES:].mean()
    return offsets
