import os
import sys
import threading

import numpy as np
import onnxruntime
import pytest

from foleyspace_host.errors import InvalidInput, ModelUnavailable
from foleyspace_host.models import hardware
from foleyspace_host.models.hardware import find_cuda, find_runtime
from foleyspace_host.models.registry import find
from foleyspace_host.models.session import device_expected, fallbacks, open_session

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


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


class Pretended:
    """ONNX Runtime with a GPU that works for so many runs."""

    def __init__(self, monkeypatch, *, loads=True, has_cuda=True, good_runs=10**6):
        self.providers: list[str] = []
        self.good_runs = good_runs
        real = onnxruntime.InferenceSession
        pretended = self

        class Session:
            def __init__(self, path, options, providers, **more):
                if CUDA in providers and not loads:
                    raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : CUDA failure 35: old driver version")
                self.provider = CUDA if CUDA in providers and has_cuda else CPU
                pretended.providers.append(self.provider)
                self._session = real(path, options, providers=[CPU])
                self.get_inputs, self.get_outputs = self._session.get_inputs, self._session.get_outputs

            def get_providers(self):
                return [self.provider, CPU] if self.provider != CPU else [CPU]

            def run(self, outputs, inputs):
                if self.provider == CUDA:
                    pretended.good_runs -= 1
                    if pretended.good_runs < 0:
                        raise RuntimeError("[ONNXRuntimeError] : 6 : CUDA failure 2: out of memory")
                return self._session.run(outputs, inputs)

        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])


@pytest.fixture
def model(tmp_path):
    """A model file that no other test has loaded."""
    os.link(find("centernet"), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


IMAGE = {"tower_0/images:0": np.zeros((1, 512, 512, 3), np.float32)}
DETECTIONS = ["tower_0/detections:0"]


def test_a_gpu_is_used_where_there_is_one(model, monkeypatch):
    pretended = Pretended(monkeypatch)
    session = open_session(model)
    session.run(DETECTIONS, IMAGE)
    assert (session.device, session.warnings, pretended.providers) == ("cuda", (), [CUDA])
    assert open_session(model) is session  # kept, for it took time to load
    assert open_session(model, device="cpu").device == "cpu"


@pytest.mark.parametrize("device", ["auto", "cuda"])
@pytest.mark.parametrize(("how", "reason"), [({"loads": False}, "driver version"), ({"has_cuda": False}, "libraries")])
def test_a_gpu_that_cannot_be_loaded_falls_back_with_a_warning(model, monkeypatch, device, how, reason):
    Pretended(monkeypatch, **how)
    session = open_session(model, device=device)
    assert session.run(DETECTIONS, IMAGE)[0].shape == (1, 100, 6)
    assert session.device == "cpu"
    (warning,) = session.warnings
    assert warning.startswith("the model model.onnx runs on the CPU: ")
    assert reason in warning


def test_a_gpu_that_fails_at_work_falls_back_once_for_all_threads(model, monkeypatch):
    pretended = Pretended(monkeypatch, good_runs=2)
    session = open_session(model)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(session.run(DETECTIONS, IMAGE)[0].tobytes())) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert len(set(results)) == 1
    assert pretended.providers == [CUDA, CPU]
    assert session.device == "cpu"
    assert len(session.warnings) == 1
    assert "out of memory" in session.warnings[0]
    assert session.warnings[0] in fallbacks(), "the host is told"


def test_wrong_inputs_are_no_fault_of_the_device(model):
    session = open_session(model, device="cpu")
    with pytest.raises(Exception, match="Got invalid dimensions"):
        session.run(DETECTIONS, {"tower_0/images:0": np.zeros((1, 5, 5, 3), np.float32)})
    assert session.warnings == ()


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA")
def test_asking_for_what_this_runtime_has_not_is_a_warning_and_auto_is_not(model):
    assert open_session(model, device="auto").warnings == ()
    session = open_session(model, device="cuda")
    assert session.device == "cpu"
    assert "has no CUDA" in session.warnings[0]


def test_unknown_devices_are_refused(model):
    with pytest.raises(InvalidInput, match="device: 'tpu' is unknown; use one of: auto, cpu, cuda"):
        open_session(model, device="tpu")


@pytest.mark.parametrize(
    ("driver", "build", "expected"),
    [(True, True, "cuda"), (False, True, "cpu"), (True, False, "cpu")],
)
def test_where_models_will_compute_is_known_without_loading_them(monkeypatch, driver, build, expected):
    def version(name):
        if not build:
            raise hardware.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(hardware, "_has_driver", lambda: driver)
    monkeypatch.setattr(hardware, "version", version)
    found = find_cuda()
    assert found.available == (expected == "cuda")
    assert (found.reason is None) == found.available
    assert device_expected("auto") == device_expected("cuda") == expected
    assert device_expected("cpu") == "cpu"


def test_a_missing_runtime_is_found_out(monkeypatch):
    assert find_runtime().available
    monkeypatch.setattr(hardware, "find_spec", lambda _: None)
    assert "pip install" in str(find_runtime().cure)
