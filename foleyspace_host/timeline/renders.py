"""One clip of a timeline, rendered with its handles; not again while nothing that it is made of has changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace_host.geometry.timebase import Span
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_text import as_written, dumps, seconds_as_written
from foleyspace_host.pipeline.provenance import flow_used, hrtf_used, made_with
from foleyspace_host.pipeline.render import decoded
from foleyspace_host.pipeline.rendering import check_audible, write_rendered
from foleyspace_host.pipeline.settings import RenderSettings, plain
from foleyspace_host.pipeline.stage_cache import file_digest
from foleyspace_host.pipeline.stage_key import stage_key
from foleyspace_host.pipeline.stages import Stages
from foleyspace_host.timeline.choose import Choice
from foleyspace_host.timeline.journal import Journal
from foleyspace_host.timeline.kept import Kept
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.model import Piece
from foleyspace_host.timeline.trajectories import shifted

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device

__all__ = ["How", "Part", "part_of", "render_clip"]

_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True)
class How:
    """How all clips of a timeline are rendered.

    Parameters
    ----------
    settings : RenderSettings
        How.
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    """

    settings: RenderSettings
    device: Device = "auto"

    @cached_property
    def told(self) -> dict[str, object]:
        """The settings, as results tell them."""
        return plain(self.settings)

    @cached_property
    def _used_on(self) -> dict[str, dict[str, Any]]:
        return {}

    def made_with(self, device: str) -> dict[str, Any]:
        """Return what tells of versions and models, whose files are read once, when they computed on a device."""
        if device not in self._used_on:
            binaural = self.settings.format == "binaural"
            models = [hrtf_used(self.settings.hrtf), *flow_used(self.settings)] if binaural else []
            self._used_on[device] = asdict(made_with(models, device))
        return self._used_on[device]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of its file a clip is rendered from.

    Parameters
    ----------
    span : Span
        The part, with its handles.
    handle_s : Fraction
        How much of the rendering comes before the clip [s].
    speed : Fraction
        Seconds of the file in a second of the rendering; from the end of the part on if it is negative.
    """

    span: Span
    handle_s: Fraction
    speed: Fraction = Fraction(1)

    @property
    def duration_s(self) -> Fraction:
        """How long the rendering is [s]."""
        return self.span.duration_s / abs(self.speed)


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
    pace, backwards = abs(piece.speed), piece.speed < 0
    there_s = piece.source_s / pace, (length_s - piece.source_s) / pace  # before and after its first moment
    room_before_s, room_after_s = reversed(there_s) if backwards else there_s
    before_s = max(handles_s, piece.fade_in.before_s if piece.fade_in else Fraction(0))
    after_s = max(handles_s, piece.fade_out.after_s if piece.fade_out else Fraction(0))
    before_s = _frames(max(min(before_s, room_before_s), Fraction(0)), piece.rate)
    after_s = _frames(max(min(after_s, room_after_s - piece.duration_s), Fraction(0)), piece.rate)
    length_there_s = (before_s + piece.duration_s + after_s) * pace
    first_s = piece.source_s + before_s * pace - length_there_s if backwards else piece.source_s - before_s * pace
    return Part(Span(first_s, length_there_s), before_s, piece.speed)


def _frames(time_s: Fraction, rate: Fraction) -> Fraction:
    return floor(time_s * rate) / rate


def render_clip(
    choice: Choice,
    part: Part,
    trajectory: Trajectory,
    how: How,
    journal: Journal,
    *,
    media: str,
    models: list[dict[str, str]],
    kept: Kept,
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
    how : How
        How to render.
    journal : Journal
        Where the rendered sound goes, and what was rendered there earlier.
    media : str
        Digest of its file.
    models : list of dict
        Names and checksums of the models that looked.
    kept : Kept
        Where renderings of other folders are found, and this one is kept.
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
    moved = shifted(trajectory, part.handle_s, part.duration_s)
    files = [how.settings.hrtf, *how.settings.model_files]
    request = stage_key(
        "render",
        media=media,
        span=part.span,
        speed=part.speed,
        trajectory=dumps(moved),
        settings=how.told,
        files=[file_digest(path) for path in files if path is not None],
    )
    request = request.partition("-")[2]
    name = _NAME.sub("-", str(piece.clip.get("name") or "clip"))[:40].strip("-") or "clip"
    sound = journal.folder / f"{name}-{request[:16]}.wav"
    with journal.making(request):
        told = journal.find(request, sound)
        reused = told is not None
        if told is None and (told := kept.take(request, sound)) is not None:
            reused = True
            journal.add(request, sound, piece.path, told)
        if told is None:
            told = _rendered(piece.path, part, _as_told(moved), sound, how, Stages(on_progress))
            if kept and journal.is_unchanged(piece.path):
                kept.keep(request, sound, told)
            journal.add(request, sound, piece.path, told)
    shown = {"request": request} | {name: told[name] for name in ("seed", "settings", "provenance")}
    shown |= {"role": "render", "source": piece.name, "placed_by": choice.origin, "looked_with": models}
    shown["trajectory"] = json.loads(dumps(trajectory))
    rendered = Rendered(piece, sound, part.handle_s, int(told["sample_rate_hz"]), int(told["n_samples"]), shown)
    return rendered, reused


def _as_told(trajectory: Trajectory) -> Trajectory:
    """Return a trajectory with the digits that its text has, which the request is made of."""
    sources = tuple(as_written(source) for source in trajectory.sources)
    return Trajectory(seconds_as_written(trajectory.duration_s), sources, trajectory.camera)


def _rendered(dry: Path, part: Part, trajectory: Trajectory, out: Path, how: How, stages: Stages) -> dict[str, Any]:
    """Render a part of a file at its speed, and return what is to be known of it."""
    check_audible(trajectory, "trajectory")
    if part.speed == 1:
        return _placed(dry, part.span, trajectory, out, how, stages)
    from foleyspace_host.media.atomic import scratch_file
    from foleyspace_host.media.retime import write_retimed

    with scratch_file(out, ".wav") as scratch:
        with stages.stage("retime") as report:
            write_retimed(dry, part.span, part.speed, scratch, on_progress=report)
        return _placed(scratch, Span(Fraction(0), part.duration_s), trajectory, out, how, stages)


def _placed(dry: Path, span: Span, trajectory: Trajectory, out: Path, how: How, stages: Stages) -> dict[str, Any]:
    clip, ears = decoded(dry, how.settings, stages, span)
    write_rendered(clip, trajectory, ears, how.settings, out, stages, device=how.device, levels=False)
    return {
        "sample_rate_hz": clip.source.sample_rate_hz,
        "n_samples": clip.n_samples,
        "seed": how.settings.seed,
        "settings": how.told,
        "provenance": how.made_with(stages.device),
        "warnings": stages.warnings,
    }
