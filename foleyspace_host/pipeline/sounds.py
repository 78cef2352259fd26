"""The sounds of one file: which engine is asked for what, one after the other, and how they come together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from foleyspace_host.pipeline.generated import SoundMade
from foleyspace_host.pipeline.provenance import ModelUse
from foleyspace_host.pipeline.stages import OnProgress, Stages

if TYPE_CHECKING:
    from pathlib import Path

    from foleyspace_host.generate.engine import Engine
    from foleyspace_host.generate.envelope import Envelope
    from foleyspace_host.generate.events import Course
    from foleyspace_host.generate.request import GenerateRequest, Quality
    from foleyspace_host.geometry.timebase import Span
    from foleyspace_host.media.tape import Tape

__all__ = ["RATE_HZ", "Made", "Take", "make_sounds", "takes_of"]

RATE_HZ = 48_000
"""Sampling rate of what is generated [Hz]."""

_SEEDS = 1 << 63
_FADE_S = 0.01  # between shots
_BLOCK = 1 << 20
_UNITS = 1000  # of progress, for each sound


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A sound to be made.

    Parameters
    ----------
    prompt : str
        What it should sound like.
    start_s, stop_s : float
        Where it begins and ends [s].
    seed : int
        Of its noise.
    envelope : Envelope or None
        Its loudness over time, from its start; None for what is usual.
    source : str
        Id of the thing that makes it; empty if there is none.
    seen_events : int
        How many events were seen of the thing, in all shots.
    """

    prompt: str
    start_s: float
    stop_s: float
    seed: int
    envelope: Envelope | None
    source: str = ""
    seen_events: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The sounds of a file, together.

    Parameters
    ----------
    sound : Tape
        All of them, mixed.
    envelope : Envelope
        The loudness over time of the first thing.
    sounds : tuple of SoundMade
        What was made.
    weights : tuple of ModelUse
        What it was made with.
    warnings : tuple of str
        What the user should know.
    """

    sound: Tape
    envelope: Envelope
    sounds: tuple[SoundMade, ...]
    weights: tuple[ModelUse, ...]
    warnings: tuple[str, ...]


def takes_of(
    seen: Sequence[Course],
    prompt: str | None,
    curve: Envelope | None,
    length_s: Fraction | float,
    *,
    seed: int,
) -> list[Take]:
    """Return which sounds make up a file: one for each thing and each shot in which it is heard.

    Parameters
    ----------
    seen : sequence of Course
        What is seen, if there is a picture.
    prompt : str or None
        What the user said; with nothing seen it must be there.
    curve : Envelope or None
        What the user drew; it then goes for the whole, without shots.
    length_s : Fraction or float
        Length of the file [s].
    seed : int
        Of the first sound.

    Returns
    -------
    list of Take
    """
    end_s = float(length_s)
    if curve is not None or not seen:
        words = prompt or seen[0].prompt
        return [Take(words, 0.0, end_s, seed, curve, seen[0].source if seen else "")]
    takes: list[Take] = []
    for course in seen:
        for begin_s, until_s in zip(course.shots_s, (*course.shots_s[1:], end_s), strict=True):
            stop_s = min(until_s, end_s)
            if stop_s - begin_s < 0.05:
                continue
            part = course.envelope.part(begin_s, stop_s)
            own = (seed + len(takes)) % _SEEDS
            takes.append(Take(course.prompt, begin_s, stop_s, own, part, course.source, course.seen_events))
    return takes


def make_sounds(
    engine: Engine,
    takes: Sequence[Take],
    length_s: Fraction | float,
    stages: Stages,
    *,
    negative: str = "",
    loop: bool = False,
    quality: Quality = "normal",
    video: Path | None = None,
    span: Span | None = None,
    scratch: Path | None = None,
) -> Made:
    """Run the stage "generate".

    Parameters
    ----------
    engine : Engine
        What makes the sounds.
    takes : sequence of Take
        Which sounds; at least one.
    length_s : Fraction or float
        Length of the file [s].
    stages : Stages
        Where progress goes.
    negative, loop, quality, video, span, scratch
        As for `GenerateRequest`; the video for engines that look at it.

    Returns
    -------
    Made

    Raises
    ------
    FoleySpaceError
        As the engine does.
    """
    from foleyspace_host.generate.envelope import Envelope
    from foleyspace_host.generate.request import GenerateRequest
    from foleyspace_host.geometry.timebase import sample_at
    from foleyspace_host.media.tape import Tape

    n_samples = sample_at(length_s, RATE_HZ)
    whole: Tape | None = None
    sounds: list[SoundMade] = []
    weights: dict[tuple[str, str], ModelUse] = {}
    warnings: list[str] = []
    points: list[tuple[float, float, bool]] = []
    single = len(takes) == 1
    with stages.stage("generate") as report:
        for number, take in enumerate(takes):
            request = GenerateRequest(
                take.prompt,
                length_s if single else take.stop_s - take.start_s,
                take.seed,
                envelope=take.envelope,
                negative=negative,
                loop=loop and single,
                quality=quality,
                video=video,
                span=span if single or video is None else _within(span, take),
                scratch=scratch,
            )
            silent = take.envelope is not None and take.envelope.is_silent
            curve = take.envelope or _usual(request)
            if curve is not None and take.source == takes[0].source:
                points += _shifted(curve, take.start_s)
            if silent:
                continue
            made = engine.generate(request, on_progress=_share(report, number, len(takes)))
            first = sample_at(take.start_s, RATE_HZ)
            if whole is None and first == 0 and len(made.sound) == n_samples:
                whole = made.sound
            else:
                whole = whole or Tape(n_samples, scratch)
                _fade(made.sound, first > 0, first + len(made.sound) < n_samples)
                _add(whole, made.sound, first)
            for one in made.weights:
                weights[one.name, one.sha256] = ModelUse(one.name, one.sha256)
            warnings += [line for line in made.warnings if line not in warnings]
            sounds.append(
                SoundMade(
                    prompt=take.prompt,
                    source=take.source,
                    seed=take.seed,
                    start_s=round(take.start_s, 6),
                    duration_s=request.n_samples / RATE_HZ,
                    seen_events=take.seen_events,
                    details=made.details,
                )
            )
            del made  # a long one takes much space on the disk
    if loop and not single:
        warnings.append("several shots or things make no loop: the ends do not meet")
    if not sounds:
        warnings.append("nothing was seen to happen, so the sound is silent: give --prompt, or draw an envelope")
    curve = Envelope.of(points or [(0.0, 0.0, True)])
    return Made(whole or Tape(n_samples, scratch), curve, tuple(sounds), tuple(weights.values()), tuple(warnings))


def _usual(request: GenerateRequest) -> Envelope | None:
    from foleyspace_host.errors import InvalidInput

    try:
        return request.shaped()
    except InvalidInput:  # words that only some engines understand
        return None


def _within(span: Span | None, take: Take) -> Span:
    from foleyspace_host.geometry.timebase import Span

    start_s = Fraction(0) if span is None else span.start_s
    return Span(start_s + Fraction(take.start_s), Fraction(take.stop_s) - Fraction(take.start_s))


def _shifted(curve: Envelope, start_s: float) -> list[tuple[float, float, bool]]:
    rows = zip(curve.t_s.tolist(), curve.level_db.tolist(), curve.onset.tolist(), strict=True)
    return [(start_s + t_s, level_db, onset) for t_s, level_db, onset in rows]


def _fade(sound: Tape, at_start: bool, at_end: bool) -> None:
    """Give a sound soft ends where it meets another one."""
    n = min(round(_FADE_S * RATE_HZ), len(sound) // 4)
    if not n:
        return
    if at_end:
        sound[-n:] *= np.linspace(0.0, 1.0, n, dtype=np.float32)[::-1]
    if at_start and abs(float(sound[:1][0])) > 0.01 * _peak(sound):
        sound[: n // 10] *= np.linspace(0.0, 1.0, n // 10, dtype=np.float32)


def _add(whole: Tape, sound: Tape, first: int) -> None:
    for at in range(0, min(len(sound), len(whole) - first), _BLOCK):
        part = sound[at : min(at + _BLOCK, len(whole) - first)]
        whole[first + at : first + at + len(part)] += part


def _peak(sound: Tape) -> float:
    return max(float(np.abs(sound[first : first + _BLOCK]).max()) for first in range(0, len(sound), _BLOCK))


def _share(report: OnProgress, number: int, count: int) -> OnProgress:
    def tell(done: int, total: int) -> None:
        report(number * _UNITS + min(_UNITS * done // max(total, 1), _UNITS), count * _UNITS)

    return tell
