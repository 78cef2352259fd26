"""What a take plays, before its effects: the samples an audio accessor gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .api.sources import source_length_s
from .media import media_info, read_sound
from .model import Source, Take

HALF_TAPS = 32
GRAIN_S = 0.06
FIRST_PAIR = 67
MANY_PLACES = 200

Time = np.ndarray


def take_channels(take: Take) -> int:
    """How many channels the take's source has."""
    info = media_info(take.source.root()) if take.source is not None else None
    return 0 if info is None else info.channels


def take_samples(take: Take, start_s: float, n_samples: int, rate_hz: float) -> np.ndarray:
    """Play a stretch of a take.

    Parameters
    ----------
    start_s
        From the item's left edge, in project seconds.

    Returns
    -------
    numpy.ndarray
        Shape (channels of the source, n_samples): play rate, pitch, stretch markers, section, reversal, loop and
        channel mode applied; volume, pan, fades and envelopes not. Silence outside the item and outside a source that
        is not looped.
    """
    channels = take_channels(take)
    result = np.zeros((channels, n_samples))
    source = take.source
    sound = read_sound(source.root()) if source is not None else None
    if source is None or sound is None:
        return result
    times = start_s + np.arange(n_samples) / rate_hz
    inside = (times > -0.5 / rate_hz) & (times < take.item.length_s - 0.5 / rate_hz)
    if not inside.any():
        return result
    result[:, inside] = _play(take, source, sound, times[inside], rate_hz)
    return channel_mode(result, int(take.values["I_CHANMODE"]))


def channel_mode(samples: np.ndarray, mode: int) -> np.ndarray:
    """Apply I_CHANMODE: 0 nothing, 1 sides swapped, 2 mono mix, 3 to 66 one channel, from 67 a pair (1/2, 2/3 ...)."""
    count = len(samples)
    if mode == 0 or (mode == 1 and count < 2):
        return samples
    if mode == 1:
        return np.concatenate([samples[1::-1], samples[2:]])
    if mode >= FIRST_PAIR:
        pair = np.zeros_like(samples)
        chosen = samples[mode - FIRST_PAIR : mode - FIRST_PAIR + 2]
        pair[: len(chosen)] = chosen
        return pair
    if mode == 2:
        one = samples[:2].mean(axis=0)
    else:
        channel = mode - 3
        one = samples[channel] if channel < count else np.zeros(samples.shape[1])
    mono = np.zeros_like(samples)
    mono[0] = one
    return mono


def source_position(take: Take, time_s: Time) -> Time:
    """Map item time to seconds in the take's source."""
    inner = time_s * take.values["D_PLAYRATE"]
    offset = take.values["D_STARTOFFS"]
    markers = take.stretch_markers
    if len(markers) < 2:
        shift = markers[0][1] - offset - markers[0][0] if markers else 0.0
        return offset + inner + shift
    positions = np.array([one[0] for one in markers])
    sources = np.array([one[1] for one in markers])
    mapped = np.interp(inner, positions, sources)
    mapped = np.where(inner < positions[0], sources[0] + inner - positions[0], mapped)
    return np.where(inner > positions[-1], sources[-1] + inner - positions[-1], mapped)


def _play(take: Take, source: Source, sound: tuple[np.ndarray, int], times: Time, rate_hz: float) -> np.ndarray:
    positions = source_position(take, times)
    pitch = 2.0 ** (take.values["D_PITCH"] / 12.0)
    if take.values["B_PPITCH"]:
        speed = pitch
        stretched = not np.allclose(
            np.gradient(positions, 1.0 / rate_hz) if len(positions) > 1 else speed, speed, rtol=1e-6
        )
    else:
        # without pitch preservation the rate is heard as pitch; pitch beside it is a stretch again
        speed = take.values["D_PLAYRATE"] * pitch
        stretched = bool(take.values["D_PITCH"]) or len(take.stretch_markers) > 1
    loop = bool(take.item.values["B_LOOPSRC"])

    def read(at: Time) -> np.ndarray:
        return _read(source, sound, at, loop=loop, step=speed / rate_hz)

    return _grains(read, positions, speed, rate_hz) if stretched else read(positions)


def _grains(read: Callable[[Time], np.ndarray], positions: Time, speed: float, rate_hz: float) -> np.ndarray:
    """Stretch by overlapping grains: each lies right at its middle and is read at the wanted speed around it.

    A plain stand-in for REAPER's stretchers: events keep their times to within half a grain.
    """
    count = len(positions)
    half = max(1, int(GRAIN_S * rate_hz / 2))
    window = np.hanning(2 * half + 1)
    probe = read(positions[:1])
    total, weight = np.zeros((len(probe), count)), np.zeros(count)
    for middle in range(0, count + half, half):
        first, last = max(0, middle - half), min(count, middle + half + 1)
        if first >= last:
            continue
        centre = min(middle, count - 1)
        around = positions[centre] + (np.arange(first, last) - centre) * speed / rate_hz
        shape = window[first - middle + half : last - middle + half]
        total[:, first:last] += read(around) * shape
        weight[first:last] += shape
    return total / np.maximum(weight, 1e-9)


def _read(source: Source, sound: tuple[np.ndarray, int], at: Time, *, loop: bool, step: float) -> np.ndarray:
    """Read a source at times in its own seconds, through its sections down to the file."""
    length_s = source_length_s(source)
    if loop and length_s > 0:
        at = np.mod(at, length_s)
    half_sample = 0.5 / sound[1]
    heard = (at > -half_sample) & (at < length_s - half_sample)
    while source.parent is not None:
        own = source_length_s(source)
        # sample by sample: the last sample of a section is the first of its reversal
        inner = own - 1.0 / sound[1] - at if source.reverse else at
        at = source.start_s + inner
        source = source.parent
    return np.where(heard, interpolated(sound[0], at * sound[1], step * sound[1]), 0.0)


def interpolated(samples: np.ndarray, index: np.ndarray, step: float) -> np.ndarray:
    """Read samples at fractional indices with a windowed sinc; exact at whole ones. Steps above 1 are band-limited."""
    nearest = np.rint(index)
    n = samples.shape[1]
    if step <= 1.0 + 1e-9 and np.max(np.abs(index - nearest), initial=0.0) < 1e-6:
        whole = nearest.astype(int)
        return np.where((whole >= 0) & (whole < n), samples[:, np.clip(whole, 0, n - 1)], 0.0)
    cutoff = min(1.0, 1.0 / max(step, 1e-9))
    half = int(np.ceil(HALF_TAPS / cutoff))
    base = np.floor(index).astype(int)
    # between the samples there are few different places at rates like 1/2 or 44.1 to 48 kHz: one filter for each
    places, which = np.unique(np.round(index - base, 9), return_inverse=True)
    first = int(base.min()) - half
    wanted = np.arange(first, int(base.max()) + half + 1)
    inside = (wanted >= 0) & (wanted < n)
    piece = np.where(inside, samples[:, np.clip(wanted, 0, n - 1)], 0.0)
    taps = np.arange(-half + 1, half + 1)
    result = np.empty((len(samples), len(index)))
    if len(places) <= MANY_PLACES:
        for number, place in enumerate(places):
            mine = which == number
            for channel, row in enumerate(piece):
                filtered = np.correlate(row, _kernel(place - taps, cutoff, half), "valid")
                result[channel, mine] = filtered[base[mine] - first - half + 1]
        return result
    for begin in range(0, len(index), 8192):
        block = slice(begin, begin + 8192)
        around = base[block, None] + taps
        kernel = _kernel(index[block, None] - around, cutoff, half)
        result[:, block] = np.einsum("ckt,kt->ck", piece[:, around - first], kernel)
    return result


def _kernel(distance: np.ndarray, cutoff: float, half: int) -> np.ndarray:
    return cutoff * np.sinc(cutoff * distance) * np.cos(np.pi * np.clip(distance / (2 * half), -0.5, 0.5)) ** 2
