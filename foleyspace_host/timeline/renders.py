"""One clip of a timeline, rendered with its handles; not again while nothing that it is made of has changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace_host.geometry.timebase import Span
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import dumps
from foleyspace_host.pipeline.render import render_file
from foleyspace_host.pipeline.settings import RenderSettings, plain
from foleyspace_host.pipeline.stage_cache import file_digest
from foleyspace_host.pipeline.stage_key import stage_key
from foleyspace_host.timeline.choose import Choice
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.model import Piece
from foleyspace_host.timeline.trajectories import shifted

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["Part", "part_of", "render_clip"]

_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of its file a clip is rendered from.

    Parameters
    ----------
    span : Span
        The part, with its handles.
    handle_s : Fraction
        How much of it comes before the clip [s].
    """

    span: Span
    handle_s: Fraction


def part_of(piece: Piece, handles_s: Fraction, length_s: Fraction) -> Part:
    """Return the part of a file that a clip is rendered from.

    Parameters
    ----------
    piece : Piece
        The clip.
    handles_s : Fraction
        How much is wished for on either side [s]; transitions may need more.
    length_s : Fraction
        How long its file is [s].

    Returns
    -------
    Part
        Handles are whole frames, and no longer than what there is.
    """
    before_s = max(handles_s, piece.fade_in.before_s if piece.fade_in else Fraction(0))
    after_s = max(handles_s, piece.fade_out.after_s if piece.fade_out else Fraction(0))
    end_s = piece.source_s + piece.duration_s
    before_s = _frames(min(before_s, piece.source_s), piece.rate)
    after_s = _frames(max(min(after_s, length_s - end_s), Fraction(0)), piece.rate)
    return Part(Span(piece.source_s - before_s, before_s + piece.duration_s + after_s), before_s)


def _frames(time_s: Fraction, rate: Fraction) -> Fraction:
    return floor(time_s * rate) / rate


def render_clip(
    choice: Choice,
    part: Part,
    trajectory: Trajectory,
    folder: Path,
    scratch: Path,
    options: dict[str, Any],
    *,
    models: list[dict[str, str]],
    device: Device = "auto",
    cache: StageCache | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Rendered, bool]:
    """Render a clip, or take what was rendered earlier from the same.

    Parameters
    ----------
    choice : Choice
        The clip.
    part : Part
        Its part of its file.
    trajectory : Trajectory
        Where it sounds from; its times count from the start of the clip.
    folder : Path
        Where the rendered sound goes.
    scratch : Path
        A file that may be written over.
    options : dict
        How to render: keywords of `render_file`.
    models : list of dict
        Names and checksums of the models that looked.
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    cache : StageCache, optional
        For the stages of the rendering.
    on_progress : callable, optional
        Called as (stage, done, total); raises Cancelled to stop.

    Returns
    -------
    rendered : Rendered
        The sound.
    reused : bool
        Whether it was there already.
    """
    piece = choice.piece
    assert piece.path is not None  # noqa: S101 - `choose` leaves the others out
    path_of_clip = dumps(shifted(trajectory, part.handle_s, part.span.duration_s))
    settings = RenderSettings(**options)
    files = [settings.hrtf, *settings.model_files]
    request = stage_key(
        "render",
        media=file_digest(piece.path),
        span=part.span,
        trajectory=path_of_clip,
        settings=plain(settings),
        files=[file_digest(path) for path in files if path is not None],
    )
    request = request.partition("-")[2]
    name = _NAME.sub("-", str(piece.clip.get("name") or "clip"))[:40].strip("-") or "clip"
    sound, note = folder / f"{name}-{request[:16]}.wav", folder / f"{name}-{request[:16]}.json"
    told = _earlier(sound, note, request)
    reused = told is not None
    if told is None:
        from foleyspace_host.media.atomic import write_error

        scratch.write_text(path_of_clip, encoding="utf-8")
        result = render_file(
            piece.path, scratch, sound, span=part.span, cache=cache, device=device, on_progress=on_progress, **options
        )
        told = {
            "request": request,
            "n_bytes": sound.stat().st_size,
            "sample_rate_hz": result.sample_rate_hz,
            "n_samples": result.n_samples,
            "seed": settings.seed,
            "settings": result.settings,
            "provenance": asdict(result.provenance),
            "warnings": list(result.warnings),
        }
        try:  # torn by a crash it is not JSON, and the clip is rendered again
            note.write_text(json.dumps(told, indent=1), encoding="utf-8")
        except OSError as error:
            raise write_error(error, note) from error
    shown = {name: told[name] for name in ("request", "seed", "settings", "provenance")}
    shown |= {"role": "render", "source": piece.name, "placed_by": choice.origin, "looked_with": models}
    shown["trajectory"] = json.loads(dumps(trajectory))
    rendered = Rendered(piece, sound, part.handle_s, int(told["sample_rate_hz"]), int(told["n_samples"]), shown)
    return rendered, reused


def _earlier(sound: Path, note: Path, request: str) -> dict[str, Any] | None:
    """Return what is told of an earlier rendering of the same request, if that is intact."""
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        if told["request"] == request and told["n_bytes"] == sound.stat().st_size:
            return dict(told)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None
