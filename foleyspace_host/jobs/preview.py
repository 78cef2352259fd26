"""What is being rendered, on its way to those who listen in: a file that one process writes and another reads.

The file is a line of JSON, ``{"format": "foleyspace.preview/1", "rate_hz": 48000, "n_channels": 2, "n_samples":
96000}``, and then samples as they are made: float32, little endian, one sample of every channel after the other.
"""

from __future__ import annotations

import contextlib
import json
import sys
from array import array
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

__all__ = ["PreviewHead", "PreviewReader", "PreviewWriter"]

_FORMAT = "foleyspace.preview/1"
_LONGEST_HEAD = 256


@dataclass(frozen=True, slots=True)
class PreviewHead:
    """What a preview is: rate [Hz], channels, and how many samples of each it will have, if that is known."""

    rate_hz: int
    n_channels: int
    n_samples: int | None = None


class PreviewWriter:
    """Writes a preview. A full disk ends the preview but not the rendering.

    Parameters
    ----------
    path : Path
        The file; what is in it goes, for a new attempt makes the same samples again.
    head : PreviewHead
        What it will be.
    """

    def __init__(self, path: Path, head: PreviewHead) -> None:
        said = {"format": _FORMAT, "rate_hz": head.rate_hz, "n_channels": head.n_channels, "n_samples": head.n_samples}
        self._file: FileIO | None = None
        with contextlib.suppress(OSError):
            # unbuffered: readers see what is written
            self._file = path.open("wb", buffering=0)
            self._file.write(json.dumps(said).encode() + b"\n")

    def write(self, samples: Any) -> None:
        """Append samples: any buffer of float32 in C order, shape (samples, channels)."""
        block = memoryview(samples)
        if self._file is None or not block.nbytes:  # nothing cannot be cast
            return
        block = block.cast("B")
        if sys.byteorder == "big":
            swapped = array("f", bytes(block))
            swapped.byteswap()
            block = memoryview(swapped).cast("B")
        try:
            while block:
                block = block[self._file.write(block) :]
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the file; what is written stays."""
        if self._file is not None:
            self._file.close()
            self._file = None


class PreviewReader:
    """Reads a preview while it is being written.

    Parameters
    ----------
    path : Path
        The file; need not exist yet. It is opened anew each time, so that it can be removed or begun again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def head(self) -> PreviewHead | None:
        """Return what the preview is, or None as long as nothing was rendered."""
        try:
            with self._path.open("rb") as file:
                return _read_head(file.readline(_LONGEST_HEAD))
        except OSError:
            return None

    def read(self, start_sample: int, n_samples: int) -> bytes:
        """Return samples of all channels, as they lie in the file.

        Parameters
        ----------
        start_sample : int
            First sample.
        n_samples : int
            How many of each channel; fewer come, or none, if there are fewer by now.
        """
        try:
            with self._path.open("rb") as file:
                head = _read_head(file.readline(_LONGEST_HEAD))
                if head is None:
                    return b""
                size = 4 * head.n_channels
                file.seek(start_sample * size, 1)
                block = file.read(n_samples * size)
        except OSError:
            return b""
        return block[: len(block) // size * size]

    def close(self) -> None:
        """Do nothing: no file is kept open."""


def _read_head(line: bytes) -> PreviewHead | None:
    try:
        said = json.loads(line)
        if not line.endswith(b"\n") or said["format"] != _FORMAT:
            return None
        return PreviewHead(said["rate_hz"], said["n_channels"], said["n_samples"])
    except (ValueError, KeyError, TypeError):
        return None
