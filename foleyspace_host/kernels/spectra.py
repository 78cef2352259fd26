"""Fourier transforms, and the filter that works on them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels.arrays import BOOL, F32, I32, Floats, address, check
from foleyspace_host.kernels.library import native

__all__ = ["Fourier", "Responses", "analyse", "synthesise"]


class Fourier:
    """Transforms of one length.

    Parameters
    ----------
    n : int
        Length: a power of two, or three times one, 16 to 2**24.

    Raises
    ------
    ValueError
        If it is another.
    """

    def __init__(self, n: int) -> None:
        size = int(native().fs_fourier_table_size(n))
        check(size)
        self.n = n
        self.table = np.empty(size, dtype=np.float32)
        native().fs_fourier_table(n, self.table.ctypes.data)

    @staticmethod
    @lru_cache(maxsize=16)
    def of(n: int) -> Fourier:
        """Return the transforms of a length, made once."""
        return Fourier(n)

    @staticmethod
    def fast_length(n_samples: int) -> int:
        """Return the shortest length that is known and holds so many samples."""
        power = max(16, 1 << max(n_samples - 1, 1).bit_length())
        return 3 * power // 4 if 3 * power // 4 >= max(n_samples, 24) else power

    def transform(self, re: Floats, im: Floats) -> None:
        """Transform re + i im, each of shape (n,), in place; with the two exchanged, back, times n."""
        work = np.empty(2 * self.n, dtype=np.float32)
        places = address(re, F32, self.n, out=True), address(im, F32, self.n, out=True)
        check(native().fs_fourier(self.n, self.table.ctypes.data, work.ctypes.data, *places))


def analyse(
    sound: Floats, jump: NDArray[np.bool_], fades: Floats, lead: int, fourier: Fourier, spectra: Floats
) -> None:
    """Transform hops of sound, each plain and faded in.

    Parameters
    ----------
    sound : ndarray, float32, shape (n_hops, hop)
        Samples.
    jump : ndarray of bool, shape (n_hops,)
        Hops that take the second fade.
    fades : ndarray, float32, shape (2, hop)
        Two ways from 0 to 1.
    lead : int
        Zeros before each hop: room for filters that ring before they are struck.
    fourier : Fourier
        The transforms.
    spectra : ndarray, float32, shape (n_hops, 4, n / 2)
        Filled with real and imaginary parts of the sound, then of the faded one, divided by n. The last bin,
        which is real, stands in the place of the first imaginary part.

    Raises
    ------
    TypeError, ValueError
        If an array is not what it must be.
    """
    n_hops, hop = sound.shape
    n = fourier.n
    if lead < 0 or lead + hop > n:
        raise ValueError(f"hops of {hop} samples behind {lead} do not go into {n}")
    work = np.empty(4 * n, dtype=np.float32)
    code = native().fs_analyse(
        address(sound, F32, n_hops, hop),
        address(jump, BOOL, n_hops),
        n_hops,
        hop,
        address(fades, F32, 2, hop),
        lead,
        n,
        fourier.table.ctypes.data,
        work.ctypes.data,
        address(spectra, F32, n_hops, 4, n // 2, out=True),
    )
    check(code)


class Responses:
    """Responses to filter with; each is transformed when it is first used.

    Not for several threads at a time.

    Parameters
    ----------
    taps : ndarray, float32, shape (n_vertices, 2, n_taps)
        Responses of both ears.
    fourier : Fourier
        The transforms; at least as long as the responses.
    """

    def __init__(self, taps: Floats, fourier: Fourier) -> None:
        n_vertices, n_ears, n_taps = taps.shape
        if n_ears != 2 or n_taps > fourier.n:
            raise ValueError(f"responses of shape {taps.shape} for transforms of {fourier.n}")
        self.taps_address = address(taps, F32, n_vertices, 2, n_taps)
        self.taps, self.fourier = taps, fourier
        self.ready = np.zeros(n_vertices, dtype=np.uint8)
        self.spectra = np.empty((n_vertices, 4, fourier.n // 2), dtype=np.float32)
        self.work = np.empty(8 * fourier.n, dtype=np.float32)


def synthesise(
    spectra: Floats,
    hop: int,
    responses: Responses,
    vertex: NDArray[np.int32],
    weight: Floats,
    tone: Floats | None,
    out: Floats,
) -> None:
    """Filter hops by responses that move from control point to control point, and add them up.

    Parameters
    ----------
    spectra : ndarray, float32, shape (n_hops, 4, n / 2)
        As from `analyse`.
    hop : int
        Samples of a hop.
    responses : Responses
        The responses.
    vertex : ndarray, int32, shape (n_hops + 1, 3)
        Responses to blend at each control point.
    weight : ndarray, float32, shape (n_hops + 1, 3)
        Their weights.
    tone : ndarray, float32, shape (1 or 2, 1 or n_hops + 1, n / 2 + 1), or None
        Gains of the bins, for each ear and control point.
    out : ndarray, float32, shape (2, at least (n_hops - 1) * hop + n)
        Added to; the samples of a row are neighbours.

    Raises
    ------
    TypeError, ValueError
        If an array is not what it must be, or a vertex does not exist.
    """
    n_hops, n = len(spectra), responses.fourier.n
    tone_ears, tone_points, tone_address = 1, 1, None
    if tone is not None:
        tone_ears, tone_points = tone.shape[0], tone.shape[1]
        if tone_ears not in (1, 2) or tone_points not in (1, n_hops + 1):
            raise ValueError(f"gains of shape {tone.shape} for {n_hops} hops")
        tone_address = address(tone, F32, tone_ears, tone_points, n // 2 + 1)
    if out.dtype != F32 or not out.flags.writeable or not out.flags.aligned:
        raise TypeError("filtered sound goes into a writable array of float32")
    if out.ndim != 2 or len(out) != 2 or out.shape[1] < (n_hops - 1) * hop + n or hop < 1 or not n_hops:
        raise ValueError(f"the result does not fit into an array of shape {out.shape}")
    row, column = out.strides
    if column != 4 or row % 4 or row < 4 * out.shape[1]:
        raise ValueError("the rows of the result must each lie in one piece")
    code = native().fs_synthesise(
        address(spectra, F32, n_hops, 4, n // 2),
        n_hops,
        hop,
        n,
        responses.taps_address,
        len(responses.taps),
        responses.taps.shape[2],
        responses.ready.ctypes.data,
        responses.spectra.ctypes.data,
        address(vertex, I32, n_hops + 1, 3),
        address(weight, F32, n_hops + 1, 3),
        tone_address,
        tone_ears,
        tone_points,
        responses.fourier.table.ctypes.data,
        responses.work.ctypes.data,
        int(out.ctypes.data),
        row // 4,
    )
    check(code)
