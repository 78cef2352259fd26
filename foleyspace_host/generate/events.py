"""From what is seen to when it sounds: the prompt and the loudness over time of each thing that was localized.

Nearness does not make it louder: that is the renderer's matter. So motion is measured in proportion to the thing's
own box. What happens at moments sounds where the thing is stopped or turned round, or begins to move; what lasts
swells with how much it moves. A shot without the thing is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.generate.classes import FoleyClass, class_named, class_of_label, classes_in
from foleyspace_host.generate.envelope import SILENCE_DB, Envelope
from foleyspace_host.generate.gestures import default_envelope, struck
from foleyspace_host.generate.moments import beats, filled, moments
from foleyspace_host.localize.see.stir import Stir, stirring

if TYPE_CHECKING:
    from foleyspace_host.geometry.boxes import BoxSizes
    from foleyspace_host.geometry.timebase import Span
    from foleyspace_host.geometry.trajectory import Source, Trajectory

__all__ = ["Course", "courses", "prompt_of"]

_LEAST_APART_S = 0.1
_GAIT_HZ = 1.5  # events of a class that come so often come in a rhythm, if they are of something that goes
_SEEN_SHARE = 0.4
_MOVES = 0.6  # energy of what moves, in units of `moving` and heights of a box
_SWELL_DB = 18.0  # between resting and moving as much as ever
_SWELL_S = 0.25
_EVENTS_DB = 12.0  # between the faintest event and the strongest
_SHORTEST_SHOT_S = 0.5

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """When one thing sounds.

    Parameters
    ----------
    source : str
        Its id in the trajectory.
    label : str
        What it is.
    prompt : str
        What it sounds like.
    envelope : Envelope
        Its loudness over time.
    shots_s : tuple of float
        When shots begin, the first one at 0 [s].
    seen_events : int
        How many events were seen; 0 where the usual gesture is played, or what lasts swells.
    """

    source: str
    label: str
    prompt: str
    envelope: Envelope
    shots_s: tuple[float, ...]
    seen_events: int


def prompt_of(label: str) -> str | None:
    """Return words for the sound of a thing.

    Parameters
    ----------
    label : str
        What the detector calls it.

    Returns
    -------
    str or None
        None for what makes no sound of its own.
    """
    found = class_of_label(label)
    return None if found is None else f"{found.name}, {label}"


def courses(
    video: str | Path,
    trajectory: Trajectory,
    sizes: Mapping[str, BoxSizes],
    *,
    prompt: str | None,
    seed: int,
    span: Span | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Course, ...]:
    """Find out when what was localized sounds.

    Parameters
    ----------
    video : str or Path
        The video.
    trajectory : Trajectory
        Where everything is; its selected sources count.
    sizes : mapping of str to BoxSizes
        Their boxes, by id.
    prompt : str, optional
        Words for the sound, which then go for the first source alone; its own if not given.
    seed : int
        Of gestures, where nothing is seen to happen.
    span : Span, optional
        The part of the video.
    on_progress : callable, optional
        Called as on_progress(done, total) with hundredths of a second; raises Cancelled to stop.

    Returns
    -------
    tuple of Course
        One for each selected source of which it is known what it sounds like.

    Raises
    ------
    MediaError
        If the video cannot be read.
    """
    chosen = list(trajectory.selected)
    wanted = [(one, prompt or prompt_of(one.label)) for one in (chosen[:1] if prompt else chosen)]
    kept = [(one, words) for one, words in wanted if words is not None]
    if not kept:
        return ()
    total = max(round(100 * trajectory.duration_s), 1)

    def tell(t_s: float) -> None:
        if on_progress is not None:
            on_progress(min(round(100 * t_s), total), total)

    stir = stirring(video, [_boxes(one, sizes.get(one.id)) for one, _ in kept], span, tell)
    shots_s = _shots(stir, trajectory.duration_s)
    return tuple(
        _course(one, words, stir, number, shots_s, trajectory.duration_s, seed)
        for number, (one, words) in enumerate(kept)
    )


def _shots(stir: Stir, duration_s: float) -> tuple[float, ...]:
    """Return when shots begin; very short ones belong to those before."""
    begins = [0.0]
    for t_s in stir.t_s[stir.cut]:
        if t_s - begins[-1] >= _SHORTEST_SHOT_S and duration_s - t_s >= _SHORTEST_SHOT_S:
            begins.append(float(t_s))
    return tuple(begins)


def _boxes(source: Source, sizes: BoxSizes | None) -> Callable[[float], Array | None]:
    """Return what gives the box of a source at a time; the whole picture for one that was not seen."""
    keys = [key for key in source.keys if key.image_xy is not None and key.origin != "offscreen"]
    if sizes is None or not len(sizes.t_s) or not keys:
        return lambda _t_s: np.array([0.0, 0.0, 1.0, 1.0])
    times = np.array([key.t_s for key in keys])
    places = np.array([key.image_xy for key in keys], dtype=np.float64)

    def box(t_s: float) -> Array | None:
        if np.abs(times - t_s).min() > _SHORTEST_SHOT_S:
            return None
        x, y = (float(np.interp(t_s, times, places[:, axis])) for axis in (0, 1))
        half_x = 0.5 * float(np.interp(t_s, sizes.t_s, sizes.width))
        half_y = 0.5 * float(np.interp(t_s, sizes.t_s, sizes.height))
        return np.array([max(x - half_x, 0.0), max(y - half_y, 0.0), min(x + half_x, 1.0), min(y + half_y, 1.0)])

    return box


def _course(
    source: Source, words: str, stir: Stir, number: int, shots_s: tuple[float, ...], duration_s: float, seed: int
) -> Course:
    """Return when one thing sounds, shot by shot."""
    kind = _class_of(words)
    seen_s = [key.t_s for key in source.keys if key.origin == "detected"]
    energy, shift = stir.energy[number], stir.shift[number]
    pieces: list[tuple[float, Envelope]] = []
    n_events = 0
    for begin_s, end_s in zip(shots_s, (*shots_s[1:], duration_s), strict=True):
        within = (stir.t_s >= begin_s) & (stir.t_s < end_s)
        length_s = end_s - begin_s
        there = not seen_s or any(begin_s <= time < end_s for time in seen_s)
        if not there or not np.isfinite(energy[within]).any():
            pieces.append((begin_s, Envelope.of([(0.0, SILENCE_DB, False), (length_s, SILENCE_DB, False)])))
            continue
        t_s = stir.t_s[within] - begin_s
        if kind is None or kind.gesture.rate_hz == 0.0:
            pieces.append((begin_s, _swell(t_s, energy[within], length_s)))
            continue
        moves = float(np.nanmedian(energy[within])) > _MOVES
        onsets_s, strength = _happenings(t_s, energy[within], shift[within], kind, moves=moves)
        if len(onsets_s):
            n_events += len(onsets_s)
            levels_db = np.maximum(20.0 * np.log10(strength / strength.max()), -_EVENTS_DB)
            pieces.append((begin_s, struck(onsets_s, levels_db, kind.gesture, length_s)))
        elif moves:  # it moves evenly: as such things usually sound
            pieces.append((begin_s, default_envelope([kind.name], length_s, seed + len(pieces))))
        else:
            pieces.append((begin_s, Envelope.of([(0.0, SILENCE_DB, False), (length_s, SILENCE_DB, False)])))
    joined = [
        (begin_s + float(t), float(level), bool(onset))
        for begin_s, piece in pieces
        for t, level, onset in zip(piece.t_s, piece.level_db, piece.onset, strict=True)
    ]
    return Course(source.id, source.label, words, Envelope.of(joined), shots_s, n_events)


def _happenings(t_s: Array, energy: Array, shift: Array, kind: FoleyClass, *, moves: bool) -> tuple[Array, Array]:
    """Return when something happens to a thing of a class, and how suddenly."""
    rate_hz = kind.gesture.rate_hz
    if rate_hz >= _GAIT_HZ and moves:
        beat_s, strength = beats(t_s, shift)
        if len(beat_s):
            return beat_s, strength
    onsets_s, strength = moments(t_s, energy, shift, max(_LEAST_APART_S, 0.35 / rate_hz if rate_hz > 1.0 else 0.0))
    # what moves on, and of which only a few of its many events are seen, goes as such things usually do
    if rate_hz >= _GAIT_HZ and moves and len(onsets_s) < _SEEN_SHARE * rate_hz * float(t_s[-1] - t_s[0]):
        return onsets_s[:0], strength[:0]
    return onsets_s, strength


def _class_of(words: str) -> FoleyClass | None:
    """Return the class that the words name first; None if they name none."""
    from foleyspace_host.errors import InvalidInput

    try:
        return class_named(next(iter(classes_in(words))))
    except InvalidInput:
        return None


def _swell(t_s: Array, energy: Array, length_s: float) -> Envelope:
    """Return the loudness of what lasts: louder where it moves more."""
    motion = filled(t_s, energy)
    step_s = float(np.median(np.diff(t_s))) if len(t_s) > 1 else length_s
    n = max(round(_SWELL_S / max(step_s, 1e-3)), 1) | 1
    if len(motion) > n:
        motion = np.convolve(np.pad(motion, n // 2, mode="edge"), np.ones(n) / n, "valid")
    most = max(float(np.percentile(motion, 95)), _MOVES)
    level_db = _SWELL_DB * (np.clip(motion / most, 0.0, 1.0) - 1.0)
    onset = np.zeros(len(t_s), dtype=np.bool_)
    onset[0] = True
    level = Envelope(t_s, level_db, onset)
    if t_s[-1] >= length_s:
        return level
    return Envelope(np.append(t_s, length_s), np.append(level_db, level_db[-1]), np.append(onset, False))
