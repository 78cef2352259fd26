"""The kinds of sounds that the embedded model makes, with the words that mean them.

A class has the words by which people call it, the names under which AudioSet's ontology knows it (J. Gemmeke and
others: "Audio Set", ICASSP 2017; those of them that the shipped tagger answers with), the names that the detector gives
to things which sound so, and a gesture: how loudness goes over time where nobody says how.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from foleyspace_host.errors import InvalidInput

__all__ = ["CLASSES", "NAMES", "FoleyClass", "Gesture", "class_named", "class_of_label", "classes_in"]


@dataclass(frozen=True, slots=True)
class Gesture:
    """How loudness goes over time.

    Parameters
    ----------
    rate_hz : float
        Events in a second; 0 for a sound that lasts.
    attack_s, decay_s : float
        Times in which an event rises, and falls by 60 dB; of a lasting sound, those of its beginning and its end.
    swing_db : float
        How much events differ from each other, or a lasting sound from its mean (standard deviation).
    jitter : float
        How much the intervals between events vary, in proportion to them.
    hold_s : float
        How long an event holds its level before it falls.
    """

    rate_hz: float
    attack_s: float
    decay_s: float
    swing_db: float = 2.0
    jitter: float = 0.08
    hold_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FoleyClass:
    """A kind of sound.

    Parameters
    ----------
    name : str
        Short, unique.
    words : tuple of str
        What people call it, beside its name; single words and phrases, lower case.
    audioset : tuple of str
        Names in AudioSet's ontology that are right for it.
    labels : tuple of str
        Names of detected things that sound so.
    gesture : Gesture
        How loudness goes by default.
    """

    name: str
    words: tuple[str, ...]
    audioset: tuple[str, ...]
    labels: tuple[str, ...]
    gesture: Gesture


def _read() -> tuple[FoleyClass, ...]:
    table = tomllib.loads(Path(__file__).with_name("assets").joinpath("classes.toml").read_text(encoding="utf-8"))
    return tuple(
        FoleyClass(name, tuple(row["words"]), tuple(row["audioset"]), tuple(row["labels"]), Gesture(**row["gesture"]))
        for name, row in table.items()
    )


CLASSES: tuple[FoleyClass, ...] = _read()
"""All classes; their places are those of the model's class vector."""

NAMES: tuple[str, ...] = tuple(one.name for one in CLASSES)
"""Their names, in the same order."""

_BY_NAME = {one.name: one for one in CLASSES}
_NEAR = 4


def class_named(name: str) -> FoleyClass:
    """Return a class by its name.

    Parameters
    ----------
    name : str
        One of `NAMES`.

    Returns
    -------
    FoleyClass

    Raises
    ------
    InvalidInput
        If there is none of that name.
    """
    if name not in _BY_NAME:
        raise InvalidInput(f"{name!r} is no class of sounds", where="class", cure=f"use one of: {', '.join(NAMES)}")
    return _BY_NAME[name]


def class_of_label(label: str) -> FoleyClass | None:
    """Return the class of what a detected thing sounds like.

    Parameters
    ----------
    label : str
        Name that the detector gave it.

    Returns
    -------
    FoleyClass or None
        None for things that make no sound of their own.
    """
    return next((one for one in CLASSES if label in one.labels), None)


def classes_in(prompt: str) -> dict[str, float]:
    """Find which classes a prompt means.

    Longer phrases win over the words in them, so that "footsteps on gravel" is not "footsteps". A word may come in the
    plural or with -ing.

    Parameters
    ----------
    prompt : str
        What the user wrote.

    Returns
    -------
    dict of str to float
        Share of each class that is meant, in the order in which they are named; the shares add up to 1.

    Raises
    ------
    InvalidInput
        If nothing in it names a class; the cure names the nearest ones.
    """
    words = [_stem(word) for word in re.findall(r"[a-z]+", prompt.lower())]
    if not words:
        raise InvalidInput(
            "the prompt is empty", where="prompt", cure="say what sounds, for example: footsteps on gravel"
        )
    found: list[tuple[int, str]] = []
    for phrase, name in _PHRASES:
        at = next((i for i in range(len(words) - len(phrase) + 1) if tuple(words[i : i + len(phrase)]) == phrase), None)
        if at is not None:
            words[at : at + len(phrase)] = [""] * len(phrase)
            found.append((at, name))
    if not found:
        raise InvalidInput(
            f"no class of sounds fits {prompt!r}",
            where="prompt",
            cure=f"the nearest are: {', '.join(_nearest(prompt))}",
        )
    names = [name for _, name in sorted(found)]
    return {name: names.count(name) / len(names) for name in dict.fromkeys(names)}


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > 3 and (word[-1] == word[-2] or word[-1] == "e") else word


def _phrases() -> list[tuple[tuple[str, ...], str]]:
    """Return every name of every class in stems, those of more words first, and what is first in the table first."""
    said = [
        (tuple(_stem(word) for word in re.findall(r"[a-z]+", phrase)), one.name)
        for one in CLASSES
        for phrase in (one.name, *one.words, *one.labels, *(name.lower() for name in one.audioset if "," not in name))
    ]
    first: dict[tuple[str, ...], str] = {}
    for own in (True, False):  # a class's name and words before what AudioSet and detectors say
        for words, name in said:
            mine = any(words == _stems(phrase) for phrase in (name, *_BY_NAME[name].words))
            if mine is own:
                first.setdefault(words, name)
    return sorted(first.items(), key=lambda pair: -len(pair[0]))


def _stems(phrase: str) -> tuple[str, ...]:
    return tuple(_stem(word) for word in re.findall(r"[a-z]+", phrase))


_PHRASES = _phrases()


def _nearest(prompt: str) -> list[str]:
    def likeness(one: FoleyClass) -> float:
        return max(SequenceMatcher(None, prompt.lower(), word).ratio() for word in (one.name, *one.words))

    return [one.name for one in sorted(CLASSES, key=likeness, reverse=True)[:_NEAR]]
