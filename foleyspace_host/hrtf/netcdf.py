"""SOFA files as netCDF-4: attributes as text, variables by the letters of their dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from foleyspace_host.errors import HrtfInvalid

__all__ = ["SofaFile", "open_sofa"]


class SofaFile:
    """An open file.

    Parameters
    ----------
    dataset : netCDF4.Dataset
        The file.
    where : str
        Its name, for errors.
    """

    def __init__(self, dataset: Any, where: str) -> None:
        self._dataset = dataset
        self._where = where

    def attribute(self, name: str, variable: str | None = None) -> str:
        """Return an attribute of the file or of a variable; an empty text if there is none."""
        holder = self._dataset if variable is None else self._dataset.variables.get(variable)
        return "" if holder is None or name not in holder.ncattrs() else str(holder.getncattr(name))

    def values(self, name: str, letters: str, dtype: DTypeLike = np.float64) -> NDArray[Any] | None:
        """Return a variable with one axis for each letter.

        Parameters
        ----------
        name : str
            Name of the variable.
        letters : str
            Wanted dimensions, of M measurements, R receivers, E emitters, N samples; those that the
            variable lacks have length 1, and I of the file stands for whichever is missing.
        dtype : dtype
            Wanted type.

        Returns
        -------
        ndarray or None
            None if there is no such variable.

        Raises
        ------
        HrtfInvalid
            If it is damaged or has other dimensions.
        """
        variable = self._dataset.variables.get(name)
        if variable is None:
            return None
        values = self._read(variable, dtype)
        names = list(variable.dimensions)
        if not set(names) <= {*letters, "I"}:  # dimensions of other names stand in the standard's order
            names = list(letters[: values.ndim])
        for axis in reversed(range(values.ndim)):
            if names[axis] == "I" and values.shape[axis] == 1:
                values, names = values.squeeze(axis), names[:axis] + names[axis + 1 :]
        if sorted(set(names)) != sorted(names) or not set(names) <= set(letters):
            shown = ", ".join(variable.dimensions)
            raise HrtfInvalid(f"{name} has the dimensions {shown}", where=self._where, cure="use an intact file")
        present = [letter for letter in letters if letter in names]
        values = values.transpose([names.index(letter) for letter in present])
        return values[tuple(slice(None) if letter in names else None for letter in letters)]

    def positions(self, name: str) -> NDArray[np.float64] | None:
        """Return a variable of coordinates as (places, 3); what it holds for each measurement is averaged."""
        variable = self._dataset.variables.get(name)
        if variable is None:
            return None
        values = self._read(variable, np.float64)
        values = values.reshape(1, -1) if values.ndim < 2 else values
        return values.mean(axis=2) if values.ndim == 3 else values

    def _read(self, variable: Any, dtype: DTypeLike) -> NDArray[Any]:
        try:
            return np.asarray(variable[:], dtype=dtype)
        # the libraries below raise OSError, RuntimeError, ValueError, MemoryError ... for damaged data
        except Exception as error:
            raise _unreadable(self._where) from error


@contextmanager
def open_sofa(path: Path) -> Iterator[SofaFile]:
    """Open a SOFA file for reading.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    SofaFile

    Raises
    ------
    HrtfInvalid
        If the file is missing or what is read from it is damaged.
    """
    import netCDF4

    if not path.is_file():
        raise HrtfInvalid("there is no such file", where=str(path), cure="check the path of the SOFA file")
    try:
        dataset = netCDF4.Dataset(str(path), "r")
    except Exception as error:
        raise _unreadable(str(path)) from error
    with dataset:
        dataset.set_auto_mask(False)
        yield SofaFile(dataset, str(path))


def _unreadable(where: str) -> HrtfInvalid:
    return HrtfInvalid("not a readable SOFA file", where=where, cure="copy or download it again")
