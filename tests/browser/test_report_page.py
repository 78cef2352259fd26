"""The page in a browser: what it shows, what it lets one do, and what it saves."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.frames import unit_to_angles, wrap_deg
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import dumps, loads, read_trajectory
from foleyspace_host.localize.edited import corrected

CAMERA = Camera(320, 180, 60.0)
APP = "FoleyReport.app"


def key(t_s: float, azimuth_deg: float, elevation_deg: float = 0.0, distance_m: float = 5.0, **more: Any) -> Key:
    point: tuple[float, float] | None = None
    if abs(azimuth_deg) < 80:
        u, v = CAMERA.pixels(azimuth_deg, elevation_deg)
        point = (round(float(u) / 320, 5), round(float(v) / 180, 5))
    fields: dict[str, Any] = {"confidence": 0.8, "image_xy": point, "origin": "detected"} | more
    return Key(t_s, azimuth_deg, elevation_deg, distance_m, **fields)


def moving(name: str = "car-1", *, cut_s: float | None = None, **more: Any) -> Source:
    times = [index / 8 for index in range(33)]
    keys = tuple(key(t, 20.0 - 10.0 * t, -2.0, 5.0 + t, cut=t == cut_s) for t in times)
    return Source(name, keys, **({"label": "car", "confidence": 0.8} | more))


def clip_of(*sources: Source) -> Trajectory:
    return Trajectory(4.0, sources, CAMERA)


def until(page: Any, expression: str) -> None:
    """Wait until something holds; the page's own policy forbids the way in which the driver would wait."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {expression}")


def canvas_spot(page: Any, t_s: float, *, source: int = 0) -> tuple[float, float]:
    """Where the dot of a source is on the screen at a time."""
    page.evaluate(f"{APP}.seek({t_s})")
    until(page, f"!{APP}.video.seeking && !{APP}.waits")
    x, y = page.evaluate(
        f"(() => {{ const a = {APP}; const b = a.stage.canvas.getBoundingClientRect();"
        f" const s = a.stage.handles.find((h) => h.index === {source}); return [s.x + b.left, s.y + b.top]; }})()"
    )
    return x, y


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def screen(page: Any, x: float, y: float) -> tuple[float, float]:
    """Screen point of a point of the picture."""
    found = page.evaluate(
        f"(() => {{ const s = {APP}.stage; const b = s.canvas.getBoundingClientRect();"
        f" const [x, y] = s.toCanvas([{x}, {y}]); return [x + b.left, y + b.top]; }})()"
    )
    return found[0], found[1]


def saved(page: Any, folder: Path) -> Path:
    with page.expect_download() as download:
        page.keyboard.press("s")
    path: Path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


# ---- what it computes


def test_directions_are_those_of_python(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    rng = np.random.default_rng(1)
    for camera in (Camera(1920, 1080, 60.0), Camera(480, 854, 75.5), Camera(640, 480, 17.0)):
        points = rng.uniform(-0.5, 1.5, (40, 2)) * [camera.width, camera.height]
        azimuth, elevation = camera.directions(points[:, 0], points[:, 1])
        size = f"width: {camera.width}, height: {camera.height}"
        made = f"new FoleyReport.space.Camera({{hfov_deg: {camera.hfov_deg}, {size}}})"
        theirs = page.evaluate(
            f"(points) => {{ const c = {made}; return points.map((p) => c.directions(...p)); }}", points.tolist()
        )
        np.testing.assert_allclose(theirs, np.stack([azimuth, elevation], axis=1), atol=1e-11)
        back = page.evaluate(f"(angles) => {{ const c = {made}; return angles.map((a) => c.pixels(...a)); }}", theirs)
        np.testing.assert_allclose(back, points, atol=1e-7)
    behind = page.evaluate(f"{APP}.camera.pixels(120, 0).map(Number.isNaN)")
    assert behind == [True, True]


def test_paths_are_those_of_python(open_page: Any, make_page: Any) -> None:
    rng = np.random.default_rng(2)
    times = np.sort(rng.uniform(0, 10, 25))
    keys = [
        Key(float(t), *rng.uniform([-400, -85, 0.1], [400, 85, 60]).tolist(), cut=bool(rng.random() < 0.2))
        for t in times
    ]
    keys[5] = Key(keys[5].t_s, 10.0, 20.0, 1.0)
    keys[6] = Key(keys[6].t_s, -170.0, -20.0, 1.0)  # the opposite direction
    source = Source("a", tuple(keys))
    at = np.concatenate([rng.uniform(-1, 11, 300), times])
    unit, distance = SourcePath.from_source(source).sample(at)
    page = open_page(make_page(clip_of(moving())))
    theirs = page.evaluate(
        "([keys, times]) => times.map((t) => FoleyReport.space.positionAt(keys, t))"
        ".map((p) => [...FoleyReport.space.unitOf(p.azimuth_deg, p.elevation_deg), p.distance_m])",
        [json.loads(dumps_exactly(source)), at.tolist()],
    )
    np.testing.assert_allclose(theirs, np.column_stack([unit, distance]), atol=1e-9)


def dumps_exactly(source: Source) -> str:
    names = ("t_s", "azimuth_deg", "elevation_deg", "distance_m", "confidence", "origin", "cut")
    return json.dumps([{name: getattr(own, name) for name in names} for own in source.keys])


def test_the_blend_is_that_of_a_second_run(open_page: Any, make_page: Any) -> None:
    """What the page shows after one edit is what ``localize --keys`` gives when the same is found again."""
    page = open_page(make_page(clip_of(moving(cut_s=3.0))))
    page.evaluate(f"{APP}.seek(2.0); {APP}.place({{azimuth_deg: 25.0, elevation_deg: 4.0, distance_m: 3.0}})")
    shown = loads(page.evaluate(f"FoleyReport.record.dumps({APP}.record.now)")).sources[0]
    edits = tuple(own for own in shown.keys if own.origin == "edited")
    assert [own.t_s for own in edits] == [2.0]
    again = corrected(moving(cut_s=3.0), edits, CAMERA)
    for mine, theirs in zip(shown.keys, again.keys, strict=True):
        assert mine.azimuth_deg == pytest.approx(theirs.azimuth_deg, abs=1e-3)
        assert mine.elevation_deg == pytest.approx(theirs.elevation_deg, abs=1e-3)
        assert mine.distance_m == pytest.approx(theirs.distance_m, abs=1e-3)
    assert shown.keys[23].azimuth_deg != moving().keys[23].azimuth_deg
    assert shown.keys[24] == moving(cut_s=3.0).keys[24]  # beyond the cut


# ---- what it saves


def awkward() -> Trajectory:
    odd = (
        Key(0.0, 0.0, -0.0, 0.00005, confidence=0.00001, origin="interpolated"),
        Key(0.123456, -179.9999, 90.0, 50.0, confidence=1.0, image_xy=(-0.25, 1.5), origin="offscreen", gain_db=-3.5),
        Key(3.0, 359.5, 1e-4, 12.0, confidence=0.5, image_xy=(0.0, 1.0), origin="edited", cut=True),
    )
    named = Source("</script><b>&amp;", odd, 'a "quoted" \\ label\t\u2028 <!-- é 馬', 0.25, False, -6.0, 30.0)
    return Trajectory(4.0, (moving(), named), Camera(320, 180, 59.94))


@pytest.mark.parametrize(
    "trajectory", [clip_of(moving()), awkward(), Trajectory(4.0, ())], ids=["plain", "awkward", "empty"]
)
def test_an_untouched_trajectory_is_saved_byte_for_byte(
    open_page: Any, make_page: Any, tmp_path: Path, trajectory: Trajectory
) -> None:
    path = saved(open_page(make_page(trajectory)), tmp_path)
    assert path.name == "clip.edited.trajectory.json"
    assert path.read_text(encoding="utf-8") == dumps(trajectory)
    assert dumps(read_trajectory(path)) == dumps(trajectory)


def test_fields_of_later_versions_are_kept(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    text = page.evaluate(
        "() => { const r = JSON.parse(document.getElementById('trajectory').textContent);"
        " r.note = {n: 3}; r.sources[0].colour = 'red'; r.sources[0].keys[2].weight = 7;"
        f" {APP}.record.now = r; {APP}.seek(0.25); {APP}.place({{azimuth_deg: 1}});"
        f" return FoleyReport.record.dumps({APP}.record.now); }}"
    )
    kept = json.loads(text)
    assert (kept["note"], kept["sources"][0]["colour"], kept["sources"][0]["keys"][2]["weight"]) == ({"n": 3}, "red", 7)
    assert kept["sources"][0]["keys"][2]["origin"] == "edited"


def test_labels_are_text_and_nothing_else(open_page: Any, make_page: Any) -> None:
    label = "</script><img src=x onerror=window.hit=1><script>window.hit=1</script>"
    page = open_page(make_page(clip_of(moving(label=label), moving("b", label="<!--<script>"))))
    assert page.locator(".name").all_inner_texts() == [label, "<!--<script>"]
    assert page.evaluate("window.hit") is None


# ---- what one does with it


def test_dragging_a_dot_edits_the_key_at_that_time(open_page: Any, make_page: Any, tmp_path: Path) -> None:
    page = open_page(make_page(clip_of(moving())))
    drag(page, canvas_spot(page, 1.0), screen(page, 0.75, 0.25))
    assert page.locator("#state").inner_text() == "Not saved"
    result = read_trajectory(saved(page, tmp_path))
    edited = [own for own in result.sources[0].keys if own.origin == "edited"]
    azimuth, elevation = CAMERA.directions(0.75 * 320, 0.25 * 180)
    assert [own.t_s for own in edited] == [1.0]
    assert edited[0].azimuth_deg == pytest.approx(float(azimuth), abs=0.15)
    assert edited[0].elevation_deg == pytest.approx(float(elevation), abs=0.15)
    assert edited[0].distance_m == 6.0
    assert edited[0].image_xy == pytest.approx((0.75, 0.25), abs=0.003)
    assert result.sources[0].keys[-1] == moving().keys[-1]  # out of reach
    assert result.sources[0].keys[9].azimuth_deg < moving().keys[9].azimuth_deg - 5  # led along
    assert page.locator("#state").inner_text() == "Saved"


def test_between_keys_a_new_one_is_set_at_the_picture_shown(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    drag(page, canvas_spot(page, 1.08), screen(page, 0.5, 0.5))
    result = loads(page.evaluate(f"FoleyReport.record.dumps({APP}.record.now)"))
    assert len(result.sources[0].keys) == 34
    assert [own.t_s for own in result.sources[0].keys if own.origin == "edited"] == [1.08]


def test_undo_redo_delete_and_the_warning(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    drag(page, canvas_spot(page, 1.0), screen(page, 0.75, 0.25))
    after = page.evaluate(f"FoleyReport.record.dumps({APP}.record.now)")
    assert page.evaluate(f"{APP}.record.changed")
    page.keyboard.press("Control+z")
    assert page.evaluate(f"FoleyReport.record.dumps({APP}.record.now)") == dumps(clip_of(moving()))
    assert not page.evaluate(f"{APP}.record.changed")
    page.keyboard.press("Control+Shift+Z")
    assert page.evaluate(f"FoleyReport.record.dumps({APP}.record.now)") == after
    page.keyboard.press("Delete")
    assert len(loads(page.evaluate(f"FoleyReport.record.dumps({APP}.record.now)")).sources[0].keys) == 32
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]


def test_the_keyboard_walks_and_moves(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving(), moving("b", label="dog"))))
    page.keyboard.press("]")
    page.keyboard.press("]")
    assert page.evaluate(f"{APP}.time") == pytest.approx(0.25)
    page.keyboard.press("[")
    assert page.evaluate(f"{APP}.time") == pytest.approx(0.125)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{APP}.time") == pytest.approx(0.16)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(f"{APP}.active") == 1
    before = page.evaluate(f"{APP}.position().azimuth_deg")
    page.keyboard.press("Alt+ArrowLeft")
    assert page.evaluate(f"{APP}.position().azimuth_deg") == pytest.approx(before + 0.5, abs=1e-3)
    page.keyboard.press("Alt+Shift+ArrowUp")
    assert page.evaluate(f"{APP}.position().distance_m") == pytest.approx(5.16 * 1.05, abs=1e-3)
    page.keyboard.press("c")
    assert [
        own.cut for own in loads(page.evaluate(f"FoleyReport.record.dumps({APP}.record.now)")).sources[1].keys
    ].count(True) == 1
    page.keyboard.press("Space")
    until(page, f"{APP}.time > 0.4")
    page.keyboard.press("Space")
    assert page.evaluate(f"{APP}.video.paused")


def test_the_time_shown_is_the_time_of_the_picture(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    page.evaluate(
        "() => { window.apart = []; const v = FoleyReport.app.video; const each = (_, meta) => {"
        " if (!v.paused) window.apart.push(Math.abs(FoleyReport.app.time - meta.mediaTime));"
        " v.requestVideoFrameCallback(each); }; v.requestVideoFrameCallback(each); FoleyReport.app.play(); }"
    )
    until(page, "window.apart.length > 12")
    assert max(page.evaluate("window.apart")) <= 0.041


def test_the_map_corrects_the_distance_and_with_shift_the_direction(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())), 1366, 900)
    place = (
        f"(position) => {{ const m = {APP}.map; const b = m.canvas.getBoundingClientRect();"
        " const [x, y] = m.spot(position); return [x + b.left, y + b.top]; }"
    )
    canvas_spot(page, 1.0)
    start = page.evaluate(place, {"azimuth_deg": 10.0, "elevation_deg": 0, "distance_m": 6.0})
    end = page.evaluate(place, {"azimuth_deg": -20.0, "elevation_deg": 0, "distance_m": 2.0})
    drag(page, tuple(start), tuple(end))
    now = page.evaluate(f"{APP}.position()")
    assert now["distance_m"] == pytest.approx(2.0, rel=0.05)
    assert now["azimuth_deg"] == pytest.approx(10.0, abs=1e-3)
    until(page, f"!{APP}.waits")
    start = page.evaluate(place, now)
    page.keyboard.down("Shift")
    drag(page, tuple(start), tuple(page.evaluate(place, {"azimuth_deg": -30.0, "elevation_deg": 0, "distance_m": 3.0})))
    page.keyboard.up("Shift")
    now = page.evaluate(f"{APP}.position()")
    assert now["azimuth_deg"] == pytest.approx(-30.0, abs=1.5)
    assert now["distance_m"] == pytest.approx(3.0, rel=0.05)


def test_a_source_is_added_by_double_click_named_and_switched(open_page: Any, make_page: Any, tmp_path: Path) -> None:
    page = open_page(make_page(clip_of(moving())))
    page.mouse.dblclick(*screen(page, 0.5, 0.9))
    page.fill("#label", "bell <b>")
    page.keyboard.press("Enter")
    page.locator("#sources input").first.evaluate("(box) => box.click()")
    page.locator("#stage canvas").focus()
    result = read_trajectory(saved(page, tmp_path))
    assert [(own.id, own.label, own.selected) for own in result.sources] == [
        ("car-1", "car", False),
        ("added-1", "bell <b>", True),
    ]
    assert result.sources[1].keys[0].elevation_deg == pytest.approx(float(CAMERA.directions(160, 162)[1]), abs=0.15)


def test_numbers_can_be_typed(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    page.fill("#azimuth", "-12.5")
    page.keyboard.press("Tab")
    page.fill("#distance", "1000")
    page.keyboard.press("Enter")
    now = page.evaluate(f"{APP}.position()")
    assert (now["azimuth_deg"], now["distance_m"]) == (pytest.approx(-12.5), 50.0)


def test_the_timeline_scrubs_and_zooms(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    box = page.locator("#timeline").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 30)
    page.mouse.down()
    assert page.evaluate(f"{APP}.time") == pytest.approx(1.0, abs=0.02)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    assert page.evaluate(f"{APP}.time") == pytest.approx(2.0, abs=0.02)
    page.mouse.up()
    page.mouse.wheel(0, -400)
    until(page, f"{APP}.timeline.view.to - {APP}.timeline.view.from < 3.9")
    view = page.evaluate(f"{APP}.timeline.view")
    assert (view["from"] + view["to"]) / 2 == pytest.approx(2.0, abs=0.05)  # what is under the pointer stays
    page.keyboard.press("f")
    assert page.evaluate(f"{APP}.timeline.view") == {"from": 0, "to": 4}


# ---- what there is to show


def test_nothing_found_is_said_and_can_be_placed(open_page: Any, make_page: Any, tmp_path: Path) -> None:
    keys = tuple(key(t, 0.0, 0.0, 2.0, confidence=0.05, origin="interpolated") for t in (0.0, 4.0))
    page = open_page(make_page(clip_of(Source("centre", keys, "centre", 0.05))))
    assert page.locator("#nothing").is_visible()
    drag(page, canvas_spot(page, 1.0), screen(page, 0.2, 0.5))
    until(page, f"!{APP}.waits")
    assert not page.locator("#nothing").is_visible()
    (only,) = read_trajectory(saved(page, tmp_path)).sources[0].keys  # the guess is gone: it stays where it was put
    assert only.origin == "edited"
    assert only.azimuth_deg == pytest.approx(float(CAMERA.directions(0.2 * 320, 90)[0]), abs=0.15)


def test_no_source_at_all(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of()))
    assert page.locator("#alone").is_visible()
    page.mouse.dblclick(*screen(page, 0.5, 0.5))
    assert page.evaluate(f"{APP}.sources.length") == 1


@pytest.mark.parametrize(("width", "height"), [(180, 320), (240, 180), (320, 136)])
def test_pictures_of_any_shape_are_shown_whole(open_page: Any, make_page: Any, width: int, height: int) -> None:
    camera = Camera(width, height)
    page = open_page(make_page(replace(clip_of(moving()), camera=camera), width=width, height=height))
    video, panel = page.locator("#video").bounding_box(), page.locator("#stage").bounding_box()
    assert video["width"] / video["height"] == pytest.approx(width / height, rel=0.01)
    assert video["x"] >= panel["x"]
    assert video["y"] >= panel["y"]
    assert video["y"] + video["height"] <= panel["y"] + panel["height"]


def test_what_is_out_of_sight_has_an_arrow_that_brings_it_back(open_page: Any, make_page: Any) -> None:
    keys = tuple(key(t, 140.0, 0.0, 3.0, origin="offscreen") for t in (0.0, 4.0))
    page = open_page(make_page(clip_of(Source("dog-1", keys, "dog"))))
    x, y = canvas_spot(page, 0.0)
    left = screen(page, 0.0, 0.5)[0]
    assert left - 20 <= x < left
    drag(page, (x, y), screen(page, 0.3, 0.5))
    now = page.evaluate(f"{APP}.position()")
    assert now["azimuth_deg"] == pytest.approx(float(CAMERA.directions(0.3 * 320, 90)[0]), abs=4.0)


def test_two_hours_of_four_sources(open_page: Any, make_page: Any) -> None:
    times = np.linspace(0.0, 7200.0, 57_600)
    long = tuple(
        Source(
            f"s-{n}", tuple(Key(float(t), 20 * math.sin(t / 30 + n), -3.0, 6.0, 0.7, origin="detected") for t in times)
        )
        for n in range(4)
    )
    page = open_page(make_page(Trajectory(7200.0, long, CAMERA)))
    drawn_ms = page.evaluate(
        f"() => {{ const a = {APP}; const from = performance.now(); for (let i = 0; i < 10; i += 1) a.draw();"
        " return (performance.now() - from) / 10; }"
    )
    assert drawn_ms < 1000  # not a measure: only that no drawing goes through all keys in a slow way
    page.evaluate(f"{APP}.seek(3600); {APP}.place({{azimuth_deg: 5}})")
    assert page.evaluate(f"{APP}.sources[0].keys.length") == pytest.approx(57_601, abs=1)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (1024, 640), (760, 900)])
def test_nothing_is_cut_off_or_on_top_of_each_other(open_page: Any, make_page: Any, width: int, height: int) -> None:
    page = open_page(make_page(clip_of(moving(), moving("b"), moving("c"))), width, height)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [page.locator(name).bounding_box() for name in ("header", "#stage", "aside", ".bottom")]
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            apart = one["x"] + one["width"] <= other["x"] + 1 or other["x"] + other["width"] <= one["x"] + 1
            assert apart or one["y"] + one["height"] <= other["y"] + 1 or other["y"] + other["height"] <= one["y"] + 1
    for name in ("#save", "#play", "#fit", "#map"):
        assert page.locator(name).is_visible()


def test_every_control_has_a_name_and_takes_the_focus(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, canvas[tabindex]')].filter((node) => !(node.innerText?.trim()"
        " || node.getAttribute('aria-label') || node.labels?.length)).map((node) => node.outerHTML)"
    )
    assert nameless == []
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"save", "play", "timeline", "azimuth", "pick"} <= seen


def test_listening_follows_the_path(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    page.locator("#preview").click()
    page.evaluate(f"{APP}.seek(0.5)")
    until(page, f"{APP}.preview.voices.get('car-1')?.panner.positionX.value !== 0")
    assert page.locator("#preview").get_attribute("aria-pressed") == "true"
    page.keyboard.press("l")
    assert page.evaluate(f"{APP}.preview.direct.gain.value") == 1


# ---- where the video is


@pytest.mark.parametrize("kind", ["linked", "beside"])
def test_a_video_that_is_too_large_stays_outside(
    open_page: Any, make_page: Any, clip: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    video = clip()
    if kind == "beside":
        video = tmp_path / "a #1?.mkv"  # browsers do not play it
        video.write_bytes(clip().read_bytes())
    page = make_page(clip_of(moving()), video=video, embed_mb=0.0)
    assert page.stat().st_size < 200_000
    assert page.with_name("report.proxy.webm").exists() == (kind == "beside")
    opened = open_page(page)
    assert opened.evaluate(f"{APP}.facts.video.kind") == kind


def test_a_video_that_is_gone_can_be_chosen(
    browser: Any, make_page: Any, clip: Callable[..., Path], tmp_path: Path
) -> None:
    video = tmp_path / "moved.mp4"
    video.write_bytes(clip().read_bytes())
    path = make_page(clip_of(moving()), video=video, embed_mb=0.0)
    video.unlink()
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("#missing:not([hidden])")
    page.set_input_files("#find-video", str(clip()))
    page.wait_for_selector("#missing", state="hidden")
    context.close()


def test_a_turn_of_the_wrap_is_python_s(open_page: Any, make_page: Any) -> None:
    page = open_page(make_page(clip_of(moving())))
    angles = [-540.0, -180.0, -0.0, 179.999, 180.0, 359.0, 725.5]
    np.testing.assert_allclose(page.evaluate("(a) => a.map(FoleyReport.space.wrapDeg)", angles), wrap_deg(angles))
    unit = page.evaluate("FoleyReport.space.unitOf(33, -12)")
    assert [float(value) for value in unit_to_angles(unit)] == pytest.approx([33.0, -12.0])
