"""From a dry clip and a trajectory to a file: the stages "render" and "write"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import TrajectoryInvalid
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.pipeline.bed import mixed
from foleyspace_host.pipeline.dry import DryClip
from foleyspace_host.pipeline.settings import RenderSettings
from foleyspace_host.pipeline.stages import OnProgress, Stages
from foleyspace_host.render.channels import channel_angles_deg
from foleyspace_host.render.formats import find_format

if TYPE_CHECKING:
    from foleyspace_host.hrtf.prepare import Hrtf
    from foleyspace_host.media.audio import AudioSource
    from foleyspace_host.media.wav import Broadcast
    from foleyspace_host.media.write import WriteReport

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
        Highest true peak of the sound in the file [dBTP]; None for silence.
    loudness_lufs : float or None
        Its integrated loudness [LUFS]; None for silence or less than 0.4 s.
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
    """
    if settings.format != "binaural":
        return None
    from foleyspace_host.hrtf.prepare import load_hrtf

    return load_hrtf(settings.hrtf, sample_rate_hz)


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

    Returns
    -------
    Written

    Raises
    ------
    OutputUnwritable
        If the output cannot be written; nothing is left behind then, nor after any other error.
    """
    from foleyspace_host.media.atomic import scratch_file
    from foleyspace_host.media.write import write_audio

    rate = clip.source.sample_rate_hz
    output = find_format(settings.format)
    if settings.channels == "spread":
        angles = channel_angles_deg(clip.source.n_channels, settings.channel_angle_deg)
        settings = replace(settings, channel_angles_deg=angles)

    def write(path: Path, subtype: str | None = None, broadcast: Broadcast | None = None) -> WriteReport:
        with stages.stage("render") as report:
            return write_audio(
                path,
                _rendered(clip, trajectory, hrtf, settings, original, report),
                rate,
                output.n_channels,
                channel_mask=output.speaker_mask,
                loudness_weights=output.loudness_weights,
                subtype=subtype,
                broadcast=broadcast,
            )

    if video is None:
        broadcast = _broadcast(clip, settings, out)
        sound = write(out, _SUBTYPES.get(settings.bit_depth or ""), broadcast)
        reference = None if broadcast is None else broadcast.time_reference
        return Written(
            sound.subtype, _rounded(sound.true_peak_db), _rounded(sound.loudness_lufs), sound.gain_db, reference
        )

    from foleyspace_host.media.mux import mux_audio

    with scratch_file(out, ".wav") as rendered:
        write(rendered)
        with stages.stage("write") as report:
            muxed = mux_audio(video, rendered, out, loudness_weights=output.loudness_weights, on_progress=report)
    return Written(muxed.codec, _rounded(muxed.true_peak_db), _rounded(muxed.loudness_lufs), muxed.gain_db)


def _broadcast(clip: DryClip, settings: RenderSettings, out: Path) -> Broadcast | None:
    """Return what a WAV file shall say about its place in time: as asked for, or as the sound itself does."""
    if out.suffix.lower() != ".wav":
        return None
    from foleyspace_host.media.wav import Broadcast, read_broadcast

    own = read_broadcast(clip.source.path)
    if settings.time_reference is None:
        return own
    return replace(own or Broadcast(0), time_reference=settings.time_reference)


def _rendered(
    clip: DryClip,
    trajectory: Trajectory,
    hrtf: Hrtf | None,
    settings: RenderSettings,
    original: AudioSource | None,
    report: OnProgress,
) -> Iterator[NDArray[np.float32]]:
    from foleyspace_host.render.stream import render_stream

    rate = clip.source.sample_rate_hz
    blocks: Iterable[NDArray[np.float32]] = render_stream(
        clip.blocks(), clip.n_samples, rate, trajectory, hrtf, settings
    )
    if settings.bed_db is not None and original is not None:
        from foleyspace_host.render.panning.law import stereo_weights

        weights = stereo_weights(find_format(settings.format))
        blocks = mixed(blocks, original, settings.bed_db, rate, clip.n_samples, weights)
    done = 0
    for block in blocks:
        yield block
        done += block.shape[1]
        report(done, clip.n_samples)


def _rounded(level_db: float | None) -> float | None:
    return round(level_db, 2) if level_db is not None and isfinite(level_db) else None
