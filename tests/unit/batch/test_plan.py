"""Stages: which there are, and that their names change with everything that matters and with nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timelines as otio
from moving_clips import write_moving_clip

from foleyspace_host.batch.items import items_of
from foleyspace_host.batch.ledger import Ledger
from foleyspace_host.batch.listing import Wanted
from foleyspace_host.batch.plan import Stage, stages_of
from foleyspace_host.batch.settings import BatchSettings
from foleyspace_host.errors import InvalidInput, MediaMissing
from foleyspace_host.render.air import Air

Plan = Callable[..., tuple[Stage, ...]]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mov", "b.mov", "s.wav", "t.csv", "ears.sofa"):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    def make(wanted: Wanted, *, folder: Path = tmp_path / "out", **settings: Any) -> tuple[Stage, ...]:
        (item,) = items_of([wanted], folder, ".wav")
        return stages_of(item, BatchSettings.of(settings), Ledger(None), folder)

    return make


def kinds(stages: tuple[Stage, ...]) -> list[str]:
    return [stage.request.kind for stage in stages]


def test_which_stages_there_are(plan: Plan, inputs: Path) -> None:
    video, sound, keys = inputs / "a.mov", inputs / "s.wav", inputs / "t.csv"
    seen, made = plan(Wanted("1", video=video))
    assert kinds((seen, made)) == ["localize", "spatialize"]
    assert (seen.needs, made.needs) == (None, seen.key)
    assert made.request.inputs == {"video": str(video), "keys": str(seen.out)}
    assert [file.path for file in made.inputs] == [str(video)]
    assert kinds(plan(Wanted("1", video=video, trajectory=keys))) == ["spatialize"]
    assert kinds(plan(Wanted("1", sound=sound, trajectory=keys))) == ["render"]
    assert kinds(plan(Wanted("1", video=video), engine="embedded")) == ["make"]
    assert kinds(plan(Wanted("1", video=video, sound=sound), engine="embedded")) == ["localize", "spatialize"]


def test_a_prompt_makes_a_sound_where_there_is_none(plan: Plan, tmp_path: Path) -> None:
    silent = write_moving_clip(tmp_path / "silent.mov", 0.2, sound=False)
    loud = write_moving_clip(tmp_path / "loud.mov", 0.2)
    (stage,) = plan(Wanted("1", video=silent, prompt="rain"))
    assert stage.request.kind == "make"
    assert stage.request.settings["wish"]["prompt"] == "rain"
    seen, made = plan(Wanted("1", video=loud, prompt="rain"))
    assert (seen.request.settings["prompt"], "prompt" in made.request.settings) == ("rain", False)


def test_names_change_with_contents_and_settings_alone(plan: Plan, inputs: Path) -> None:
    wanted = Wanted("1", video=inputs / "a.mov")
    seen, made = plan(wanted)
    assert plan(Wanted("another list", video=inputs / "a.mov")) == (seen, made)
    os.utime(inputs / "a.mov")
    assert [stage.key for stage in plan(wanted)] == [seen.key, made.key]
    # the same content elsewhere is the same work
    shutil.copy(inputs / "a.mov", inputs / "c.mov")
    assert plan(Wanted("1", video=inputs / "c.mov", out="a.wav"))[1].key == made.key
    # how it is rendered does not matter for what is seen
    other_seen, other_made = plan(wanted, spread=1.5)
    assert other_seen.key == seen.key
    assert other_made.key != made.key
    assert plan(wanted, label="car")[0].key != seen.key
    assert plan(wanted, label="car")[1].key != made.key
    assert plan(Wanted("1", video=inputs / "a.mov", out="b.wav"))[1].key != made.key
    (inputs / "a.mov").write_bytes(b"changed")
    assert plan(wanted)[0].key != seen.key
    assert plan(wanted)[1].key != made.key


def test_files_among_the_settings_count_by_their_content(plan: Plan, inputs: Path) -> None:
    wanted = Wanted("1", video=inputs / "a.mov")
    first = plan(wanted, hrtf=inputs / "ears.sofa")
    assert first[1].request.settings["hrtf"] == str(inputs / "ears.sofa")
    shutil.copy(inputs / "ears.sofa", inputs / "others.sofa")
    assert [stage.key for stage in plan(wanted, hrtf=inputs / "others.sofa")] == [stage.key for stage in first]
    (inputs / "ears.sofa").write_bytes(b"new ears")
    again = plan(wanted, hrtf=inputs / "ears.sofa")
    assert (again[0].key == first[0].key, again[1].key == first[1].key) == (True, False)


def test_the_folder_of_results_may_be_seen_under_another_path(plan: Plan, inputs: Path, tmp_path: Path) -> None:
    wanted = Wanted("1", video=inputs / "a.mov")
    here, there = plan(wanted), plan(wanted, folder=tmp_path / "mounted" / "out")
    assert [stage.key for stage in here] == [stage.key for stage in there]
    assert here[1].out != there[1].out


def test_settings_travel_as_plain_values(plan: Plan, inputs: Path) -> None:
    wanted = Wanted("1", video=inputs / "a.mov")
    assert plan(wanted, air=Air(10, 40))[1].request.settings["air"] == {"temperature_c": 10, "humidity_percent": 40}
    assert plan(wanted, air=None)[1].request.settings["air"] is None
    assert b"ears.sofa" in plan(wanted, hrtf=inputs / "ears.sofa")[1].body
    with pytest.raises(InvalidInput, match=r"out of range|outside|is not"):
        plan(wanted, spread=99.0)
    with pytest.raises(MediaMissing, match="no such file"):
        plan(wanted, hrtf=inputs / "none.sofa")


def test_a_timeline_depends_on_the_media_that_it_names(plan: Plan, inputs: Path) -> None:
    cut = otio.write(
        inputs / "cut.otio",
        otio.timeline(
            otio.track(otio.clip("a", otio.span(0, 24), otio.media("b.mov")), otio.clip("m", otio.span(0, 24)))
        ),
    )
    (stage,) = plan(Wanted("1", timeline=cut))
    assert {Path(file.path).name for file in stage.inputs} == {"cut.otio", "b.mov"}
    (inputs / "a.mov").write_bytes(b"it does not name this one")
    assert plan(Wanted("1", timeline=cut))[0].key == stage.key
    (inputs / "b.mov").write_bytes(b"changed")
    assert plan(Wanted("1", timeline=cut))[0].key != stage.key


def test_an_input_that_is_not_there(plan: Plan, inputs: Path) -> None:
    for wanted in (Wanted("1", video=inputs / "none.mov"), Wanted("1", timeline=inputs / "none.otio")):
        with pytest.raises(MediaMissing):
            plan(wanted)
