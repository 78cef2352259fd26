"""The actions as users string them together, with the host that really looks and renders."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from foleyspace_host.jobs.capabilities import capabilities

RATE_HZ = 48_000
FPS = 25
WIDTH, HEIGHT = 320, 180
ASKED = ["60", "60", "0", "0", "2", "2"]


def clip(path: Path, duration_s: float = 3.0) -> Path:
    """A film without sound in which a disc goes from the left edge to the right one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=Fraction(FPS), options={"b": "4000000"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        count = round(duration_s * FPS)
        for index in range(count):
            image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
            image[np.hypot(x - WIDTH * (0.1 + 0.8 * index / (count - 1)), y - HEIGHT / 2) < 22] = (230, 60, 40)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def azimuth_deg(t_s: float, duration_s: float = 3.0) -> float:
    """Where the disc is, through a lens of 60 degrees."""
    u = WIDTH * (0.1 + 0.8 * t_s / (duration_s - 1 / FPS))
    return math.degrees(math.atan((WIDTH / 2 - u) / (WIDTH / 2 / math.tan(math.radians(30.0)))))


def louder_left_db(sound: np.ndarray, start_s: float, end_s: float) -> float:
    part = sound[:, round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
    power = np.mean(part**2, axis=1)
    return float(10 * np.log10(power[0] / power[1]))


def searches(studio: Any) -> int:
    """How often the host has looked at something."""
    return sum(job["kind"] == "localize" for job in studio.host_jobs())


def told(studio: Any) -> str:
    return "\n".join([*studio.reaper.dialogs.texts, studio.reaper.dialogs.console])


def test_a_sound_beside_a_video_follows_what_is_seen(studio: Any) -> None:
    from fake import add_item, add_track

    film = clip(studio.media / 'fïlm "1".mp4')
    add_item(add_track(studio.project, "Video"), film, 10.0, selected=False)
    track = add_track(studio.project, "Steps")
    path = studio.noise("a.wav")
    for at_s, length_s in ((10.25, 2.5), (9.5, 1.0), (12.0, 0.5)):  # within, begun before, near its end
        add_item(track, path, at_s, length_s)
    studio.reaper.dialogs.inputs.append([""])
    before = searches(studio)
    studio.run("Spatialize selected items")
    results = {at_s: studio.sound_of(item) for at_s, item in studio.results().items()}
    assert sorted(results) == [9.5, 10.25, 12.0]
    assert louder_left_db(results[10.25], 0.0, 0.4) > 2.0
    assert louder_left_db(results[10.25], 2.1, 2.5) < -2.0
    assert abs(louder_left_db(results[10.25], 1.15, 1.35)) < 2.0  # the disc is in the middle at 11.5 s
    assert louder_left_db(results[9.5], 0.0, 1.0) > 2.0
    assert louder_left_db(results[12.0], 0.0, 0.5) < -1.0
    # all three were looked at as one part of the film
    assert searches(studio) == before + 1


def test_what_is_localized_becomes_automation_that_places_sounds(studio: Any) -> None:
    from fake import add_item, add_track
    from fake.curves import evaluate

    film = clip(studio.media / "film.mp4")
    video = add_item(add_track(studio.project, "Video"), film, 5.0)
    studio.reaper.dialogs.inputs.append([""])
    studio.run("Localize video item")
    made = [track for track in studio.project.tracks if track.name.startswith("FoleySpace")]
    assert made, told(studio)
    [effect] = made[0].fx
    drawn = [evaluate(effect.envelopes[0], 5.0 + t) for t in (0.5, 1.0, 1.5, 2.0, 2.5)]
    assert drawn == pytest.approx([azimuth_deg(t) for t in (0.5, 1.0, 1.5, 2.0, 2.5)], abs=3.0)

    video.values["B_UISEL"] = 0.0
    add_item(made[0], studio.noise("a.wav"), 5.0, 3.0)
    n_asked = len(studio.reaper.dialogs.shown)
    studio.run("Spatialize selected items")
    assert all(shown.kind != "inputs" for shown in studio.reaper.dialogs.shown[n_asked:])
    sound = studio.sound_of(studio.results()[5.0])
    assert louder_left_db(sound, 0.0, 0.5) > 2.0
    assert louder_left_db(sound, 2.5, 3.0) < -2.0


def test_only_what_was_changed_is_rendered_again(studio: Any) -> None:
    from fake import add_item, add_track

    track = add_track(studio.project, "Steps")
    items = [add_item(track, studio.noise("a.wav"), number * 2.0, 1.0) for number in range(3)]
    studio.reaper.dialogs.inputs.append(ASKED)
    studio.run("Spatialize selected items")
    before = {at_s: result.take.source.path for at_s, result in studio.results().items()}
    with studio.reaper.as_user():
        items[1].values["D_VOL"] = 0.5
    loud = studio.sound_of(studio.results()[2.0])
    studio.run("Re-render changed")
    after = {at_s: result.take.source.path for at_s, result in studio.results().items()}
    assert {at_s for at_s in before if before[at_s] != after[at_s]} == {2.0}
    np.testing.assert_allclose(studio.sound_of(studio.results()[2.0]), 0.5 * loud, atol=1e-6)


def test_the_check_says_what_there_is_and_why_not_the_rest(studio: Any) -> None:
    studio.run("Check installation")
    assert "Everything is there" in told(studio)
    assert str(studio.installed.bridge) in told(studio)
    for one in capabilities():
        assert one.name in told(studio)
        assert one.available or one.reason in told(studio)


def test_generating_gives_the_host_s_reason(lonely_studio: Any) -> None:
    studio = lonely_studio
    studio.start_host(generates="this host is mute")
    studio.project.time_selection = (1.0, 2.5)
    studio.reaper.dialogs.inputs.append(["footsteps on gravel"])
    studio.run("Generate foley for time selection")
    assert "this host is mute" in told(studio)
    assert not studio.project.tracks
    assert not studio.project.undo


@pytest.mark.parametrize("has_video", [False, True])
def test_a_host_that_can_generate_has_its_sound_placed(lonely_studio: Any, has_video: bool) -> None:
    from fake import add_item, add_track

    studio = lonely_studio
    studio.start_host(generates=True)
    if has_video:
        add_item(add_track(studio.project, "Video"), clip(studio.media / "film.mp4"), 1.0, selected=False)
    studio.reaper.dialogs.inputs.append(["gravel"])
    studio.project.time_selection = (1.0, 2.50001)
    studio.run("Generate foley for time selection")
    made = [item for item in studio.project.items if item.take and item.take.source.kind == "WAVE"]
    assert len(made) == 1, told(studio)
    sound = studio.sound_of(made[0])
    assert sound.shape == (2 if has_video else 1, 72_000)
    assert made[0].start_s == 1.0
    assert "made of the words 'gravel'" in told(studio)
    spectrum = np.abs(np.fft.rfft(sound[0] * np.hanning(72_000)))
    assert np.argmax(spectrum) * RATE_HZ / 72_000 == pytest.approx(440.0, abs=1.0)
    if has_video:
        assert louder_left_db(sound, 0.0, 0.3) > louder_left_db(sound, 1.2, 1.5) + 1.0


def test_an_unsaved_project_and_one_on_the_disk_keep_results_beside_their_sounds(studio: Any, tmp_path: Path) -> None:
    from fake import add_item, add_track

    assert studio.project.path is None
    track = add_track(studio.project, "Steps")
    add_item(track, studio.noise("a.wav"), 1.0, 0.5)
    studio.reaper.dialogs.inputs.append(ASKED)
    studio.run("Spatialize selected items")
    placed = Path(studio.results()[1.0].take.source.path)
    assert placed.parent == tmp_path / "REAPER Media" / "FoleySpace"

    studio.project.record_path = tmp_path / "Prôjet d'été" / "Audio"
    with studio.reaper.as_user():
        track.items[0].values["B_UISEL"] = 0.0
    add_item(track, studio.media / "a.wav", 4.0, 0.5)
    studio.reaper.dialogs.inputs.append(ASKED)
    studio.run("Spatialize selected items")
    placed = Path(studio.results()[4.0].take.source.path)
    assert placed.parent == tmp_path / "Prôjet d'été" / "Audio" / "FoleySpace"


def test_the_loudness_of_a_generated_sound_is_drawn_edited_and_followed(lonely_studio: Any) -> None:
    studio = lonely_studio
    studio.start_host(generates=True)
    studio.reaper.dialogs.inputs += [["gravel"], ["gravel"]]
    studio.project.time_selection = (1.0, 2.0)
    studio.run("Generate foley for time selection")
    (item,) = studio.project.items
    lane = item.take.fx[0].envelopes[0]
    drawn = [(point.time_s, point.value) for point in lane.points]
    assert [t_s for t_s, _ in drawn] == pytest.approx([0.0, 0.5, 0.5001, 1.0])
    assert [level for _, level in drawn] == pytest.approx([-100.0, -100.0, -3.0, -60.0])
    lane.points[1].time_s, lane.points[2].time_s = 0.25, 0.251
    item.values["B_UISEL"] = 1.0
    studio.run("Generate foley for time selection")
    assert studio.project.items == [item], told(studio)
    lines = ["t_s,level_db", "0.000000,-100.00", "0.250000,-100.00", "0.251000,-3.00", "1.000000,-60.00"]
    assert f"as loud as {lines}" in told(studio)
    assert len(studio.project.undo) == 2
