"""Pieces of a stream of frames, with as much around them as a network sees: pieces give what the whole gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.condition import N_CONDITION
from foleyspace_host.diffusion.features import N_BINS
from foleyspace_host.diffusion.reach import FLOOR, log_map

__all__ = ["CHUNK_FRAMES", "Seen", "Stretch", "Window"]

CHUNK_FRAMES = 768
"""Frames that are computed together: 4.1 s. Longer pieces waste less on context and cancel later."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive frames of a stream.

    Parameters
    ----------
    prior : ndarray, float32, shape (4, N_BINS, n)
        Compressed spectra of the prior: real and imaginary part of the left and the right ear.
    mono : ndarray, float32, shape (2, N_BINS, n)
        Compressed spectrum of the mono sound.
    condition : ndarray, float32, shape (n, N_CONDITION)
        Rows of `condition`.
    nyquist : ndarray, complex64, shape (2, n)
        Highest bin of the prior.
    place : ndarray, float32, shape (4, N_BINS, n)
        Where the flow is; the prior before it begins.
    reach : ndarray, float32, shape (N_BINS, n)
        Level in proportion to which everything is seen, see `reach`.
    """

    prior: NDArray[np.float32]
    mono: NDArray[np.float32]
    condition: NDArray[np.float32]
    nyquist: NDArray[np.complex64]
    place: NDArray[np.float32]
    reach: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        prior: NDArray[np.float32],
        mono: NDArray[np.float32],
        condition: NDArray[np.float32],
        nyquist: NDArray[np.complex64],
    ) -> Stretch:
        """Return frames at the beginning of the flow, without their reach."""
        return cls(prior, mono, condition, nyquist, prior, np.full(prior.shape[1:], FLOOR, dtype=np.float32))

    @classmethod
    def silence(cls, n_frames: int) -> Stretch:
        """Return so many frames of nothing."""
        return cls.of(
            np.zeros((4, N_BINS, n_frames), dtype=np.float32),
            np.zeros((2, N_BINS, n_frames), dtype=np.float32),
            np.zeros((n_frames, N_CONDITION), dtype=np.float32),
            np.zeros((2, n_frames), dtype=np.complex64),
        )

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.condition)

    def at(self, place: NDArray[np.float32], reach: NDArray[np.float32] | None = None) -> Stretch:
        """Return the same frames at another place of the flow."""
        return replace(self, place=place, reach=self.reach if reach is None else reach)

    def cut(self, first: int, stop: int) -> Stretch:
        """Return the frames first ... stop - 1."""
        span = slice(first, stop)
        return Stretch(
            self.prior[..., span],
            self.mono[..., span],
            self.condition[span],
            self.nyquist[..., span],
            self.place[..., span],
            self.reach[..., span],
        )

    def then(self, other: Stretch) -> Stretch:
        """Return these frames followed by others."""
        return Stretch(
            np.concatenate([self.prior, other.prior], axis=2),
            np.concatenate([self.mono, other.mono], axis=2),
            np.concatenate([self.condition, other.condition]),
            np.concatenate([self.nyquist, other.nyquist], axis=1),
            np.concatenate([self.place, other.place], axis=2),
            np.concatenate([self.reach, other.reach], axis=1),
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What a network is shown, and the frames that it answers for.

    Parameters
    ----------
    maps : ndarray, float32, shape (1, N_MAPS, N_BINS, memory + n + look_ahead)
        Where the flow is, the prior and the mono sound over their reach, and that.
    condition : ndarray, float32, shape (1, memory + n + look_ahead, N_CONDITION)
        Rows.
    now : Stretch
        The n frames in the middle.
    """

    maps: NDArray[np.float32]
    condition: NDArray[np.float32]
    now: Stretch


class Window:
    """Keeps what a network sees around the frames that it answers for.

    Parameters
    ----------
    memory, look_ahead : int
        Frames before and after.
    """

    def __init__(self, memory: int, look_ahead: int) -> None:
        self._memory, self._look_ahead = memory, look_ahead
        self._held = Stretch.silence(memory)

    def push(self, stretch: Stretch, *, last: bool) -> Seen | None:
        """Take the next frames.

        Parameters
        ----------
        stretch : Stretch
            Frames.
        last : bool
            Whether silence follows them.

        Returns
        -------
        Seen or None
            Frames whose future is known; None if there are none yet.
        """
        held = self._held.then(stretch)
        if last:
            held = held.then(Stretch.silence(self._look_ahead))
        n_ready = held.n_frames - self._memory - self._look_ahead
        if n_ready <= 0:
            self._held = held
            return None
        self._held = held.cut(n_ready, held.n_frames)
        maps = np.concatenate([held.place, held.prior, held.mono, held.reach[None]])
        maps[:-1] /= held.reach
        maps[-1] = log_map(held.reach)
        return Seen(maps[None], held.condition[None], held.cut(self._memory, self._memory + n_ready))

    def kept(self, residual: NDArray[np.float32], now: Stretch) -> NDArray[np.float32]:
        """Return of an answer for all that was shown what is for the frames in the middle, at their level."""
        return residual[..., self._memory : residual.shape[-1] - self._look_ahead] * now.reach
