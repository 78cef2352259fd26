"""From a dry clip and a trajectory to a file: the stages "render" and "write"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import TrajectoryInvalid
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.pipeline.dry import BLOCK_SAMPLES, DryClip
from foleyspace_host.pipeline.rendition import Rendition, Tee
from foleyspace_host.pipeline.settings import RenderSettings
from foleyspace_host.pipeline.stages import OnProgress, Stages
from foleyspace_host.render.channels import channel_angles_deg
from foleyspace_host.render.formats import find_format

if TYPE_CHECKING:
    from foleyspace_host.hrtf.prepare import Hrtf
    from foleyspace_host.media.audio import AudioSource
    from foleyspace_host.media.wav import Broadcast
    from foleyspace_host.models.session import Device

__all__ = ["Written", "check_audible", "ears_for", "write_rendered"]


_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}


@dataclass(frozen=True, slots=True)
class Written:
    """What went into the file.

    Parameters
    ----------
    codec : str
        How the sound is stored.
    true_peak_db : float or None
        Highest true peak of the sound in the file [dBTP]; None for silence, or if it was not asked for.
    loudness_lufs : float or None
        Its integrated loudness [LUFS]; None for silence or less than 0.4 s, or if it was not asked for.
    gain_db : float
        Level by which the whole was turned down, 0 if it was not [dB].
    time_reference : int or None
        Samples since midnight at which the sound starts, if the file says so.
    """

    codec: str
    true_peak_db: float | None
    loudness_lufs: float | None
    gain_db: float
    time_reference: int | None = None


def check_audible(trajectory: Trajectory, where: str) -> None:
    """Check that a trajectory has something that sounds.

    Parameters
    ----------
    trajectory : Trajectory
        The trajectory.
    where : str
        What messages call it.

    Raises
    ------
    TrajectoryInvalid
        If no source is selected.
    """
    if not trajectory.selected:
        raise TrajectoryInvalid(
            "no source is selected", where=where, cure='set "selected": true on the source that sounds'
        )


def ears_for(settings: RenderSettings, sample_rate_hz: int) -> Hrtf | None:
    """Load the set of responses that a rendering needs.

    Parameters
    ----------
    settings : RenderSettings
        How to render.
    sample_rate_hz : int
        Rate of the clip [Hz].

    Returns
    -------
    Hrtf or None
        None for formats without ears.

    Raises
    ------
    HrtfInvalid
        If the set cannot be used.
    ModelUnavailable
        If the flow model that is to render with it is not there.
    """
    if settings.format != "binaural":
        return None
    if settings.n_steps:
        from foleyspace_host.diffusion.model import find_flow_model

        find_flow_model(settings.flow_model)  # before the long stages
    from foleyspace_host.hrtf.prepare import load_hrtf

    return load_hrtf(settings.hrtf, settings.hrtf_rate_hz(sample_rate_hz))


def write_rendered(
    clip: DryClip,
    trajectory: Trajectory,
    hrtf: Hrtf | None,
    settings: RenderSettings,
    out: Path,
    stages: Stages,
    *,
    video: Path | None = None,
    original: AudioSource | None = None,
    tee: Tee | None = None,
    device: Device = "auto",
    levels: bool = True,
) -> Written:
    """Render a clip with constant memory and write it as sound, or into a copy of a video.

    Parameters
    ----------
    clip : DryClip
        The sound to place.
    trajectory : Trajectory
        Where its selected sources are.
    hrtf : Hrtf or None
        Set at the clip's sampling rate; None where the format is not binaural.
    settings : RenderSettings
        How to render.
    out : Path
        The file to write.
    stages : Stages
        Where progress goes; the float temporary of a video lies beside `out`.
    video : Path, optional
        The video whose picture is copied; only the sound is written if not given.
    original : AudioSource, optional
        Sound of the bed; needed where `settings` has one.
    tee : Tee, optional
        Gets what is rendered as well.
    device : {"auto", "cpu", "cuda"}
        Where a flow model computes.
    levels : bool
        Whether true peak and loudness are asked for, see `write_audio`.

    Returns
    -------
    Written

    Raises
    ------
    OutputUnwritable
        If the output cannot be written; nothing is left behind then, nor after any other error.
    """
    from foleyspace_host.media.atomic import check_space, scratch_file

    output = find_format(settings.format)
    if settings.channels == "spread":
        angles = channel_angles_deg(clip.source.n_channels, settings.channel_angle_deg)
        settings = replace(settings, channel_angles_deg=angles)
    cache = stages.cache_of("render")
    coding = _Coding(_SUBTYPES.get(settings.bit_depth or ""), _broadcast(clip, settings, out))
    # float WAV files hold what is rendered as it is; others are made of one, in a second step if that is kept
    is_float = video is None and out.suffix.lower() == ".wav" and coding.subtype in (None, "FLOAT")
    one_step = is_float or (video is None and cache is None)
    n_bytes = 4 * output.n_channels * clip.n_samples
    check_space(out, n_bytes if is_float else n_bytes + (n_bytes if video is None else video.stat().st_size))
    rendition = Rendition(clip, trajectory, hrtf, settings, original, device)
    if settings.n_steps:
        from foleyspace_host.models.session import device_expected

        stages.device = device_expected(device)
    if tee is not None:
        tee.begin(clip.source.sample_rate_hz, output.n_channels, clip.n_samples)

    with ExitStack() as files:
        kept = out if one_step and cache is None else files.enter_context(scratch_file(out, ".wav"))
        key = "" if cache is None else rendition.key()
        if cache is not None and cache.fetch(key, kept) is not None:
            stages.reused.append("render")
            if tee is not None:
                for block in _read(kept, clip.n_samples):
                    tee.write(block)
        else:
            with stages.stage("render") as report:
                blocks = rendition.blocks(report, tee)
                if one_step:
                    written = _write(out, blocks, clip, settings, coding, report, levels)
                else:
                    _write(kept, blocks, clip, settings, _Coding(), report)
            if cache is not None and rendition.key() == key:  # the sound may have changed meanwhile
                cache.store(key, out if one_step else kept)
            if one_step:
                return written
        with stages.stage("write") as report:
            if video is None:
                return _write(out, _read(kept, clip.n_samples, report), clip, settings, coding, report)
            from foleyspace_host.media.mux import mux_audio

            muxed = mux_audio(video, kept, out, loudness_weights=output.loudness_weights, on_progress=report)
    return Written(muxed.codec, _rounded(muxed.true_peak_db), _rounded(muxed.loudness_lufs), muxed.gain_db)


@dataclass(frozen=True, slots=True)
class _Coding:
    """How a sound file holds its samples, and what it says about its place in time."""

    subtype: str | None = None
    broadcast: Broadcast | None = None


def _write(
    path: Path,
    blocks: Iterable[NDArray[np.float32]],
    clip: DryClip,
    settings: RenderSettings,
    coding: _Coding,
    report: OnProgress,
    levels: bool = True,
) -> Written:
    from foleyspace_host.media.write import write_audio

    output = find_format(settings.format)
    sound = write_audio(
        path,
        blocks,
        clip.source.sample_rate_hz,
        output.n_channels,
        channel_mask=output.speaker_mask,
        loudness_weights=output.loudness_weights,
        subtype=coding.subtype,
        broadcast=coding.broadcast,
        levels=levels,
        # the second pass of integer files adds nothing to the progress, but the user may cancel in it
        on_progress=lambda *_: report(clip.n_samples, clip.n_samples),
    )
    return Written(
        sound.subtype,
        _rounded(sound.true_peak_db),
        _rounded(sound.loudness_lufs),
        sound.gain_db,
        None if coding.broadcast is None else coding.broadcast.time_reference,
    )


def _read(path: Path, n_samples: int, report: OnProgress | None = None) -> Iterator[NDArray[np.float32]]:
    """Read a rendered sound back, as it was."""
    from foleyspace_host.media.audio import open_audio

    done = 0
    for block in open_audio(path).blocks(BLOCK_SAMPLES):
        yield block
        done += block.shape[1]
        if report is not None:
            report(done, n_samples)


def _broadcast(clip: DryClip, settings: RenderSettings, out: Path) -> Broadcast | None:
    """Return what a WAV file shall say about its place in time: as asked for, or as the sound itself does."""
    if out.suffix.lower() != ".wav":
        return None
    from foleyspace_host.media.wav import Broadcast, read_broadcast

    own = read_broadcast(clip.source.path)
    if settings.time_reference is not None:
        return replace(own or Broadcast(0), time_reference=settings.time_reference)
    if own is not None and clip.source.span is not None:
        first, _ = clip.source.span.samples(clip.source.sample_rate_hz)
        return replace(own, time_reference=own.time_reference + first)
    return own


def _rounded(level_db: float | None) -> float | None:
    return round(level_db, 2) if level_db is not None and isfinite(level_db) else None
