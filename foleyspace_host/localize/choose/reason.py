"""Why the likeliest thing is it, in a few words for people."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace_host.localize.choose.evidence import Judgement, Sounds
from foleyspace_host.localize.choose.table import thing_names

__all__ = ["reason"]

_MAKES_IT = 0.4  # of what is heard, from which on a thing is said to make it
_TOGETHER = 0.2  # synchrony that is worth a word


def reason(judgements: Sequence[Judgement], sounds: Sounds | None, named: str = "") -> str:
    """Say what speaks for the first thing, and more so than for the others.

    Parameters
    ----------
    judgements : sequence of Judgement
        All things, the likeliest first.
    sounds : Sounds or None
        What was heard.
    named : {"label", "prompt", ""}
        What the user named it by.

    Returns
    -------
    str
        For example "it makes this sound, moves in time with it and stands out most"; empty if there is nothing.
    """
    if not judgements:
        return ""
    best, others = judgements[0], judgements[1:]
    parts = []
    if named:
        parts.append(f"is what the {named} names" if others else f"is all that was seen of what the {named} names")
    if sounds is not None and sounds.clearness > 0.0:
        if not best.chain.votes.keys().isdisjoint(thing_names()):
            parts += ["makes this sound"] if sounds.explained_by(best.chain) >= _MAKES_IT else []
        elif not best.chain.votes and sounds.unexplained >= _MAKES_IT:
            parts.append("moves while nothing that was recognised makes this sound")
    if best.synchrony >= max([_TOGETHER, *(one.synchrony for one in others)]):
        parts.append("moves in time with the sound")
    if not others and not named:
        parts.append("is all that was seen")
    elif others and best.prominence >= max(one.prominence for one in others):
        parts.append("stands out most")
    if not parts:
        parts.append("goes best with picture and sound together")
    return f"it {_joined(parts)}"


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
