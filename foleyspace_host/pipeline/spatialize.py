"""The main job: a video's sound, rendered to where the picture shows its source."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Unpack

from foleyspace_host.errors import InvalidInput, NoAudio, NoVideo
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG
from foleyspace_host.geometry.timebase import Span, sample_at
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import pieces, read_trajectory
from foleyspace_host.pipeline.dry import DryClip, open_dry, scan
from foleyspace_host.pipeline.localize import chosen, heard_by, located, why
from foleyspace_host.pipeline.outputs import add_text, check_coding, check_format, check_outputs, output_kind
from foleyspace_host.pipeline.provenance import flow_used, hrtf_used, made_with
from foleyspace_host.pipeline.rendering import check_audible, ears_for, write_rendered
from foleyspace_host.pipeline.rendition import Tee
from foleyspace_host.pipeline.report import DEFAULT_EMBED_MB, add_report, report_outputs
from foleyspace_host.pipeline.results import SpatializeResult, sound_use, summarize
from foleyspace_host.pipeline.seeing import what_sees
from foleyspace_host.pipeline.settings import LocalizeSettings, RenderSettings, SoundKeywords, plain
from foleyspace_host.pipeline.stage_cache import StageCache
from foleyspace_host.pipeline.stages import OnStage, Stages
from foleyspace_host.render.formats import find_format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foleyspace_host.geometry.boxes import BoxSizes
    from foleyspace_host.media.audio import AudioSource
    from foleyspace_host.media.probe import MediaInfo
    from foleyspace_host.models.session import Device

__all__ = ["spatialize"]


def spatialize(
    video: str | Path,
    out: str | Path,
    *,
    audio: str | Path | None = None,
    label: str | None = None,
    prompt: str | None = None,
    source: Sequence[str] = (),
    hfov_deg: float = DEFAULT_HFOV_DEG,
    hrtf: str | Path | None = None,
    bed_db: float | None = None,
    trajectory_out: str | Path | None = None,
    keys: str | Path | None = None,
    report: str | Path | None = None,
    report_embed_mb: float = DEFAULT_EMBED_MB,
    detector: str | Path | None = None,
    open_vocabulary: str | Path | None = None,
    depth: str | Path | None = None,
    depth_kind: str | None = None,
    device: Device = "auto",
    span: Span | None = None,
    audio_span: Span | None = None,
    cache: StageCache | None = None,
    tee: Tee | None = None,
    on_progress: OnStage | None = None,
    **options: Unpack[SoundKeywords],
) -> SpatializeResult:
    """Make a video's sound follow the thing on screen; the result is as long as the clip, to the sample.

    Parameters
    ----------
    video : str or Path
        The video.
    out : str or Path
        ``.wav`` (24 bits if ``bit_depth`` is not given) or ``.flac`` for the sound alone; ``.mp4``, ``.m4v``,
        ``.mov`` or ``.mkv`` for the video with its picture copied as it is.
    audio : str or Path, optional
        Sound to place; the video's own if not given. Cut, or padded with silence, to the clip's length.
    label : str, optional
        Class to follow; the most prominent object if not given.
    prompt : str, optional
        Words for the sound; where no label is given, things that they name are taken before others.
    source : sequence of str
        Ids of the sources that shall sound; the likeliest if there are none.
    hfov_deg : float
        Field of view over the longer side of the picture, 1 to 179 [deg].
    hrtf : str or Path, optional
        SOFA file; the shipped KEMAR set if not given.
    bed_db : float, optional
        Keep the video's own sound in stereo under the point source, at this level [dB].
    trajectory_out : str or Path, optional
        Also write the trajectory, as JSON.
    keys : str or Path, optional
        Use this trajectory (JSON or CSV) as it is, instead of localizing.
    report : str or Path, optional
        Also write a page to look at and to correct the trajectory (HTML).
    report_embed_mb : float
        Largest video to put into the page, 0 to 1000 [10^6 bytes]; see `localize_file`.
    detector : str or Path, optional
        ONNX file used instead of the shipped detector.
    open_vocabulary : str or Path, optional
        Model that is told in words what to look for: a file, the name of an added one, or "none"; if not given,
        the one added last where the label is more than the name of a class.
    depth : str or Path, optional
        Depth model: a file, the name of an added one, or "none"; the one added last if not given.
    depth_kind : str, optional
        What the depth model is; as it was added, or told by its inputs and outputs, if not given.
    device : {"auto", "cpu", "cuda"}
        Where models compute, see `open_session`.
    span : Span, optional
        The part of the video to take, sound and picture, as if it had been cut out; times of trajectories count
        from its start. For sound files, not for videos.
    audio_span : Span, optional
        The part of `audio` to place, from the start of the clip on.
    cache : StageCache, optional
        Where earlier results for the same inputs and settings are looked for, and these are kept.
    tee : Tee, optional
        Gets what is rendered as well, while it is being rendered.
    on_progress : callable, optional
        Called as (stage, done, total) with the stages "decode", "localize", "report", "render" and
        "write"; raises Cancelled to stop.
    **options
        How to render, and which sound to make of it: see `RenderSettings`.

    Returns
    -------
    SpatializeResult

    Raises
    ------
    FoleySpaceError
        NoAudio, NoVideo and other MediaError, NothingFound, TrajectoryInvalid, HrtfInvalid, ModelUnavailable,
        OutputUnwritable, InvalidInput; nothing is written then.
    """
    start = perf_counter()
    video, out = Path(video), Path(out)
    audio, keys, trajectory_out, page = _path(audio), _path(keys), _path(trajectory_out), _path(report)
    localizing = LocalizeSettings.of(
        label=label,
        hfov_deg=hfov_deg,
        detector=detector,
        prompt=prompt,
        source=source,
        depth=depth,
        depth_kind=depth_kind,
        open_vocabulary=open_vocabulary,
    )
    rendering = RenderSettings(hrtf=_path(hrtf), bed_db=bed_db, **options)
    if rendering.bit_depth is None and out.suffix.lower() == ".wav":
        rendering = replace(rendering, bit_depth="24")  # the sound of a clip is played as it is, and must not clip
    with_picture = output_kind(out) == "video"
    looks = None if keys is not None else what_sees(localizing)
    inputs = [video, audio, keys, rendering.hrtf, *rendering.model_files, localizing.detector]
    inputs += () if looks is None else looks.files
    check_format(rendering.format, out)
    check_coding(out, rendering.bit_depth, rendering.time_reference)
    check_outputs([out, trajectory_out, *report_outputs(page, report_embed_mb)], inputs)
    if span is not None and (with_picture or page is not None):
        what = "a video" if with_picture else "a report"
        raise InvalidInput(
            f"{what} is made of whole clips alone, not of a part",
            where=str(out if with_picture else page),
            cure="write a .wav or .flac file without a report, or leave out the span",
        )
    if audio_span is not None and audio is None:
        raise InvalidInput("there is no sound of its own for this span", where="span", cure="give audio, or only span")
    if keys is not None and label is not None:
        raise InvalidInput("a given trajectory leaves nothing to look for", where="label", cure="give label or keys")

    # whatever can be refused at once is, before the long stages
    trajectory = None if keys is None else read_trajectory(keys)
    if trajectory is not None:
        trajectory = chosen(trajectory, localizing.source, str(keys))
        check_audible(trajectory, str(keys))
    stages = Stages(on_progress, cache)
    with stages.stage("decode") as on_decoded:
        info, sound, original = _opened(video, audio, span, audio_span, bed=bed_db is not None)
        ears = ears_for(rendering, sound.sample_rate_hz)
        scan(sound, stages, on_decoded)
    models = [] if ears is None else [hrtf_used(rendering.hrtf), *flow_used(rendering)]
    sizes: Mapping[str, BoxSizes] = {}
    heard: tuple[str, ...] = ()
    because = ""
    if trajectory is None:
        looks = looks or what_sees(localizing)
        found = located(video, localizing, looks, stages, device=device, span=span)
        trajectory, sizes, heard = chosen(found.trajectory, localizing.source, str(video)), found.sizes, found.heard
        because = why(found, localizing)
        models += [*looks.used, *heard_by(found)]
    if span is None:
        duration_s = info.duration_s or _unstated_duration_s(sound, audio, trajectory)
        n_samples = max(1, sample_at(duration_s, sound.sample_rate_hz))
    else:
        first, stop = span.samples(sound.sample_rate_hz)
        n_samples = stop - first
    clip = DryClip(sound, n_samples, rendering.channels)
    with ExitStack() as files:
        if trajectory_out is not None:
            add_text(files, trajectory_out, pieces(trajectory))
        if page is not None:
            add_report(
                files,
                page,
                video,
                trajectory,
                stages,
                sizes=sizes,
                out=trajectory_out or keys,
                sound=audio,
                embed_mb=report_embed_mb,
            )
        written = write_rendered(
            clip,
            trajectory,
            ears,
            rendering,
            out,
            stages,
            video=video if with_picture else None,
            original=original,
            tee=tee,
            device=device,
        )
    return SpatializeResult(
        output=str(out),
        codec=written.codec,
        format=rendering.format,
        channels=find_format(rendering.format).channels,
        duration_s=clip.n_samples / sound.sample_rate_hz,
        sample_rate_hz=sound.sample_rate_hz,
        n_samples=clip.n_samples,
        true_peak_db=written.true_peak_db,
        loudness_lufs=written.loudness_lufs,
        gain_db=written.gain_db,
        time_reference=written.time_reference,
        sound=sound_use(clip),
        sources=tuple(summarize(s) for s in trajectory.selected),
        settings=plain(localizing, rendering) | {"keys": None if keys is None else str(keys)},
        provenance=made_with(models, stages.device),
        times_s=stages.times_s | {"total": round(perf_counter() - start, 3)},
        reused=tuple(stages.reused),
        warnings=tuple(stages.warnings),
        video=str(video),
        trajectory=None if trajectory_out is None else str(trajectory_out),
        report=None if page is None else str(page),
        heard=heard,
        why=because,
        also_seen=tuple(summarize(s) for s in trajectory.sources if not s.selected),
    )


def _opened(
    video: Path, audio: Path | None, span: Span | None, audio_span: Span | None, *, bed: bool
) -> tuple[MediaInfo, AudioSource, AudioSource | None]:
    """Return what the video holds, the sound to place, and the sound of the bed."""
    from foleyspace_host.media.audio import open_audio
    from foleyspace_host.media.probe import probe
    from foleyspace_host.pipeline.bed import stereo_matrix

    info = probe(video)
    if info.video is None:
        raise NoVideo(
            "holds sound but no picture",
            where=str(video),
            cure="give a video, or place a sound with `foleyspace render SOUND --trajectory FILE`",
        )
    if info.audio is None and audio is None:
        raise NoAudio("the video has no sound", where=str(video), cure="add one with --audio DRY.wav")
    if info.audio is None and bed:
        raise NoAudio("the video has no sound to keep as a bed", where=str(video), cure="leave out --bed")
    source = open_dry(video, span) if audio is None else open_dry(audio, audio_span)
    original = None
    if bed:
        original = source if audio is None else open_audio(video, span)
        stereo_matrix(original.n_channels, str(video))
    return info, source, original


def _unstated_duration_s(source: AudioSource, audio: Path | None, trajectory: Trajectory) -> Fraction:
    """Return the duration of a clip whose file does not state it."""
    if audio is None:
        return Fraction(source.n_samples, source.sample_rate_hz)
    return Fraction(trajectory.duration_s)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
