"""What the rendering of a timeline tells: `dataclasses.asdict` of these is what ``--json`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from foleyspace_host.pipeline.provenance import Provenance
from foleyspace_host.timeline.choose import Choice

__all__ = ["ClipResult", "MixLevels", "TimelineResult", "clip_result"]

Action = Literal["render", "reuse", "skip"]


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What became, or would become, of a clip of sound.

    Parameters
    ----------
    name, track : str
        Its names from the track on, and its track.
    start_s, duration_s : float
        Where it is in the timeline [s].
    media : str or None
        Its file.
    source_s : float
        Where it starts in its file [s].
    action : {"render", "reuse", "skip"}
        Whether it was rendered, was there from an earlier time, or is left as it is.
    reason : str
        Why it is left as it is.
    placed_by : str
        "metadata", "marker" or "picture"; empty if it is left as it is.
    pictures : tuple of str
        The clips of video that place it.
    notes : tuple of str
        What the user should know of it.
    output : str or None
        The rendered sound.
    prompt, engine : str
        The words of a sound that a marker wishes for, and what made it; empty for clips.
    """

    name: str
    track: str
    start_s: float
    duration_s: float
    media: str | None
    source_s: float
    action: Action
    reason: str
    placed_by: str
    pictures: tuple[str, ...]
    notes: tuple[str, ...]
    output: str | None = None
    prompt: str = ""
    engine: str = ""


@dataclass(frozen=True, slots=True)
class MixLevels:
    """How loud a mix is.

    Parameters
    ----------
    true_peak_db : float or None
        Its highest true peak [dBTP]; None for silence.
    loudness_lufs : float or None
        Its integrated loudness [LUFS]; None for silence, or less than 0.4 s.
    gain_db : float
        Level by which the whole was turned down to stay below -1 dBTP, 0 if it was not [dB].
    """

    true_peak_db: float | None
    loudness_lufs: float | None
    gain_db: float


@dataclass(frozen=True, slots=True)
class TimelineResult:
    """A timeline whose sounds were placed, or would be.

    Parameters
    ----------
    timeline : str
        What was read.
    output, mixdown, adm : str or None
        The timeline, the mix and the ADM file that were written.
    mix : MixLevels or None
        How loud the mix is.
    duration_s : float
        How long it is [s].
    clips : tuple of ClipResult
        All clips of sound.
    rendered, reused, skipped : int
        How many of them were rendered, were there already, and are left as they are.
    settings : dict
        The choices that the result depends on.
    provenance : Provenance
        Versions it was made with; those of a clip are in its metadata.
    times_s : dict of str to float
        How long each stage took, and all of them ("total") [s].
    warnings : tuple of str
        What the user should know, one line each.
    """

    timeline: str
    output: str | None
    mixdown: str | None
    adm: str | None
    mix: MixLevels | None
    duration_s: float
    clips: tuple[ClipResult, ...]
    rendered: int
    reused: int
    skipped: int
    settings: dict[str, object]
    provenance: Provenance
    times_s: dict[str, float]
    warnings: tuple[str, ...]


def clip_result(
    choice: Choice,
    *,
    reason: str = "",
    output: str | None = None,
    reused: bool = False,
    notes: tuple[str, ...] = (),
    engine: str = "",
) -> ClipResult:
    """Return what became of a clip.

    Parameters
    ----------
    choice : Choice
        The clip.
    reason : str
        Why it could not be rendered after all.
    output : str, optional
        The rendered sound.
    reused : bool
        Whether that was there before.
    notes : tuple of str
        What is to be told beside what is known of the piece.
    engine : str
        What made its sound, where a marker wishes for it.

    Returns
    -------
    ClipResult
    """
    piece = choice.piece
    reason = reason or choice.reason
    action: Action = "skip" if reason else "reuse" if reused else "render"
    return ClipResult(
        name=piece.name,
        track=piece.track,
        start_s=float(piece.start_s),
        duration_s=float(piece.duration_s),
        media=None if piece.path is None else str(piece.path),
        source_s=float(piece.source_s),
        action=action,
        reason=reason,
        placed_by="" if reason else choice.origin,
        pictures=tuple(dict.fromkeys(part.picture.name for part in choice.pictures)),
        notes=() if reason else (*piece.notes, *notes),
        output=output,
        prompt="" if piece.wish is None else piece.wish.prompt,
        engine=engine,
    )
