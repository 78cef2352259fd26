"""Long sounds from models that make short ones: pieces that overlap, joined with cross-fades of equal power."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.media.tape import Tape

__all__ = ["joined", "spans"]

Floats = NDArray[np.float32]


def spans(n_samples: int, longest: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Yield where the pieces of a sound begin and end.

    Parameters
    ----------
    n_samples : int
        Length of the whole.
    longest : int
        Length of a piece at most.
    overlap : int
        Samples that neighbours have in common, less than half of the longest.

    Yields
    ------
    (int, int)
        First sample and the one after the last; pieces are about equally long.
    """
    if n_samples <= longest:
        yield 0, n_samples
        return
    count = -(-(n_samples - overlap) // (longest - overlap))
    for number in range(count):
        first = number * (n_samples - overlap) // count
        yield first, (number + 1) * (n_samples - overlap) // count + overlap


def joined(whole: Floats | Tape, piece: Floats, first: int, overlap: int) -> None:
    """Lay a piece into the whole, cross-faded with what is there.

    Parameters
    ----------
    whole : ndarray, float32, shape (n_samples,), or Tape
        Changed.
    piece : ndarray, float32, shape (n,)
        Its samples from `first` on; what goes beyond the whole is left out.
    first : int
        Where it begins.
    overlap : int
        Over how many samples it fades in, if it is not the first.
    """
    piece = piece[: len(whole) - first].copy()
    fade = min(overlap, len(piece)) if first else 0
    if fade:
        curve = np.sqrt((np.arange(fade, dtype=np.float32) + 0.5) / fade)
        piece[:fade] *= curve
        whole[first : first + fade] *= curve[::-1]
        piece[:fade] += whole[first : first + fade]
    whole[first : first + len(piece)] = piece
