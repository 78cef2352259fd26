"""Parts of videos: as few as can be, and each picture in one of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.bridges.reaper.parts import Part, joined
from foleyspace_host.bridges.reaper.request import Picture

pictures = st.builds(
    Picture,
    path=st.sampled_from(["/a.mp4", "/b.mp4"]),
    start_s=st.floats(0.0, 100.0),
    duration_s=st.floats(0.01, 20.0),
    label=st.sampled_from([None, "", "horse"]),
    hfov_deg=st.sampled_from([None, 60.0]),
)


@given(st.lists(pictures, max_size=12))
def test_every_picture_lies_in_one_part_and_parts_lie_apart(given_pictures: list[Picture]) -> None:
    parts = joined(given_pictures)
    for picture in given_pictures:
        assert sum(part.holds(picture) for part in parts) == 1
    for one in parts:
        for other in parts:
            if one is not other and (one.path, one.label, one.hfov_deg) == (other.path, other.label, other.hfov_deg):
                assert one.end_s + 2.0 < other.start_s or other.end_s + 2.0 < one.start_s


def test_footsteps_are_looked_at_as_one_walk() -> None:
    steps = [Picture(path="/walk.mp4", start_s=number * 0.6, duration_s=0.3) for number in range(50)]
    assert joined(steps) == [Part("/walk.mp4", None, None, 0.0, 49 * 0.6 + 0.3)]


def test_scenes_that_are_far_apart_are_looked_at_alone() -> None:
    scenes = [Picture(path="/film.mp4", start_s=start, duration_s=5.0) for start in (0.0, 600.0)]
    assert [part.words["span"]["start"] for part in joined(scenes)] == [[0, 1], [600, 1]]


def test_times_are_exact_fractions() -> None:
    words = Part.of(Picture(path="/a.mp4", start_s=0.1, duration_s=1 / 3)).words
    assert words["span"] == {"start": [1, 10], "duration": [1, 3]}
