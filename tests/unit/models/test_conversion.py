"""The shipped detector is exactly what tools/convert_centernet.py makes, and computes what others compute."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.media.video import read_frames
from foleyspace_host.models.registry import find
from foleyspace_host.models.session import open_session

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "convert_centernet.py"


def run_script(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.shared
def test_converting_again_gives_the_shipped_file_byte_for_byte(shared_dir, tmp_path):
    sources = [shared_dir / "data/detect/centernet.json", shared_dir / "data/detect/centernet.bin"]
    made = tmp_path / "made.onnx"
    done = run_script(*sources, "-o", made)
    assert done.returncode == 0, done.stderr
    assert made.read_bytes() == find("centernet").read_bytes()
    made.write_bytes(made.read_bytes()[:-1])
    assert run_script(*sources, "--check", made).returncode == 1


def test_other_input_files_are_refused(tmp_path):
    for name in ("centernet.json", "centernet.bin"):
        (tmp_path / name).write_bytes(b"{}")
    done = run_script(tmp_path / "centernet.json", tmp_path / "centernet.bin", "-o", tmp_path / "out.onnx")
    assert done.returncode == 1
    assert "not the file of @vladmandic/human 3.3.6" in done.stderr
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.shared
@pytest.mark.parametrize("clip", ["fs_horse", "fs_trumpet", "fc_avs1"])
def test_outputs_equal_those_of_an_independent_conversion(shared_dir, clip):
    theirs = open_session(shared_dir / "data/detect/centernet.onnx")
    ours = open_session(find("centernet"))
    names = ["tower_0/detections:0", "tower_0/keypoints:0"]
    frame = next(iter(read_frames(shared_dir / f"data/video/{clip}.mp4")))
    rows = np.linspace(0, frame.image.shape[0] - 1, 512).astype(int)
    columns = np.linspace(0, frame.image.shape[1] - 1, 512).astype(int)
    image = {"tower_0/images:0": frame.image[np.ix_(rows, columns)].astype(np.float32)[None]}
    for mine, other in zip(ours.run(names, image), theirs.run(names, image), strict=True):
        # the two files hold the same weights in the same graph; kernels may differ in the last bits
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-3)
