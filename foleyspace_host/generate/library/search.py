"""Finds recordings by words: in their names, in what they say of themselves, and in what they were heard to be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import class_named, classes_in
from foleyspace_host.generate.library.index import Sound

__all__ = ["Hit", "akin", "search"]

_NAME, _TOLD, _TAG, _CLASS = 1.5, 0.8, 0.8, 1.2  # how much words in each place count
_STOP = frozenset(("a", "an", "and", "at", "by", "for", "in", "of", "on", "the", "to", "with"))
_CLEAR = 0.3  # mean score of a tag that is as good as sure
_AKIN = 0.6
_LEAST = 0.15  # less is a tag that the model itself hardly believes in


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """A recording that was found.

    Parameters
    ----------
    sound : Sound
        The recording.
    score : float
        How well it fits, 0.15 and above.
    because : str
        Where the words were found, for people.
    """

    sound: Sound
    score: float
    because: str


def search(sounds: Iterable[Sound], text: str, *, negative: str = "", count: int | None = None) -> list[Hit]:
    """Find recordings.

    Parameters
    ----------
    sounds : iterable of Sound
        Those to look through.
    text : str
        What is wanted.
    negative : str
        What is not wanted: recordings which that fits better are left out.
    count : int, optional
        How many to return at most.

    Returns
    -------
    list of Hit
        Best first; those without any fit are left out.

    Raises
    ------
    InvalidInput
        If there are no words in the text.
    """
    wanted = _Query(text)
    if not wanted.stems:
        raise InvalidInput("there are no words to look for", where="prompt", cure="say what sounds")
    unwanted = _Query(negative)
    hits = []
    for sound in sounds:
        score, because = wanted.fit(sound)
        if score >= _LEAST and score > unwanted.fit(sound)[0]:
            hits.append(Hit(sound, round(score, 4), because))
    hits.sort(key=lambda hit: (-hit.score, hit.sound.path))
    return hits[:count]


def akin(first: Sound, second: Sound) -> bool:
    """Tell whether two recordings sound enough alike to be heard as one thing."""
    return float(first.embedding @ second.embedding) >= _AKIN


class _Query:
    """Words, and the classes of sounds that they mean."""

    def __init__(self, text: str) -> None:
        self.stems = [stem for stem in dict.fromkeys(_stems(text)) if stem not in _STOP]
        self._tags: frozenset[str] = frozenset()
        if self.stems:
            with suppress(InvalidInput):  # a library knows more words than there are classes
                self._tags = frozenset(tag for name in classes_in(text) for tag in class_named(name).audioset)

    def fit(self, sound: Sound) -> tuple[float, str]:
        """Return how well a sound fits, and why."""
        if not self.stems:
            return 0.0, ""
        named, told = set(_stems(sound.name)), set(_stems(sound.told))
        score, where = 0.0, []
        for stems, weight, what in ((named, _NAME, "name"), (told, _TOLD, "description")):
            found = [stem for stem in self.stems if stem in stems]
            if found:
                score += weight * len(found) / len(self.stems)
                where.append(what)
        by_word = [tag for tag in sound.tags if set(_stems(tag)) & set(self.stems)]
        by_class = [tag for tag in sound.tags if tag in self._tags]
        for tags, weight in ((by_word, _TAG), (by_class, _CLASS)):
            heard = min(float(np.sum([sound.tags[tag] for tag in tags])) / _CLEAR, 1.0)
            score += weight * heard
        if by_word or by_class:
            where.append("heard as " + ", ".join(dict.fromkeys((*by_class, *by_word)))[:60])
        return score, "; ".join(where)


def _stems(text: str) -> list[str]:
    stems = []
    for word in re.findall(r"[^\W\d_]+", text.lower()):
        for ending in ("ings", "ing", "es", "s"):
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                word = word.removesuffix(ending)
                break
        stems.append(word[:-1] if len(word) > 3 and (word[-1] == word[-2] or word[-1] == "e") else word)
    return stems
