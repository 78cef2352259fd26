"""What is said of the choice is what speaks for it, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.localize.choose.evidence import Judgement, Sounds
from foleyspace_host.localize.choose.reason import reason
from foleyspace_host.localize.choose.table import thing_names
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.track import Sighting, Track

STILL = np.array([0.4, 0.4, 0.6, 0.6])


def judged(name: str | None, prominence: float = 0.1, synchrony: float = 0.0) -> Judgement:
    votes = {} if name is None else {name: 1.0}
    return Judgement(Chain((Track(0, [Sighting(0.0, STILL, 0.5)], votes),)), 1.0, prominence, 1.0, synchrony)


def sounds(clearness: float = 1.0, unexplained: float = 0.0, **explained: float) -> Sounds:
    by_thing = np.array([explained.get(name, 0.0) for name in thing_names()])
    return Sounds(clearness, by_thing, unexplained, 0.0, ("Something",), np.zeros(521))


CAR = sounds(car=0.9)


@pytest.mark.parametrize(
    ("things", "heard", "named", "said"),
    [
        ([], CAR, "", ""),
        ([judged("car")], None, "", "it is all that was seen"),
        ([judged("car")], CAR, "", "it makes this sound and is all that was seen"),
        ([judged("car", 0.2), judged("dog")], CAR, "", "it makes this sound and stands out most"),
        ([judged("car"), judged("dog", 0.2)], CAR, "", "it makes this sound"),
        ([judged("dog", 0.2), judged("car")], None, "", "it stands out most"),
        ([judged("dog", 0.2), judged("car")], sounds(dog=0.1), "", "it stands out most"),
        # where nothing is heard clearly, what is heard is no reason
        ([judged("car", 0.2), judged("dog")], sounds(clearness=0.0, car=0.9), "", "it stands out most"),
        (
            [judged("dog", 0.2, synchrony=0.5), judged("dog", synchrony=0.3)],
            sounds(dog=0.9),
            "",
            "it makes this sound, moves in time with the sound and stands out most",
        ),
        ([judged("dog", synchrony=0.3), judged("dog", 0.2, 0.4)], sounds(dog=0.9), "", "it makes this sound"),
        (
            [judged(None), judged("person", 0.2)],
            sounds(unexplained=0.8, person=0.2),
            "",
            "it moves while nothing that was recognised makes this sound",
        ),
        ([judged("car"), judged("dog", 0.2)], None, "", "it goes best with picture and sound together"),
        ([judged("car"), judged("car", 0.2)], CAR, "label", "it is what the label names and makes this sound"),
        ([judged("car")], None, "prompt", "it is all that was seen of what the prompt names"),
        # a thing that was found by words is none of the classes that are known to make a sound
        ([judged("kettle")], sounds(unexplained=1.0), "label", "it is all that was seen of what the label names"),
    ],
)
def test_what_speaks_for_the_first_is_said(things: list[Judgement], heard: Sounds, named: str, said: str) -> None:
    assert reason(things, heard, named) == said
