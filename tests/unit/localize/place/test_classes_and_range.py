import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.place.range import cut_off, range_m
from foleyspace_host.localize.see.classes import CLASSES, class_named, matching_names

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
    found = range_m(camera, np.array([x + 0.5]), np.array([y + 0.5]), np.array([height]), label)
    assert found[0] == pytest.approx(truth, rel=1e-9)


def test_range_is_bounded_for_boxes_of_no_height():
    camera = Camera(640, 360)
    assert range_m(camera, np.array([0.5]), np.array([0.5]), np.array([0.0]), "person")[0] == 50.0


def test_edges_that_cut_a_box_off():
    boxes = np.array([[0.0, 0.2, 0.3, 1.0], [0.1, 0.1, 0.9, 0.9], [0.5, 0.005, 0.995, 0.5]])
    assert cut_off(boxes).tolist() == [
        [True, False, False, True],
        [False, False, False, False],
        [False, True, True, False],
    ]
