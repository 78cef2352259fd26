"""All cues together: which of the things seen is the one that is heard.

The score of a thing is how much it stands out, times how well it goes with what is heard, times how well it
moves with it. What is heard counts as far as it is heard clearly; where nothing is, the picture alone decides.
A thing without a class goes with the sounds that no known class makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.choose.salience import prominence, readiness
from foleyspace_host.localize.choose.synchrony import synchrony
from foleyspace_host.localize.choose.table import HELD, TELLS_NOTHING, makes, thing_names
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.hear.listen import Heard
from foleyspace_host.localize.hear.tag import Tags, class_names

__all__ = ["Judgement", "Sounds", "judge"]

_CLEAR = 0.25  # a score of the best class from which on hearing is trusted fully
_HEARD = 0.03  # scores below are noise
_AGAINST = 0.04  # what is left of a thing that makes none of the sounds
_UNKNOWN = 0.5  # how well a thing without class goes with a sound that nothing known makes
_SYNCHRONY = 2.0


@dataclass(frozen=True, slots=True)
class Sounds:
    """What is heard, as far as it tells of its source.

    Parameters
    ----------
    clearness : float
        How far hearing is to be trusted, 0 to 1.
    by_thing : ndarray, shape (80,)
        How well each of COCO's classes explains what is heard, 0 to 1.
    unexplained : float
        How much of what is heard no class explains, 0 to 1.
    held : float
        Share of what is heard that comes from something held in the hands, 0 to 1.
    names : tuple of str
        The clearest sounds, for people.
    scores : ndarray, shape (521,)
        Score of each sound that tells of its source, mean over the clip, 0 to 1; 0 where it is noise.
    """

    clearness: float
    by_thing: NDArray[np.float64]
    unexplained: float
    held: float
    names: tuple[str, ...]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, tags: Tags) -> Sounds:
        """Return what tags tell of their source."""
        names = class_names()
        telling = np.array([name not in TELLS_NOTHING for name in names])
        mean = tags.scores.mean(axis=0)
        score = np.where(telling & (mean >= _HEARD), mean, 0.0)
        total = float(score.sum())
        if total == 0.0:
            return cls(0.0, np.zeros(len(thing_names())), 0.0, 0.0, (), score)
        by_thing = score @ makes() / total
        held = float(score[[name in HELD for name in names]].sum()) / total
        strongest = [names[k] for k in np.argsort(-score, kind="stable")[:3] if score[k] > 0.0]
        clearness = min(float(score.max()) / _CLEAR, 1.0)
        return cls(clearness, by_thing, 1.0 - float(by_thing.max()), held, tuple(strongest), score)

    def explained_by(self, chain: Chain) -> float:
        """Return how well a thing explains what is heard, 0 to 1."""
        at = {name: index for index, name in enumerate(thing_names())}
        votes = {name: vote for name, vote in chain.votes.items() if name in at}
        if not votes:
            return _UNKNOWN * self.unexplained
        return sum(vote * self.by_thing[at[name]] for name, vote in votes.items()) / sum(votes.values())


@dataclass(frozen=True, slots=True)
class Judgement:
    """What speaks for one thing.

    Parameters
    ----------
    chain : Chain
        The thing.
    score : float
        All together; only ratios mean something.
    prominence, heard, synchrony : float
        How much it stands out; how well it goes with what is heard, 0 to 1, or how readily it sounds where
        nothing is heard; how well it moves with it, 0 to 1.
    """

    chain: Chain
    score: float
    prominence: float
    heard: float
    synchrony: float


def judge(chains: Sequence[Chain], n_pictures: int, heard: Heard | None) -> tuple[list[Judgement], Sounds | None]:
    """Weigh the things against each other.

    Parameters
    ----------
    chains : sequence of Chain
        All things that were seen.
    n_pictures : int
        Pictures looked at.
    heard : Heard or None
        What is heard; None if there is no sound, or it shall not count.

    Returns
    -------
    list of Judgement
        The likeliest first.
    Sounds or None
        What was heard.
    """
    sounds = None if heard is None or heard.loudness.is_silent else Sounds.of(heard.tags)
    judgements = []
    for chain in chains:
        stands_out = prominence(chain, n_pictures)
        goes_with, together = readiness(chain), 0.0
        if sounds is not None and heard is not None:
            explained = _AGAINST + (1.0 - _AGAINST) * sounds.explained_by(chain)
            goes_with = (1.0 - sounds.clearness) * goes_with + sounds.clearness * explained
            together = synchrony(chain, heard.loudness)
        score = stands_out * goes_with * (1.0 + _SYNCHRONY * together)
        judgements.append(Judgement(chain, score, stands_out, goes_with, together))
    return sorted(judgements, key=lambda judgement: -judgement.score), sounds
