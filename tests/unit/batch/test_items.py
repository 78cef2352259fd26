"""Where results go, and that none of them replaces anything of another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from foleyspace_host.batch.items import items_of
from foleyspace_host.batch.listing import Wanted
from foleyspace_host.errors import InvalidInput


def outs(wanted: list[Wanted], folder: Path, suffix: str = ".wav") -> list[str]:
    return [item.out.relative_to(folder).as_posix() for item in items_of(wanted, folder, suffix)]


def test_results_are_named_after_what_they_are_made_from(tmp_path: Path) -> None:
    wanted = [
        Wanted("l, line 1", video=Path("/v/take.mov")),
        Wanted("l, line 2", video=Path("/v/take.mov"), out="named/other.mp4"),
        Wanted("l, line 3", video=Path("/v/a/take.mov"), below=Path("a")),
        Wanted("l, line 4", timeline=Path("/v/cut.edl")),
        Wanted("l, line 5", sound=Path("/v/dry.wav"), trajectory=Path("/v/t.csv")),
        Wanted("l, line 6", video=Path("/v/take.mov"), out=str(tmp_path / "x.flac")),
    ]
    assert outs(wanted, tmp_path) == ["take.wav", "named/other.mp4", "a/take.wav", "cut.otio", "dry.wav", "x.flac"]
    assert outs(wanted[:1] + wanted[4:5], tmp_path, ".mp4") == ["take.mp4", "dry.wav"]


@pytest.mark.parametrize(
    ("one", "two", "problem"),
    [
        (Wanted("1", video=Path("/a/x.mov")), Wanted("2", video=Path("/b/x.mov")), "is the result of 1 too"),
        (Wanted("1", video=Path("/a/x.mov")), Wanted("2", video=Path("/a/y.mov"), out="x.wav"), "is the result of 1"),
        (Wanted("1", video=Path("/a/x.mov")), Wanted("2", video=Path("/b/y.mov"), out="/a/x.mov"), "replace an input"),
        (Wanted("1", video=Path("/a/x.mov")), Wanted("2", timeline=Path("/b/y.otio"), out="y.wav"), "a timeline is no"),
        (Wanted("1", video=Path("/a/x.mov")), Wanted("2", video=Path("/b/y.mov"), out="y.txt"), "cannot write files"),
        (
            Wanted("1", video=Path("/a/x.mov")),
            Wanted("2", sound=Path("/b/y.wav"), trajectory=Path("/t.csv"), out="y.mp4"),
            "no picture",
        ),
    ],
)
def test_what_cannot_be_is_told_before_any_work(tmp_path: Path, one: Wanted, two: Wanted, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem) as caught:
        items_of([one, two], tmp_path, ".wav")
    assert caught.value.where == "2"


def test_a_folder_is_no_place_for_a_result(tmp_path: Path) -> None:
    (tmp_path / "x.wav").mkdir()
    with pytest.raises(InvalidInput, match="is a folder"):
        items_of([Wanted("1", video=Path("/a/x.mov"))], tmp_path, ".wav")


def test_items_have_the_same_names_the_next_time_and_names_of_their_own(tmp_path: Path) -> None:
    wanted = [Wanted("1", video=Path("/a/x.mov")), Wanted("2", video=Path("/a/x.mov"), out="z.wav")]
    first, second = items_of(wanted, tmp_path, ".wav")
    assert first.item_id != second.item_id
    assert [item.item_id for item in items_of(wanted[::-1], tmp_path, ".wav")] == [second.item_id, first.item_id]
