"""Sixteen numbers that tell listeners apart, found from few of their measurements.

Heads differ less than their thousands of responses suggest. Of many listeners' levels in auditory bands and time
differences, on one grid of directions, the mean and the directions of greatest variation are kept (principal
components: D. J. Kistler, F. L. Wightman, JASA 91, 1992). A new listener is a point in that space: the one that best
explains what was measured, where few measurements say little held near the mean (ridge regression, that is the most
probable point if the listeners are normally distributed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.hrtf.refine import lattice, stencils
from foleyspace_host.hrtf.sofa import MeasuredHrirs

__all__ = [
    "BANDS_HZ",
    "N_CODE",
    "ListenerModel",
    "Traits",
    "band_levels_db",
    "band_weights",
    "erb_number",
    "learn_listeners",
    "shipped_model",
    "traits_of",
]

N_CODE = 16
"""Length of a code."""

BANDS_HZ = tuple(float(hz) for hz in np.round((10.0 ** (np.linspace(8.0, 39.0, 32) / 21.4) - 1.0) / 4.37e-3))
"""Centres of the bands, one equivalent rectangular bandwidth apart (Glasberg & Moore 1990): 0.3 to 14.9 kHz."""

_FILE = Path(__file__).parent / "assets" / "listeners.npz"
_GRID, _LOWEST_Z = 180, -0.72  # directions, of which those down to 46 degrees below the horizon
_DB, _US = 1.0, 5.0  # a decibel in one band counts like so many microseconds
_CORRELATED = 100.0  # errors of neighbouring bands and directions go together: so many count as one
_FLOOR_DB = -60.0
_ONSET_DB = -12.0  # re the peak: of the estimators the one that neighbours predict best (15 us rms from 50 directions)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Traits:
    """What of responses the code explains.

    Parameters
    ----------
    unit : ndarray, float64, shape (n, 3)
        Directions.
    level_db : ndarray, float64, shape (n, 2, n_bands)
        Levels at both ears in the bands; their mean is arbitrary [dB].
    itd_us : ndarray, float64, shape (n,)
        Time by which the left ear is earlier [us].
    """

    unit: Floats
    level_db: Floats
    itd_us: Floats

    def rows(self) -> Floats:
        """Return one row for each direction, in comparable units, shape (n, 2 n_bands + 1)."""
        levels = self.level_db.reshape(len(self.unit), -1) / _DB
        return np.concatenate([levels, self.itd_us[:, None] / _US], axis=1)


def traits_of(measured: MeasuredHrirs) -> Traits:
    """Find the traits of measured responses.

    Parameters
    ----------
    measured : MeasuredHrirs
        Responses.

    Returns
    -------
    Traits
        Of all directions that were measured.
    """
    from foleyspace_host.hrtf.onset import threshold_onsets

    rate = measured.sample_rate_hz
    onset = threshold_onsets(measured.hrirs, [_ONSET_DB])[0] + measured.delay_samples
    return Traits(measured.unit, band_levels_db(measured.hrirs, rate), (onset[:, 1] - onset[:, 0]) * (1e6 / rate))


def band_levels_db(hrirs: NDArray[np.float32], sample_rate_hz: int) -> Floats:
    """Return the levels of responses in auditory bands.

    Parameters
    ----------
    hrirs : ndarray, float32, shape (n, 2, n_taps)
        Responses.
    sample_rate_hz : int
        Their rate [Hz].

    Returns
    -------
    ndarray, float64, shape (n, 2, 32)
        Levels in `BANDS_HZ`, at most 60 dB below the loudest of the direction [dB].
    """
    from scipy import fft

    n_fft = 1 << max(int(np.ceil(np.log2(hrirs.shape[-1]))), 10)
    power = np.square(np.abs(fft.rfft(hrirs.astype(np.float64), n_fft)))
    hz: Floats = np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz).astype(np.float64)
    in_bands = np.einsum("nef,bf->neb", power, band_weights(hz))
    loudest = in_bands.max(axis=(1, 2), keepdims=True)
    level_db: Floats = 10.0 * np.log10(np.maximum(in_bands, np.maximum(loudest * 10.0 ** (_FLOOR_DB / 10.0), 1e-30)))
    return level_db


def band_weights(frequency_hz: Floats) -> Floats:
    """Return triangular bands over the auditory scale, each of unit sum, shape (32, n_bins)."""
    apart = np.abs(erb_number(frequency_hz) - erb_number(np.array(BANDS_HZ))[:, None])
    weights: Floats = np.maximum(1.0 - apart, 1e-9)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def erb_number(frequency_hz: Floats) -> Floats:
    """Return places on the auditory scale (Glasberg & Moore 1990), one for each equivalent rectangular bandwidth."""
    number: Floats = 21.4 * np.log10(4.37e-3 * frequency_hz + 1.0)
    return number


class ListenerModel:
    """The space of listeners.

    Parameters
    ----------
    unit : ndarray, float64, shape (n_grid, 3)
        Directions of the grid.
    mean : ndarray, float64, shape (n_grid, n_traits)
        Rows of the average listener, see `Traits.rows`.
    basis : ndarray, float64, shape (16, n_grid, n_traits)
        What each number of a code adds; codes of the listeners who were learnt from have variance 1.
    error : ndarray, float64, shape (n_traits,)
        Standard deviation of what codes do not explain.
    n_listeners : int
        How many listeners were learnt from.
    """

    def __init__(self, unit: Floats, mean: Floats, basis: Floats, error: Floats, n_listeners: int) -> None:
        self.unit, self.mean, self.basis, self.error = unit, mean, basis, error
        self.n_listeners = n_listeners

    def fit(self, measured: MeasuredHrirs) -> NDArray[np.float32]:
        """Find the code of a listener.

        Parameters
        ----------
        measured : MeasuredHrirs
            Any number of measurements of the listener.

        Returns
        -------
        ndarray, float32, shape (16,)
            About standard normal; zeros are the average listener.
        """
        return self.fit_traits(traits_of(measured))

    def fit_traits(self, traits: Traits) -> NDArray[np.float32]:
        """Find the code that explains traits; see `fit`."""
        inside = traits.unit[:, 2] >= _LOWEST_Z
        if not inside.any():
            return np.zeros(N_CODE, dtype=np.float32)
        mean, basis = self._at(traits.unit[inside])
        weight = 1.0 / self.error
        wanted = (traits.rows()[inside] - mean) * weight
        explained = basis * weight
        n_levels = wanted.shape[1] - 1
        # the level of the whole set is arbitrary: it is fitted as well, and forgotten
        level = np.zeros_like(wanted)
        level[:, :n_levels] = weight[:n_levels]
        columns = np.concatenate([explained.reshape(N_CODE, -1), level.reshape(1, -1)]).T
        penalty = np.diag([_CORRELATED] * N_CODE + [0.0])
        normal = np.einsum("ni,nj->ij", columns, columns) + penalty
        right = np.einsum("ni,n->i", columns, wanted.ravel())
        code: NDArray[np.float32] = np.linalg.solve(normal, right)[:N_CODE].astype(np.float32)
        return code

    def traits(self, code: NDArray[np.float32], unit: Floats) -> Traits:
        """Return what a code says of directions, shape (n, 3); the mean level is arbitrary."""
        mean, basis = self._at(unit)
        rows = mean + np.einsum("k,knf->nf", code.astype(np.float64), basis)
        return Traits(unit, rows[:, :-1].reshape(len(unit), 2, -1) * _DB, rows[:, -1] * _US)

    def save(self, path: Path) -> None:
        """Write the model, ``.npz``; half precision is enough."""
        np.savez_compressed(
            path,
            unit=self.unit.astype(np.float32),
            mean=self.mean.astype(np.float32),
            basis=self.basis.astype(np.float16),
            error=self.error.astype(np.float32),
            n_listeners=np.int64(self.n_listeners),
        )

    @classmethod
    def load(cls, path: Path) -> ListenerModel:
        """Read a model.

        Raises
        ------
        InvalidInput
            If the file holds something else.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                unit, mean, basis, error = (
                    stored[name].astype(np.float64) for name in ("unit", "mean", "basis", "error")
                )
                n_listeners = int(stored["n_listeners"])
        except (OSError, KeyError, ValueError, BadZipFile) as problem:
            raise InvalidInput(f"holds no listener model ({problem})", where=str(path)) from None
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        if basis.shape != (N_CODE, *mean.shape) or mean.shape != (len(unit), len(error)):
            raise InvalidInput("holds a listener model of other dimensions", where=str(path))
        return cls(unit, mean, basis, error, n_listeners)

    def _at(self, unit: Floats) -> tuple[Floats, Floats]:
        """Mean and basis at directions, interpolated over the grid."""
        neighbours, weights = stencils(self.unit, unit)
        mean = np.einsum("nk,nkf->nf", weights, self.mean[neighbours])
        basis = np.einsum("nk,cnkf->cnf", weights, self.basis[:, neighbours])
        return mean, basis


def learn_listeners(
    listeners: Sequence[MeasuredHrirs], on_progress: Callable[[int, int], None] | None = None
) -> ListenerModel:
    """Learn how listeners differ.

    Parameters
    ----------
    listeners : sequence of MeasuredHrirs
        Dense sets of at least two listeners.
    on_progress : callable, optional
        Called as on_progress(done, total).

    Returns
    -------
    ListenerModel
        With fewer than 17 listeners the last numbers of its codes mean nothing.

    Raises
    ------
    InvalidInput
        If there is only one listener.
    """
    if len(listeners) < 2:
        raise InvalidInput("one listener differs from no one", where="listeners", cure="give at least two")
    grid = lattice(_GRID)
    grid = grid[grid[:, 2] >= _LOWEST_Z]
    rows = []
    for number, measured in enumerate(listeners):
        traits = traits_of(measured)
        neighbours, weights = stencils(traits.unit, grid)
        row = np.einsum("nk,nkf->nf", weights, traits.rows()[neighbours])
        row[:, :-1] -= row[:, :-1].mean()
        rows.append(row)
        if on_progress is not None:
            on_progress(number + 1, len(listeners))
    table = np.stack(rows)
    mean = table.mean(axis=0)
    apart = (table - mean).reshape(len(table), -1)
    left, size, right = np.linalg.svd(apart, full_matrices=False)
    kept = min(N_CODE, len(table) - 1)
    basis = np.zeros((N_CODE, *mean.shape))
    basis[:kept] = (right[:kept] * size[:kept, None] / np.sqrt(len(table) - 1)).reshape(kept, *mean.shape)
    explained = ((left[:, :kept] * size[:kept]) @ right[:kept]).reshape(table.shape)
    # with as few listeners as there are, components explain themselves: each counts as one observation
    freedom = max(1.0 - kept / max(len(table) - 1, 1), 0.1)
    error = np.sqrt(((table - mean - explained) ** 2).mean(axis=(0, 1)) / freedom)
    return ListenerModel(grid, mean, basis, np.maximum(error, 0.1), len(table))


@lru_cache(maxsize=1)
def shipped_model() -> ListenerModel:
    """Return the model that ships, learnt from the training listeners of `NOTICE`."""
    return ListenerModel.load(_FILE)
