import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.localize.localizer import load_detector
from foleyspace_host.localize.see.detect import CenterNet, iou, merge
from foleyspace_host.media.video import read_frames


def write_model(path, rows, shape=(1, 8, 16, 3), columns=6):
    """Write a model of the detector's signature that always answers the same rows."""
    answer = np.zeros((1, max(len(rows), 1), columns), np.float32)
    for index, row in enumerate(rows):
        answer[0, index] = row
    nodes = [
        helper.make_node("ReduceMin", ["image"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "zero"], ["none"]),
        helper.make_node("Add", ["answer", "none"], ["found"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fixed",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, answer.shape)],
        [numpy_helper.from_array(answer, "answer"), numpy_helper.from_array(np.float32(0), "zero")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def test_a_users_model_is_read_in_pixels_of_its_own_input(tmp_path):
    rows = [(4, 2, 12, 6, 0.9, 2), (0, 0, 8, 8, 0.5, 0), (1, 1, 2, 2, 0.05, 0), (3, 3, 3, 5, 0.9, 0)]
    detector = load_detector(write_model(tmp_path / "mine.onnx", rows))
    first, second = detector.detect(np.zeros((90, 160, 3), np.uint8))
    np.testing.assert_allclose(first.box, [0.25, 0.25, 0.75, 0.75])
    assert first.classes == {"car": pytest.approx(0.9)}
    np.testing.assert_allclose(second.box, [0.0, 0.0, 0.5, 1.0])
    assert second.classes == {"person": 0.5}


def test_answers_that_are_not_numbers_or_outside_are_harmless(tmp_path):
    rows = [
        (np.nan, 0, 4, 4, 0.9, 0),
        (-8, -8, 40, 40, 0.8, 0),
        (0, 0, 4, 4, np.inf, 0),
        (2, 2, 6, 6, 0.7, 99),
    ]
    found = load_detector(write_model(tmp_path / "odd.onnx", rows)).detect(np.zeros((8, 16, 3), np.uint8))
    assert [sorted(one.classes) for one in found] == [["person"], ["object"]]
    np.testing.assert_allclose(found[0].box, [0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize(("shape", "columns"), [((1, 3, 8, 16), 6), ((2, 8, 16, 3), 6), ((1, 8, 16, 3), 7)])
def test_a_model_of_another_signature_is_refused(tmp_path, shape, columns):
    path = write_model(tmp_path / "other.onnx", [], shape, columns)
    with pytest.raises(ModelUnavailable, match=r"other\.onnx: not a detector"):
        load_detector(path)


def test_overlap_of_boxes():
    boxes = np.array([[0.0, 0.0, 0.4, 0.4], [0.2, 0.2, 0.6, 0.6], [0.7, 0.7, 0.9, 0.9]])
    # 0.04 shared of 0.16 + 0.16 - 0.04
    np.testing.assert_allclose(iou(boxes, boxes), [[1, 1 / 7, 0], [1 / 7, 1, 0], [0, 0, 1]], atol=1e-12)
    assert iou(np.zeros((0, 4)), boxes).shape == (0, 3)


def test_boxes_of_one_object_become_one_with_all_its_names():
    boxes = np.array([[0.10, 0.1, 0.50, 0.5], [0.12, 0.1, 0.52, 0.5], [0.6, 0.6, 0.8, 0.8]])
    one, other = merge(boxes, np.array([0.3, 0.6, 0.2]), ["truck", "car", "person"])
    assert one.score == 0.6
    assert one.classes == {"car": 0.6, "truck": 0.3}
    np.testing.assert_allclose(one.box, [0.116, 0.1, 0.516, 0.5])  # weights 0.09 and 0.36
    assert other.classes == {"person": 0.2}
    assert merge(np.zeros((0, 4)), np.zeros(0), []) == []


@pytest.mark.shared
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("x", [0.25, 0.5, 0.7])
def test_a_photographed_car_is_found_where_it_was_put(shared_dir, x, mirrored):
    frame = next(f for f in read_frames(shared_dir / "data/video/fs_sports_car.mp4") if f.t_s >= 3.0).image
    height, width = frame.shape[:2]
    # the hand-made label of that second, with a little of the road around it
    left, top, right, bottom = 0.43, 0.30, 0.66, 0.52
    car = frame[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
    picture = np.full((360, 640, 3), car.mean(axis=(0, 1)), np.uint8)
    start = round(x * 640 - car.shape[1] / 2)
    picture[150 : 150 + car.shape[0], start : start + car.shape[1]] = car
    picture = np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture
    detector = load_detector()
    assert isinstance(detector, CenterNet)
    best = next(found for found in detector.detect(picture) if "car" in found.classes)
    assert best.score > 0.3
    assert (best.box[0] + best.box[2]) / 2 == pytest.approx(1 - x if mirrored else x, abs=0.03)


@pytest.mark.shared
def test_a_labelled_horse_is_found_where_the_label_says(shared_dir):
    frame = next(f for f in read_frames(shared_dir / "data/video/fs_horse.mp4") if f.t_s >= 6.0).image
    best = next(found for found in load_detector().detect(frame) if "horse" in found.classes)
    label = np.array([[0.448, 0.284, 0.62, 0.498]])
    assert iou(best.box[None], label)[0, 0] > 0.6


def test_a_tall_picture_is_not_widened(tmp_path):
    """The model sees it as it is, between grey; what it finds comes back in fractions of the picture."""
    rows = [(6, 2, 10, 6, 0.9, 2), (0, 0, 16, 8, 0.5, 0)]
    detector = load_detector(write_model(tmp_path / "mine.onnx", rows))
    first, second = detector.detect(np.zeros((160, 80, 3), np.uint8))
    # of a square of 160 the picture is the middle half, of which the box takes the middle half again
    np.testing.assert_allclose(first.box, [0.25, 0.25, 0.75, 0.75])
    np.testing.assert_allclose(second.box, [0.0, 0.0, 1.0, 1.0])
