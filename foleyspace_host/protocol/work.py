"""What a job is and works on: the parts of ``job.submit``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from foleyspace_host.protocol.limits import MAX_BUFFER_BYTES, MAX_BUFFERS
from foleyspace_host.protocol.scalars import Body, Count, Denominator, Digest, FileStem, Line, Numerator, Path, Word

__all__ = [
    "AudioInput",
    "BufferSpec",
    "GenerateJob",
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


class BufferSpec(Body, frozen=True, kw_only=True):
    """What one of the raw frames behind the body holds."""

    dtype: Literal["f32le", "json"]  # samples, channel after channel; or UTF-8 text
    n_bytes: Annotated[int, Meta(ge=0, le=MAX_BUFFER_BYTES)]
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

    start: tuple[Numerator, Denominator]
    duration: tuple[Numerator, Denominator]


class AudioInput(Body, frozen=True, kw_only=True):
    """A sound: either a file or buffers that follow each other in time."""

    path: Path | None = None
    buffers: Annotated[list[Annotated[int, Meta(ge=0, lt=MAX_BUFFERS)]], Meta(max_length=MAX_BUFFERS)] | None = None
    rate_hz: Annotated[int, Meta(ge=8_000, le=192_000)] | None = None  # of buffers
    span: Span | None = None  # of a file


class VideoInput(Body, frozen=True, kw_only=True):
    """A video file, or a part of it."""

    path: Path
    span: Span | None = None


class TrajectoryInput(Body, frozen=True, kw_only=True):
    """A trajectory: exactly one of a file, a buffer of JSON, or the document itself (see ``trajectory``)."""

    path: Path | None = None
    buffer: Annotated[int, Meta(ge=0, lt=MAX_BUFFERS)] | None = None
    inline: Annotated[dict[str, Any], Meta(extra_json_schema={"$ref": "#/$defs/Trajectory"})] | None = None


class RenderSettings(Body, frozen=True, kw_only=True):
    """How to render; what is left out takes the program's defaults."""

    format: Word | None = None
    renderer: Word | None = None
    distance_gain: Literal["relative", "physical", "none"] | None = None
    propagation: Literal["none", "doppler", "physical"] | None = None
    spread: Annotated[float, Meta(ge=0.0, le=10.0)] | None = None
    extent_deg: Annotated[float, Meta(ge=0.0, le=180.0)] | None = None
    air: bool | Annotated[str, Meta(max_length=64)] | None = None  # or "CELSIUS,HUMIDITY"
    room: Line | None = None  # preset or description, as on the command line; no file
    hrtf: Path | None = None
    channels: Literal["mono", "spread"] | None = None
    channel_angle_deg: Annotated[float, Meta(ge=0.0, le=180.0)] | None = None
    bit_depth: Literal["16", "24", "float"] | None = None
    time_reference: Count | None = None


class LocalizeSettings(Body, frozen=True, kw_only=True):
    """How to find the source."""

    label: Word | None = None
    hfov_deg: Annotated[float, Meta(ge=1.0, le=179.0)] | None = None


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

    video: VideoInput
    settings: LocalizeSettings = LocalizeSettings()
    output: Output = Output()


class RenderJob(_Job, frozen=True, kw_only=True, tag="render"):
    """Place a sound along a trajectory: makes a sound."""

    audio: AudioInput
    trajectory: TrajectoryInput
    settings: RenderSettings = RenderSettings()
    output: Output = Output()


class SpatializeJob(_Job, frozen=True, kw_only=True, tag="spatialize"):
    """Make a video's sound follow the thing on screen: makes a sound or a video, and the trajectory."""

    video: VideoInput
    audio: AudioInput | None = None
    trajectory: TrajectoryInput | None = None
    bed_db: Annotated[float, Meta(ge=-120.0, le=24.0)] | None = None
    localize: LocalizeSettings = LocalizeSettings()
    settings: RenderSettings = RenderSettings()
    output: Output = Output()


class GenerateJob(_Job, frozen=True, kw_only=True, tag="generate"):
    """Make a sound from words, and a video where there is one."""

    prompt: Annotated[str, Meta(max_length=1000)] = ""
    duration_s: Annotated[float, Meta(gt=0.0, le=86_400.0)] | None = None
    video: VideoInput | None = None
    engine: Word | None = None
    seed: Count | None = None
    output: Output = Output()


class TimelineJob(_Job, frozen=True, kw_only=True, tag="timeline"):
    """Spatialize the clips of a timeline."""

    timeline: Path
    settings: RenderSettings = RenderSettings()
    output: Output = Output()


Job = LocalizeJob | RenderJob | SpatializeJob | GenerateJob | TimelineJob
