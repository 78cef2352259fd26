from __future__ import annotations

import pytest

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import CLASSES, NAMES, class_named, class_of_label, classes_in
from foleyspace_host.localize.hear.tag import class_names
from foleyspace_host.localize.see.classes import CLASSES as SEEN


def test_the_names_are_those_of_the_ontology_and_of_the_detector() -> None:
    seen = {one.name for one in SEEN}
    for one in CLASSES:
        assert set(one.audioset) <= set(class_names()), one.name
        assert set(one.labels) <= seen | {"bear"}, one.name
        assert one.audioset
    labels = [label for one in CLASSES for label in one.labels]
    assert len(labels) == len(set(labels))
    assert len(NAMES) == len(set(NAMES)) >= 25


@pytest.mark.parametrize(
    ("prompt", "classes"),
    [
        ("footsteps on gravel", ["footsteps-soft"]),
        ("Footsteps", ["footsteps-hard"]),
        ("heavy rain", ["rain"]),
        ("church bells ringing", ["bell"]),
        ("glass breaking", ["glass"]),
        ("a car with its horn", ["engine", "horn"]),
        ("a steam train passes", ["train"]),
        ("somebody is clapping", ["applause"]),
    ],
)
def test_prompts_mean_classes(prompt: str, classes: list[str]) -> None:
    found = classes_in(prompt)
    assert list(found) == classes
    assert sum(found.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("one", CLASSES, ids=NAMES)
def test_every_class_is_found_by_its_name_and_each_of_its_words(one: object) -> None:
    for word in (one.name, *one.words):  # type: ignore[attr-defined]
        assert one.name in classes_in(f"the {word}"), word  # type: ignore[attr-defined]


def test_what_means_nothing_is_refused_with_what_is_near() -> None:
    with pytest.raises(InvalidInput, match=r"nearest are: .*thunder"):
        classes_in("thundr")
    with pytest.raises(InvalidInput, match="empty"):
        classes_in(" ?! ")
    with pytest.raises(InvalidInput, match="footsteps-hard"):
        class_named("dragon")


def test_things_that_are_seen_have_a_sound() -> None:
    horse, table = class_of_label("horse"), class_of_label("potted plant")
    assert horse is not None
    assert horse.name == "hooves"
    assert table is None
