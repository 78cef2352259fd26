"""Sample rate conversion of a stream of blocks, with a length that is known to the sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from foleyspace_host.errors import InvalidInput

__all__ = ["resampled", "resampled_length"]


def resampled_length(n_samples: int, from_hz: int, to_hz: int) -> int:
    """Return the number of samples after resampling, halves rounded up.

    Parameters
    ----------
    n_samples : int
        Samples before.
    from_hz, to_hz : int
        Sampling rates [Hz].

    Returns
    -------
    int
        floor(n_samples * to_hz / from_hz + 1/2).
    """
    return (2 * n_samples * to_hz + from_hz) // (2 * from_hz)


def resampled(blocks: Iterable[np.ndarray], from_hz: int, to_hz: int) -> Iterator[np.ndarray]:
    """Convert the sampling rate of a stream with constant memory (soxr, very high quality, linear phase).

    Parameters
    ----------
    blocks : iterable of ndarray, shape (n_channels, n) or (n,)
        Consecutive pieces of one sound.
    from_hz, to_hz : int
        Sampling rates [Hz], at least 1.

    Yields
    ------
    ndarray of float32, shape (n_channels, m) or (m,)
        Pieces that are together exactly ``resampled_length`` samples long; time zero stays where it is.

    Raises
    ------
    InvalidInput
        A rate is below 1.
    """
    if from_hz < 1 or to_hz < 1:
        raise InvalidInput(f"cannot resample from {from_hz} Hz to {to_hz} Hz", cure="use rates above 0")
    if from_hz == to_hz:
        return (np.asarray(block, np.float32) for block in blocks)
    return _converted(blocks, from_hz, to_hz)


def _converted(blocks: Iterable[np.ndarray], from_hz: int, to_hz: int) -> Iterator[np.ndarray]:
    import soxr

    stream = None
    flat = False
    n_channels = n_in = n_out = 0
    for block in blocks:
        if stream is None:
            flat = block.ndim == 1
            n_channels = 1 if flat else block.shape[0]
            stream = soxr.ResampleStream(from_hz, to_hz, n_channels, dtype="float32", quality="VHQ")
            held = np.zeros((0, n_channels), np.float32)
        n_in += block.shape[-1]
        held = np.concatenate([held, stream.resample_chunk(_frames_first(block))])
        # whatever lies past the exact length of what came in so far waits; it may turn out to be too much
        n_ready = min(len(held), max(0, resampled_length(n_in, from_hz, to_hz) - n_out))
        if n_ready:
            yield _channels_first(held[:n_ready], flat)
            held = held[n_ready:]
            n_out += n_ready
    if stream is None:
        return
    tail = stream.resample_chunk(np.zeros((0, n_channels), np.float32), last=True)
    n_missing = resampled_length(n_in, from_hz, to_hz) - n_out
    padding = np.zeros((max(0, n_missing - len(held) - len(tail)), n_channels), np.float32)
    if n_missing > 0:
        yield _channels_first(np.concatenate([held, tail, padding])[:n_missing], flat)


def _frames_first(block: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.atleast_2d(block).T, dtype=np.float32)


def _channels_first(piece: np.ndarray, flat: bool) -> np.ndarray:
    piece = np.ascontiguousarray(piece.T)
    return piece[0] if flat else piece
