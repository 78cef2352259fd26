"""What the points play: channels of the clip, with the source's level over time and its width put on them.

Level and width belong to the source and not to the way of its sound, so they are applied here, on the
source's clock, once for all renderers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.envelope import GainEnvelope
from foleyspace_host.render.extent import Part, half_taps, part_filters
from foleyspace_host.render.feed import Feed
from foleyspace_host.render.points import Point

__all__ = ["Signals"]

_STEP_S = 5e-3  # levels are straight lines in between: short enough to follow, long enough not to click at a cut

_Dry = tuple[int, GainEnvelope | None]


class Signals:
    """The sounds of points, in step with the clip and with each other; how the blocks are cut does not matter.

    Parameters
    ----------
    blocks : iterable of ndarray, float32, shape (any,) or (n_channels, any)
        The clip in order; silence follows the last.
    points : sequence of Point
        The points that will play.
    sample_rate_hz : int
        Sampling rate [Hz].

    Attributes
    ----------
    n_rows : int
        Number of different sounds; points that sound alike share one.
    """

    def __init__(self, blocks: Iterable[NDArray[np.float32]], points: Sequence[Point], sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._feed = Feed(blocks, 1 + max(point.channel for point in points))
        dry = list(dict.fromkeys((point.channel, point.envelope) for point in points))
        keys = list(dict.fromkeys(_key(point) for point in points))
        self._dry, self._row = dry, {key: row for row, key in enumerate(keys)}
        self.n_rows = len(keys)
        self._plain = [(row, dry.index(key[:2])) for row, key in enumerate(keys) if key[2] is None]
        self._wide: dict[tuple[int, int, float], list[tuple[int, int]]] = {}
        for row, (channel, envelope, part) in enumerate(keys):
            if part is not None:
                wide = (dry.index((channel, envelope)), part.count, part.extent_deg)
                self._wide.setdefault(wide, []).append((row, part.index))
        self._half = half_taps(sample_rate_hz) if self._wide else 0
        self._position = 0  # samples of the clip that were read
        # around what is asked for, so much of the past and of the future
        self._held = np.zeros((len(dry), 2 * self._half), dtype=np.float32)
        if self._half:
            self._held[:, self._half :] = self._read(self._half)

    def row(self, point: Point) -> int:
        """Return the row of `take` that a point plays."""
        return self._row[_key(point)]

    def take(self, n_samples: int) -> NDArray[np.float32]:
        """Return the next samples.

        Parameters
        ----------
        n_samples : int
            How many.

        Returns
        -------
        ndarray, float32, shape (n_rows, n_samples)

        Raises
        ------
        InvalidInput
            If the clip has too few channels.
        NonFinite
            If it holds NaN or infinite samples.
        """
        if not self._half:
            return self._read(n_samples)
        sound = np.concatenate([self._held, self._read(n_samples)], axis=1)
        self._held = sound[:, n_samples:]
        out = np.empty((self.n_rows, n_samples), dtype=np.float32)
        for row, dry in self._plain:
            out[row] = sound[dry, self._half : self._half + n_samples]
        for (dry, count, extent_deg), rows in self._wide.items():
            parts = self._parts(sound[dry], count, extent_deg)
            for row, index in rows:
                out[row] = parts[index]
        return out

    def _read(self, n_samples: int) -> NDArray[np.float32]:
        """Read channels on, with their levels over time."""
        clip = self._feed.take(n_samples)
        sound = np.empty((len(self._dry), n_samples), dtype=np.float32)
        for row, (channel, envelope) in enumerate(self._dry):
            sound[row] = clip[channel]
            if envelope is not None:
                sound[row] *= self._level(envelope, n_samples)
        self._position += n_samples
        return sound

    def _level(self, envelope: GainEnvelope, n_samples: int) -> NDArray[np.float32]:
        step = max(round(_STEP_S * self._rate_hz), 1)
        first, last = self._position // step, (self._position + n_samples) // step + 1
        level = envelope.sample(np.arange(first, last + 1) * (step / self._rate_hz))
        offset = np.arange(n_samples) + (self._position - first * step)
        index, part = offset // step, (offset % step) / step
        return (level[index] + part * (level[index + 1] - level[index])).astype(np.float32)

    def _parts(self, sound: NDArray[np.float32], count: int, extent_deg: float) -> NDArray[np.float32]:
        """Filter a sound for all parts of a source; the result lacks the half length of the filter at both ends."""
        from scipy import fft

        taps = part_filters(count, extent_deg, self._rate_hz)
        n_fft = fft.next_fast_len(len(sound), real=True)
        spectra = fft.rfft(taps, n_fft, axis=1) * fft.rfft(sound, n_fft)
        parts: NDArray[np.float32] = fft.irfft(spectra, n_fft, axis=1)[:, taps.shape[1] - 1 : len(sound)]
        return parts


def _key(point: Point) -> tuple[int, GainEnvelope | None, Part | None]:
    return point.channel, point.envelope, point.part
