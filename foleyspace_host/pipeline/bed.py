"""The bed: the original sound in stereo, kept at a chosen level under the point source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.pipeline.dry import BLOCK_SAMPLES, fitted

if TYPE_CHECKING:
    from foleyspace_host.media.audio import AudioSource

__all__ = ["mixed", "stereo_matrix"]

_HALF = sqrt(0.5)
# Recommendation ITU-R BS.775-4, table 2: centre and surrounds at -3 dB to their side(s), LFE left out.
# Channels in the order of WAV and FFmpeg: front left, right, centre, LFE, back left, right, side left, right.
_TO_LEFT: dict[int, tuple[float, ...]] = {
    1: (1.0,),
    2: (1.0, 0.0),
    5: (1.0, 0.0, _HALF, _HALF, 0.0),
    6: (1.0, 0.0, _HALF, 0.0, _HALF, 0.0),
    8: (1.0, 0.0, _HALF, 0.0, _HALF, 0.0, _HALF, 0.0),
}
_MIRROR: dict[int, tuple[int, ...]] = {
    1: (0,),
    2: (1, 0),
    5: (1, 0, 2, 4, 3),
    6: (1, 0, 2, 3, 5, 4),
    8: (1, 0, 2, 3, 5, 4, 7, 6),
}


def stereo_matrix(n_channels: int, where: str) -> NDArray[np.float32]:
    """Return the weights that fold channels into stereo.

    Parameters
    ----------
    n_channels : int
        1, 2, 5 (5.0), 6 (5.1) or 8 (7.1).
    where : str
        What messages call the sound, usually its file.

    Returns
    -------
    ndarray, float32, shape (2, n_channels)
        Weights of ITU-R BS.775-4; mono goes to both sides as it is, stereo stays as it is.

    Raises
    ------
    InvalidInput
        For other numbers of channels, whose layout is not known.
    """
    if n_channels not in _TO_LEFT:
        raise InvalidInput(
            f"no known way to fold {n_channels} channels into a stereo bed",
            where=where,
            cure="mix the sound to stereo first, or leave out the bed",
        )
    left = np.array(_TO_LEFT[n_channels], np.float32)
    return np.stack([left, left[list(_MIRROR[n_channels])]])


def mixed(
    rendered: Iterable[NDArray[np.float32]],
    original: AudioSource,
    bed_db: float,
    sample_rate_hz: int,
    n_samples: int,
    stereo_to_output: NDArray[np.float32] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Add the original sound to a rendered one.

    Parameters
    ----------
    rendered : iterable of ndarray, shape (n_channels, n)
        Blocks of together `n_samples` samples.
    original : AudioSource
        Sound of the video; resampled, padded or cut to the rendered one.
    bed_db : float
        Level relative to the original [dB].
    sample_rate_hz : int
        Rate of the rendered sound [Hz].
    n_samples : int
        Length of the rendered sound.
    stereo_to_output : ndarray, float32, shape (n_channels, 2), optional
        How stereo goes into the rendered channels, see `stereo_weights`; as it is if not given.

    Yields
    ------
    ndarray, float32, shape (n_channels, n)
        The sums, in blocks as long as the rendered ones.

    Raises
    ------
    InvalidInput
        If the original's channels cannot be folded into stereo.
    """
    from foleyspace_host.media.audio import resampled

    weights = stereo_matrix(original.n_channels, str(original.path)) * np.float32(10.0 ** (bed_db / 20.0))
    stereo = (weights @ block for block in original.blocks(BLOCK_SAMPLES))
    bed = _Reader(fitted(resampled(stereo, original.sample_rate_hz, sample_rate_hz), n_samples))
    for block in rendered:
        under = bed.take(block.shape[1])
        yield block + (under if stereo_to_output is None else stereo_to_output @ under)


class _Reader:
    """Takes any number of samples from a stream of blocks."""

    def __init__(self, blocks: Iterator[NDArray[np.float32]]) -> None:
        self._blocks = blocks
        self._held = np.zeros((2, 0), np.float32)

    def take(self, n_samples: int) -> NDArray[np.float32]:
        pieces, n_held = [self._held], self._held.shape[1]
        while n_held < n_samples:
            pieces.append(next(self._blocks))
            n_held += pieces[-1].shape[1]
        joined = np.concatenate(pieces, axis=1)
        self._held = joined[:, n_samples:]
        return joined[:, :n_samples]
