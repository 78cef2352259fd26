"""What stands out in the picture, and what the user means by a label."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from foleyspace_host.errors import NothingFound
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.place.range import cut_off
from foleyspace_host.localize.see.classes import class_named, matching_names

__all__ = ["mentioned", "prominence", "readiness", "restricted"]

_LEAST_SHARE_OF_LABEL = 0.2


def prominence(chain: Chain, n_pictures: int) -> float:
    """How much a thing stands out over the clip, whatever it is.

    Parameters
    ----------
    chain : Chain
        The thing.
    n_pictures : int
        Pictures looked at in the whole clip.

    Returns
    -------
    float
        Mean over the pictures of score^2 x (area of the box)^0.35 x nearness to the middle (1 to 0.6 at the
        sides) x 0.8 for each edge of the picture that cuts it off (one films the whole of one's subject).
        Pictures in which it was not seen count as 0, so what lasts wins over what flashes up.
    """
    total = 0.0
    for sighting in chain.sightings:
        left, top, right, bottom = sighting.box
        off = np.hypot((left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5)
        middle = 1.0 - 0.8 * min(float(off), 0.5)
        whole = 0.8 ** int(cut_off(sighting.box[None]).sum())
        total += sighting.score**2 * float((right - left) * (bottom - top)) ** 0.35 * middle * whole
    return total / n_pictures


def readiness(chain: Chain) -> float:
    """How readily a thing of its classes is what is heard, 0 to 1, as far as the picture alone can say."""
    votes = chain.votes
    weight = sum(votes.values())
    return sum(v * class_named(name).sounding for name, v in votes.items()) / weight if weight else 0.3


def restricted(chains: list[Chain], label: str, names: tuple[str, ...], where: str) -> tuple[list[Chain], str]:
    """Keep the things that a typed label can mean.

    Parameters
    ----------
    chains : list of Chain
        All things.
    label : str
        What the user typed.
    names : tuple of str
        The classes that the detector knows.
    where : str
        The clip, for the message.

    Returns
    -------
    chains : list of Chain
        Those of which a fifth of the votes are for a class that is meant.
    name : str
        The class meant, of several the one with most votes.

    Raises
    ------
    NothingFound
        If there are none; the message lists what was seen.
    """
    meant = matching_names(label, names)
    seen: dict[str, float] = {}
    kept, votes_for = [], dict.fromkeys(sorted(meant), 0.0)
    for chain in chains:
        votes = chain.votes
        seen[chain.label] = seen.get(chain.label, 0.0) + sum(votes.values())
        if _share(chain, meant) >= _LEAST_SHARE_OF_LABEL:
            kept.append(chain)
            for name in votes_for:
                votes_for[name] += votes.get(name, 0.0)
    if kept:
        return kept, max(votes_for, key=lambda name: votes_for[name])
    problem = f"no {label!r} was seen" if meant else f"the detector knows no {label!r}"
    labels = ", ".join(sorted(seen, key=lambda name: -seen[name]))
    cure = f"choose one of the labels seen: {labels}" if labels else "leave the label out; nothing else was seen"
    raise NothingFound(problem, where=where, cure=cure)


def mentioned(chains: list[Chain], prompt: str, names: tuple[str, ...]) -> list[Chain]:
    """Return the things that words for a sound name.

    Parameters
    ----------
    chains : list of Chain
        All things.
    prompt : str
        What the user typed, for example "a red car drives through the rain".
    names : tuple of str
        The classes that the detector knows.

    Returns
    -------
    list of Chain
        Those of which a fifth of the votes are for a class that is named; empty if there are none.
    """
    meant = matching_names(prompt, names)
    return [chain for chain in chains if _share(chain, meant) >= _LEAST_SHARE_OF_LABEL]


def _share(chain: Chain, names: Iterable[str]) -> float:
    votes = chain.votes
    return sum(votes.get(name, 0.0) for name in names) / max(sum(votes.values()), 1e-9)
