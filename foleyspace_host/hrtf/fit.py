"""What few measurements of a listener tell, and how well: a code, judged against interpolating them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.hrtf.ear_prior import EarPrior, shipped_ears
from foleyspace_host.hrtf.expected import FEW_DIRECTIONS, ear_traits, expected_traits
from foleyspace_host.hrtf.listener import BANDS_HZ, ListenerModel, Traits, shipped_model, traits_of
from foleyspace_host.hrtf.onset import best_onsets
from foleyspace_host.hrtf.refine import stencils
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa

__all__ = ["DENSE", "ListenerFit", "fit_listener", "judged"]

DENSE = 300
"""Directions from which on a set needs no help: they lie 12 degrees apart, and interpolating them is all there is."""

_FEWEST = 8
_FOLDS = 5
_CLEARLY = 0.95


@dataclass(frozen=True, slots=True)
class ListenerFit:
    """A listener's code, and what it is good for.

    Parameters
    ----------
    name : str
        Whose measurements.
    code : tuple of 16 floats
        The code.
    n_directions : int
        Measured directions.
    sparse : bool
        Whether they are few.
    level_error_db, itd_error_us : tuple of 4 floats
        Root-mean-square errors at measured directions that were kept out in turn: of interpolating the others, of
        the code alone, of the code with what it leaves interpolated, and of what is to be expected by what ears have
        in common, which the renderer asks for of few directions alone [dB, us].
    """

    name: str
    code: tuple[float, ...]
    n_directions: int
    sparse: bool
    level_error_db: tuple[float, float, float, float]
    itd_error_us: tuple[float, float, float, float]

    @property
    def by_other_ears(self) -> bool:
        """Whether the renderer makes use of what ears have in common."""
        return self.n_directions < FEW_DIRECTIONS

    @property
    def renderer_helps(self) -> bool:
        """Whether the renderer, by what ears have in common, is nearer than interpolation alone."""
        return self.level_error_db[3] < self.level_error_db[0]

    @property
    def code_helps(self) -> bool:
        """Whether the code, with what it leaves interpolated, is nearer than the renderer is without: 5 % and more."""
        return self.level_error_db[2] < _CLEARLY * min(self.level_error_db[0], self.level_error_db[3])


def fit_listener(path: Path) -> ListenerFit:
    """Find the code of a listener from a SOFA file.

    Parameters
    ----------
    path : Path
        Measurements of any directions, eight or more.

    Returns
    -------
    ListenerFit

    Raises
    ------
    InvalidInput
        If there are fewer.
    HrtfInvalid
        If the file cannot be used.
    """
    measured = read_sofa(path)
    if len(measured.unit) < _FEWEST:
        raise InvalidInput(
            f"{len(measured.unit)} measured directions say too little of a listener",
            where=str(path),
            cure=f"measure at least {_FEWEST}, all around",
        )
    return judged(measured, shipped_model())


def judged(measured: MeasuredHrirs, model: ListenerModel) -> ListenerFit:
    """Find the code of a listener, and the errors at directions that are kept out in turn.

    Parameters
    ----------
    measured : MeasuredHrirs
        Eight or more directions.
    model : ListenerModel
        The space of listeners.

    Returns
    -------
    ListenerFit
    """
    traits = traits_of(measured)
    onset, _ = best_onsets(measured.unit, measured.hrirs, measured.sample_rate_hz)
    ears = ear_traits(measured, onset)
    # of more than a few directions the renderer asks nothing of other ears
    prior = shipped_ears() if len(measured.unit) < FEW_DIRECTIONS else None
    errors = []
    for fold in range(_FOLDS):
        out = np.arange(len(traits.unit)) % _FOLDS == fold
        rest = Traits(traits.unit[~out], traits.level_db[~out], traits.itd_us[~out])
        found = _errors(rest, Traits(traits.unit[out], traits.level_db[out], traits.itd_us[out]), model)
        learnt = found[:, :1] if prior is None else _learnt_errors(prior, traits.unit, ears, out)
        errors.append(np.concatenate([found, learnt], axis=1))
    level, itd = np.sqrt(np.mean(np.concatenate(errors, axis=2), axis=2))
    return ListenerFit(
        name=measured.name,
        code=tuple(float(number) for number in model.fit_traits(traits)),
        n_directions=len(measured.unit),
        sparse=len(measured.unit) < DENSE,
        level_error_db=(float(level[0]), float(level[1]), float(level[2]), float(level[3])),
        itd_error_us=(float(itd[0]), float(itd[1]), float(itd[2]), float(itd[3])),
    )


def _errors(known: Traits, wanted: Traits, model: ListenerModel) -> NDArray[np.float64]:
    """Squared errors of levels and time differences, shape (2, 3 ways, n_directions)."""
    code = model.fit_traits(known)
    there, here = model.traits(code, wanted.unit), model.traits(code, known.unit)
    neighbours, weights = stencils(known.unit, wanted.unit)
    # the level of a whole set is arbitrary
    offset = (known.level_db - here.level_db).mean()
    level = np.einsum("nk,nkeb->neb", weights, known.level_db[neighbours])
    left = np.einsum("nk,nkeb->neb", weights, (known.level_db - here.level_db)[neighbours])
    itd = np.einsum("nk,nk->n", weights, known.itd_us[neighbours])
    itd_left = np.einsum("nk,nk->n", weights, (known.itd_us - here.itd_us)[neighbours])
    levels = (level, there.level_db + offset, there.level_db + left)
    times = (itd, there.itd_us, there.itd_us + itd_left)
    return np.stack(
        [
            np.stack([((found - wanted.level_db) ** 2).mean(axis=(1, 2)) for found in levels]),
            np.stack([(found - wanted.itd_us) ** 2 for found in times]),
        ]
    )


def _learnt_errors(
    prior: EarPrior, unit: NDArray[np.float64], ears: NDArray[np.float64], out: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Squared errors of what ears have in common, shape (2, 1, n_directions)."""
    made = stencils(unit[~out], unit[out])
    found = expected_traits(prior, np.concatenate([unit[~out], unit[out]]), ears[~out], made)[-out.sum() :]
    apart = found - ears[out]
    level = np.square(apart[..., : len(BANDS_HZ)]).mean(axis=(1, 2))
    return np.stack([level, np.square(apart[:, 1, -1] - apart[:, 0, -1])])[:, None]
