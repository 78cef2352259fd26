"""The main job: a video's sound, rendered to where the picture shows its source."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Unpack

from foleyspace_host.errors import InvalidInput, NoAudio, NoVideo
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG
from foleyspace_host.geometry.timebase import sample_at
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import dumps, read_trajectory
from foleyspace_host.pipeline.dry import DryClip, open_dry
from foleyspace_host.pipeline.localize import located
from foleyspace_host.pipeline.outputs import check_coding, check_format, check_outputs, output_kind
from foleyspace_host.pipeline.provenance import detector_used, hrtf_used, made_with
from foleyspace_host.pipeline.rendering import check_audible, ears_for, write_rendered
from foleyspace_host.pipeline.results import SpatializeResult, sound_use, summarize
from foleyspace_host.pipeline.settings import LocalizeSettings, RenderSettings, SoundKeywords, plain
from foleyspace_host.pipeline.stages import OnStage, Stages
from foleyspace_host.render.formats import find_format

if TYPE_CHECKING:
    from foleyspace_host.media.audio import AudioSource
    from foleyspace_host.media.probe import MediaInfo

__all__ = ["spatialize"]


def spatialize(
    video: str | Path,
    out: str | Path,
    *,
    audio: str | Path | None = None,
    label: str | None = None,
    hfov_deg: float = DEFAULT_HFOV_DEG,
    hrtf: str | Path | None = None,
    bed_db: float | None = None,
    trajectory_out: str | Path | None = None,
    keys: str | Path | None = None,
    detector: str | Path | None = None,
    on_progress: OnStage | None = None,
    **options: Unpack[SoundKeywords],
) -> SpatializeResult:
    """Make a video's sound follow the thing on screen; the result is as long as the clip, to the sample.

    Parameters
    ----------
    video : str or Path
        The video.
    out : str or Path
        ``.wav`` or ``.flac`` for the sound alone; ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv`` for the video with
        its picture copied as it is.
    audio : str or Path, optional
        Sound to place; the video's own if not given. Cut, or padded with silence, to the clip's length.
    label : str, optional
        Class to follow; the most prominent object if not given.
    hfov_deg : float
        Field of view over the longer side of the picture, 1 to 179 [deg].
    hrtf : str or Path, optional
        SOFA file; the shipped KEMAR set if not given.
    bed_db : float, optional
        Keep the video's own sound in stereo under the point source, at this level [dB].
    trajectory_out : str or Path, optional
        Also write the trajectory, as JSON.
    keys : str or Path, optional
        Use this trajectory (JSON or CSV) instead of localizing.
    detector : str or Path, optional
        ONNX file used instead of the shipped detector.
    on_progress : callable, optional
        Called as (stage, done, total) with the stages "decode", "localize", "render" and "write"; raises
        Cancelled to stop.
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
    audio, keys, trajectory_out = _path(audio), _path(keys), _path(trajectory_out)
    localizing = LocalizeSettings(label, hfov_deg, _path(detector))
    rendering = RenderSettings(hrtf=_path(hrtf), bed_db=bed_db, **options)
    with_picture = output_kind(out) == "video"
    inputs = [video, audio, keys, rendering.hrtf, localizing.detector]
    check_format(rendering.format, out)
    check_coding(out, rendering.bit_depth, rendering.time_reference)
    check_outputs([out, trajectory_out], inputs)
    if keys is not None and label is not None:
        raise InvalidInput("a given trajectory leaves nothing to look for", where="label", cure="give label or keys")

    # whatever can be refused at once is, before the long stages
    trajectory = None if keys is None else read_trajectory(keys)
    if trajectory is not None:
        check_audible(trajectory, str(keys))
    stages = Stages(on_progress)
    with stages.stage("decode") as report:
        info, source, original = _opened(video, audio, bed=bed_db is not None)
        ears = ears_for(rendering, source.sample_rate_hz)
        source.scan(report)
    models = [] if ears is None else [hrtf_used(rendering.hrtf)]
    if trajectory is None:
        trajectory = located(video, localizing, stages)
        models.append(detector_used(localizing.detector))
    duration_s = info.duration_s or _unstated_duration_s(source, audio, trajectory)
    clip = DryClip(source, max(1, sample_at(duration_s, source.sample_rate_hz)), rendering.channels)
    with ExitStack() as files:
        if trajectory_out is not None:
            _write_beside(files, trajectory_out, trajectory)
        written = write_rendered(
            clip,
            trajectory,
            ears,
            rendering,
            out,
            stages,
            video=video if with_picture else None,
            original=original,
        )
    return SpatializeResult(
        output=str(out),
        codec=written.codec,
        format=rendering.format,
        channels=find_format(rendering.format).channels,
        duration_s=clip.n_samples / source.sample_rate_hz,
        sample_rate_hz=source.sample_rate_hz,
        n_samples=clip.n_samples,
        true_peak_db=written.true_peak_db,
        loudness_lufs=written.loudness_lufs,
        gain_db=written.gain_db,
        time_reference=written.time_reference,
        sound=sound_use(clip),
        sources=tuple(summarize(s) for s in trajectory.selected),
        settings=plain(localizing, rendering) | {"keys": None if keys is None else str(keys)},
        provenance=made_with(models),
        times_s=stages.times_s | {"total": round(perf_counter() - start, 3)},
        video=str(video),
        trajectory=None if trajectory_out is None else str(trajectory_out),
    )


def _opened(video: Path, audio: Path | None, *, bed: bool) -> tuple[MediaInfo, AudioSource, AudioSource | None]:
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
    source = open_dry(video if audio is None else audio)
    original = None
    if bed:
        original = source if audio is None else open_audio(video)
        stereo_matrix(original.n_channels, str(video))
    return info, source, original


def _unstated_duration_s(source: AudioSource, audio: Path | None, trajectory: Trajectory) -> Fraction:
    """Return the duration of a clip whose file does not state it."""
    if audio is None:
        return Fraction(source.n_samples, source.sample_rate_hz)
    return Fraction(trajectory.duration_s)


def _write_beside(files: ExitStack, path: Path, trajectory: Trajectory) -> None:
    """Write a trajectory that takes its place only when the rest has succeeded."""
    from foleyspace_host.media.atomic import atomic_output

    temporary = files.enter_context(atomic_output(path))
    temporary.write_text(dumps(trajectory), encoding="utf-8", newline="\n")


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
