"""Real scenes in a real Blender (the ``bpy`` module), and a real host; all skipped with a reason where there is none.

``studio`` makes scenes: sounds, strips, cameras, moving objects, and listens to them through ``sound.mixdown``.
``host`` is the extension's connection to a host of the tests' own.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = ROOT / "plugins" / "blender"
RATE_HZ = 48_000

if str(PLUGIN) not in sys.path:
    sys.path.insert(0, str(PLUGIN))


def foleyspace_program() -> str | None:
    """Return the program that starts the host: named, in the checkout's environment, or on the path."""
    named = os.environ.get("FOLEYSPACE_COMMAND")
    for found in (named, ROOT / ".venv" / "bin" / "foleyspace", ROOT / ".venv" / "Scripts" / "foleyspace.exe"):
        if found and Path(found).is_file():
            return str(found)
    return shutil.which("foleyspace")


@pytest.fixture(scope="session")
def blender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """``bpy`` with the extension registered, and no folder of the user's in reach."""
    os.environ["BLENDER_USER_RESOURCES"] = str(tmp_path_factory.mktemp("blender"))
    bpy = pytest.importorskip("bpy", reason="Blender's Python module is not installed: pip install bpy")
    if not bpy.app.build_options.audaspace:
        pytest.skip(f"bpy {bpy.app.version_string} was built without sound")
    import foleyspace

    bpy.ops.wm.read_factory_settings(use_empty=True)
    foleyspace.register()
    yield bpy
    foleyspace.unregister()


class Studio:
    """Makes what an editor has: a file with a scene, sounds, strips and things that move."""

    def __init__(self, bpy: Any, folder: Path) -> None:
        self.bpy = bpy
        self.folder = folder

    @property
    def scene(self) -> Any:
        """The scene; looked up, for an undo makes another of it."""
        return self.bpy.data.scenes["Scene"]

    def fps(self, fps: int, base: float = 1.0) -> None:
        self.scene.render.fps, self.scene.render.fps_base = fps, base

    def save(self) -> Path:
        path = self.folder / "film.blend"
        self.bpy.ops.wm.save_as_mainfile(filepath=str(path))
        return path

    def sound(self, samples: np.ndarray, name: str = "steps.wav", rate_hz: int = RATE_HZ) -> Path:
        """Write samples of shape (n_samples,) or (n_samples, n_channels)."""
        import soundfile

        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate_hz, subtype="FLOAT" if path.suffix == ".wav" else None)
        return path

    def noise(self, duration_s: float, seed: int = 1, level: float = 0.1) -> np.ndarray:
        return (level * np.random.default_rng(seed).standard_normal(round(duration_s * RATE_HZ))).astype(np.float32)

    def strip(self, path: Path, frame: int = 1, channel: int = 1, scene: Any = None, name: str = "") -> Any:
        from foleyspace import compat

        editor = (scene or self.scene).sequence_editor_create()
        return compat.new_sound_strip(editor, name or path.stem, str(path), channel, frame)

    def camera(self, name: str = "Camera", location: tuple[float, ...] = (0, 0, 0), yaw_deg: float = 0.0) -> Any:
        """Add a camera that looks along +Y, turned to the left by `yaw_deg`; the first becomes the scene's."""
        camera = self.bpy.data.objects.new(name, self.bpy.data.cameras.new(name))
        camera.location = location
        camera.rotation_euler = (math.pi / 2, 0.0, math.radians(yaw_deg))
        self.scene.collection.objects.link(camera)
        self.scene.camera = self.scene.camera or camera
        return camera

    def thing(self, name: str = "Car", scene: Any = None, **keys: tuple[float, ...]) -> Any:
        """Add an Empty that passes through locations: ``f1=(x, y, z), f48=(x, y, z)``, at even speed."""
        thing = self.bpy.data.objects.new(name, None)
        (scene or self.scene).collection.objects.link(thing)
        for frame, location in keys.items():
            thing.location = location
            if len(keys) > 1:
                thing.keyframe_insert("location", frame=int(frame[1:]))
        self.make_linear(thing)
        return thing

    @staticmethod
    def make_linear(owner: Any) -> None:
        """Make movement even between keys."""
        from foleyspace import compat

        for curve in compat.fcurves_of(owner):
            for point in curve.keyframe_points:
                point.interpolation = "LINEAR"

    def bind(self, strip: Any, thing: Any, scene: Any = None) -> str:
        from foleyspace import bindings

        strip.foleyspace.target = thing
        return bindings.ensure(scene or self.scene, strip)

    def listen(self, first: int = 1, last: int = 100) -> np.ndarray:
        """Return what the scene sounds like, shape (2, n_samples), through Blender's own mixdown."""
        import soundfile

        path = self.folder / "mixdown.wav"
        scene = self.scene
        scene.frame_start, scene.frame_end = first, last
        scene.render.ffmpeg.audio_mixrate = RATE_HZ
        self.bpy.context.window.scene = scene
        self.bpy.ops.sound.mixdown(
            filepath=str(path), container="WAV", codec="PCM", format="F32", channels="STEREO", mixrate=RATE_HZ
        )
        return soundfile.read(path, dtype="float64", always_2d=True)[0].T


@pytest.fixture
def studio(blender: Any, tmp_path: Path) -> Studio:
    """An empty, unsaved file."""
    blender.ops.wm.read_factory_settings(use_empty=True)
    made = Studio(blender, tmp_path)
    made.scene.render.fps = 24
    return made


@pytest.fixture(scope="session")
def host_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders of a host that belongs to the tests; it ends with them."""
    program = foleyspace_program()
    if program is None:
        pytest.skip("the foleyspace program is not installed; name it in FOLEYSPACE_COMMAND")
    home = tmp_path_factory.mktemp("home")
    before = {name: os.environ.get(name) for name in ("FOLEYSPACE_HOME", "FOLEYSPACE_COMMAND")}
    os.environ.update(FOLEYSPACE_HOME=str(home), FOLEYSPACE_COMMAND=program)
    yield home
    from foleyspace.client import Client, ClientError

    try:
        with Client("tests", start=False) as client:
            client.shutdown(now=True)
    except ClientError:
        pass  # none was started, or a test ended it
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture
def host(blender: Any, host_home: Path) -> Iterator[Any]:
    """The session's connection to a real host."""
    from foleyspace import connection

    yield connection.current()
    connection.close()


@pytest.fixture
def patiently() -> Callable[..., Any]:
    """Call again and again until the answer is true, as a timer would."""

    def wait(ask: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        end = time.monotonic() + timeout_s
        while not (answer := ask()):
            assert time.monotonic() < end, "it took too long"
            time.sleep(0.005)
        return answer

    return wait


class IdentityJob:
    """A job of `IdentityHost`."""

    latest = None

    def __init__(self, kind: str, fields: dict[str, Any], path: Path) -> None:
        self.kind, self.fields, self.path = kind, fields, path
        self.finished = self.cancelled = False
        self.error: Exception | None = None

    def result(self) -> Any:
        from foleyspace.client import Result

        if self.error is not None:
            raise self.error
        return Result(str(self.path), (), {}, ())

    def cancel(self) -> None:
        self.cancelled = True


class IdentityHost:
    """Stands in for `connection.Connection`: cuts the span out of the file and puts it on both ears, unchanged."""

    state, problem, cure, version = "READY", "", "", "0"
    hopeless, losses = False, 0

    def __init__(self) -> None:
        self.jobs: list[IdentityJob] = []
        self.works = True

    def submit(self, kind: str, **fields: Any) -> IdentityJob:
        path = Path(fields["folder"]) / f"{fields['stem']}-{len(self.jobs)}.wav"
        self.jobs.append(IdentityJob(kind, fields, path))
        return self.jobs[-1]

    def tick(self) -> None:
        for job in self.jobs if self.works else ():
            if not job.finished:
                self._cut(job)
                job.finished = True

    def _cut(self, job: IdentityJob) -> None:
        import soundfile

        audio = job.fields["audio"]
        samples, rate_hz = soundfile.read(audio["path"], dtype="float32", always_2d=True)
        start, duration = (Fraction(*audio["span"][name]) for name in ("start", "duration"))
        first, last = (floor(time_s * rate_hz + Fraction(1, 2)) for time_s in (start, start + duration))
        mono = np.zeros(last - first, np.float32)
        part = samples[first:last].mean(axis=1)
        mono[: len(part)] = part
        soundfile.write(job.path, np.stack([mono, mono], axis=1), rate_hz, subtype="FLOAT")


@pytest.fixture
def identity() -> IdentityHost:
    return IdentityHost()
