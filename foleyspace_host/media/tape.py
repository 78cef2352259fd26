"""A sound as it is being made: short ones in memory, long ones in a file that nobody sees."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import OutputUnwritable
from foleyspace_host.media.atomic import write_error

__all__ = ["Tape"]

_HELD_SAMPLES = 1 << 23  # 34 MB, 175 s at 48 kHz
_BYTES = 4

Floats = NDArray[np.float32]


class Tape:
    """One channel of sound, silent at first, read and written in slices as an array is.

    A long one lies in a file without a name, which is gone when nothing holds the tape any more, or the process has
    ended. What is read is a copy: a change is kept where it is written back, as ``tape[a:b] *= gain`` does.

    Parameters
    ----------
    n_samples : int
        Length.
    folder : Path, optional
        Where the file lies; the system's folder of temporary files if not given.
    held_samples : int
        Length up to which it is held in memory.

    Raises
    ------
    OutputUnwritable
        If no file can be made there; DiskFull, also while writing, where there is no space for it.
    """

    def __init__(self, n_samples: int, folder: Path | None = None, *, held_samples: int = _HELD_SAMPLES) -> None:
        self._n_samples = n_samples
        self._folder = folder
        self._held: Floats | None = None
        if n_samples <= held_samples:
            self._held = np.zeros(n_samples, dtype=np.float32)
            return
        try:
            # without a buffer, so that a full disk is told where it is written to; closed with the tape
            self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
            self._file.truncate(n_samples * _BYTES)
        except OSError as error:
            raise self._refused(error) from error

    @classmethod
    def of(cls, samples: Floats) -> Self:
        """Return a tape with a copy of a sound, float32, shape (n_samples,)."""
        tape = cls(len(samples))
        tape[:] = samples
        return tape

    def __len__(self) -> int:
        return self._n_samples

    def __getitem__(self, place: slice) -> Floats:
        first, stop = self._ends(place)
        if self._held is not None:
            return self._held[first:stop].copy()
        found = np.empty(stop - first, dtype=np.float32)
        left = found.view(np.uint8).data
        try:
            self._file.seek(first * _BYTES)
            while left and (count := self._file.readinto(left)):  # type: ignore[attr-defined]
                left = left[count:]
        except OSError as error:
            raise self._refused(error) from error
        return found

    def __setitem__(self, place: slice, samples: Floats) -> None:
        first, stop = self._ends(place)
        if samples.shape != (stop - first,):
            raise ValueError(f"{samples.shape} does not fit into {stop - first} samples")
        if self._held is not None:
            self._held[first:stop] = samples
            return
        left = np.ascontiguousarray(samples, dtype=np.float32).view(np.uint8).data
        try:
            self._file.seek(first * _BYTES)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._refused(error) from error

    def cut(self, n_samples: int) -> None:
        """Leave out what lies beyond a length, which is not more than its own."""
        self._n_samples = min(n_samples, self._n_samples)

    def _refused(self, error: OSError) -> OutputUnwritable:
        return write_error(error, self._folder or tempfile.gettempdir())

    def _ends(self, place: slice) -> tuple[int, int]:
        first, stop, step = place.indices(self._n_samples)
        if step != 1:
            raise ValueError("a tape is read in one direction, every sample")
        return first, max(first, stop)
