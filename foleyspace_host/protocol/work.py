"""What a job is and works on: the parts of ``job.submit``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from foleyspace_host.protocol.limits import MAX_BUFFER_BYTES, MAX_BUFFERS
from foleyspace_host.protocol.scalars import (
    Body,
    Count,
    Denominator,
    Digest,
    FileStem,
    Id,
    Line,
    Numerator,
    Path,
    Prompt,
    Word,
)

__all__ = [
    "AudioInput",
    "BufferSpec",
    "EnvelopeInput",
    "GenerateJob",
    "GenerateSettings",
    "Job",
    "LocalizeJob",
    "LocalizeSettings",
    "Output",
    "RenderJob",
    "RenderSettings",
    "Span",
    "SpatializeJob",
    "TimelineJob",
    "TrajectoryInput",
    "VideoInput",
]


Names = Annotated[list[Line], Meta(max_length=256)]
BufferNumber = Annotated[int, Meta(ge=0, lt=MAX_BUFFERS)]  # place of a raw frame, from 0


class BufferSpec(Body, frozen=True, kw_only=True):
    """What one of the raw frames behind the body holds."""

    dtype: Literal["f32le", "json"]  # samples, channel after channel; or UTF-8 text
    n_bytes: Annotated[int, Meta(ge=0, le=MAX_BUFFER_BYTES)]  # length of the frame
    blake2b: Digest  # BLAKE2b with 32 bytes
    shape: (
        Annotated[
            tuple[Annotated[int, Meta(ge=1, le=64)], Annotated[int, Meta(ge=0, le=MAX_BUFFER_BYTES // 4)]],
            Meta(description="channels, samples; of f32le"),
        ]
        | None
    ) = None


class Span(Body, frozen=True, kw_only=True):
    """A part of a file, as exact fractions of a second [numerator, denominator]."""

    start: tuple[Numerator, Denominator]  # from the start of the file, in seconds
    duration: tuple[Numerator, Denominator]  # in seconds


class AudioInput(Body, frozen=True, kw_only=True):
    """A sound: either a file or buffers that follow each other in time."""

    path: Path | None = None  # a sound file, or the sound of a video
    buffers: Annotated[list[BufferNumber], Meta(max_length=MAX_BUFFERS)] | None = None  # of `f32le` frames, in order
    rate_hz: Annotated[int, Meta(ge=8_000, le=192_000)] | None = None  # of buffers
    span: Span | None = None  # the part that is meant; all if not given


class VideoInput(Body, frozen=True, kw_only=True):
    """A video file, or a part of it."""

    path: Path  # a video file
    span: Span | None = None  # the part that is meant; all if not given


class TrajectoryInput(Body, frozen=True, kw_only=True):
    """A trajectory: exactly one of a file, a buffer of JSON, or the document itself (see ``trajectory``)."""

    path: Path | None = None  # JSON or CSV
    buffer: BufferNumber | None = None  # number of a `json` frame
    inline: Annotated[dict[str, Any], Meta(extra_json_schema={"$ref": "#/$defs/Trajectory"})] | None = None  # itself


class EnvelopeInput(Body, frozen=True, kw_only=True):
    """Loudness over time."""

    path: Path  # CSV: t_s,level_db[,onset]


class RenderSettings(Body, frozen=True, kw_only=True):
    """How to render; what is left out takes the program's defaults."""

    format: Word | None = None  # binaural, stereo, foa ...: see capabilities
    renderer: Word | None = None  # hrtf, diffusion: see capabilities
    quality: Literal["dsp", "draft", "fine"] | None = None  # evaluations of the diffusion renderer's model: 0, 1, 4
    seed: Count | None = None  # of its noise
    listener: Path | None = None  # JSON of `foleyspace listener fit`: whose ears it renders for
    flow_model: Path | None = None  # ONNX file instead of the shipped flow model
    distance_gain: Literal["relative", "physical", "none"] | None = None  # level over distance
    propagation: Literal["none", "doppler", "physical"] | None = None  # travel time: none, its changes, or all of it
    spread: Annotated[float, Meta(ge=0.0, le=10.0)] | None = None  # factor on azimuths; 1 is true
    extent_deg: Annotated[float, Meta(ge=0.0, le=180.0)] | None = None  # width of every source, instead of its own
    air: bool | Annotated[str, Meta(max_length=64)] | None = None  # or "CELSIUS,HUMIDITY"
    room: Line | None = None  # preset or description, as on the command line; no file
    hrtf: Path | None = None  # SOFA file for other ears than the shipped
    channels: Literal["mono", "spread"] | None = None  # of the sound: summed, or placed side by side
    channel_angle_deg: Annotated[float, Meta(ge=0.0, le=180.0)] | None = None  # of the left channel, if spread
    bit_depth: Literal["16", "24", "float"] | None = None  # of sound files
    time_reference: Count | None = None  # start of a .wav file, in samples since midnight


class LocalizeSettings(Body, frozen=True, kw_only=True):
    """How to find the source; what is left out takes the program's defaults."""

    label: Word | None = None  # what to follow: "car", "steam train"
    prompt: Prompt | None = None  # words for the sound; what they name is followed where there is no label
    source: Annotated[list[Word], Meta(max_length=64)] | None = None  # ids of what shall sound instead of the likeliest
    hfov_deg: Annotated[float, Meta(ge=1.0, le=179.0)] | None = None  # field of view over the longer side
    detector: Path | None = None  # ONNX file instead of the shipped detector
    open_vocabulary: Id | None = None  # added model that looks for any words, or "none": see capabilities
    depth: Id | None = None  # added model for distances, or "none": see capabilities
    depth_kind: Word | None = None  # what it is, where its inputs and outputs do not tell


class GenerateSettings(Body, frozen=True, kw_only=True):
    """How to make a sound; what is left out takes the program's defaults."""

    prompt: Prompt = ""  # what it should sound like; what is seen if empty
    negative: Prompt | None = None  # what it should not sound like
    engine: Word | None = None  # one of capabilities, without "engine:"
    seed: Count | None = None  # the same one gives the same sound
    quality: Literal["draft", "normal", "fine"] | None = None  # how much work is put into it


class Output(Body, frozen=True, kw_only=True):
    """Where results go; the host chooses names that exist not yet."""

    folder: Path | None = None  # inside the roots; the host's own results folder if not given
    stem: FileStem | None = None  # first part of the names
    suffix: Annotated[str, Meta(min_length=2, max_length=6, pattern=r"^\.[a-z0-9]{1,5}\Z")] | None = None  # ".wav" ...


# --- the kinds of jobs ------------------------------------------------------------------------------------------


class _Job(Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """What is to be done."""


class LocalizeJob(_Job, frozen=True, kw_only=True, tag="localize"):
    """Find where the source in a video is: makes a trajectory."""

    video: VideoInput  # where to look
    settings: LocalizeSettings = LocalizeSettings()  # how to look
    output: Output = Output()  # where the trajectory goes


class RenderJob(_Job, frozen=True, kw_only=True, tag="render"):
    """Place a sound along a trajectory: makes a sound."""

    audio: AudioInput  # what sounds
    trajectory: TrajectoryInput  # where it sounds from
    settings: RenderSettings = RenderSettings()  # how to render
    output: Output = Output()  # where the sound goes


class SpatializeJob(_Job, frozen=True, kw_only=True, tag="spatialize"):
    """Make a video's sound follow the thing on screen: makes a sound or a video, and the trajectory."""

    video: VideoInput  # where to look
    audio: AudioInput | None = None  # what sounds; the video's own sound if not given
    trajectory: TrajectoryInput | None = None  # used instead of looking
    generate: GenerateSettings | None = None  # to make the sound that is placed, instead of `audio`
    bed_db: Annotated[float, Meta(ge=-120.0, le=24.0)] | None = None  # to keep the video's own sound, at this level
    localize: LocalizeSettings = LocalizeSettings()  # how to look
    settings: RenderSettings = RenderSettings()  # how to render
    output: Output = Output()  # where the results go


class GenerateJob(_Job, frozen=True, kw_only=True, tag="generate"):
    """Make a sound from words, and a video where there is one."""

    prompt: Prompt = ""  # what it should sound like
    duration_s: Annotated[float, Meta(gt=0.0, le=86_400.0)] | None = None  # the video's if not given
    video: VideoInput | None = None  # what it should fit
    envelope: EnvelopeInput | None = None  # loudness over time, instead of what is seen or usual
    engine: Word | None = None  # one of capabilities, without "engine:"
    seed: Count | None = None  # the same one gives the same sound
    negative: Prompt | None = None  # what it should not sound like
    loop: bool | None = None  # whether its end leads into its beginning
    quality: Literal["draft", "normal", "fine"] | None = None  # how much work is put into it
    label: Word | None = None  # what in the video it is the sound of
    source: Annotated[list[Word], Meta(max_length=64)] | None = None  # ids of what in the video sounds
    output: Output = Output()  # where the sound goes


class TimelineJob(_Job, frozen=True, kw_only=True, tag="timeline"):
    """Spatialize the clips of a timeline."""

    timeline: Path  # an OTIO file
    timeline_name: Line | None = None  # which timeline of a file with several: its name, or its number from 1 on
    rate_hz: Annotated[float, Meta(gt=0.0, le=1e7)] | None = None  # frames a second of an EDL, which does not say it
    track: Names | None = None  # only clips of these tracks: A1, or as they are called; * stands for anything
    clip: Names | None = None  # only clips of these names
    marked: bool | None = None  # only clips with a marker of this program
    with_metadata: bool | None = None  # only clips whose metadata hold a trajectory
    keep_sources: bool | None = None  # whether clips that are rendered stay enabled
    handles_s: Annotated[float, Meta(ge=0.0, le=60.0)] | None = None  # more of its file on either side of a clip
    mixdown: Literal[".wav", ".flac"] | None = None  # to make a sound of all that is rendered too
    adm: bool | None = None  # to make a file of the dry sounds and their positions too (ITU-R BS.2076)
    trajectories: bool | None = None  # to make a CSV of every clip's trajectory too
    label: Word | None = None  # what to follow in the pictures
    hfov_deg: Annotated[float, Meta(ge=1.0, le=179.0)] | None = None  # their field of view over the longer side
    engine: Word | None = None  # of sounds that markers wish for: one of capabilities, without "engine:"
    negative: Prompt | None = None  # what these should not sound like
    settings: RenderSettings = RenderSettings()  # how to render
    output: Output = Output()  # where the results go


Job = LocalizeJob | RenderJob | SpatializeJob | GenerateJob | TimelineJob
