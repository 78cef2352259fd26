"""Depth models, by tiny ones with the real ones' inputs and outputs: what they say is the green of each pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from onnx import TensorProto
from tiny_models import GREEN_OF_BYTES, depth_onnx

from foleyspace_host.errors import InvalidInput, ModelUnavailable
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.place.depth import DepthMap, DepthModel
from foleyspace_host.localize.place.depth_kinds import DEPTH_KINDS
from foleyspace_host.localize.place.windows import in_windows
from foleyspace_host.models.session import open_session

ANY = ["batch", 3, "height", "width"]
VIEWS = ["batch", "num_images", 3, "height", "width"]
PLANES = ["batch", "num_images", "height", "width"]

# as the exports have them: inputs, outputs, further outputs
SIGNATURES = {
    "depth-anything-v2": {"image": ("pixel_values", ANY), "depth": ("predicted_depth", ["batch", "height", "width"])},
    "depth-anything-v2 of fabio-sim": {"image": ("image", [1, 3, 518, 518]), "depth": ("depth", [1, 518, 518])},
    "depth-anything-3": {
        "image": ("pixel_values", VIEWS),
        "depth": ("predicted_depth", PLANES),
        "others": {"confidence": PLANES, "extrinsics": PLANES, "intrinsics": PLANES},
    },
    "depth-anything-3 of one view": {"image": ("image", [1, 3, 280, 504]), "depth": ("depth", [1, 1, 280, 504])},
    "depth-anything-3 of fixed size": {"image": ("image", [1, 3, 378, 504]), "depth": ("depth", [1, 378, 504])},
    "depth-anything-3-metric": {
        "image": ("image", ANY),
        "depth": ("depth", ["batch", 1, "height", "width"]),
    },
    "video-depth-anything": {"image": ("input", [1, 32, 3, 280, 490]), "depth": ("depth", [1, 32, 280, 490])},
    "metric3d-v2": {
        "image": ("pixel_values", ANY),
        "depth": ("predicted_depth", ["batch", "height", "width"]),
        "others": {"predicted_normal": ["batch", "height", "width"], "normal_confidence": ["batch", "height", "width"]},
    },
    "metric3d-v2 of its authors": {"image": ("image", [1, 3, 616, 1064]), "depth": ("pred_depth", [1, 1, 616, 1064])},
}


def model(path, kind=None, **signature):
    return DepthModel(open_session(depth_onnx(path, **signature), device="cpu"), path, kind)


def ramp(width, height):
    """A picture whose green grows from left to right, 0.2 to 0.8."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 2] = 250, 3
    image[..., 1] = np.round(255 * (0.2 + 0.6 * (np.arange(width) + 0.5) / width))
    return image


def flat(green, width=320, height=180):
    return np.full((height, width, 3), round(255 * green), np.uint8)


@pytest.mark.parametrize("name", [name for name in SIGNATURES if name != "depth-anything-3-metric"])
def test_a_model_is_recognised_by_its_inputs_and_outputs(tmp_path, name):
    assert model(tmp_path / "m.onnx", **SIGNATURES[name]).kind.name == name.split()[0]


@pytest.mark.parametrize(
    ("kind", "size", "fed"),
    [
        # shorter side 518, longer to the nearest multiple of 14
        ("depth-anything-v2", (1280, 720), (924, 518)),
        ("depth-anything-v2", (480, 854), (518, 924)),
        ("depth-anything-v2-metric", (640, 480), (686, 518)),
        # longer side 504
        ("depth-anything-3", (1280, 720), (504, 280)),
        ("depth-anything-3-metric", (720, 1280), (280, 504)),
        # in a frame of 1064 x 616, on end for pictures on end
        ("metric3d-v2", (1280, 720), (1064, 616)),
        ("metric3d-v2", (720, 1280), (616, 1064)),
    ],
)
def test_the_picture_is_fed_in_the_size_that_the_kind_wants(tmp_path, kind, size, fed):
    one = model(tmp_path / "m.onnx", kind, image=("pixel_values", ANY), depth=("predicted_depth", ["b", "h", "w"]))
    seen, _, _ = one._prepared(ramp(*size), Camera(*size))
    assert seen.shape == (3, fed[1], fed[0])
    assert seen.dtype == np.float32


def values(tmp_path, kind, size=(854, 480), hfov_deg=60.0, **signature):
    one = model(tmp_path / "m.onnx", kind, **signature)
    (found,) = one.maps([(ramp(*size), 0)], Camera(*size, hfov_deg))
    return found


@pytest.mark.parametrize(
    "name", ["depth-anything-v2", "depth-anything-v2 of fabio-sim", "depth-anything-3", "depth-anything-3 of one view"]
)
def test_normalised_kinds_see_imagenet_s_normalisation_and_the_whole_picture(tmp_path, name):
    found = values(tmp_path, None, **SIGNATURES[name])
    columns = found.values.mean(axis=0)
    assert columns[0] == pytest.approx(0.2, abs=0.01)
    assert columns[-1] == pytest.approx(0.8, abs=0.01)
    assert columns[len(columns) // 2] == pytest.approx(0.5, abs=0.01)
    assert found.nearness == (name.startswith("depth-anything-v2"))


def test_half_precision_models_are_fed_half_precision(tmp_path):
    found = values(tmp_path, None)
    path = depth_onnx(tmp_path / "16.onnx", kind=TensorProto.FLOAT16)
    one = DepthModel(open_session(path, device="cpu"), path)
    (again,) = one.maps([(ramp(854, 480), 0)], Camera(854, 480))
    np.testing.assert_allclose(again.values, found.values, atol=0.01)


@pytest.mark.parametrize("hfov_deg", [40.0, 60.0, 90.0])
@pytest.mark.parametrize("size", [(854, 480), (480, 854), (1920, 1080)])
def test_metric3d_is_taken_from_its_canonical_camera_and_out_of_its_margins(tmp_path, size, hfov_deg):
    signature = SIGNATURES["metric3d-v2"] | {"green": (GREEN_OF_BYTES[0] * 10.0, 0.0)}
    found = values(tmp_path, None, size, hfov_deg, **signature)
    frame = (1064, 616) if size[0] >= size[1] else (616, 1064)
    scale = min(frame[0] / size[0], frame[1] / size[1])
    focal_px = max(size) / 2 / math.tan(math.radians(hfov_deg / 2)) * scale  # in the picture that the model sees
    # what it says is ten times the green in its own camera of 1000 px
    assert found.values[:, 0].mean() == pytest.approx(2.0 * focal_px / 1000.0, rel=0.02)
    assert found.values[:, -1].mean() == pytest.approx(8.0 * focal_px / 1000.0, rel=0.02)
    assert found.values.shape[1] / found.values.shape[0] == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.parametrize("hfov_deg", [50.0, 80.0])
def test_depth_anything_3_metric_is_output_times_focal_length_over_300(tmp_path, hfov_deg):
    signature = SIGNATURES["depth-anything-3-metric"] | {"others": None}
    found = values(tmp_path, "depth-anything-3-metric", (1280, 720), hfov_deg, **signature)
    focal_px = 504 / 2 / math.tan(math.radians(hfov_deg / 2))
    assert np.median(found.values) == pytest.approx(0.5 * focal_px / 300.0, rel=0.01)


def test_the_sky_has_no_depth(tmp_path):
    # the green stands for the sky as well: from 0.3 on it is
    signature = SIGNATURES["depth-anything-3-metric"] | {"others": {"sky": ["batch", 1, "height", "width"]}}
    found = values(tmp_path, "depth-anything-3-metric", **signature)
    columns = np.isfinite(found.values).mean(axis=0)
    sixth = len(columns) // 6  # 0.2 + 0.6 / 6 = 0.3
    assert columns[: sixth - 3].min() == 1.0
    assert columns[sixth + 3 :].max() == 0.0


def test_the_thing_in_a_box_is_what_most_of_its_inside_shows():
    depth = np.full((100, 100), 9.0, np.float32)
    depth[20:90, 40:60] = 3.0  # a narrow thing before its background
    box = np.array([0.3, 0.15, 0.7, 0.95])
    assert DepthMap(depth, nearness=False).within(box) == 3.0
    assert DepthMap(1.0 / depth, nearness=True).within(box) == pytest.approx(1.0 / 3.0)
    depth[20:30, 40:60] = 1.0  # something small before it
    assert DepthMap(depth, nearness=False).within(box) == 3.0
    nothing = DepthMap(np.full((10, 10), np.nan, np.float32), nearness=True)
    assert nothing.within(box) is None
    assert math.isnan(nothing.far)


def test_boxes_at_and_beyond_the_edge_are_harmless():
    depth = DepthMap(np.ones((10, 20), np.float32), nearness=False)
    for box in ([-0.4, -0.2, 0.1, 0.3], [0.9, 0.9, 1.3, 1.6], [0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0]):
        assert depth.within(np.array(box)) in (1.0, None)


WINDOWED = {"image": ("input", [1, 32, 3, "height", "width"]), "depth": ("depth", [1, 32, "height", "width"])}


@pytest.mark.parametrize("count", [1, 31, 32, 33, 54, 55, 100])
def test_windows_answer_every_picture_once_and_agree_with_each_other(count):
    truth = 1.0 + 0.5 * np.sin(np.arange(count) / 7.0)
    pictures = [np.array([[value, 2.0 * value + 1.0]], np.float32) for value in truth]
    asked = []

    def run(window):
        asked.append(len(window))
        factor = 1.0 / len(asked)  # another scale and offset each time
        return window * factor + 0.25 * len(asked)

    found = np.stack(list(in_windows(iter(pictures), 32, run, align=True)))
    assert set(asked) == {32}
    assert len(asked) == 1 + max(0, math.ceil((count - 32) / 22))
    np.testing.assert_allclose(found[:, 0, 0], truth + 0.25, rtol=1e-4)
    np.testing.assert_allclose(found[:, 0, 1], 2.0 * truth + 1.25, rtol=1e-4)


def test_windows_of_metres_are_not_rescaled():
    pictures = [np.array([[float(value)]], np.float32) for value in range(60)]
    found = np.concatenate(list(in_windows(iter(pictures), 32, lambda window: window, align=False))).ravel()
    np.testing.assert_allclose(found, np.arange(60.0), atol=1e-4)


def test_a_model_of_videos_is_asked_in_windows_and_anew_at_each_cut(tmp_path):
    one = model(tmp_path / "v.onnx", **WINDOWED, window_scale=True)
    assert one.kind.name == "video-depth-anything"
    green = np.concatenate([np.linspace(0.2, 0.6, 40), np.linspace(0.9, 0.7, 5)])
    # two halves, so that scale and offset can be told from each other
    pictures = []
    for index, value in enumerate(green):
        image = flat(value, 64, 36)
        image[18:] = round(255 * 0.1)
        pictures.append((image, int(index >= 40)))
    found = [depths.values for depths in one.maps(pictures, Camera(64, 36))]
    assert len(found) == 45
    upper, lower = (np.array([plane[rows].mean() for plane in found]) for rows in (slice(0, 200), slice(-200, None)))
    first = slice(0, 40)
    np.testing.assert_allclose(upper[first] / upper[0], green[first] / green[0], rtol=0.03)
    np.testing.assert_allclose(lower[first], lower[0], rtol=0.03)
    np.testing.assert_allclose(upper[40:] / upper[40], green[40:] / green[40], rtol=0.03)


@pytest.mark.parametrize(
    "signature",
    [
        {"image": ("x", ANY), "depth": ("y", ["batch", 1, "height", "width"])},
        {"image": ("pixel_values", ANY), "depth": ("a", ["b", "h", "w"]), "others": {"b": ["b", "h", "w"]}},
        # Depth Anything V2 and 3 of any size: larger is nearer, or farther
        {"image": ("image", ANY), "depth": ("depth", ["batch", "height", "width"])},
        {"image": ("image", ANY), "depth": ("depth", ["batch", 1, "height", "width"])},
        # Depth Anything 3's models of metres and of depths
        {"image": ("image", ANY), "depth": ("depth", ["b", 1, "h", "w"]), "others": {"sky": ["b", 1, "h", "w"]}},
    ],
)
def test_what_is_not_recognised_says_which_kinds_there_are(tmp_path, signature):
    with pytest.raises(ModelUnavailable, match=r"m\.onnx: it is open which .*--depth-kind: depth-anything-v2, "):
        model(tmp_path / "m.onnx", **signature)


def test_what_takes_no_pictures_is_no_depth_model(tmp_path):
    grey = {"image": ("x", ["batch", 1, "height", "width"]), "depth": ("y", ["batch", "height", "width"])}
    with pytest.raises(
        ModelUnavailable, match=r"m\.onnx: not a depth model: it takes x \[batch, 1, height, width\] and gives y"
    ):
        model(tmp_path / "m.onnx", **grey)
    with pytest.raises(ModelUnavailable, match="not a depth model"):  # whatever it is said to be
        model(tmp_path / "m.onnx", "metric3d-v2", **grey)


def test_an_unknown_kind_lists_those_there_are(tmp_path):
    with pytest.raises(InvalidInput, match=", ".join(kind.name for kind in DEPTH_KINDS)):
        model(tmp_path / "m.onnx", "midas")


def test_a_model_of_single_pictures_is_no_model_of_videos(tmp_path):
    with pytest.raises(ModelUnavailable, match="8 pictures or more"):
        model(tmp_path / "m.onnx", "video-depth-anything", image=("x", ANY), depth=("depth", ["b", "h", "w"]))


def test_a_model_of_videos_is_no_model_of_single_pictures(tmp_path):
    with pytest.raises(ModelUnavailable, match=r"no metric3d-v2 model: it takes input \[1, 32, 3, height, width\]"):
        model(tmp_path / "m.onnx", "metric3d-v2", **WINDOWED)


def test_a_model_that_fails_is_one_clear_line(tmp_path):
    # an input that the model needs is not given
    path = depth_onnx(tmp_path / "m.onnx", green=(np.ones(3), 0.0))
    one = DepthModel(open_session(path, device="cpu"), path, "metric3d-v2")
    one._input = "another"
    with pytest.raises(ModelUnavailable, match=r"m\.onnx: the model fails on .*documentation names") as caught:
        list(one.maps([(flat(0.5), 0)], Camera(320, 180)))
    assert "\n" not in str(caught.value)
