"""From words, and from a video where there is one, to a mono sound file that goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from foleyspace_host.errors import InvalidInput, NothingFound, NoVideo
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG
from foleyspace_host.pipeline.generated import GenerateResult
from foleyspace_host.pipeline.localize import chosen, heard_by, located
from foleyspace_host.pipeline.outputs import add_text, check_coding, check_outputs, output_kind
from foleyspace_host.pipeline.provenance import ModelUse, made_with
from foleyspace_host.pipeline.seeing import what_sees
from foleyspace_host.pipeline.settings import LocalizeSettings
from foleyspace_host.pipeline.sounds import RATE_HZ, Made, make_sounds, takes_of
from foleyspace_host.pipeline.stages import OnStage, Stages

if TYPE_CHECKING:
    from foleyspace_host.generate.engine import Engine
    from foleyspace_host.generate.envelope import Envelope
    from foleyspace_host.generate.events import Course
    from foleyspace_host.generate.request import Quality
    from foleyspace_host.geometry.timebase import Span
    from foleyspace_host.localize.found import Found
    from foleyspace_host.media.write import WriteReport
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.settings import BitDepth
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["generate_file", "ready", "seen_courses"]

_DEFAULT_S = 5.0
_BLOCK = 1 << 16


def generate_file(
    prompt: str | None,
    out: str | Path,
    *,
    video: str | Path | None = None,
    envelope: str | Path | None = None,
    envelope_out: str | Path | None = None,
    duration_s: Fraction | float | None = None,
    seed: int = 0,
    engine: str | None = None,
    negative: str = "",
    loop: bool = False,
    quality: Quality = "normal",
    label: str | None = None,
    source: Sequence[str] = (),
    hfov_deg: float = DEFAULT_HFOV_DEG,
    detector: str | Path | None = None,
    open_vocabulary: str | Path | None = None,
    depth: str | Path | None = None,
    depth_kind: str | None = None,
    bit_depth: BitDepth | None = None,
    device: Device = "auto",
    span: Span | None = None,
    cache: StageCache | None = None,
    on_progress: OnStage | None = None,
) -> GenerateResult:
    """Make a sound, and write it.

    Parameters
    ----------
    prompt : str or None
        What it should sound like; with a video it may be left out: then what is seen says it.
    out : str or Path
        ``.wav`` (32 bit float unless `bit_depth` is given) or ``.flac``; mono, 48 kHz.
    video : str or Path, optional
        What it should go with.
    envelope : str or Path, optional
        Loudness over time (CSV), instead of what the picture or the kind of sound says.
    envelope_out : str or Path, optional
        Also write the loudness over time that was used.
    duration_s : Fraction or float, optional
        How long it is; as the video or the envelope if not given, else 5 s.
    seed : int
        The same one gives the same sound.
    engine : str, optional
        Name of an engine; the one that ships if not given.
    negative : str
        What it should not sound like.
    loop : bool
        Whether its end leads into its beginning.
    quality : {"draft", "normal", "fine"}
        How much work is put into it.
    label : str, optional
        What in the video it is the sound of.
    source : sequence of str
        Ids of the things in the video that sound; the likeliest if there are none.
    hfov_deg, detector, open_vocabulary, depth, depth_kind
        How the video is looked at, see `localize_file`.
    bit_depth : {"16", "24", "float"}, optional
        Coding of the samples.
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    span : Span, optional
        The part of the video that is meant.
    cache : StageCache, optional
        Where what was localized before is looked for.
    on_progress : callable, optional
        Called as (stage, done, total) with the stages "localize", "watch", "generate" and "write".

    Returns
    -------
    GenerateResult

    Raises
    ------
    FoleySpaceError
        InvalidInput, MediaError, ModelUnavailable, NothingFound, OutputUnwritable; nothing is written then.
    """
    from foleyspace_host.generate.engine import DEFAULT, engine_entry, licence_of
    from foleyspace_host.generate.envelope import read_envelope
    from foleyspace_host.generate.setup import read_setup

    start = perf_counter()
    out, video, drawn = Path(out), _path(video), _path(envelope)
    curve_out = _path(envelope_out)
    if output_kind(out) != "sound":
        raise InvalidInput("a generated sound is no video", where=str(out), cure="end the name with .wav or .flac")
    check_coding(out, bit_depth, None)
    check_outputs([out, curve_out], [video, drawn])
    prompt = (prompt or "").strip() or None
    if prompt is None and video is None:
        raise InvalidInput(
            "the prompt is empty", where="prompt", cure="say what sounds, for example: footsteps on gravel"
        )
    entry = engine_entry(engine or DEFAULT)
    curve = None if drawn is None else read_envelope(drawn)
    length_s = _length_s(duration_s, video, span, curve)
    made_by = ready(entry.name, device, prompt, length_s, seed, quality)
    stages = Stages(on_progress, cache)
    models: list[ModelUse] = []
    seen: tuple[Course, ...] = ()
    if video is not None and (prompt is None or curve is None):
        looking = LocalizeSettings.of(
            label=label,
            hfov_deg=hfov_deg,
            detector=detector,
            prompt=prompt,
            source=source,
            depth=depth,
            depth_kind=depth_kind,
            open_vocabulary=open_vocabulary,
        )
        looks = what_sees(looking)
        found = located(video, looking, looks, stages, device=device, span=span)
        models += [*looks.used, *heard_by(found)]
        seen = seen_courses(video, found, looking, prompt=prompt, seed=seed, span=span, stages=stages)
    takes = takes_of(seen, prompt, curve, length_s, seed=seed)
    made = make_sounds(
        made_by,
        takes,
        length_s,
        stages,
        negative=negative,
        loop=loop,
        quality=quality,
        video=video,
        span=span,
        scratch=out.parent,
    )
    stages.warnings += made.warnings
    written = _written(made, out, bit_depth, stages, curve_out)
    return GenerateResult(
        output=str(out),
        codec=written.subtype.lower(),
        duration_s=len(made.sound) / RATE_HZ,
        sample_rate_hz=RATE_HZ,
        n_samples=len(made.sound),
        true_peak_db=written.true_peak_db if isfinite(written.true_peak_db) else None,
        loudness_lufs=written.loudness_lufs,
        gain_db=written.gain_db,
        engine=entry.name,
        licence=licence_of(entry),
        licence_accepted=read_setup(entry.name).accepted_on or None,
        sounds=made.sounds,
        envelope=None if curve_out is None else str(curve_out),
        video=None if video is None else str(video),
        settings={
            "prompt": prompt,
            "seed": seed,
            "negative": negative,
            "loop": loop,
            "quality": quality,
            "label": label,
            "source": list(source),
            "envelope": None if drawn is None else str(drawn),
            "bit_depth": bit_depth,
        },
        provenance=made_with([*made.weights, *models], made_by.device),
        times_s=stages.times_s | {"total": round(perf_counter() - start, 3)},
        reused=tuple(stages.reused),
        warnings=tuple(stages.warnings),
    )


def seen_courses(
    video: Path,
    found: Found,
    looking: LocalizeSettings,
    *,
    prompt: str | None,
    seed: int,
    span: Span | None,
    stages: Stages,
) -> tuple[Course, ...]:
    """Run the stage "watch": find out when what was localized sounds.

    Raises
    ------
    NothingFound
        If there is no prompt, and nothing is seen of which it is known how it sounds.
    """
    from foleyspace_host.generate.events import courses

    trajectory = chosen(found.trajectory, looking.source, str(video))
    with stages.stage("watch") as report:
        seen = courses(video, trajectory, found.sizes, prompt=prompt, seed=seed, span=span, on_progress=report)
    if not seen and prompt is None:
        names = ", ".join(dict.fromkeys(one.label or one.id for one in trajectory.selected))
        raise NothingFound(
            f"it is not known what {names} sounds like", where=str(video), cure="say it with --prompt, or name --label"
        )
    return seen


def _length_s(
    duration_s: Fraction | float | None, video: Path | None, span: Span | None, curve: Envelope | None
) -> Fraction | float:
    if duration_s is not None:
        return duration_s
    if span is not None:
        return span.duration_s
    if video is not None:
        from foleyspace_host.media.probe import probe

        info = probe(video)
        if info.video is None:
            raise NoVideo("holds no picture", where=str(video), cure="leave out the video, or give another")
        if info.duration_s:
            return info.duration_s
        raise InvalidInput("does not say how long it is", where=str(video), cure="give --duration")
    return _DEFAULT_S if curve is None else max(float(curve.t_s[-1]), 0.05)


def ready(
    name: str, device: Device, prompt: str | None, length_s: Fraction | float, seed: int, quality: Quality
) -> Engine:
    """Return an engine; whatever can be refused at once is, before the long stages.

    Parameters
    ----------
    name : str
        The engine.
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    prompt : str or None
        What the user said; None to take what is seen.
    length_s : Fraction or float
        How long the sound will be [s].
    seed : int
        Of its noise.
    quality : {"draft", "normal", "fine"}
        How much work is put into it.

    Returns
    -------
    Engine

    Raises
    ------
    FoleySpaceError
        InvalidInput for what cannot be made, ModelUnavailable if the engine cannot be used.
    """
    from foleyspace_host.generate.engine import open_engine
    from foleyspace_host.generate.request import GenerateRequest

    GenerateRequest(prompt or "what is seen", length_s, seed, quality=quality)
    if name == "foley" and prompt is not None:
        from foleyspace_host.generate.classes import classes_in

        classes_in(prompt)
    return open_engine(name, device)


def _written(made: Made, out: Path, bit_depth: BitDepth | None, stages: Stages, curve_out: Path | None) -> WriteReport:
    """Run the stage "write"."""
    from foleyspace_host.generate.envelope import rows_of
    from foleyspace_host.media.write import write_audio

    subtype = None if bit_depth is None else {"float": "FLOAT", "24": "PCM_24", "16": "PCM_16"}[bit_depth]
    # added to nothing, so that no zero is negative: silence has the same bytes whatever it comes from
    blocks = (made.sound[at : at + _BLOCK][None] + 0.0 for at in range(0, len(made.sound), _BLOCK))
    with ExitStack() as files, stages.stage("write") as report:
        if curve_out is not None:
            add_text(files, curve_out, rows_of(made.envelope))
        return write_audio(out, blocks, RATE_HZ, 1, subtype=subtype, on_progress=report)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
