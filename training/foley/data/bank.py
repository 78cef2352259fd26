"""The sounds of a prepared folder by class, and the mean spectrum of each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import HOP, N_BINS, N_FFT
from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.condition import FLOOR_DB, band_shares, levels_db
from training.binaural_flow.data.material import Sound
from training.binaural_flow.data.pack import unpack_sounds

__all__ = ["SOUNDS", "Bank", "mean_spectra_db", "read_bank"]

SOUNDS = "foley-sounds.npz"
"""Name of the file of sounds in a prepared folder."""

_LOWEST_DB = -50.0  # of a band re the mean of all: what is below is as good as silent

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bank:
    """Sounds to learn from.

    Parameters
    ----------
    recorded, invented : list of list of ndarray
        Sounds of each class, in the order of `NAMES`.
    mean_db : ndarray, float32, shape (n_classes, N_BANDS)
        Mean spectrum of each class, see `embedded.condition.begin`.
    """

    recorded: list[list[Samples]]
    invented: list[list[Samples]]
    mean_db: NDArray[np.float32]


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
        Mean spectra are always of those that are learnt from.

    Raises
    ------
    InvalidInput
        If it is no such folder.
    """
    sounds = unpack_sounds(folder / SOUNDS)
    try:
        learnt = _by_class([one for one in sounds if not one.held_out])
        wanted = _by_class([one for one in sounds if one.held_out]) if held_out else learnt
    except ValueError as error:
        raise InvalidInput(f"holds other classes ({error})", where=str(folder), cure="prepare it again") from None
    mean_db = mean_spectra_db([[*a, *b] for a, b in zip(*learnt, strict=True)])
    return Bank(*wanted, mean_db)


def _by_class(sounds: list[Sound]) -> tuple[list[list[Samples]], list[list[Samples]]]:
    recorded: list[list[Samples]] = [[] for _ in NAMES]
    invented: list[list[Samples]] = [[] for _ in NAMES]
    for one in sounds:
        (recorded if one.kind == "recorded" else invented)[NAMES.index(one.name.split("/")[0])].append(one.samples)
    return recorded, invented


def mean_spectra_db(sounds: list[list[Samples]]) -> NDArray[np.float32]:
    """Return the mean spectrum of each class.

    Every frame counts the same, however loud it is, as everything is shown in proportion to its level.

    Parameters
    ----------
    sounds : list of list of ndarray
        By class.

    Returns
    -------
    ndarray, float32, shape (n_classes, N_BANDS)
        Mean power in a bin of each band where the mean square of the frame is 1 [dB]; at least 50 dB below the mean.
    """
    shares = band_shares()
    found = np.zeros((len(sounds), len(shares)), dtype=np.float32)
    window = np.sin(np.pi * np.arange(N_FFT) / N_FFT)
    for index, of_class in enumerate(sounds):
        power, n_frames = np.zeros(N_BINS), 0
        for sound in of_class:
            level = levels_db(sound)
            loud = level > level.max() + FLOOR_DB
            padded = np.pad(sound, (N_FFT // 2, N_FFT))
            frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][: len(level)][loud]
            size = np.abs(np.fft.rfft(frames * window)[:, :N_BINS]) ** 2 * (2.0 / N_FFT)
            power += (size / 10.0 ** (level[loud, None] / 10.0)).sum(axis=0)
            n_frames += int(loud.sum())
        banded = shares @ (power / max(n_frames, 1)) / shares.sum(axis=1)
        decibels = 10.0 * np.log10(np.maximum(banded, 1e-12))
        found[index] = np.maximum(decibels, _LOWEST_DB)
    return found
