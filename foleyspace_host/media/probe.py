"""What a sound or video file holds, without decoding it to the end."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from foleyspace_host.errors import MediaDamaged, MediaEmpty
from foleyspace_host.media.truncation import check_complete

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["AudioStream", "MediaInfo", "VideoStream", "probe"]


@dataclass(frozen=True)
class VideoStream:
    """The picture of a file, as a player shows it.

    Attributes
    ----------
    width, height : int
        Display size [pixels]: after rotation, with square pixels.
    rotation_deg : int
        How far the stored picture is turned anticlockwise for display: 0, 90, 180 or 270.
    sample_aspect : Fraction
        Width over height of a stored pixel.
    frame_rate : Fraction or None
        Mean frames per second; None when the file does not say.
    start_s : Fraction
        Time of the first frame after time zero of the file [s].
    duration_s : Fraction
        Length [s]; 0 when the file does not say.
    codec : str
        Name of the coding.
    """

    width: int
    height: int
    rotation_deg: int
    sample_aspect: Fraction
    frame_rate: Fraction | None
    start_s: Fraction
    duration_s: Fraction
    codec: str


@dataclass(frozen=True)
class AudioStream:
    """The sound of a file.

    Attributes
    ----------
    sample_rate_hz : int
        Sampling rate [Hz].
    n_channels : int
        Number of channels.
    n_samples : int or None
        Samples per channel where the header is exact (sound files), None where only decoding tells
        (`foleyspace_host.media.audio.AudioSource.n_samples`).
    start_s : Fraction
        Time of the first sample after time zero of the file [s].
    codec : str
        Name of the coding.
    """

    sample_rate_hz: int
    n_channels: int
    n_samples: int | None
    start_s: Fraction
    codec: str


@dataclass(frozen=True)
class MediaInfo:
    """What a file holds.

    Attributes
    ----------
    path : Path
        The file.
    kind : {"audio", "video"}
        "video" when there is a moving picture.
    duration_s : Fraction
        Time from zero to the end of the longest stream [s]; 0 when the file does not say.
    video : VideoStream or None
        The picture that players show.
    audio : AudioStream or None
        The sound that players play.
    """

    path: Path
    kind: Literal["audio", "video"]
    duration_s: Fraction
    video: VideoStream | None
    audio: AudioStream | None


def probe(path: str | Path) -> MediaInfo:
    """Find out what a sound or video file holds.

    Parameters
    ----------
    path : str or Path
        The file. The first picture and the first piece of sound are decoded.

    Returns
    -------
    MediaInfo
        Streams and times; time zero is the earliest start of sound and picture.

    Raises
    ------
    MediaMissing
        There is no such file.
    MediaEmpty
        The file holds no bytes, or a picture stream without a picture.
    MediaDamaged
        The file is cut off, damaged, or holds neither sound nor picture.
    """
    from foleyspace_host.media.sound_file import SoundFileReader, is_sound_file

    path = Path(path)
    if is_sound_file(check_complete(path)):
        try:
            reader = SoundFileReader(path)
        except MediaDamaged:
            return _probe_container(path)
        audio = AudioStream(reader.sample_rate_hz, reader.n_channels, reader.n_samples, Fraction(0), reader.codec)
        duration_s = Fraction(reader.n_samples, reader.sample_rate_hz)
        return MediaInfo(path, "audio", duration_s, None, audio)
    return _probe_container(path)


def _probe_container(path: Path) -> MediaInfo:
    import av

    from foleyspace_host.media.container import (
        audio_stream,
        codec_name,
        open_container,
        origin_s,
        stream_duration_s,
        stream_start_s,
        video_stream,
    )

    with open_container(path) as container:
        origin = origin_s(container)
        picture, sound = video_stream(container), audio_stream(container)
        end_s = Fraction(0)
        if container.duration is not None:
            start = Fraction(container.start_time or 0, av.time_base)
            end_s = start + Fraction(container.duration, av.time_base) - origin
        lengths = [
            stream_start_s(s) - origin + duration
            for s in (picture, sound)
            if s is not None and (duration := stream_duration_s(s)) is not None
        ]
        # the streams' own lengths are finer than the container's microseconds
        end_s = max(lengths, default=end_s)
        audio = None
        if sound is not None:
            codec = sound.codec_context
            start_s = stream_start_s(sound) - origin
            audio = AudioStream(codec.sample_rate, codec.layout.nb_channels, None, start_s, codec_name(sound))
        video = None if picture is None else _picture(container, path, origin, end_s)
    if video is None and audio is None:
        raise MediaDamaged(
            "the file holds neither sound nor picture", where=str(path), cure="name a sound or video file"
        )
    return MediaInfo(path, "audio" if video is None else "video", end_s, video, audio)


def _picture(container: InputContainer, path: Path, origin: Fraction, end_s: Fraction) -> VideoStream:
    from foleyspace_host.media.container import codec_name, stream_duration_s, stream_start_s, video_stream
    from foleyspace_host.media.display import display_geometry
    from foleyspace_host.media.video import decoded

    stream = video_stream(container)
    assert stream is not None  # noqa: S101 - checked by the caller
    frame = next(decoded(container, stream, path), None)
    if frame is None:
        raise MediaEmpty("the file has a video stream with no frames in it", where=str(path), cure="export it again")
    geometry = display_geometry(frame, stream)
    start_s = stream_start_s(stream) - origin
    duration_s = stream_duration_s(stream)
    return VideoStream(
        width=geometry.width,
        height=geometry.height,
        rotation_deg=geometry.rotation_deg,
        sample_aspect=geometry.sample_aspect,
        frame_rate=stream.average_rate or stream.guessed_rate,
        start_s=start_s,
        duration_s=max(Fraction(0), end_s - start_s) if duration_s is None else duration_s,
        codec=codec_name(stream),
    )
