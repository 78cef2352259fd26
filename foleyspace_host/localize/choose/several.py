"""Whether others sound beside the likeliest thing: a dog that barks beside a car, people in a conversation.

Two signs count. A sound is heard clearly that nothing taken so far makes, and something else in view does; or what
is heard is the sound of several (a conversation, a crowd, traffic), and there is another of the same kind that
stands out nearly as much. With neither, one thing sounds: most clips have one, and a second place for the same sound
would blur it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.choose.evidence import Judgement, Sounds
from foleyspace_host.localize.choose.table import OF_SEVERAL, makes, thing_names
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.hear.tag import class_names

__all__ = ["sounding"]

_CLEARLY = 0.15  # score of a sound that calls for a second source, mean over the clip
_MAKES_IT = 0.6  # likelihood in the table from which on a thing is taken to make a sound
_NOT_ITS_OWN = 0.25  # and up to which a thing already taken is not
_STANDS_OUT = 0.25  # of the likeliest thing's prominence, for another kind of thing
_ALIKE = 0.5  # of the likeliest thing's score, for another of the same kind
_SEVERAL = 0.08  # score of a sound of several; taggers put it below that of each voice
_MOST = 4


def sounding(judgements: Sequence[Judgement], sounds: Sounds | None) -> tuple[int, ...]:
    """Return which things sound.

    Parameters
    ----------
    judgements : sequence of Judgement
        Things worth keeping, the likeliest first.
    sounds : Sounds or None
        What was heard.

    Returns
    -------
    tuple of int
        Their places, the likeliest first; at least one unless there are no things.
    """
    if not judgements:
        return ()
    taken = [0]
    if sounds is None:
        return (0,)
    claims = [_claims(one.chain) for one in judgements]
    for k in range(1, len(judgements)):
        if len(taken) < _MOST and (_other_kind(k, taken, claims, judgements, sounds) or _alike(k, judgements, sounds)):
            taken.append(k)
    return tuple(taken)


def _other_kind(
    k: int, taken: Sequence[int], claims: Sequence[NDArray[np.float64]], judgements: Sequence[Judgement], sounds: Sounds
) -> bool:
    """Say whether a sound is heard that this thing makes, and none of those taken."""
    if judgements[k].prominence < _STANDS_OUT * judgements[0].prominence:
        return False
    foreign = np.max([claims[one] for one in taken], axis=0) <= _NOT_ITS_OWN
    mine = (claims[k] >= _MAKES_IT) & foreign
    # both must be heard: a wrong name for the one sound there is would make a second source of it
    own = np.max([claims[one] for one in taken], axis=0) >= _MAKES_IT
    return bool(sounds.scores[mine].max(initial=0.0) >= _CLEARLY and sounds.scores[own].max(initial=0.0) >= _CLEARLY)


def _alike(k: int, judgements: Sequence[Judgement], sounds: Sounds) -> bool:
    """Say whether this is one more of the kind that is heard in number."""
    first, one = judgements[0], judgements[k]
    if one.chain.label != first.chain.label or one.score < _ALIKE * first.score or not one.chain.votes:
        return False
    several = np.array([name in OF_SEVERAL for name in class_names()]) & (_claims(first.chain) >= _MAKES_IT)
    return bool(sounds.scores[several].max(initial=0.0) >= _SEVERAL)


def _claims(chain: Chain) -> NDArray[np.float64]:
    """Return how likely a thing makes each sound, shape (521,)."""
    at = {name: index for index, name in enumerate(thing_names())}
    votes = {name: vote for name, vote in chain.votes.items() if name in at}
    if not votes:
        return np.zeros(len(class_names()))
    likely = sum(vote * makes()[:, at[name]] for name, vote in votes.items()) / sum(votes.values())
    return np.asarray(likely, dtype=np.float64)
