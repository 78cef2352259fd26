"""What belongs to what in the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .model import Content, Envelope, Fx, Item, Project, Source, Take, Track


def lineage(source: Source | None) -> Iterator[Source]:
    """Walk from a source to its root."""
    while source is not None:
        yield source
        source = source.parent


def sources_of(states: Iterable[Content]) -> Iterator[Source]:
    """Give every source that takes play in these states of projects, and what those are parts of."""
    for state in states:
        for track in state.tracks:
            for item in track.items:
                for take in item.takes:
                    yield from lineage(take.source)


def project_of(target: Any) -> Project:
    """Find the project an object lies in."""
    while not isinstance(target, Project):
        if isinstance(target, Track):
            target = target.project
        elif isinstance(target, Item):
            target = target.track
        elif isinstance(target, Take):
            target = target.item
        elif isinstance(target, Envelope):
            target = target.owner
        else:
            raise TypeError(f"{target!r} lies in no project")
    return target


def all_envelopes(owner: Track | Take) -> list[Envelope]:
    """Give an owner's envelopes in REAPER's order: its own, then those of its effects."""
    fx: list[Fx] = owner.fx
    return [*owner.envelopes, *(effect.envelopes[index] for effect in fx for index in sorted(effect.envelopes))]
