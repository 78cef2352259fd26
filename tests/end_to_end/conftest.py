"""Small real files, and the command as a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from foleyspace_host.cli import main

RATE_HZ = 48_000

MakeClip = Callable[..., Path]
Run = Callable[..., "Done"]


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def noise() -> Callable[..., np.ndarray]:
    """Make noise of shape (n_channels, n_samples), the same each time, that 16 bits hold exactly."""

    def make(n_channels: int, seconds: float, level: float = 0.1, rate_hz: int = RATE_HZ) -> np.ndarray:
        generator = np.random.default_rng(7 + n_channels)
        sound = generator.normal(0, level, (n_channels, round(seconds * rate_hz))).clip(-0.9, 0.9)
        return (np.round(sound * 32768) / 32768).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def write_clip() -> MakeClip:
    """Write a clip of a disc that moves from the left to the right over a plain background."""

    def write(
        path: Path,
        *,
        seconds: Fraction | float = 2.0,
        fps: Fraction | int = 25,
        sound: np.ndarray | None = None,
        picture: bool = True,
    ) -> Path:
        exact = path.suffix in (".mov", ".mkv", ".avi")
        with av.open(str(path), "w") as container:
            video: Any = container.add_stream("mpeg4", rate=fps) if picture else None
            audio: Any = None
            if sound is not None:
                layout = {1: "mono", 2: "stereo", 3: "2.1", 6: "5.1"}[sound.shape[0]]
                audio = container.add_stream("pcm_s16le" if exact else "aac", rate=RATE_HZ, layout=layout)
            if video is not None:
                video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
                for index in range(round(seconds * fps)):
                    frame = av.VideoFrame.from_ndarray(_disc(float(index / (seconds * fps))), format="rgb24")
                    container.mux(video.encode(frame))
                container.mux(video.encode(None))
            if audio is not None and sound is not None:
                whole = np.ascontiguousarray((sound.T * 32768).astype(np.int16).reshape(1, -1))
                frame = av.AudioFrame.from_ndarray(whole, format="s16", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
                for piece in _resampled(audio, frame):
                    container.mux(audio.encode(piece))
                container.mux(audio.encode(None))
        return path

    return write


@pytest.fixture
def make_clip(tmp_path: Path, write_clip: MakeClip) -> MakeClip:
    """Write such a clip into the test's folder."""

    def make(name: str = "clip.mov", **settings: Any) -> Path:
        return write_clip(tmp_path / name, **settings)

    return make


def _disc(share: float) -> np.ndarray:
    y, x = np.mgrid[:96, :160]
    image = np.full((96, 160, 3), 90, np.uint8)
    image[np.hypot(x - 160 * share, y - 48) < 14] = (230, 60, 40)
    return image


def _resampled(stream: Any, frame: av.AudioFrame) -> list[av.AudioFrame]:
    context = stream.codec_context
    resampler = av.AudioResampler(context.format, context.layout, RATE_HZ, frame_size=1024)
    return [*resampler.resample(frame), *resampler.resample(None)]


@pytest.fixture
def make_sound(tmp_path: Path) -> Callable[..., Path]:
    """Write a float WAV file."""

    def make(name: str, sound: np.ndarray, rate_hz: int = RATE_HZ) -> Path:
        soundfile.write(tmp_path / name, sound.T, rate_hz, subtype="FLOAT")
        return tmp_path / name

    return make


@pytest.fixture
def foleyspace(tmp_path: Path) -> Run:
    """Run the command as a process of its own, in the test's folder."""

    def run(*arguments: object, timeout: float = 120) -> Done:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "foleyspace_host", *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            timeout=timeout,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONIOENCODING": "utf-8"},
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process, in the test's folder: for speed, where a process tells no more."""

    def run(*arguments: object) -> Done:
        monkeypatch.chdir(tmp_path)
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def listing(tmp_path: Path) -> Callable[[], dict[str, bytes]]:
    """Return what lists every file of the test's folder with its content."""

    def files() -> dict[str, bytes]:
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    return files
