"""What a client can choose is what the program can do: no setting is forgotten, and no bound differs."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from typing import Any

import msgspec
import pytest

from foleyspace_host.errors import InvalidInput
from foleyspace_host.pipeline import settings as pipeline
from foleyspace_host.pipeline.localize import localize_file
from foleyspace_host.pipeline.spatialize import spatialize
from foleyspace_host.protocol import messages

# computed from `channel_angle_deg` and the number of channels of the sound
INSIDE = {"channel_angles_deg"}


def hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def test_every_keyword_can_be_sent() -> None:
    keywords = set(pipeline.SoundKeywords.__annotations__) | {"hrtf"}
    for base in getattr(pipeline.SoundKeywords, "__orig_bases__", ()):
        keywords |= set(getattr(base, "__annotations__", {}))
    assert keywords - INSIDE <= set(messages.RenderSettings.__struct_fields__)
    assert set(messages.RenderSettings.__struct_fields__) - keywords == set()


def test_all_that_can_be_looked_for_can_be_sent() -> None:
    sent = set(messages.LocalizeSettings.__struct_fields__)
    assert sent == {field.name for field in dataclasses.fields(pipeline.LocalizeSettings)}
    assert sent <= set(inspect.signature(localize_file).parameters)
    assert sent <= set(inspect.signature(spatialize).parameters)


def choices(hint: Any) -> set[Any]:
    if typing.get_origin(hint) is typing.Literal:
        return set(typing.get_args(hint))
    return set().union(*(choices(part) for part in typing.get_args(hint)), set())


@pytest.mark.parametrize("name", ["distance_gain", "propagation", "channels", "bit_depth", "quality"])
def test_choices_are_the_same(name: str) -> None:
    known = choices(hints(messages.RenderSettings)[name])
    assert known
    assert known == choices(hints(pipeline.SoundKeywords)[name])


@pytest.mark.parametrize(
    ("name", "low", "high"), [("spread", 0.0, 10.0), ("extent_deg", 0.0, 180.0), ("channel_angle_deg", 0.0, 180.0)]
)
def test_bounds_are_the_same(name: str, low: float, high: float) -> None:
    for value, good in ((low, True), (high, True), (low - 0.001, False), (high + 0.001, False)):
        wire = plain = True
        try:
            msgspec.convert({name: value}, messages.RenderSettings)
        except msgspec.ValidationError:
            wire = False
        try:
            pipeline.RenderSettings(**{name: value})
        except InvalidInput:
            plain = False
        assert (wire, plain) == (good, good), value


def test_bounds_of_the_bed_and_the_camera_are_the_same() -> None:
    (meta,) = [
        part for hint in typing.get_args(hints(messages.SpatializeJob)["bed_db"]) for part in typing.get_args(hint)[1:]
    ]
    assert (meta.ge, meta.le) == pipeline.BED_RANGE_DB
    for value, good in ((1, True), (179, True), (0.9, False), (179.1, False)):
        try:
            pipeline.LocalizeSettings(hfov_deg=value)
        except InvalidInput:
            assert not good
        else:
            assert good
        try:
            msgspec.convert({"hfov_deg": value}, messages.LocalizeSettings)
        except msgspec.ValidationError:
            assert not good
        else:
            assert good
