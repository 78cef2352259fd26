"""Clips rendered along known paths, through the shipped detector, within the bounds of the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from foleyspace_host.localize.localizer import load_detector, localize

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def known_truth() -> Any:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import known_truth
        import truth_clips
    finally:
        sys.path.remove(str(BENCHMARKS))
    assert isinstance(known_truth, ModuleType)
    return known_truth, truth_clips.Cases().clips, load_detector()


@pytest.mark.parametrize(
    "name",
    ["cut", "flashes", "behind a pillar", "two cross", "leaves, comes back", "pan past it", "shown turned"],
)
def test_what_is_found_is_where_it_was_drawn(known_truth: Any, name: str) -> None:
    bench, clips, detector = known_truth
    clip = clips[name]
    (row,) = bench.measure([clip], lambda path: localize(path, detector=detector)).values()
    assert bench.misses(row) == []
    assert row["right"], "the horse is what sounds, not a stone"


def test_a_mirrored_clip_is_as_good(known_truth: Any) -> None:
    bench, clips, detector = known_truth
    clip = clips["hand-held"].reflected()
    (row,) = bench.measure([clip], lambda path: localize(path, detector=detector)).values()
    assert bench.misses(row) == []
