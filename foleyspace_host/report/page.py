"""One HTML file that shows a trajectory over its video and lets a person correct it.

Everything is inside: style, program, data and, up to a limit, the video. The page loads nothing from
anywhere; a content security policy forbids it even if it tried.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from html import escape
from importlib.resources import files as package_files
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import InvalidInput, MediaError, NoVideo
from foleyspace_host.geometry.boxes import BoxSizes
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import pieces
from foleyspace_host.report.picture import Picture, prepare_picture

if TYPE_CHECKING:
    from foleyspace_host.media.audio import AudioSource
    from foleyspace_host.report.waveform import Waveform

__all__ = ["SCRIPTS", "check_embed_limit", "page_pieces", "save_name", "write_report"]

SCRIPTS = ("text.js", "space.js", "record.js", "listen.js", "stage.js", "map.js", "timeline.js", "report.js")
"""The program, in the order in which its parts need each other."""

_MOST_EMBED_MB = 1000.0  # of base64 that browsers still take in
_FRAME_RATE_HZ = 25.0
_SIZE_DIGITS = 4
_BASE64_BYTES = 3 << 18  # a multiple of three: only the last piece may be filled up


def check_embed_limit(embed_mb: float) -> None:
    """Refuse a limit that no page can keep.

    Parameters
    ----------
    embed_mb : float
        Largest video inside a page [10^6 bytes].

    Raises
    ------
    InvalidInput
        If it is not 0 to 1000.
    """
    if not (isfinite(embed_mb) and 0.0 <= embed_mb <= _MOST_EMBED_MB):
        raise InvalidInput(
            f"{embed_mb:g} MB is not 0 to {_MOST_EMBED_MB:g}",
            where="report",
            cure="give the largest video to put into the page, or 0 to keep it beside",
        )


def save_name(path: Path) -> str:
    """Return what the page calls a corrected trajectory.

    Parameters
    ----------
    path : Path
        The trajectory file, or the video if there is none.

    Returns
    -------
    str
        ``ride.trajectory.json`` becomes ``ride.edited.trajectory.json``, ``T.json`` ``T.edited.json`` and
        ``ride.mp4`` ``ride.edited.trajectory.json``.
    """
    for suffix in (".trajectory.json", ".json"):
        if path.name.lower().endswith(suffix) and len(path.name) > len(suffix):
            return f"{path.name[: -len(suffix)]}.edited{suffix}"
    return f"{path.stem}.edited.trajectory.json"


def write_report(
    files: ExitStack,
    temporary: Path,
    page: Path,
    video: Path,
    trajectory: Trajectory,
    *,
    sizes: Mapping[str, BoxSizes],
    save_as: str,
    sound: Path | None = None,
    embed_mb: float,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the page.

    Parameters
    ----------
    files : ExitStack
        Files beside the page appear when this ends well.
    temporary : Path
        File to write; the caller makes it the page.
    page : Path
        What it will be called.
    video : Path
        The video.
    trajectory : Trajectory
        What the page shows, and what it saves with corrections.
    sizes : mapping of str to BoxSizes
        Boxes to draw, by the ids of sources.
    save_as : str
        Name of the corrected file; see `save_name`.
    sound : Path, optional
        Sound instead of the video's own.
    embed_mb : float
        Largest video to put into the page [10^6 bytes].
    on_progress : callable, optional
        Called as on_progress(done, total); raises Cancelled to stop.

    Raises
    ------
    MediaError
        If the video cannot be read.
    OutputUnwritable
        If there is no space.
    """
    from foleyspace_host.media.probe import probe
    from foleyspace_host.report.waveform import read_waveform

    info = probe(video)
    if info.video is None:
        raise NoVideo("the file has no picture", where=str(video), cure="give a video")
    progress = _Progress(trajectory.duration_s, on_progress)
    source = _sound(sound or video)
    wave = None if source is None else read_waveform(source, trajectory.duration_s, progress.sound)
    picture = prepare_picture(files, page, video, sound=source, embed_mb=embed_mb, on_progress=progress.picture)
    camera = trajectory.camera or Camera(info.video.width, info.video.height)
    facts = {
        "title": video.name,
        "save_as": save_as,
        "frame_rate_hz": float(info.video.frame_rate or _FRAME_RATE_HZ),
        "camera": {"hfov_deg": camera.hfov_deg, "width": camera.width, "height": camera.height},
        "video": {"kind": picture.kind, "href": picture.href, "width": info.video.width, "height": info.video.height},
        "has_sound": source is not None,
        "wave": _wave(wave),
        "sizes": {name: _columns(boxes) for name, boxes in sizes.items()},
    }
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(page_pieces(facts, trajectory, picture))


def page_pieces(facts: Mapping[str, object], trajectory: Trajectory, picture: Picture) -> Iterator[str]:
    """Put the page together.

    Parameters
    ----------
    facts : mapping
        What the program needs to know besides the trajectory; JSON.
    trajectory : Trajectory
        The trajectory.
    picture : Picture
        The video.

    Yields
    ------
    str
        HTML, piece by piece: with the video of a long clip it is large.
    """
    assets = package_files("foleyspace_host.report").joinpath("assets")
    parts: dict[str, Callable[[], Iterable[str]]] = {
        "title": lambda: [escape(str(facts["title"]))],
        "style": lambda: [assets.joinpath("report.css").read_text(encoding="utf-8")],
        "facts": lambda: [_inert(json.dumps(facts, ensure_ascii=False, allow_nan=False, separators=(",", ":")))],
        "trajectory": lambda: map(_inert, pieces(trajectory)),
        "video": lambda: _base64(picture.data),
        "script": lambda: ["\n".join(assets.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)],
    }
    first, *others = assets.joinpath("report.html").read_text(encoding="utf-8").split("{{")
    yield first
    for other in others:  # one pass: what is put in is never looked at again
        name, _, rest = other.partition("}}")
        yield from parts[name]()
        yield rest


def _base64(data: bytes) -> Iterator[str]:
    view = memoryview(data)
    for first in range(0, len(view), _BASE64_BYTES):
        yield b64encode(view[first : first + _BASE64_BYTES]).decode("ascii")


class _Progress:
    """Progress in hundredths: the outline of the sound takes a tenth of the time, the picture the rest."""

    def __init__(self, duration_s: float, on_progress: Callable[[int, int], None] | None) -> None:
        self._duration_s, self._on_progress = duration_s, on_progress

    def sound(self, time_s: float) -> None:
        self._report(10.0 * time_s / self._duration_s, 10)

    def picture(self, time_s: float) -> None:
        self._report(10.0 + 90.0 * time_s / self._duration_s, 100)

    def _report(self, percent: float, most: int) -> None:
        if self._on_progress is not None:
            self._on_progress(min(int(percent), most), 100)


def _sound(path: Path) -> AudioSource | None:
    """Return the sound, if there is one that plays to its end: a silent picture has a page as well."""
    from foleyspace_host.media.audio import open_audio

    try:
        source = open_audio(path)
        source.scan()
    except MediaError:
        return None
    return source


def _wave(wave: Waveform | None) -> dict[str, object] | None:
    if wave is None:
        return None
    return {"per_s": wave.per_s, "peaks": b64encode(wave.peaks.tobytes()).decode("ascii")}


def _columns(boxes: BoxSizes) -> dict[str, list[float]]:
    return {
        "t_s": [round(float(value), 3) for value in boxes.t_s],
        "width": [round(float(value), _SIZE_DIGITS) for value in boxes.width],
        "height": [round(float(value), _SIZE_DIGITS) for value in boxes.height],
    }


def _inert(text: str) -> str:
    """JSON that no HTML parser takes for markup, and that reads as the same JSON."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
