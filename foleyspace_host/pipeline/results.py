"""What a finished chain tells: `dataclasses.asdict` of these is what ``--json`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import Literal

from foleyspace_host.geometry.frames import wrap_deg
from foleyspace_host.geometry.trajectory import Source
from foleyspace_host.pipeline.dry import Channels, DryClip, Fit
from foleyspace_host.pipeline.generated import GenerateResult
from foleyspace_host.pipeline.provenance import Provenance

__all__ = [
    "LocalizeResult",
    "RenderResult",
    "SoundUse",
    "SourceSummary",
    "SpatializeResult",
    "sound_use",
    "summarize",
]


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """One source of the trajectory in short.

    Parameters
    ----------
    id, label : str
        Its id and what it is.
    selected : bool
        Whether it sounds.
    confidence : float
        0 to 1.
    basis : {"seen", "edited", "assumed"}
        Whether it was seen in the picture, placed by hand, or assumed for want of either.
    detected_share : float
        Share of the keys that were seen, 0 to 1; the rest is interpolated, off screen or edited.
    azimuth_deg : (float, float)
        Lowest and highest azimuth, left positive [deg].
    distance_m : (float, float)
        Shortest and longest distance [m].
    """

    id: str
    label: str
    selected: bool
    confidence: float
    basis: Literal["seen", "edited", "assumed"]
    detected_share: float
    azimuth_deg: tuple[float, float]
    distance_m: tuple[float, float]


@dataclass(frozen=True, slots=True)
class SoundUse:
    """The sound that was placed, and what was done to it first.

    Parameters
    ----------
    path : str
        Its file.
    n_channels : int
        Its channels.
    channels : {"mono", "spread"}
        Whether they were summed or placed side by side.
    mono_gain_db : float
        Level given to the mean of the channels so that their power is kept [dB]; 0 if they were not summed.
    duration_s : float
        Its own duration [s].
    fit : {"exact", "padded", "cut"}
        What was done at its end to last as long as the clip.
    """

    path: str
    n_channels: int
    channels: Channels
    mono_gain_db: float
    duration_s: float
    fit: Fit


@dataclass(frozen=True, slots=True)
class RenderResult:
    """A rendered sound.

    Parameters
    ----------
    output : str
        The file written.
    codec : str
        How its sound is stored.
    format : str
        What its channels are for, see `OutputFormat`.
    channels : tuple of str
        Names of the channels in their order.
    duration_s : float
        Duration of the sound [s]; n_samples / sample_rate_hz.
    sample_rate_hz, n_samples : int
        Rate [Hz] and length of the sound.
    true_peak_db : float or None
        Highest true peak of the sound in the file [dBTP], of a lossy coding as decoded again; None for silence.
    loudness_lufs : float or None
        Its integrated loudness by ITU-R BS.1770 and EBU R 128 [LUFS]; None for silence or less than 0.4 s.
    gain_db : float
        Level by which the whole was turned down to stay below -1 dBTP, 0 if it was not [dB].
    time_reference : int or None
        Samples since midnight at which the sound starts, in a Broadcast Wave file; None in others.
    sound : SoundUse
        The sound that was placed.
    sources : tuple of SourceSummary
        Where it was placed.
    settings : dict
        The choices the result depends on.
    provenance : Provenance
        Versions and models it was made with.
    times_s : dict of str to float
        How long each stage took, and all of them ("total") [s].
    reused : tuple of str
        The stages whose result was in the cache.
    warnings : tuple of str
        What the user should know, one line each.
    """

    output: str
    codec: str
    format: str
    channels: tuple[str, ...]
    duration_s: float
    sample_rate_hz: int
    n_samples: int
    true_peak_db: float | None
    loudness_lufs: float | None
    gain_db: float
    time_reference: int | None
    sound: SoundUse
    sources: tuple[SourceSummary, ...]
    settings: dict[str, object]
    provenance: Provenance
    times_s: dict[str, float]
    reused: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpatializeResult(RenderResult):
    """A video's sound, rendered to where the picture shows its source.

    Parameters
    ----------
    video : str
        The video.
    trajectory : str or None
        The trajectory file, if one was asked for.
    report : str or None
        The page to correct it on, if one was asked for.
    heard : tuple of str
        The clearest sounds in the video by name, as far as they tell of their source.
    why : str
        Why the selected source is it, in a few words; empty if nothing was seen, or a trajectory was given.
    also_seen : tuple of SourceSummary
        The sources of the trajectory that do not sound.
    generated : GenerateResult or None
        How the sound was made, if it was.
    """

    video: str
    trajectory: str | None
    report: str | None
    heard: tuple[str, ...] = ()
    why: str = ""
    also_seen: tuple[SourceSummary, ...] = ()
    generated: GenerateResult | None = None


@dataclass(frozen=True, slots=True)
class LocalizeResult:
    """A trajectory taken from a video.

    Parameters
    ----------
    output : str
        The trajectory file.
    video : str
        The video.
    duration_s : float
        Duration of the clip [s].
    sources : tuple of SourceSummary
        All that was found; the selected one sounds.
    settings : dict
        The choices the result depends on.
    provenance : Provenance
        Versions and models it was made with.
    times_s : dict of str to float
        How long each stage took, and all of them ("total") [s].
    reused : tuple of str
        The stages whose result was in the cache.
    warnings : tuple of str
        What the user should know, one line each.
    report : str or None
        The page to correct it on, if one was asked for.
    heard : tuple of str
        The clearest sounds in the video by name, as far as they tell of their source.
    why : str
        Why the selected source is it, in a few words; empty if nothing was seen, or a trajectory was given.
    """

    output: str
    video: str
    duration_s: float
    sources: tuple[SourceSummary, ...]
    settings: dict[str, object]
    provenance: Provenance
    times_s: dict[str, float]
    reused: tuple[str, ...]
    warnings: tuple[str, ...]
    report: str | None
    heard: tuple[str, ...] = ()
    why: str = ""


def sound_use(clip: DryClip) -> SoundUse:
    """Return what was done to a sound before it was placed.

    Parameters
    ----------
    clip : DryClip
        The sound.

    Returns
    -------
    SoundUse
    """
    source = clip.source
    return SoundUse(
        path=str(source.path),
        n_channels=source.n_channels,
        channels=clip.channels,
        mono_gain_db=round(20.0 * log10(source.mono_gain), 2) if clip.channels == "mono" else 0.0,
        duration_s=source.n_samples / source.sample_rate_hz,
        fit=clip.fit,
    )


def summarize(source: Source) -> SourceSummary:
    """Return a source in short.

    Parameters
    ----------
    source : Source
        A source of a trajectory.

    Returns
    -------
    SourceSummary
    """
    azimuths = wrap_deg([key.azimuth_deg for key in source.keys])
    distances = [key.distance_m for key in source.keys]
    origins = [key.origin for key in source.keys]
    basis: Literal["seen", "edited", "assumed"] = "edited" if "edited" in origins else "assumed"
    return SourceSummary(
        id=source.id,
        label=source.label,
        selected=source.selected,
        confidence=round(source.confidence, 3),
        basis="seen" if "detected" in origins else basis,
        detected_share=round(origins.count("detected") / len(origins), 3),
        azimuth_deg=(round(float(azimuths.min()), 2), round(float(azimuths.max()), 2)),
        distance_m=(round(min(distances), 2), round(max(distances), 2)),
    )
