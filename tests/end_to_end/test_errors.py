"""Whatever is wrong with a file: one line that names it and a cure, a non-zero exit, nothing left behind."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

TRAJECTORY = "t_s,azimuth_deg,elevation_deg,distance_m\n0,30,0,2\n1,-30,0,2\n"
JSON_HEAD = '{"schema": "foleyspace.trajectory/1", "duration_s": 1, "sources": [{"id": "a", '


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, write_clip: Any, noise: Any) -> Path:
    """A folder of sound files and of files with one thing wrong each."""
    folder = tmp_path_factory.mktemp("files")
    clip = write_clip(folder / "clip.mov", seconds=1.0, sound=noise(2, 1.0))
    write_clip(folder / "clip.mp4", seconds=1.0, sound=noise(2, 1.0))
    write_clip(folder / "silent.mov", seconds=1.0)
    write_clip(folder / "sound.mkv", seconds=1.0, sound=noise(1, 1.0), picture=False)
    soundfile.write(folder / "dry.wav", noise(1, 1.0).T, 48000, subtype="FLOAT")
    broken = noise(1, 1.0).copy()
    broken[0, 4000] = np.nan
    soundfile.write(folder / "nan.wav", broken.T, 48000, subtype="FLOAT")
    soundfile.write(folder / "none.wav", np.zeros((1, 0), np.float32).T, 48000, subtype="FLOAT")
    soundfile.write(folder / "slow.wav", noise(1, 0.1).T, 4000, subtype="FLOAT")
    for name in ("empty.mp4", "empty.wav", "empty.json", "empty.sofa", "empty.onnx"):
        (folder / name).touch()
    junk = np.random.default_rng(2).bytes(20_000)
    # an MPEG audio header before it: the decoder of such files likes to talk
    (folder / "junk.mp3").write_bytes(b"\xff\xfb\x90\x64" + junk)
    for name in ("junk.mp4", "junk.wav", "junk.json", "junk.csv", "junk.sofa", "junk.onnx"):
        (folder / name).write_bytes(junk)
    (folder / "cut.mov").write_bytes(clip.read_bytes()[:-3000])
    (folder / "cut.mp4").write_bytes((folder / "clip.mp4").read_bytes()[:3000])
    (folder / "cut.wav").write_bytes((folder / "dry.wav").read_bytes()[:5000])
    key = '{"t_s": %s, "azimuth_deg": %s, "elevation_deg": 0, "distance_m": 2}'
    texts = {
        "good.csv": TRAJECTORY,
        "unsorted.csv": TRAJECTORY + "0.5,0,0,2\n",
        "nan.csv": TRAJECTORY + "2,nan,0,2\n",
        "header.csv": "0,30,0,2\n",
        "unsorted.json": JSON_HEAD + f'"keys": [{key % (1, 0)}, {key % (0, 0)}]}}]}}',
        "nan.json": JSON_HEAD + f'"keys": [{key % (0, "NaN")}]}}]}}',
        "mute.json": JSON_HEAD + f'"selected": false, "keys": [{key % (0, 0)}]}}]}}',
        "schema.json": '{"schema": "other/1"}',
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "sub").mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path, files: Path) -> Path:
    """A copy of that folder for one test."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    return tmp_path


S = "spatialize"
R = "render"
L = "localize"
CASES: dict[str, tuple[list[str], str, str]] = {
    # name: arguments, code of the error, what the line must name
    "missing video": ([S, "gone.mp4", "-o", "o.wav"], "media_missing", "gone.mp4"),
    "empty video": ([S, "empty.mp4", "-o", "o.wav"], "media_empty", "empty.mp4"),
    "junk video": ([S, "junk.mp4", "-o", "o.mp4"], "media_damaged", "junk.mp4"),
    "cut video": ([S, "cut.mp4", "-o", "o.mp4"], "media_damaged", "cut.mp4"),
    "cut mov": ([S, "cut.mov", "-o", "o.mov"], "media_damaged", "cut.mov"),
    "folder as video": ([S, "sub", "-o", "o.wav"], "media", "sub"),
    "text as video": ([S, "good.csv", "-o", "o.wav"], "media_damaged", "good.csv"),
    "no sound": ([S, "silent.mov", "-o", "o.wav"], "no_audio", "--audio"),
    "no bed": ([S, "silent.mov", "-o", "o.wav", "--audio", "dry.wav", "--bed", "-6"], "no_audio", "--bed"),
    "no picture": ([S, "sound.mkv", "-o", "o.wav"], "no_video", "sound.mkv"),
    "sound as video": ([S, "dry.wav", "-o", "o.wav"], "no_video", "dry.wav"),
    "missing audio": ([S, "clip.mov", "-o", "o.wav", "--audio", "gone.wav"], "media_missing", "gone.wav"),
    "NaN audio": ([S, "clip.mov", "-o", "o.mp4", "--audio", "nan.wav"], "nonfinite", "nan.wav"),
    "zero-length audio": ([S, "clip.mov", "-o", "o.wav", "--audio", "none.wav"], "media_empty", "none.wav"),
    "silent video as audio": (
        [S, "clip.mov", "-o", "o.wav", "--audio", "silent.mov"],
        "no_audio",
        "silent.mov",
    ),
    "junk detector": (
        [S, "clip.mov", "-o", "o.wav", "--detector", "junk.onnx"],
        "model_unavailable",
        "junk.onnx",
    ),
    "missing detector": (
        [L, "clip.mov", "-o", "o.json", "--detector", "gone.onnx"],
        "model_unavailable",
        "gone.onnx",
    ),
    "unseen label": (
        [S, "clip.mov", "-o", "o.wav", "--label", "giraffe", "--trajectory-out", "t.json"],
        "nothing_found",
        "giraffe",
    ),
    "unknown label": ([L, "clip.mov", "-o", "o.json", "--label", "unicorn"], "", "unicorn"),
    "no field of view": ([L, "clip.mov", "-o", "o.json", "--hfov", "0"], "invalid", "field of view"),
    "spread": ([S, "clip.mov", "-o", "o.wav", "--spread", "nan"], "invalid", "spread"),
    "bed": ([S, "clip.mov", "-o", "o.wav", "--bed", "200"], "invalid", "bed"),
    "video without picture to localize": ([L, "sound.mkv", "-o", "o.json"], "no_video", "sound.mkv"),
    "empty video to localize": ([L, "empty.mp4", "-o", "o.json"], "media_empty", "empty.mp4"),
    "cut video to localize": ([L, "cut.mov", "-o", "o.json"], "media_damaged", "cut.mov"),
    "junk sound": ([R, "junk.wav", "--trajectory", "good.csv", "-o", "o.wav"], "media_damaged", "junk.wav"),
    "junk MP3": ([R, "junk.mp3", "--trajectory", "good.csv", "-o", "o.wav"], "media_damaged", "junk.mp3"),
    "empty sound": ([R, "empty.wav", "--trajectory", "good.csv", "-o", "o.wav"], "media_empty", "empty.wav"),
    "cut sound": ([R, "cut.wav", "--trajectory", "good.csv", "-o", "o.wav"], "media_damaged", "cut.wav"),
    "NaN sound": ([R, "nan.wav", "--trajectory", "good.csv", "-o", "o.flac"], "nonfinite", "nan.wav"),
    "zero-length sound": (
        [R, "none.wav", "--trajectory", "good.csv", "-o", "o.wav"],
        "media_empty",
        "none.wav",
    ),
    "rate": ([R, "slow.wav", "--trajectory", "good.csv", "-o", "o.wav"], "invalid", "slow.wav"),
    "silent video as sound": (
        [R, "silent.mov", "--trajectory", "good.csv", "-o", "o.wav"],
        "no_audio",
        "silent.mov",
    ),
    "missing trajectory": (
        [R, "dry.wav", "--trajectory", "gone.json", "-o", "o.wav"],
        "trajectory_invalid",
        "gone.json",
    ),
    "empty trajectory": (
        [R, "dry.wav", "--trajectory", "empty.json", "-o", "o.wav"],
        "trajectory_invalid",
        "empty.json",
    ),
    "junk trajectory": (
        [R, "dry.wav", "--trajectory", "junk.json", "-o", "o.wav"],
        "trajectory_invalid",
        "junk.json",
    ),
    "junk CSV": ([R, "dry.wav", "--trajectory", "junk.csv", "-o", "o.wav"], "trajectory_invalid", "junk.csv"),
    "unsorted CSV": (
        [R, "dry.wav", "--trajectory", "unsorted.csv", "-o", "o.wav"],
        "trajectory_invalid",
        "line 4",
    ),
    "NaN CSV": ([R, "dry.wav", "--trajectory", "nan.csv", "-o", "o.wav"], "trajectory_invalid", "line 4"),
    "CSV without header": (
        [R, "dry.wav", "--trajectory", "header.csv", "-o", "o.wav"],
        "trajectory_invalid",
        "line 1",
    ),
    "unsorted JSON": (
        [R, "dry.wav", "--trajectory", "unsorted.json", "-o", "o.wav"],
        "trajectory_invalid",
        "sources[0].keys[1]",
    ),
    "NaN JSON": (
        [R, "dry.wav", "--trajectory", "nan.json", "-o", "o.wav"],
        "trajectory_invalid",
        "sources[0].keys[0].azimuth_deg",
    ),
    "no source selected": (
        [R, "dry.wav", "--trajectory", "mute.json", "-o", "o.wav"],
        "trajectory_invalid",
        "mute.json",
    ),
    "other schema": (
        [R, "dry.wav", "--trajectory", "schema.json", "-o", "o.wav"],
        "trajectory_invalid",
        "schema",
    ),
    "missing SOFA": (
        [R, "dry.wav", "--trajectory", "good.csv", "-o", "o.wav", "--hrtf", "gone.sofa"],
        "hrtf_invalid",
        "gone.sofa",
    ),
    "empty SOFA": (
        [R, "dry.wav", "--trajectory", "good.csv", "-o", "o.wav", "--hrtf", "empty.sofa"],
        "hrtf_invalid",
        "empty.sofa",
    ),
    "junk SOFA": ([S, "clip.mov", "-o", "o.mp4", "--hrtf", "junk.sofa"], "hrtf_invalid", "junk.sofa"),
    "no folder": ([S, "clip.mov", "-o", "gone/o.mp4"], "output_unwritable", "gone"),
    "folder as output": (
        [R, "dry.wav", "--trajectory", "good.csv", "-o", "sub.wav/"],
        "output_unwritable",
        "sub.wav",
    ),
    "no folder for the trajectory": (
        [S, "clip.mov", "-o", "o.wav", "--trajectory-out", "gone/t.json"],
        "output_unwritable",
        "gone",
    ),
    "no folder to localize into": ([L, "clip.mov", "-o", "gone/t.json"], "output_unwritable", "gone"),
    "unknown suffix": ([S, "clip.mov", "-o", "o.ogg"], "invalid", "o.ogg"),
    "video from a sound": ([R, "dry.wav", "--trajectory", "good.csv", "-o", "o.mp4"], "invalid", "o.mp4"),
    "over the input": ([S, "clip.mov", "-o", "clip.mov"], "invalid", "clip.mov"),
    "over the sound": ([R, "dry.wav", "--trajectory", "good.csv", "-o", "./dry.wav"], "invalid", "dry.wav"),
    "two outputs in one": ([S, "clip.mov", "-o", "o.wav", "--trajectory-out", "o.wav"], "invalid", "o.wav"),
}

# these start a process of their own; the others run in this one, for speed
AS_PROCESS = {
    "junk MP3",
    "cut mov",
    "no sound",
    "NaN sound",
    "unsorted JSON",
    "junk SOFA",
    "no folder",
    "unseen label",
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line_with_a_cure_and_leaves_nothing(
    case: str,
    folder: Path,
    foleyspace: Any,
    here: Any,
    listing: Callable[[], dict[str, bytes]],
) -> None:
    arguments, code, named = CASES[case]
    if case == "folder as output":
        (folder / "sub.wav").mkdir()
    before = listing()
    done = (foleyspace if case in AS_PROCESS else here)(*arguments, "--json")
    err = done.err
    assert done.code == 1, err
    assert err.startswith("foleyspace: error: "), err
    assert err.count("\n") == 1, err
    assert err.endswith("\n")
    assert named in err
    error = done.json["error"]
    assert error["code"] == code or not code or (code == "media" and error["code"].startswith("media"))
    assert error["cure"]
    assert error["cure"] in err
    assert listing() == before


def test_a_sofa_file_of_another_convention(folder: Path, here: Any, listing: Any) -> None:
    import sofar

    sofa = sofar.Sofa("GeneralFIR", verify=False)
    sofa.Data_IR = np.zeros((3, 1, 64))
    sofa.SourcePosition = np.tile([0.0, 0.0, 1.5], (3, 1))
    sofar.write_sofa(str(folder / "room.sofa"), sofa)
    before = listing()
    done = here("render", "dry.wav", "--trajectory", "good.csv", "-o", "o.wav", "--hrtf", "room.sofa")
    assert done.code == 1
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert "room.sofa" in done.err
    assert listing() == before


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the system's administrator may write anywhere"
)
def test_a_write_protected_folder(folder: Path, foleyspace: Any) -> None:
    (folder / "sub").chmod(stat.S_IRUSR | stat.S_IXUSR)
    done = foleyspace("render", "dry.wav", "--trajectory", "good.csv", "-o", "sub/o.wav")
    assert done.code == 1
    assert "sub" in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_device_as_output_is_refused(folder: Path, here: Any) -> None:
    done = here("render", "dry.wav", "--trajectory", "good.csv", "-o", "/dev/full")
    assert done.code == 1
    assert done.err.count("\n") == 1


def test_an_existing_output_survives_a_failure(folder: Path, here: Any, listing: Any) -> None:
    soundfile.write(folder / "o.wav", np.zeros(10), 48000)
    before = listing()
    assert here("render", "nan.wav", "--trajectory", "good.csv", "-o", "o.wav").code == 1
    assert listing() == before
