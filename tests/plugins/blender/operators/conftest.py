"""What an editor does in the sequencer, and a host that pretends to do what the real one cannot yet."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent


class Desk:
    """An editor's hands and ears."""

    def __init__(self, studio: Any) -> None:
        self.studio, self.bpy = studio, studio.bpy

    def select(self, *strips: Any) -> None:
        """Select strips and nothing else; the first is the active one."""
        from foleyspace import compat

        editor = self.studio.scene.sequence_editor
        for strip in compat.every(editor):
            strip.select = any(strip == one for one in strips)
        editor.active_strip = strips[0] if strips else None

    def results(self) -> list[Any]:
        from foleyspace import bindings

        return [s for _, s in bindings.all_strips([self.studio.scene]) if s.foleyspace.role == "RESULT"]

    def bound(self, name: str, frame: int, channel: int) -> Any:
        """Add a strip of a second that is bound to something that passes from left to right."""
        studio = self.studio
        strip = studio.strip(studio.sound(studio.noise(1.0), f"{name}.wav"), frame=frame, channel=channel)
        studio.bind(strip, studio.thing(f"{name} car", f1=(-8, 4, 0), f60=(8, 4, 0)))
        return strip

    def film(self, path: Path | None = None, frame: int = 1) -> tuple[Any, Any]:
        """Add a movie with its sound, as importing it does; return both strips."""
        from foleyspace import compat

        path = path or self.make_movie()
        editor = self.studio.scene.sequence_editor_create()
        sound = compat.new_sound_strip(editor, "ride sound", str(path), 1, frame)
        movie = compat.top(editor).new_movie(name="ride", filepath=str(path), channel=2, frame_start=frame)
        return movie, sound

    def make_movie(self, seconds: int = 2, fps: int = 24) -> Path:
        """Render a movie with sound, with Blender itself."""
        from foleyspace import compat

        bpy, studio = self.bpy, self.studio
        scene = bpy.data.scenes.new("filmed")
        scene.render.fps = fps
        scene.frame_start, scene.frame_end = 1, seconds * fps
        scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 64, 36, 100
        editor = scene.sequence_editor_create()
        compat.new_sound_strip(editor, "noise", str(studio.sound(studio.noise(seconds), "noise.wav")), 1, 1)
        picture = bpy.data.images.new("picture", 64, 36)
        picture.filepath_raw, picture.file_format = str(studio.folder / "picture.png"), "PNG"
        picture.save()
        shown = compat.top(editor).new_image(name="picture", filepath=picture.filepath_raw, channel=2, frame_start=1)
        compat.set_right(shown, seconds * fps + 1)
        if "media_type" in scene.render.image_settings.bl_rna.properties:
            scene.render.image_settings.media_type = "VIDEO"
        scene.render.image_settings.file_format = "FFMPEG"
        scene.render.ffmpeg.format, scene.render.ffmpeg.codec = "MPEG4", "H264"
        scene.render.ffmpeg.audio_codec = "AAC"
        path = studio.folder / "ride.mp4"
        scene.render.filepath = str(path)
        scene.render.use_file_extension = False
        bpy.ops.render.render(animation=True, scene=scene.name)
        bpy.data.scenes.remove(scene)
        assert path.is_file()
        return path

    @staticmethod
    def ild_db(heard: np.ndarray) -> float:
        """Return by how much the left channel is louder."""
        left, right = (np.sqrt(np.mean(channel**2)) for channel in heard)
        return float(20.0 * np.log10(left / right))


@pytest.fixture
def desk(studio: Any) -> Desk:
    return Desk(studio)


@pytest.fixture(scope="session")
def pretending_home(tmp_path_factory: pytest.TempPathFactory, host_home: Path) -> Iterator[Path]:
    """Folders of a host with `pretend_runner`, which runs."""
    home = tmp_path_factory.mktemp("pretending")
    process = subprocess.Popen(
        [os.environ["FOLEYSPACE_COMMAND"], "host", "--json", "--runner", "pretend_runner"],
        env=os.environ | {"FOLEYSPACE_HOME": str(home), "PYTHONPATH": str(HERE)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert '"ready"' in process.stdout.readline()
    yield home
    process.terminate()
    process.communicate(timeout=30)


@pytest.fixture
def pretending(studio: Any, pretending_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The connection, which goes to the host that pretends."""
    from foleyspace import connection, running

    connection.close()
    monkeypatch.setenv("FOLEYSPACE_HOME", str(pretending_home))
    yield connection.current()
    running.cancel()
    connection.close()
