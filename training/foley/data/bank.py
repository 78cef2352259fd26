"""The sounds of a prepared folder by class, and their portraits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import SAMPLE_RATE_HZ, analysed
from foleyspace_host.generate.embedded.course import Course
from foleyspace_host.generate.embedded.portrait import Portrait, portrait_of
from training.flow.sounds import Sound, unpack_sounds
from training.foley.data.gliding import parted

__all__ = ["SOUNDS", "Bank", "Portrayed", "portraits", "read_bank"]

SOUNDS = "foley-sounds.npz"
"""Name of the file of sounds in a prepared folder."""

_PORTRAIT_S = 2.4

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bank:
    """Sounds to learn from.

    Parameters
    ----------
    recorded, invented : list of list of ndarray
        Sounds of each class, in the order of `NAMES`.
    """

    recorded: list[list[Samples]]
    invented: list[list[Samples]]


class Portrayed(NamedTuple):
    """What the program knows of a sound: its portrait, and the course of its pitch if it glides."""

    portrait: Portrait
    course: Course | None


def read_bank(folder: Path, *, held_out: bool = False) -> Bank:
    """Read the sounds that are learnt from, or those that are held out.

    Parameters
    ----------
    folder : Path
        From ``python -m training.foley prepare``.
    held_out : bool
        Which ones.

    Returns
    -------
    Bank

    Raises
    ------
    InvalidInput
        If it is no such folder.
    """
    sounds = unpack_sounds(folder / SOUNDS)
    try:
        return Bank(*_by_class([one for one in sounds if one.held_out == held_out]))
    except ValueError as error:
        raise InvalidInput(f"holds other classes ({error})", where=str(folder), cure="prepare it again") from None


def _by_class(sounds: list[Sound]) -> tuple[list[list[Samples]], list[list[Samples]]]:
    recorded: list[list[Samples]] = [[] for _ in NAMES]
    invented: list[list[Samples]] = [[] for _ in NAMES]
    for one in sounds:
        (recorded if one.kind == "recorded" else invented)[NAMES.index(one.name.split("/")[0])].append(one.samples)
    return recorded, invented


def portraits(bank: Bank, *, parting: bool = True) -> list[tuple[list[Portrayed], list[Portrayed]]]:
    """Return the portraits of the sounds of each class: of recordings, and of computed ones.

    Parameters
    ----------
    bank : Bank
        Sounds.
    parting : bool
        Whether those that glide are portrayed with their pitch held, and their course beside.

    Returns
    -------
    list of (list of Portrayed, list of Portrayed)
        Of the loudest `_PORTRAIT_S` of each sound, as an example of the training is about that long.
    """

    def of(sounds: list[Samples]) -> list[Portrayed]:
        found = []
        for sound in sounds:
            n_samples = round(_PORTRAIT_S * SAMPLE_RATE_HZ)
            start = int(np.clip(np.abs(sound).argmax() - n_samples // 4, 0, max(len(sound) - n_samples, 0)))
            part = sound[start : start + n_samples]
            if parting and (glides := parted(part)):
                found.append(Portrayed(portrait_of(*analysed(glides.steady)), glides.course))
            else:
                found.append(Portrayed(portrait_of(*analysed(part)), None))
        return found

    return [(of(recorded), of(invented)) for recorded, invented in zip(bank.recorded, bank.invented, strict=True)]
