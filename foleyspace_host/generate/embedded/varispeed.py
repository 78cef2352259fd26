"""Plays a sound at a speed that changes, as a tape is played: what was steady glides in pitch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.delay import N_TAPS, read_delayed

__all__ = ["STEP", "Varispeed"]

STEP = 256
"""Distance of the points that tell a speed [samples]: 5.3 ms."""

_CONTROL = 64  # samples, 1.3 ms, for which a speed holds
_BLOCK = 1 << 16
_MARGIN = N_TAPS // 2 + 1

Floats = NDArray[np.float32]


class Varispeed:
    """A way through a sound.

    Parameters
    ----------
    octaves : ndarray, shape (n,)
        By how much lower the sound is to be played at every `STEP` samples of the result, at most 0 [octaves];
        straight lines in speed between, and held after the last.
    n_samples : int
        Length of the result.

    Attributes
    ----------
    n_read : int
        Samples of the sound that it takes: at most as many as `n_samples`.

    Raises
    ------
    ValueError
        If it is to be played higher: what is above half the rate would fold.
    """

    def __init__(self, octaves: NDArray[np.floating], n_samples: int) -> None:
        if octaves.max(initial=0.0) > 0.0:
            raise ValueError("a sound is only played lower")
        speed = 2.0 ** np.resize(octaves.astype(np.float64), max(-(-n_samples // STEP) + 1, len(octaves)))
        speed[len(octaves) :] = speed[len(octaves) - 1]
        parts = STEP // _CONTROL
        place = np.arange((len(speed) - 1) * parts + 1) / parts
        fine = np.interp(place, np.arange(len(speed)), speed)
        # where speed is a straight line, the mean of its ends is its mean
        self._read_at = np.concatenate([[0.0], np.cumsum(0.5 * _CONTROL * (fine[1:] + fine[:-1]))])
        self.n_samples = n_samples
        self.n_read = min(int(np.ceil(self.read_at(np.array([n_samples]))[0])), n_samples)

    def read_at(self, samples: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return which place of the sound is heard at samples of the result."""
        return np.interp(samples, np.arange(len(self._read_at)) * float(_CONTROL), self._read_at)

    def heard_at(self, samples: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return at which place of the result a sample of the sound is heard."""
        return np.interp(samples, self._read_at, np.arange(len(self._read_at)) * float(_CONTROL))

    def play(self, pieces: Iterable[Floats]) -> Iterator[Floats]:
        """Play a sound.

        Parameters
        ----------
        pieces : iterable of ndarray, float32
            The sound, piece by piece; silent after its end.

        Yields
        ------
        ndarray, float32, shape (n,)
            The next samples of the result, `n_samples` in all.
        """
        source = iter(pieces)
        line, origin = np.zeros(_MARGIN, dtype=np.float32), -_MARGIN
        for first in range(0, self.n_samples, _BLOCK):
            stop = min(first + _BLOCK, self.n_samples)
            points = np.arange(first, stop + _CONTROL, _CONTROL)
            place = self.read_at(points)
            needed = [line]
            missing = int(place[-1]) + _MARGIN + _CONTROL - origin - len(line)
            while missing > 0:
                if (piece := next(source, None)) is None:
                    piece = np.zeros(missing, dtype=np.float32)
                needed.append(piece)
                missing -= len(piece)
            line = np.concatenate(needed)
            out = np.zeros(stop - first, dtype=np.float32)
            steady = np.zeros(len(points) - 1, dtype=np.bool_)
            # told from the first sample of the line on, so that numbers stay small however long the sound is
            read_delayed(line, 0, 0, _CONTROL, points - first - (place - origin), steady, out)
            yield out
            done = max(int(place[-1]) - _MARGIN - origin, 0)
            line, origin = line[done:], origin + done
