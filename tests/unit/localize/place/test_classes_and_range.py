import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.place.range import Depths, combined, cut_off, guessed
from foleyspace_host.localize.see.classes import (
    CLASSES,
    DEFAULT_CLASS,
    class_meant,
    class_named,
    is_class_name,
    matching_names,
)

NAMES = [entry.name for entry in CLASSES]


def test_the_table_is_coco_in_order_and_complete():
    # positions that the detector's class indices rely on (COCO's order without its gaps)
    assert len(NAMES) == len(set(NAMES)) == 80
    known = {
        0: "person",
        2: "car",
        6: "train",
        14: "bird",
        17: "horse",
        39: "bottle",
        56: "chair",
        79: "toothbrush",
    }
    assert {index: NAMES[index] for index in known} == known


@pytest.mark.parametrize("entry", CLASSES, ids=lambda entry: entry.name)
def test_every_height_is_of_a_real_object_and_says_where_it_comes_from(entry):
    assert 0.03 <= entry.height_m <= 13.0
    assert 0.0 < entry.sounding <= 1.0
    assert len(entry.basis) > 10


def test_heights_rank_as_in_life():
    ranking = ["mouse", "cup", "cat", "dog", "chair", "car", "person", "horse", "bus", "train", "airplane"]
    heights = [class_named(name).height_m for name in ranking]
    order = sorted(heights)
    assert heights[ranking.index("car")] < heights[ranking.index("person")]
    assert heights == order


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("car", {"car"}),
        ("Car ", {"car"}),
        ("cars", {"car"}),
        ("sports car", {"car"}),
        ("steam-train", {"train"}),
        ("rider", {"person"}),
        ("man on horse", {"person", "horse"}),
        ("phone", {"cell phone"}),
        ("ball", {"sports ball"}),
        ("hot dogs", {"hot dog"}),
        ("plane", {"airplane"}),
        ("carpet", set()),
        ("unicorn", set()),
        ("", set()),
    ],
)
def test_typed_words_find_their_classes(label, names):
    assert matching_names(label, NAMES) == names


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("car", "car"),
        ("steam train", "train"),
        ("old man", "person"),
        ("man on horse", "object"),
        ("object", "object"),
        ("kettle", "object"),
    ],
)
def test_a_kind_of_a_class_is_as_tall_as_the_class(label, name):
    assert class_meant(label).name == name


@pytest.mark.parametrize(
    ("label", "is_one"),
    [
        ("car", True),
        ("Cars", True),
        ("rider", True),
        ("hot dog", True),
        ("steam train", False),
        ("kettle", False),
        ("red car", False),
    ],
)
def test_only_names_of_classes_need_no_other_detector(label, is_one):
    assert is_class_name(label) == is_one


def test_words_find_only_what_the_detector_knows():
    assert matching_names("rider", ["horse"]) == frozenset()


@given(
    st.floats(0.5, 45.0),
    st.floats(-0.45, 0.45),
    st.floats(-0.45, 0.45),
    st.sampled_from(["person", "car", "cat"]),
    st.sampled_from([(1920, 1080), (1080, 1920), (720, 576)]),
    st.floats(30.0, 100.0),
)
def test_range_inverts_the_projection(depth_m, x, y, label, size, hfov_deg):
    camera = Camera(*size, hfov_deg)
    focal = max(size) / 2 / math.tan(math.radians(hfov_deg) / 2)
    height = focal * class_named(label).height_m / depth_m / size[1]
    across, down = x * size[0] / focal, y * size[1] / focal
    truth = min(max(depth_m * math.sqrt(1 + across**2 + down**2), 0.3), 50.0)
    found = guessed(camera, np.array([y + 0.5]), np.array([height]), label)
    found = found.range_m(camera, np.array([x + 0.5]), np.array([y + 0.5]))
    assert found[0] == pytest.approx(truth, rel=1e-9)


def test_range_is_bounded_for_boxes_of_no_height():
    camera = Camera(640, 360)
    half = np.array([0.5])
    assert guessed(camera, half, np.array([0.0]), "person").range_m(camera, half, half)[0] == 50.0


def test_edges_that_cut_a_box_off():
    boxes = np.array([[0.0, 0.2, 0.3, 1.0], [0.1, 0.1, 0.9, 0.9], [0.5, 0.005, 0.995, 0.5]])
    assert cut_off(boxes).tolist() == [
        [True, False, False, True],
        [False, False, False, False],
        [False, True, True, False],
    ]


@given(st.floats(2.0, 9.9), st.floats(0.05, 0.4), st.sampled_from([(854, 480), (480, 854)]), st.floats(40.0, 80.0))
def test_what_stands_on_the_ground_is_as_far_as_its_foot_is_low(depth_m, height, size, hfov_deg):
    camera = Camera(*size, hfov_deg)
    focal = max(size) / 2 / math.tan(math.radians(hfov_deg) / 2)
    foot = 0.5 + 1.5 * focal / depth_m / size[1]  # the ground is 1.5 m below a level camera
    if foot > 1.0:
        return
    found = guessed(camera, np.array([foot - height / 2]), np.array([height]), "object")
    by_size = focal * 1.0 / (height * size[1])
    weights = np.array([0.6, 1.0]) ** -2.0
    expected = (weights @ np.log([depth_m, by_size])) / weights.sum()
    assert found.log_m[0] == pytest.approx(expected, abs=1e-9)
    assert found.deviation[0] == pytest.approx(weights.sum() ** -0.5)


def test_without_a_class_lower_is_nearer_and_all_stays_within_bounds():
    camera = Camera(1280, 720)
    y = np.linspace(-0.5, 1.5, 81)
    for height in (0.02, 0.3, 1.5):
        away = guessed(camera, y, np.full(81, height), "object").range_m(camera, np.full(81, 0.5), np.full(81, 0.5))
        assert (np.diff(away) <= 1e-9).all()
        assert (away >= 0.3).all()
        assert (away <= 50.0).all()
    assert class_meant("object") is DEFAULT_CLASS


def test_what_comes_nearer_without_a_class_does_so():
    camera = Camera(1280, 720)
    height = np.array([0.1, 0.2, 0.4])
    found = guessed(camera, np.full(3, 0.4), height, "object").log_m
    assert (np.diff(found) < -0.1).all()


def test_two_ways_of_telling_count_as_they_are_sure():
    sure, doubtful = (
        Depths(np.log([2.0, 2.0]), np.array([0.1, np.inf])),
        Depths(np.log([4.0, 4.0]), np.array([0.2, 0.2])),
    )
    both = combined(sure, doubtful)
    assert np.exp(both.log_m) == pytest.approx([2.0 ** (4 / 5) * 4.0 ** (1 / 5), 4.0])
    assert both.deviation == pytest.approx([(100 + 25) ** -0.5, 0.2])
    neither = combined(Depths(np.log([3.0]), np.array([np.inf])), Depths(np.zeros(1), np.array([np.inf])))
    assert np.exp(neither.log_m) == pytest.approx([3.0])
    assert np.isinf(neither.deviation).all()
