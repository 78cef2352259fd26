"""What a prompt's classes are made as: one sound for all whose pitch stands still, and one for each that glides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.condition import N_LIKENESS, RECORDED
from foleyspace_host.generate.embedded.course import Course
from foleyspace_host.generate.embedded.model import FoleyModel
from foleyspace_host.generate.embedded.portrait import Portrait, mixed, varied

__all__ = ["Voice", "likeness_of", "voices_of"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A sound that is made in one go.

    Parameters
    ----------
    names : tuple of str
        Its classes.
    portrait : Portrait
        Where its flow begins.
    likeness : ndarray, float32, shape (N_LIKENESS,)
        What it is like.
    share : float
        Its share of the power of all.
    course : Course, optional
        How its pitch goes, if it glides.
    """

    names: tuple[str, ...]
    portrait: Portrait
    likeness: Floats
    share: float = 1.0
    course: Course | None = None


def voices_of(model: FoleyModel, classes: dict[str, float], rng: np.random.Generator) -> list[Voice]:
    """Draw a sound of each class, and vary its portrait.

    Parameters
    ----------
    model : FoleyModel
        What knows the portraits and courses.
    classes : dict of str to float
        Shares, together 1.
    rng : Generator
        Draws.

    Returns
    -------
    list of Voice
        At least one; shares are together 1.

    Raises
    ------
    InvalidInput
        If the model learnt no sound of a class.
    """
    steady: list[tuple[str, float, Portrait, bool]] = []
    found = []
    for name, share in classes.items():
        (recorded, invented), courses = model.portraits[NAMES.index(name)], model.courses[NAMES.index(name)]
        if not (known := [*recorded, *invented]):
            raise InvalidInput(f"the model never learnt {name}", where="prompt", cure="use another class, or model")
        which = int(rng.integers(len(known)))
        portrait, is_recorded = varied(known[which], rng), which < len(recorded)
        course = [*courses[0], *courses[1]][which]
        if course is None:
            steady.append((name, share, portrait, is_recorded))
        else:
            likeness = likeness_of({name: 1.0})
            likeness[RECORDED] = is_recorded
            found.append(Voice((name,), portrait, likeness, share, course))
    if steady:
        total = sum(share for _, share, _, _ in steady)
        likeness = likeness_of({name: share / total for name, share, _, _ in steady})
        likeness[RECORDED] = sum(share / total for _, share, _, is_recorded in steady if is_recorded)
        portrait = mixed([(portrait, share / total) for _, share, portrait, _ in steady])
        found.insert(0, Voice(tuple(name for name, *_ in steady), portrait, likeness, total))
    return found


def likeness_of(classes: dict[str, float]) -> Floats:
    """Return the rows of `condition.rows` that say what a sound is like: shares of classes, not of recordings."""
    found = np.zeros(N_LIKENESS, dtype=np.float32)
    for name, share in classes.items():
        found[NAMES.index(name)] = share
    return found
