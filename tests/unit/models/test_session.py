import sys

import pytest

from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.models.registry import find
from foleyspace_host.models.session import open_session


def test_the_shipped_detector_loads_with_its_signature():
    session = open_session(find("centernet"))
    (image,) = session.get_inputs()
    assert (image.name, image.shape, image.type) == ("tower_0/images:0", [1, 512, 512, 3], "tensor(float)")
    assert {out.name: out.shape for out in session.get_outputs()} == {
        "tower_0/detections:0": [1, 100, 6],
        "tower_0/keypoints:0": [1, 128, 128, 80],
    }


def test_without_onnx_runtime_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelUnavailable, match=r'pip install "foleyspace-host\[cpu\]"'):
        open_session(find("centernet"))


@pytest.mark.parametrize("content", [b"", b"not a model", bytes(range(256)) * 8], ids=["empty", "text", "bytes"])
def test_a_file_that_is_no_model_is_one_clear_line(tmp_path, content, capfd):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match="not a model that ONNX Runtime can run") as caught:
        open_session(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_cut_off_model_is_refused(tmp_path):
    path = tmp_path / "half.onnx"
    path.write_bytes(find("centernet").read_bytes()[:1_000_000])
    with pytest.raises(ModelUnavailable, match=r"half\.onnx"):
        open_session(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelUnavailable, match="no such model file"):
        open_session(tmp_path / "none.onnx")
