"""A small fixed set of examples that results are reported on; needs no torch.

Four splits ask four questions: ``free field`` (known head, no room: is what is right left alone?), ``rooms`` (known
head, a room never heard), ``unseen listeners`` (a held-out head of which 50 measurements are known) and ``unseen
sounds`` (held-out sounds in rooms never heard). The truth is the renderer with the listener's own dense set; in rooms
with 60 reflections up to the third order, more than the room renderer plays by default, and with a tail of its own.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import dumps
from foleyspace_host.hrtf.prepare import prepare
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.sofa import MeasuredHrirs
from foleyspace_host.render.binaural import render_blocks
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.room import RoomModel
from training.binaural_flow.data.heads import Head, thinned
from training.binaural_flow.data.invented import generated_sounds
from training.binaural_flow.data.pack import unpack_heads
from training.binaural_flow.data.presets import PRESETS, SAMPLE_RATE_HZ
from training.binaural_flow.data.rooms import invent_room
from training.binaural_flow.data.scenarios import invent
from training.flow.sounds import Sound, unpack_sounds

__all__ = [
    "DURATION_S",
    "N_FEW",
    "SPLITS",
    "Case",
    "cases",
    "few_of",
    "few_set",
    "own_set",
    "rendered",
    "truth_of",
    "write_evaluation",
]

SPLITS = ("free field", "rooms", "unseen listeners", "unseen sounds")
"""The questions."""

DURATION_S = 4.0
"""Duration of each example [s]."""

N_FEW = 50
"""Measurements that are known of an unseen listener."""

_PER_SPLIT = 12
_SEED = 20_260_101
_TRUE_REFLECTIONS, _TRUE_ORDER = 60, 3

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Case:
    """One example.

    Parameters
    ----------
    name : str
        Unique, safe as a file name.
    split : str
        One of `SPLITS`.
    mono : ndarray, float32, shape (n_samples,)
        The sound.
    trajectory : Trajectory
        Where it is.
    head : Head
        Who hears it.
    room : RoomModel, optional
        Where it is heard.
    """

    name: str
    split: str
    mono: Floats
    trajectory: Trajectory
    head: Head
    room: RoomModel | None


def cases(folder: Path, splits: Sequence[str] = SPLITS, per_split: int = _PER_SPLIT) -> Iterator[Case]:
    """Yield the examples, always the same for the same data.

    Parameters
    ----------
    folder : Path
        Data as `prepare` wrote it.
    splits : sequence of str
        Which questions.
    per_split : int
        Examples of each; fewer are the first of more.

    Yields
    ------
    Case

    Raises
    ------
    InvalidInput
        If the folder holds something else, or nothing is held out.
    """
    heads = unpack_heads(folder / "heads.npz")
    sounds = [*unpack_sounds(folder / "sounds.npz"), *generated_sounds()]
    scenarios = PRESETS["physical"].scenarios
    for split in splits:
        their_heads = [head for head in heads if head.held_out == (split == "unseen listeners")]
        their_sounds = [sound for sound in sounds if sound.held_out == (split == "unseen sounds")]
        if not their_heads or not their_sounds:
            raise InvalidInput(f"holds nothing for {split!r}", where=str(folder))
        for number in range(per_split):
            rng = np.random.default_rng((_SEED, zlib.crc32(split.encode()), number))
            # every head and every movement in turn, so that few examples hold all kinds
            head = their_heads[(number * 5) % len(their_heads)]
            scenario = list(scenarios)[number % len(scenarios)]
            source = invent(scenario, rng, DURATION_S, (0.5, 8.0))
            in_room = split in ("rooms", "unseen sounds")
            yield Case(
                name=f"{split} {number:02d} {scenario}".replace(" ", "-"),
                split=split,
                mono=_filled(rng, their_sounds),
                trajectory=Trajectory(DURATION_S, (source,)),
                head=head,
                room=invent_room(rng, order=_TRUE_ORDER, reflections=_TRUE_REFLECTIONS) if in_room else None,
            )


def rendered(case: Case, hrtf: Hrtf, room: RoomModel | None = None) -> Floats:
    """Render an example with the project's renderer, by the physical law of distance.

    Parameters
    ----------
    case : Case
        The example.
    hrtf : Hrtf
        Set at 48 kHz.
    room : RoomModel, optional
        Room; free field if not given.

    Returns
    -------
    ndarray, float32, shape (2, n_samples)
    """
    options = RenderOptions(distance_gain="physical", room=room)
    blocks = render_blocks([case.mono], len(case.mono), SAMPLE_RATE_HZ, case.trajectory, hrtf, options)
    return np.concatenate(list(blocks), axis=1)


def truth_of(case: Case) -> Floats:
    """Return what an example shall sound like: the listener's own dense set, in the room with all its reflections."""
    return rendered(case, own_set(case.head), case.room)


def few_of(head: Head, count: int = N_FEW) -> MeasuredHrirs:
    """Return the few measurements that are known of a listener; always the same."""
    return thinned(head.measured, count, np.random.default_rng(zlib.crc32(head.name.encode()) + 1))


@lru_cache(maxsize=4)
def own_set(head: Head) -> Hrtf:
    """Prepare all measurements of a listener."""
    return prepare(head.measured, SAMPLE_RATE_HZ)


@lru_cache(maxsize=4)
def few_set(head: Head, *, plain: bool = False) -> Hrtf:
    """Prepare the few measurements that are known of a listener.

    Parameters
    ----------
    head : Head
        The listener. What ears have in common was learnt from those who are not held out, so it is for the others.
    plain : bool
        Without what ears have in common: the measurements interpolated, and nothing else.

    Returns
    -------
    Hrtf
    """
    return prepare(few_of(head), SAMPLE_RATE_HZ, None if plain else "shipped")


def write_evaluation(
    out: Path, folder: Path, per_split: int = _PER_SPLIT, on_progress: Callable[[int, int], None] | None = None
) -> int:
    """Write the set: for each example the mono sound, its trajectory, the truth and, in ``set.json``, what it is.

    Parameters
    ----------
    out : Path
        Folder to write.
    folder : Path
        Data as `prepare` wrote it.
    per_split : int
        Examples of each split.
    on_progress : callable, optional
        Called as on_progress(done, total).

    Returns
    -------
    int
        Examples written.
    """
    import soundfile

    out.mkdir(parents=True, exist_ok=True)
    told = []
    for number, case in enumerate(cases(folder, per_split=per_split)):
        soundfile.write(out / f"{case.name}-mono.wav", case.mono, SAMPLE_RATE_HZ, subtype="FLOAT")
        soundfile.write(out / f"{case.name}-truth.wav", truth_of(case).T, SAMPLE_RATE_HZ, subtype="FLOAT")
        (out / f"{case.name}.trajectory.json").write_text(dumps(case.trajectory), encoding="utf-8")
        room = case.room
        told.append(
            {
                "name": case.name,
                "split": case.split,
                "head": case.head.name,
                "room": None if room is None else {"size_m": room.size_m, "rt60_s": room.rt60_s, "seed": room.seed},
            }
        )
        if on_progress is not None:
            on_progress(number + 1, per_split * len(SPLITS))
    text = json.dumps({"duration_s": DURATION_S, "sample_rate_hz": SAMPLE_RATE_HZ, "examples": told}, indent=1)
    (out / "set.json").write_text(text + "\n", encoding="utf-8")
    return len(told)


def _filled(rng: np.random.Generator, sounds: Sequence[Sound]) -> Floats:
    """Four seconds of sounds, one after the other, as loud as they come."""
    n = int(DURATION_S * SAMPLE_RATE_HZ)
    mono = np.zeros(n, dtype=np.float32)
    at = 0
    while at < n:
        samples = sounds[int(rng.integers(len(sounds)))].samples
        taken = min(len(samples), n - at)
        mono[at : at + taken] += samples[:taken]
        at += len(samples) + int(rng.uniform(0.02, 0.2) * SAMPLE_RATE_HZ)
    return mono
