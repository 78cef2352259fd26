"""What people read when a command is done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from foleyspace_host.cli.report import localized_lines, rendered_lines
from foleyspace_host.pipeline.provenance import Provenance
from foleyspace_host.pipeline.results import LocalizeResult, SoundUse, SourceSummary, SpatializeResult

MADE = Provenance("0", "3", "Linux", {}, ())


def source(name: str, confidence: float, *, selected: bool = False, basis: Any = "seen") -> SourceSummary:
    label = name.rsplit("-", 1)[0]
    return SourceSummary(name, label, selected, confidence, basis, 0.978, (-6.94, 8.61), (4.83, 17.46))


def lines(*sources: SourceSummary, **fields: Any) -> list[str]:
    result = LocalizeResult("t.json", "v.mp4", 8.0, sources, {}, MADE, {"total": 6.12}, (), (), None)
    return localized_lines(replace(result, **fields))


def test_what_was_chosen_and_why_and_what_else_there_is() -> None:
    said = lines(
        source("car-1", 0.587, selected=True),
        source("person-1", 0.114),
        source("person-2", 0.02),
        heard=("Vehicle", "Car"),
        why="it makes this sound and stands out most",
    )
    assert said == [
        "t.json",
        "  source     car (car-1), seen 98 % of the time, confidence 0.59",
        "  azimuth    -6.9° to +8.6° (left positive)",
        "  distance   4.8 m to 17.5 m",
        "  because    it makes this sound and stands out most",
        "  heard      Vehicle, Car",
        "  also seen  person-1 (0.11), person-2 (0.02); choose with --source",
        "  time       6.1 s for 8.0 s",
    ]


def test_a_rendered_video_says_what_else_there_is() -> None:
    result = SpatializeResult(
        output="v.wav",
        codec="pcm_s24le",
        format="binaural",
        channels=("left", "right"),
        duration_s=8.0,
        sample_rate_hz=48_000,
        n_samples=384_000,
        true_peak_db=-3.04,
        loudness_lufs=None,
        gain_db=0.0,
        time_reference=None,
        sound=SoundUse("v.mp4", 2, "mono", 0.0, 8.0, "exact"),
        sources=(source("car-1", 0.587, selected=True),),
        settings={},
        provenance=MADE,
        times_s={"total": 6.12},
        reused=(),
        warnings=(),
        video="v.mp4",
        trajectory=None,
        report=None,
        why="it stands out most",
        also_seen=(source("person-1", 0.114), source("person-2", 0.02)),
    )
    said = rendered_lines(result)
    assert said[4:6] == [
        "  because    it stands out most",
        "  also seen  person-1 (0.11), person-2 (0.02); choose with --source",
    ]
    assert not [line for line in rendered_lines(replace(result, also_seen=())) if "also seen" in line]


def test_nothing_to_see_is_said() -> None:
    said = lines(source("centre", 0.05, selected=True, basis="assumed"), heard=("Train whistle",))
    assert said[1] == "  source     centre: nothing to see, so straight ahead, confidence 0.05"
    assert "  heard      Train whistle" in said
    assert not [line for line in said if line.startswith(("  because", "  also seen"))]


@pytest.mark.parametrize("selected", [1, 2])
def test_every_source_that_sounds_has_its_lines(selected: int) -> None:
    said = lines(*(source(f"dog-{n}", 0.5, selected=n <= selected) for n in (1, 2, 3)))
    assert len([line for line in said if line.startswith("  source ")]) == selected
