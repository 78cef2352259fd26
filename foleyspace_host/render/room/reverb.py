"""Plays a room's tail under a rendering, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.render.panned import pan_points
from foleyspace_host.render.room.excitation import tail_points_of
from foleyspace_host.render.room.model import RoomModel

if TYPE_CHECKING:
    from foleyspace_host.render.options import RenderOptions
    from foleyspace_host.render.points import Point

__all__ = ["Convolver", "added", "convolved", "tail_blocks"]

Blocks = Iterable[NDArray[np.float32]]

_PARTITIONS = 16_384, 65_536  # the shortest and the longest
_FEWEST = 4  # that a long response is cut into: transforms cost little more for longer ones, products cost less


class Convolver:
    """Convolves a stream with several responses of any length: uniform partitions, overlap-save.

    Parameters
    ----------
    responses : ndarray, float32, shape (n_channels, n_taps)
        Responses.
    partition : int, optional
        Samples that are convolved at a time; as it suits the length if not given.
    """

    def __init__(self, responses: NDArray[np.float32], partition: int | None = None) -> None:
        from scipy import fft

        n_channels, n_taps = responses.shape
        if partition is None:
            partition = int(np.clip(1 << max(n_taps // _FEWEST, 1).bit_length(), *_PARTITIONS))
        count = max(-(-n_taps // partition), 1)
        padded = np.zeros((n_channels, count, partition), dtype=np.float32)
        padded.reshape(n_channels, -1)[:, :n_taps] = responses
        self.partition = partition
        self._spectra: NDArray[np.complex64] = fft.rfft(padded, 2 * partition)
        self._past = np.zeros((count, partition + 1), dtype=np.complex64)  # spectra of the sound, as a ring
        self._newest = 0
        self._sound = np.zeros(2 * partition, dtype=np.float32)

    def next(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convolve the next samples.

        Parameters
        ----------
        sound : ndarray, float32, shape (partition,)
            What follows on the sound before.

        Returns
        -------
        ndarray, float32, shape (n_channels, partition)
            The output at the same samples.
        """
        from scipy import fft

        count = len(self._past)
        self._sound[: self.partition] = self._sound[self.partition :]
        self._sound[self.partition :] = sound
        self._newest = (self._newest - 1) % count
        self._past[self._newest] = fft.rfft(self._sound)
        total = np.zeros((len(self._spectra), self.partition + 1), dtype=np.complex64)
        product = np.empty(self.partition + 1, dtype=np.complex64)
        for age in range(count):
            spectrum = self._past[(self._newest + age) % count]
            for channel, spectra in enumerate(self._spectra):
                total[channel] += np.multiply(spectrum, spectra[age], out=product)
        output: NDArray[np.float32] = fft.irfft(total, 2 * self.partition, overwrite_x=True)[:, self.partition :]
        return output


def tail_blocks(
    blocks: Blocks,
    n_samples: int,
    sample_rate_hz: int,
    sources: Sequence[Point],
    room: RoomModel,
    options: RenderOptions,
    responses: NDArray[np.float32],
) -> Iterator[NDArray[np.float32]]:
    """Render the tail of a stream of blocks.

    Parameters
    ----------
    blocks : iterable of ndarray, float32, shape (any,) or (n_clip_channels, any)
        The clip.
    n_samples : int
        Samples to render.
    sample_rate_hz : int
        Sampling rate [Hz].
    sources : sequence of Point
        Direct sounds.
    room : RoomModel
        The room.
    options : RenderOptions
        Laws of distance and propagation.
    responses : ndarray, float32, shape (n_channels, n_taps)
        The tail.

    Returns
    -------
    iterator of ndarray, float32, shape (n_channels, m)
        n_samples in all.
    """
    feeding = tail_points_of(sources, room)
    return convolved(pan_points(blocks, n_samples, sample_rate_hz, feeding, _Everywhere(), 1, options), responses)


class _Everywhere:
    """The law of a single channel that hears all directions alike."""

    def gains(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones((len(unit), 1))


def convolved(blocks: Blocks, responses: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Convolve a stream.

    Parameters
    ----------
    blocks : iterable of ndarray, float32, shape (1, any)
        The sound; how it is cut does not change the result.
    responses : ndarray, float32, shape (n_channels, n_taps)
        Responses.

    Yields
    ------
    ndarray, float32, shape (n_channels, m)
        As many samples in all as `blocks` has.
    """
    convolver = Convolver(responses)
    size = convolver.partition
    waiting, n_waiting = np.zeros(size, dtype=np.float32), 0
    for block in blocks:
        sound = block[0]
        while len(sound):
            taken = min(size - n_waiting, len(sound))
            waiting[n_waiting : n_waiting + taken] = sound[:taken]
            n_waiting, sound = n_waiting + taken, sound[taken:]
            if n_waiting == size:
                yield convolver.next(waiting)
                n_waiting = 0
    if n_waiting:
        waiting[n_waiting:] = 0.0
        yield convolver.next(waiting)[:, :n_waiting]


def added(first: Blocks, second: Blocks) -> Iterator[NDArray[np.float32]]:
    """Add two streams of the same length, whose blocks may differ.

    Parameters
    ----------
    first, second : iterable of ndarray, float32, shape (n_channels, any)
        Streams.

    Yields
    ------
    ndarray, float32, shape (n_channels, m)
    """
    rest: NDArray[np.float32] | None = None
    others = iter(second)
    for block in first:
        total = block.copy()
        filled = 0
        while filled < total.shape[1]:
            if rest is None or not rest.shape[1]:
                rest = next(others)
            taken = min(rest.shape[1], total.shape[1] - filled)
            total[:, filled : filled + taken] += rest[:, :taken]
            rest = rest[:, taken:]
            filled += taken
        yield total
