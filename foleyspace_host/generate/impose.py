"""Gives a sound exactly the loudness over time that was asked for, whatever made it.

A gain for each frame takes out the sound's own loudness, the curve itself is laid over it sample by sample, so that
onsets stay as sharp as they were drawn, and what is then still wrong in any frame is corrected. Gains are bounded:
where a sound has nothing, no noise is drawn up from under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import HOP, N_FFT, SAMPLE_RATE_HZ
from foleyspace_host.generate.envelope import NOMINAL_DB, SILENCE_DB, Envelope, frame_levels_db
from foleyspace_host.media.tape import Tape

__all__ = ["impose", "impose_in_place", "measured_db"]

_BLOCK_FRAMES = 4096
_BLOCK = _BLOCK_FRAMES * HOP
_BOUND_DB = 30.0  # of the gain around that of the sound's usual level
_CORRECTION_DB = 24.0
_STEP_DB = 9.0
_PASSES = 3
_NOTHING_DB = -140.0
_HEARD_DB = 40.0  # below the loudest that is wanted

Floats = NDArray[np.float32]


def measured_db(samples: Floats) -> Floats:
    """Return the level of each frame of a sound, in little memory however long it is.

    Parameters
    ----------
    samples : ndarray, float32, shape (n_samples,)
        Sound at 48 kHz.

    Returns
    -------
    ndarray, float32, shape (ceil(n_samples / HOP),)
        Mean square under the analysis window, each frame centred at its number times HOP [dB re 1].
    """
    return _levels_db(_blocks(samples), -(-len(samples) // HOP))


def _blocks(sound: Floats | Tape) -> Iterator[Floats]:
    return (sound[first : first + _BLOCK] for first in range(0, len(sound), _BLOCK))


def _levels_db(blocks: Iterable[Floats], n_frames: int) -> Floats:
    n_parts = N_FFT // HOP
    weight = np.sin(np.pi * np.arange(N_FFT) / N_FFT) ** 2
    weight = (weight / weight.sum()).reshape(n_parts, HOP).T
    power = np.zeros(n_frames + 2 * n_parts)
    for first, block in zip(range(0, n_frames, _BLOCK_FRAMES), blocks, strict=True):
        squares = np.zeros(-(-len(block) // HOP) * HOP)
        squares[: len(block)] = block.astype(np.float64) ** 2
        parts = squares.reshape(-1, HOP) @ weight
        for part in range(n_parts):  # a hop is the last part of an earlier frame and the first of a later one
            begin = n_parts + first + n_parts // 2 - part
            power[begin : begin + len(parts)] += parts[:, part]
    return (10.0 * np.log10(np.maximum(power[n_parts : n_parts + n_frames], 1e-20))).astype(np.float32)


def impose(samples: Floats, envelope: Envelope) -> Floats:
    """Give a sound a loudness over time.

    Parameters
    ----------
    samples : ndarray, float32, shape (1, n_samples)
        Sound at 48 kHz; stays as it is.
    envelope : Envelope
        The loudness wanted.

    Returns
    -------
    ndarray, float32, shape (1, n_samples)
        The same sound with that loudness, as far as gains within 30 dB around the usual one make it so; silence
        stays silence.
    """
    made = samples.copy()
    impose_in_place(made[0], envelope)
    return made


def impose_in_place(
    sound: Floats | Tape, envelope: Envelope, *, on_progress: Callable[[int, int], None] | None = None
) -> None:
    """Do what `impose` does to a sound itself, in little memory however long it is.

    Parameters
    ----------
    sound : ndarray, float32, shape (n_samples,), or Tape
        Sound at 48 kHz.
    envelope : Envelope
        The loudness wanted.
    on_progress : callable, optional
        Called as on_progress(done, total) in blocks of all passes over the sound; raises Cancelled to stop, in the last
        pass with a part of the sound changed.
    """
    done, total = 0, (_PASSES + 2) * len(range(0, len(sound), _BLOCK))

    def told(blocks: Iterable[Floats]) -> Iterator[Floats]:
        nonlocal done
        for block in blocks:
            yield block
            done += 1
            if on_progress is not None:
                on_progress(done, total)

    n_frames = -(-len(sound) // HOP)
    wanted_db = frame_levels_db(envelope, n_frames)
    own_db = _levels_db(told(_blocks(sound)), n_frames)
    heard = own_db > _NOTHING_DB
    loud = heard & (wanted_db > wanted_db.max() - _HEARD_DB)
    if envelope.is_silent or not loud.any():
        made: Iterable[Floats] = (np.zeros_like(block) for block in _blocks(sound))
    else:
        usual_db = float(np.percentile(own_db[loud], 60))
        gain_db = -np.clip(own_db, usual_db - _BOUND_DB, usual_db + _BOUND_DB)
        correction_db = np.zeros(n_frames)
        for _ in range(_PASSES):
            made_db = _levels_db(told(_shaped(sound, gain_db + correction_db, envelope)), n_frames)
            wrong_db = np.clip(wanted_db - made_db, -_STEP_DB, _STEP_DB)
            wrong_db[~heard | (wanted_db < SILENCE_DB + NOMINAL_DB)] = 0.0
            correction_db = np.clip(correction_db + _smooth(wrong_db), -_CORRECTION_DB, _CORRECTION_DB)
        made = _shaped(sound, gain_db + correction_db, envelope)
    for first, block in zip(range(0, len(sound), _BLOCK), told(made), strict=True):
        sound[first : first + len(block)] = block


def _smooth(values: NDArray[np.floating]) -> NDArray[np.float64]:
    padded = np.pad(np.asarray(values, dtype=np.float64), 1, mode="edge")
    return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]


def _shaped(sound: Floats | Tape, gain_db: NDArray[np.floating], envelope: Envelope) -> Iterator[Floats]:
    """Yield the sound, block by block, with the gains of its frames and the levels of the curve."""
    frames = np.arange(len(gain_db)) * HOP
    for first, block in zip(range(0, len(sound), _BLOCK), _blocks(sound), strict=True):
        places = np.arange(first, first + len(block))
        level_db = envelope.at(places / SAMPLE_RATE_HZ)
        factor = 10.0 ** ((np.interp(places, frames, gain_db) + level_db + NOMINAL_DB) / 20.0)
        factor[level_db <= SILENCE_DB] = 0.0
        yield (block * factor).astype(np.float32)
