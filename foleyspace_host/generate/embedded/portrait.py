"""What the bands of a sound are like on the whole: where the flow begins.

So neither colours nor pitches need be learnt by heart. Each band follows the level of the frames on a straight line,
with a spread of its own: a bell's partials stand still and high ones die first, a stream's bands tumble. As in
"PriorGrad" (S. Lee and others, ICLR 2022) the flow begins at statistics of what is to be made, here at those of one
sound of the class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.generate.embedded.bands import FLOOR_DB, LOWEST_BAND_DB, N_BANDS

__all__ = ["N_SHOWN", "Portrait", "mixed", "packed", "portrait_of", "shown", "unpacked", "varied"]

N_SHOWN = 2 * N_BANDS
"""What the network is shown of a portrait in each frame: the mean of each band, and its spread."""

_CALM_DB = 3.0  # changes of level below which slopes say nothing
_LEAST_SPREAD_DB = 1.0
_STEEPEST = (-1.0, 1.5)  # dB a dB
_STEPS = (0.5, 1.0 / 64.0, 0.125)  # of what is kept: dB, dB a dB, dB
_USUAL_DB, _USUAL_SPREAD_DB = (-20.0, 20.0), (6.0, 2.0)  # what the network sees as 0 and 1; spreads as logarithms
_LARGEST_SHIFT = 0.12  # octaves
_LARGEST_TILT_DB = 3.0  # from the lowest to the highest band

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """Bands of a sound by the level of its frames.

    Parameters
    ----------
    loudest_db : ndarray, float32, shape (N_BANDS,)
        Bands in the loudest frame [dB re white noise of its level].
    slope : ndarray, float32, shape (N_BANDS,)
        How much they rise where the level rises by 1 dB [dB].
    spread_db : ndarray, float32, shape (N_BANDS,)
        Their standard deviation around that line [dB].
    """

    loudest_db: Floats
    slope: Floats
    spread_db: Floats

    def mean_db(self, levels_db: Floats) -> Floats:
        """Return the means of the bands.

        Parameters
        ----------
        levels_db : ndarray, float32, shape (n_frames,)
            Levels re the loudest frame [dB]; below `FLOOR_DB` as there.

        Returns
        -------
        ndarray, float32, shape (N_BANDS, n_frames)
        """
        level_db = np.maximum(levels_db, np.float32(FLOOR_DB))
        return np.maximum(self.loudest_db[:, None] + self.slope[:, None] * level_db, np.float32(LOWEST_BAND_DB))


def portrait_of(levels_db: Floats, bands_db: Floats) -> Portrait:
    """Return the portrait of a sound.

    Parameters
    ----------
    levels_db, bands_db : ndarray, float32, shapes (n_frames,) and (N_BANDS, n_frames)
        From `bands.analysed`; not silent throughout.

    Returns
    -------
    Portrait
        Lines of least squares; a frame counts as the square root of its rms, since what is loud is heard.
    """
    level_db = levels_db - levels_db.max()
    heard = level_db > FLOOR_DB
    level_db, own_db = level_db[heard].astype(np.float64), bands_db[:, heard].astype(np.float64)
    weight = 10.0 ** (level_db / 40.0)
    weight /= weight.sum()
    mean_level_db, mean_db = weight @ level_db, own_db @ weight
    off_db = level_db - mean_level_db
    slope = np.clip(((own_db - mean_db[:, None]) * off_db) @ weight / (weight @ off_db**2 + _CALM_DB**2), *_STEEPEST)
    loudest_db = mean_db - slope * mean_level_db
    rest_db = own_db - (loudest_db[:, None] + slope[:, None] * level_db)
    spread_db = np.sqrt(rest_db**2 @ weight + _LEAST_SPREAD_DB**2)
    return Portrait(loudest_db.astype(np.float32), slope.astype(np.float32), spread_db.astype(np.float32))


def shown(portrait: Portrait, mean_db: Floats) -> Floats:
    """Return what the network is shown of a portrait.

    Parameters
    ----------
    portrait : Portrait
        Which one.
    mean_db : ndarray, float32, shape (N_BANDS, n_frames)
        Its `Portrait.mean_db`.

    Returns
    -------
    ndarray, float32, shape (N_SHOWN, n_frames)
        Of about mean 0 and power 1.
    """
    found = np.empty((N_SHOWN, mean_db.shape[1]), dtype=np.float32)
    found[:N_BANDS] = (mean_db - _USUAL_DB[0]) / _USUAL_DB[1]
    found[N_BANDS:] = (np.log(portrait.spread_db / _USUAL_SPREAD_DB[0]) / np.log(_USUAL_SPREAD_DB[1]))[:, None]
    return found


def varied(portrait: Portrait, rng: np.random.Generator) -> Portrait:
    """Return a portrait of the like: a little higher or lower, brighter or darker."""
    place = np.arange(N_BANDS, dtype=np.float64)
    # a band is 1/22 octave, except for the lowest, whose pitches move less
    moved = place - rng.uniform(-_LARGEST_SHIFT, _LARGEST_SHIFT) * 22.2 * np.clip(place / 32.0, 0.0, 1.0)
    loudest_db, slope, spread_db = (
        np.interp(moved, place, one).astype(np.float32)
        for one in (portrait.loudest_db, portrait.slope, portrait.spread_db)
    )
    tilt_db = rng.uniform(-_LARGEST_TILT_DB, _LARGEST_TILT_DB) * np.linspace(-0.5, 0.5, N_BANDS)
    return Portrait(loudest_db + tilt_db.astype(np.float32), slope, spread_db)


def mixed(portraits: list[tuple[Portrait, float]]) -> Portrait:
    """Return the portrait of several sounds at once.

    Parameters
    ----------
    portraits : list of (Portrait, float)
        Each with its share, together 1.

    Returns
    -------
    Portrait
        Powers add up; slopes and spreads are those of what is loudest in each band.
    """
    power = np.stack([share * 10.0 ** (one.loudest_db / 10.0) for one, share in portraits])
    part = power / power.sum(axis=0)
    return Portrait(
        (10.0 * np.log10(power.sum(axis=0))).astype(np.float32),
        np.sum(part * np.stack([one.slope for one, _ in portraits]), axis=0, dtype=np.float32),
        np.sum(part * np.stack([one.spread_db for one, _ in portraits]), axis=0, dtype=np.float32),
    )


def packed(portraits: list[Portrait]) -> bytes:
    """Return portraits as bytes, 384 each, which `unpacked` takes."""
    whole = [
        np.clip(
            np.round(np.stack([one.loudest_db / _STEPS[0], one.slope / _STEPS[1], one.spread_db / _STEPS[2]])),
            -128,
            127,
        )
        for one in portraits
    ]
    return b"".join(one.astype(np.int8).tobytes() for one in whole)


def unpacked(content: bytes) -> list[Portrait]:
    """Return the portraits in bytes from `packed`.

    Raises
    ------
    ValueError
        If their number is not a whole one.
    """
    rows = np.frombuffer(content, dtype=np.int8).reshape(-1, 3, N_BANDS).astype(np.float32)
    steps = np.array(_STEPS, dtype=np.float32)[:, None]
    return [Portrait(one[0], one[1], np.maximum(one[2], _LEAST_SPREAD_DB)) for one in rows * steps]
