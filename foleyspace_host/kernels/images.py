"""The kernels of mirror images in a room; a wrong array raises, and never reaches the compiled code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels.arrays import BOOL, F32, F64, I32, Floats, address, check
from foleyspace_host.kernels.library import native
from foleyspace_host.kernels.spectra import Fourier, Responses

__all__ = ["TERMS", "Readings", "images_at_ears", "images_in_channels", "polynomials"]

TERMS = 5
"""Terms of the polynomial in time that stands for a sound around each sample."""


def polynomials(sound: Floats, taps: Floats) -> Floats:
    """Return the terms of the polynomial around each sample, for -1/2 to 1/2 of a sample.

    Parameters
    ----------
    sound : ndarray, float32, shape (n_points + n_taps,)
        Samples.
    taps : ndarray, float32, shape (5, n_taps)
        Filters; n_taps is a multiple of 4.

    Returns
    -------
    ndarray, float32, shape (5, n_points)
        Term j at point n is the sum over k of taps[j, k] * sound[n + k].
    """
    n_taps = taps.shape[1]
    n_points = len(sound) - n_taps
    if n_taps % 4 or n_points < 0:
        raise ValueError(f"{n_taps} taps on {len(sound)} samples")
    out = np.empty((TERMS, n_points), dtype=np.float32)
    sound_address, taps_address = address(sound, F32, len(sound)), address(taps, F32, TERMS, n_taps)
    native().fs_polynomials(sound_address, taps_address, n_taps, n_points, n_points, out.ctypes.data)
    return out


@dataclass(frozen=True, slots=True)
class Readings:
    """Frames that a number of images read from one sound, each two hops long and one hop after the last.

    Parameters
    ----------
    line : ndarray, float32, shape (5, length)
        The sound, as from `polynomials`.
    start : int
        Column at which the first frame would begin without delay.
    delay_samples : ndarray, float64, shape (n_images, n_frames + 2)
        Delay where the frames begin, and where the last two end [samples]; linear in between.
    jump : ndarray of bool, shape (n_images, n_frames + 1)
        Intervals in which frames cross-fade between the delays at both ends instead.
    rises : ndarray, float32, shape (2, hop)
        How a frame begins, where it moves and where it jumps.
    lead : int
        Samples before a frame for what filters without phase put there.
    tone : ndarray, float32, shape (n_tones, n / 2 + 1)
        Gains of the bins.
    row : ndarray, int32, shape (n_images, n_frames)
        Which of them a frame gets.
    """

    line: Floats
    start: int
    delay_samples: NDArray[np.float64]
    jump: NDArray[np.bool_]
    rises: Floats
    lead: int
    tone: Floats
    row: NDArray[np.int32]

    def arguments(self, fourier: Fourier, work: Floats) -> tuple[int, ...]:
        """Return the arguments that both kernels begin with; `work` has room for the frames held at its end."""
        (n_images, n_frames), hop, n = self.row.shape, self.rises.shape[1], fourier.n
        if not (n_images > 0 and n_frames > 0 and hop > 0 and 0 <= self.lead <= n):
            raise ValueError(f"{n_frames} frames of {n_images} images")
        held = work[len(work) - n_images * hop :]
        return (
            address(self.line, F32, TERMS, self.line.shape[1]),
            self.line.shape[1],
            self.start,
            hop,
            n_frames,
            n_images,
            self.lead,
            address(self.delay_samples, F64, n_images, n_frames + 2),
            address(self.jump, BOOL, n_images, n_frames + 1),
            address(self.rises, F32, 2, hop),
            address(self.tone, F32, len(self.tone), n // 2 + 1),
            len(self.tone),
            address(self.row, I32, n_images, n_frames),
            n,
            fourier.table.ctypes.data,
            work.ctypes.data,
            held.ctypes.data,
        )


def images_at_ears(
    readings: Readings,
    responses: Responses,
    vertex: NDArray[np.int32],
    weight: Floats,
    turn_samples: Floats,
    out: Floats,
) -> None:
    """Hear images from their directions.

    Parameters
    ----------
    readings : Readings
        What they play.
    responses : Responses
        Responses of both ears.
    vertex : ndarray, int32, shape (n_images, n_frames, 3)
        Responses to blend.
    weight : ndarray, float32, shape (n_images, n_frames, 3)
        Their weights.
    turn_samples : ndarray, float32, shape (n_images, n_frames)
        How much earlier than the mean of both ears the left one hears [samples].
    out : ndarray, float32, shape (2, at least (n_frames - 1) * hop + n)
        Added to; the first frame begins at sample `lead`.

    Raises
    ------
    TypeError, ValueError
        If an array is not what it must be, or a reading reaches beyond the line.
    """
    fourier = responses.fourier
    (n_images, n_frames), n = readings.row.shape, fourier.n
    work = np.empty(10 * n + 64 + n_images * readings.rises.shape[1], dtype=np.float32)
    code = native().fs_images_at_ears(
        *readings.arguments(fourier, work),
        responses.taps_address,
        len(responses.taps),
        responses.taps.shape[2],
        responses.ready.ctypes.data,
        responses.spectra.ctypes.data,
        address(vertex, I32, n_images, n_frames, 3),
        address(weight, F32, n_images, n_frames, 3),
        address(turn_samples, F32, n_images, n_frames),
        address(out, F32, 2, out.shape[1], out=True),
        out.shape[1],
    )
    check(code)


def images_in_channels(readings: Readings, fourier: Fourier, gains: Floats, out: Floats) -> None:
    """Pan images to channels.

    Parameters
    ----------
    readings : Readings
        What they play.
    fourier : Fourier
        The transforms.
    gains : ndarray, float32, shape (n_images, n_frames, n_channels)
        Gains of the channels.
    out : ndarray, float32, shape (n_channels, at least (n_frames - 1) * hop + n)
        Added to; the first frame begins at sample `lead`.

    Raises
    ------
    TypeError, ValueError
        If an array is not what it must be, or a reading reaches beyond the line.
    """
    (n_images, n_frames), n_channels = readings.row.shape, len(out)
    work = np.empty((7 + n_channels) * fourier.n + n_images * readings.rises.shape[1], dtype=np.float32)
    code = native().fs_images_in_channels(
        *readings.arguments(fourier, work),
        address(gains, F32, n_images, n_frames, n_channels),
        n_channels,
        address(out, F32, n_channels, out.shape[1], out=True),
        out.shape[1],
    )
    check(code)
