"""Which model makes which class."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from training.foley.invented import blown, flowing, struck, turning
from training.foley.invented.making import Rng, Sound

__all__ = ["INVENTORS", "invented"]

INVENTORS: Mapping[str, Callable[[Rng], Sound]] = {
    "footsteps-hard": struck.footsteps_hard,
    "footsteps-soft": struck.footsteps_soft,
    "hooves": struck.hooves,
    "door": struck.door,
    "impact": struck.impact,
    "glass": struck.glass,
    "wood": struck.wood,
    "metal": struck.metal,
    "splash": flowing.splash,
    "stream": flowing.stream,
    "rain": flowing.rain,
    "wind": flowing.wind,
    "thunder": flowing.thunder,
    "fire": flowing.fire,
    "explosion": flowing.explosion,
    "gun": flowing.gun,
    "engine": turning.engine,
    "heavy-engine": turning.heavy_engine,
    "skid": turning.skid,
    "horn": blown.horn,
    "whistle": blown.whistle,
    "train": turning.train,
    "jet": turning.jet,
    "propeller": turning.propeller,
    "saw": turning.saw,
    "machine": turning.machine,
    "livestock": blown.livestock,
    "beast": blown.beast,
    "birds": blown.birds,
    "insects": turning.insects,
    "bell": struck.bell,
    "whoosh": flowing.whoosh,
    "applause": struck.applause,
    "keys": struck.keys,
    "drum": struck.drum,
    "beep": blown.beep,
}
"""By class; see `foleyspace_host.generate.classes`."""

_SEED = 0x_F01E


def invented(name: str, number: int) -> NDArray[np.float32]:
    """Make a sound; always the same.

    Parameters
    ----------
    name : str
        Class.
    number : int
        Which one, from 0.

    Returns
    -------
    ndarray, float32, shape (n,)
        1 to 4 s at 48 kHz, peak 0.7.
    """
    rng = np.random.default_rng([_SEED, *name.encode(), number])
    made = INVENTORS[name](rng)
    made = made - made.mean()
    return (0.7 * made / (np.abs(made).max() + 1e-12)).astype(np.float32)
