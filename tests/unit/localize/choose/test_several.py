"""Who sounds beside the likeliest thing, on made-up scenes whose answer is plain."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace_host.localize.choose.evidence import judge
from foleyspace_host.localize.choose.several import sounding
from foleyspace_host.localize.choose.table import OF_SEVERAL
from foleyspace_host.localize.follow.chain import Chain
from foleyspace_host.localize.follow.track import Sighting, Track
from foleyspace_host.localize.hear.listen import Heard
from foleyspace_host.localize.hear.onsets import Loudness
from foleyspace_host.localize.hear.tag import Tags, class_names

N_PICTURES = 64


def thing(name: str | None, x: float, size: float = 0.3) -> Chain:
    box = np.array([x - size / 2, 0.5 - size / 2, x + size / 2, 0.5 + size / 2])
    sightings = [Sighting(k / 8.0, box, 0.5, 0.0) for k in range(N_PICTURES)]
    return Chain((Track(0, sightings, {} if name is None else {name: 0.5 * N_PICTURES}),))


def heard(**scores: float) -> Heard:
    row = np.zeros(521, np.float32)
    for name, score in scores.items():
        row[class_names().index(name)] = score
    level = np.ones(800, np.float32)
    tags = Tags(np.arange(16) * 0.48, np.tile(row, (16, 1)))
    return Heard(tags, Loudness(np.arange(800) * 0.01, level, np.zeros(800, np.float32)))


def chosen(chains: list[Chain], sound: Heard | None) -> set[str]:
    judgements, sounds = judge(chains, N_PICTURES, sound)
    names = [f"{one.chain.label}@{one.chain.sightings[0].box[0] > 0.5}" for one in judgements]
    return {names[k] for k in sounding(judgements, sounds)}


def test_a_dog_that_barks_beside_a_motor_sounds_too() -> None:
    scene = [thing("dog", 0.2), thing("car", 0.8)]
    assert chosen(scene, heard(Bark=0.5, Engine=0.4)) == {"dog@False", "car@True"}


@pytest.mark.parametrize("sound", [{"Bark": 0.5}, {"Bark": 0.5, "Engine": 0.05}, {"Engine": 0.6}])
def test_what_is_not_heard_does_not_sound(sound: dict[str, float]) -> None:
    assert len(chosen([thing("dog", 0.2), thing("car", 0.8)], heard(**sound))) == 1


def test_another_name_for_the_same_sound_is_no_second_source() -> None:
    # a truck makes the car's sound too: they explain one and the same
    assert len(chosen([thing("car", 0.2), thing("truck", 0.8)], heard(Car=0.5, Engine=0.4, Truck=0.2))) == 1


def test_people_in_a_conversation_sound_both_and_one_who_speaks_alone() -> None:
    scene = [thing("person", 0.2), thing("person", 0.8, 0.28)]
    assert len(chosen(scene, heard(Speech=0.9, Conversation=0.2))) == 2
    assert len(chosen(scene, heard(Speech=0.9))) == 1


def test_a_small_figure_far_behind_takes_no_part() -> None:
    assert (
        len(chosen([thing("person", 0.2, 0.5), thing("person", 0.8, 0.04)], heard(Speech=0.9, Conversation=0.2))) == 1
    )


def test_what_has_no_name_is_never_one_more() -> None:
    assert len(chosen([thing("dog", 0.2), thing(None, 0.8)], heard(Bark=0.5, Sawing=0.5))) == 1


def test_silence_and_no_sound_leave_one_and_nothing_leaves_none() -> None:
    scene = [thing("dog", 0.2), thing("car", 0.8)]
    assert len(chosen(scene, None)) == 1
    assert chosen([], None) == set()


def test_the_names_exist() -> None:
    assert set(class_names()) >= OF_SEVERAL
