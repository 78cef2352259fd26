"""The whole way with models of the user's, on clips whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_models import BOXES, depth_onnx, tokenizer_json, vocabulary_onnx

from foleyspace_host.errors import NothingFound
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.choose.chosen import with_chosen
from foleyspace_host.localize.localizer import find
from foleyspace_host.localize.own_models import depth_model, finder_of
from foleyspace_host.models.slots import user_model

from .conftest import BLUE, RED, ColourDetector

GREEN = 40 / 255  # of both blocks; the background's is 128 / 255


def loaded(path, kind=None):
    return depth_model(user_model("depth", path), kind, "cpu")


def distances(source):
    return np.array([key.distance_m for key in source.keys])


def two_things(t_s):
    return [(0.3, 0.5, 0.2, 0.5, RED), (0.75, 0.6, 0.15, 0.3, BLUE)]


def test_a_model_of_metres_is_averaged_with_the_boxes(film, tmp_path):
    path = depth_onnx(tmp_path / "m.onnx", green=(np.array([0.0, 10 * 0.224, 0.0]), 10 * 0.456))
    clip = film(two_things)
    told = []
    found = find(
        clip,
        detector=ColourDetector(),
        depth=loaded(path, "depth-anything-v2-metric"),
        on_progress=lambda done, total: told.append((done, total)),
    )
    plain = find(clip, detector=ColourDetector())
    assert found.warnings == ()
    camera = Camera(320, 180)
    for source, bare, (x, y, _, height, _) in zip(
        found.trajectory.sources, plain.trajectory.sources, two_things(0), strict=True
    ):
        by_box = camera.focal_px * {"car": 1.5, "person": 1.65}[source.label] / (height * 180)
        ray = math.hypot(1.0, (x - 0.5) * 320 / camera.focal_px, (y - 0.5) * 180 / camera.focal_px)
        assert np.median(distances(bare)) == pytest.approx(by_box * ray, rel=0.04)
        # the model says ten times the green, in metres along the axis; it is about as sure as the boxes are
        low, high = sorted([by_box * ray, 10 * GREEN * ray])
        assert low * 1.1 < np.median(distances(source)) < high / 1.1
        assert [key.azimuth_deg for key in source.keys] == [key.azimuth_deg for key in bare.keys]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1] == 4 * 8 + 4 * 4


def test_relative_depth_places_what_has_no_class_by_what_has_one(film, tmp_path):
    camera = Camera(320, 180)
    heights = {"near": 0.9, "far": 0.3}
    depth_m = {name: camera.focal_px * 1.65 / (height * 180) for name, height in heights.items()} | {"thing": 4.0}
    # the green is the nearness of each, to some factor and offset
    blue = {"near": 20, "far": 130, "thing": 240}
    colours = {name: (230, round(20 + 400 / depth), blue[name]) for name, depth in depth_m.items()}
    places = {"near": (0.15, 0.5, 0.25, 0.9), "far": (0.5, 0.5, 0.2, 0.3), "thing": (0.8, 0.2, 0.2, 0.2)}

    class Three(ColourDetector):
        def __init__(self):
            super().__init__()
            self._named = {colour: "object" if name == "thing" else "person" for name, colour in colours.items()}

        def detect(self, image):
            return super().detect(np.where(image[..., :1] > 170, image, 0))

    clip = film(lambda t_s: [(*places[name], colour) for name, colour in colours.items()])
    far_off = {source.id: source for source in find(clip, detector=Three()).trajectory.sources}
    found = {
        source.id: source
        for source in find(clip, detector=Three(), depth=loaded(depth_onnx(tmp_path / "m.onnx"))).trajectory.sources
    }
    assert set(found) == set(far_off) == {"person-1", "person-2", "object-1"}
    x, y, *_ = places["thing"]
    truth = 4.0 * math.hypot(1.0, (x - 0.5) * 320 / camera.focal_px, (y - 0.5) * 180 / camera.focal_px)
    assert np.median(distances(far_off["object-1"])) > 2.0 * truth  # its foot is above the horizon
    assert np.median(distances(found["object-1"])) == pytest.approx(truth, rel=0.2)
    for name in ("person-1", "person-2"):
        assert distances(found[name]) == pytest.approx(distances(far_off[name]), rel=0.12)


def test_a_model_that_means_the_opposite_is_left_out_with_a_warning(film, tmp_path):
    def scene(t_s):  # near and far by height, and the green says so too, but as metres the other way round
        return [(0.3, 0.5, 0.3, 0.9, RED), (0.8, 0.6, 0.05, 0.15, (40, 140, 220))]

    class Two(ColourDetector):
        def __init__(self):
            super().__init__(red="person", blue="person")
            self._named = {RED: "person", (40, 140, 220): "person"}

    path = depth_onnx(tmp_path / "m.onnx")
    clip = film(scene)
    found = find(clip, detector=Two(), depth=loaded(path))
    assert [source.label for source in found.trajectory.sources] == ["person", "person"]
    (warning,) = found.warnings
    assert "--depth-kind" in warning
    assert found.trajectory == find(clip, detector=Two()).trajectory
    assert find(clip, detector=Two(), depth=loaded(path, "depth-anything-v2-metric")).warnings == ()


def test_a_model_of_videos_goes_the_whole_way(film, tmp_path):
    shape = [1, 8, "height", "width"]
    path = depth_onnx(
        tmp_path / "v.onnx", image=("input", [1, 8, 3, "height", "width"]), depth=("depth", shape), window_scale=True
    )
    found = find(film(two_things), detector=ColourDetector(), depth=loaded(path))
    assert found.warnings == ()
    for source in found.trajectory.sources:
        assert np.abs(np.diff(np.log(distances(source)))).max() < 0.1


@pytest.mark.parametrize("dino", [False, True], ids=["owl", "dino"])
def test_what_words_name_is_found_and_followed(film, tmp_path, dino):
    logits = np.full((3, 256 if dino else 1), -9.0)
    logits[0] = 1.0
    path = vocabulary_onnx(tmp_path / "m.onnx", logits=logits, dino=dino)
    tokenizer_json(tmp_path / "tokenizer.json", dino=dino)
    words = finder_of(user_model("open-vocabulary", path), "Steam train", "cpu")
    (source,) = find(film(two_things, seconds=3.0), vocabulary=words).trajectory.sources
    assert (source.id, source.label, source.selected) == ("steam-train-1", "steam train", True)
    camera = Camera(320, 180)
    x, y, _, height = BOXES[0] if dino else BOXES[0] * np.array([1.0, 320 / 180, 1.0, 320 / 180])
    across = (0.5 - x) * 320 / camera.focal_px
    for key in source.keys:
        assert key.azimuth_deg == pytest.approx(math.degrees(math.atan(across)), abs=0.5)
    # it is a kind of train, so 3.9 m tall
    depth_m = camera.focal_px * 3.9 / (height * 180)
    ray = math.hypot(1.0, across, (y - 0.5) * 180 / camera.focal_px)
    assert np.median(distances(source)) == pytest.approx(depth_m * ray, rel=0.03)
    # asked about every third picture only, the others are between
    assert {key.origin for key in source.keys} == {"detected", "interpolated"}


def test_words_that_find_nothing_say_so(film, tmp_path):
    path = vocabulary_onnx(tmp_path / "m.onnx", logits=np.full((3, 1), -9.0), dino=False)
    tokenizer_json(tmp_path / "tokenizer.json", dino=False)
    words = finder_of(user_model("open-vocabulary", path), "kettle", "cpu")
    with pytest.raises(NothingFound, match="no 'kettle' was seen"):
        find(film(two_things, seconds=1.0), vocabulary=words)


def test_a_prompt_counts_like_a_label_but_need_not_name_anything(film):
    clip = film(two_things)
    detector = ColourDetector()
    assert find(clip, detector=detector).trajectory.selected[0].label == "car"
    named = find(clip, detector=detector, prompt="a man shouts in the street")
    assert [source.label for source in named.trajectory.sources] == ["person"]
    assert named.warnings == ()
    foreign = find(clip, detector=detector, prompt="thunder and rain")
    assert foreign.trajectory == find(clip, detector=detector).trajectory
    assert "prompt" in foreign.warnings[0]
    # a label is more than a prompt
    both = find(clip, detector=detector, prompt="a man shouts", label="car")
    assert [source.label for source in both.trajectory.sources] == ["car"]


def test_alternatives_rank_by_their_scores(film):
    sources = find(film(two_things), detector=ColourDetector()).trajectory.sources
    assert [source.selected for source in sources] == [True, False]
    # both were seen as surely, but the one is smaller
    assert 0.2 * sources[0].confidence < sources[1].confidence < 0.8 * sources[0].confidence


def test_the_user_chooses_among_what_was_found(film):
    trajectory = find(film(two_things), detector=ColourDetector()).trajectory
    assert with_chosen(trajectory, (), "clip") is trajectory
    chosen = with_chosen(trajectory, ("person-1",), "clip")
    assert [(source.id, source.selected) for source in chosen.sources] == [("car-1", False), ("person-1", True)]
    assert chosen.sources[1].keys == trajectory.sources[1].keys
    assert len(with_chosen(trajectory, ("person-1", "car-1"), "clip").selected) == 2
    with pytest.raises(NothingFound, match=r"clip: there is no source 'dog-1'; choose among: car-1, person-1"):
        with_chosen(trajectory, ("car-1", "dog-1"), "clip")
