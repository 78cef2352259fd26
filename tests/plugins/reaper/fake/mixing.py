"""What the user would hear: the whole project down to two channels, and single tracks with all their channels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .curves import evaluate, fade_gain, from_fader
from .model import Envelope, Item, Project, Take, Track
from .playing import take_samples

CLASSIC_BALANCE, STEREO_BALANCE, STEREO_PAN, DUAL_PAN = 0, 3, 5, 6
ENVELOPE_STEP = 32
"""Envelopes are evaluated every so many samples and drawn straight between."""


def render_timeline(project: Project, start_s: float, duration_s: float, rate_hz: int | None = None) -> np.ndarray:
    """Render what the master's first two channels play.

    Parameters
    ----------
    rate_hz
        Default: the project's rate.

    Returns
    -------
    numpy.ndarray
        Shape (2, n), float64. Effects other than pass-through are not in it, neither are sends.
    """
    rate_hz = rate_hz or int(project.values["PROJECT_SRATE"])
    count = round((start_s + duration_s) * rate_hz) - round(start_s * rate_hz)
    total = np.zeros((2, count))
    soloed = any(track.values["I_SOLO"] for track in project.tracks)
    for track in project.tracks:
        if track.parent is None:
            _add(
                total, track_signal(track, start_s, count, rate_hz, soloed=soloed), int(track.values["C_MAINSEND_OFFS"])
            )
    assert project.master is not None
    return total * project.master.values["D_VOL"]


def track_signal(track: Track, start_s: float, count: int, rate_hz: int, *, soloed: bool = False) -> np.ndarray:
    """Render one track with its children, after its fader: shape (I_NCHAN, count)."""
    channels = int(track.values["I_NCHAN"])
    total = np.zeros((channels, count))
    children = [other for other in track.project.tracks if other.parent is track]
    # with a solo somewhere only soloed tracks sound, with their folders around and their children within
    if not soloed or _in_solo(track):
        for item in track.items:
            _place(total, item, start_s, count, rate_hz)
    for child in children:
        if child.values["B_MAINSEND"]:
            _add(
                total, track_signal(child, start_s, count, rate_hz, soloed=soloed), int(child.values["C_MAINSEND_OFFS"])
            )
    if track.values["B_MUTE"]:
        return np.zeros_like(total)
    times = start_s + np.arange(count) / rate_hz
    gain = track.values["D_VOL"] * (-1.0 if track.values["B_PHASE"] else 1.0) * np.ones(count)
    for envelope in track.envelopes:
        if envelope.active and envelope.name in ("Volume", "Volume (Pre-FX)", "Trim Volume"):
            gain = gain * _curve(envelope, times)
        if envelope.active and envelope.name == "Mute":
            gain = gain * (_curve(envelope, times) >= 0.5)
    return _pan_track(track, total * gain)


def _in_solo(track: Track) -> bool:
    one: Track | None = track
    while one is not None:
        if one.values["I_SOLO"]:
            return True
        one = one.parent
    return False


def _add(total: np.ndarray, part: np.ndarray, first: int) -> None:
    count = min(len(part), len(total) - first)
    total[first : first + count] += part[:count]


def _place(total: np.ndarray, item: Item, start_s: float, count: int, rate_hz: int) -> None:
    if item.values["B_MUTE"] or not item.takes:
        return
    origin = round(start_s * rate_hz)
    first, last = max(origin, round(item.start_s * rate_hz)), min(origin + count, round(item.end_s * rate_hz))
    if first >= last:
        return
    takes = item.takes if item.values["B_ALLTAKESPLAY"] else [item.takes[item.active]]
    # an item begins at its own sample; what lies between two samples is not modelled
    local_s = (first - round(item.start_s * rate_hz)) / rate_hz
    for take in takes:
        if take.source is None:
            continue
        sound = heard_take(take, local_s, last - first, rate_hz)
        part = np.zeros((len(total), last - first))
        if len(sound) == 1 or int(take.values["I_CHANMODE"]) in range(2, 67):
            part[: min(2, len(part))] = sound[:1] if len(sound) else 0.0
        else:
            used = min(len(part), len(sound))
            part[:used] = sound[:used]
        total[:, first - origin : last - origin] += _balance(part, _pan_of(take, local_s, last - first, rate_hz))


def heard_take(take: Take, local_s: float, count: int, rate_hz: float) -> np.ndarray:
    """Play a take with its volume, volume and mute envelopes, the item's volume and fades: shape (channels, count)."""
    item = take.item
    times = local_s + np.arange(count) / rate_hz
    gain = item.values["D_VOL"] * take.values["D_VOL"] * np.ones(count)
    for envelope in take.envelopes:
        if envelope.active and envelope.name == "Volume":
            gain = gain * _curve(envelope, times * take.values["D_PLAYRATE"])
        if envelope.active and envelope.name == "Mute":
            gain = gain * (_curve(envelope, times * take.values["D_PLAYRATE"]) >= 0.5)
    return take_samples(take, local_s, count, rate_hz) * gain * fades(item, times)


def fades(item: Item, times: np.ndarray) -> np.ndarray:
    """Give the gain of an item's fades at times from its left edge; an automatic (crossfade) length goes first."""
    values = item.values
    gain = np.ones_like(times)
    fade_in = values["D_FADEINLEN_AUTO"] if values["D_FADEINLEN_AUTO"] > 0 else values["D_FADEINLEN"]
    fade_out = values["D_FADEOUTLEN_AUTO"] if values["D_FADEOUTLEN_AUTO"] > 0 else values["D_FADEOUTLEN"]
    if fade_in > 0:
        gain = gain * fade_gain(times / fade_in, int(values["C_FADEINSHAPE"]), values["D_FADEINDIR"], out=False)
    if fade_out > 0:
        begin = item.length_s - fade_out
        gain = gain * fade_gain(
            (times - begin) / fade_out, int(values["C_FADEOUTSHAPE"]), values["D_FADEOUTDIR"], out=True
        )
    return gain


def _curve(envelope: Envelope, times: np.ndarray) -> np.ndarray:
    if len(times) == 0:
        return np.ones(0)
    marks = np.append(times[::ENVELOPE_STEP], times[-1])
    values = np.array([evaluate(envelope, float(mark)) for mark in marks])
    if envelope.fader_scaling:
        values = np.array([from_fader(float(value)) for value in values])
    return np.interp(times, marks, values)


def _pan_of(take: Take, local_s: float, count: int, rate_hz: float) -> np.ndarray:
    pan = np.full(count, take.values["D_PAN"])
    times = (local_s + np.arange(count) / rate_hz) * take.values["D_PLAYRATE"]
    for envelope in take.envelopes:
        if envelope.active and envelope.name == "Pan":
            # REAPER's pan envelopes count left as positive
            pan = pan - _curve(envelope, times)
    return np.clip(pan, -1.0, 1.0)


def _balance(part: np.ndarray, pan: np.ndarray | float) -> np.ndarray:
    """Turn the far side down; the near side stays (pan law 0 dB). Only the first two channels are panned."""
    result = part.copy()
    result[0] *= np.minimum(1.0, 1.0 - pan)
    if len(result) > 1:
        result[1] *= np.minimum(1.0, 1.0 + pan)
    return result


def _pan_track(track: Track, signal: np.ndarray) -> np.ndarray:
    mode = int(track.values["I_PANMODE"])
    if mode == DUAL_PAN:
        left, right = track.values["D_DUALPANL"], track.values["D_DUALPANR"]
        result = signal.copy()
        share: Callable[[float], tuple[float, float]] = lambda pan: ((1.0 - pan) / 2.0, (1.0 + pan) / 2.0)  # noqa: E731
        result[0] = signal[0] * share(left)[0] + signal[1] * share(right)[0]
        result[1] = signal[0] * share(left)[1] + signal[1] * share(right)[1]
        return result
    result = signal
    if mode == STEREO_PAN:
        result = signal.copy()
        middle, side = (signal[0] + signal[1]) / 2.0, (signal[0] - signal[1]) / 2.0 * track.values["D_WIDTH"]
        result[0], result[1] = middle + side, middle - side
    return _balance(result, track.values["D_PAN"])
