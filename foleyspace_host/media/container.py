"""Opening video and other container files with PyAV, on one time line, with errors that name the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

from foleyspace_host.errors import MediaDamaged
from foleyspace_host.media.truncation import check_complete

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

__all__ = [
    "audio_stream",
    "codec_name",
    "damaged",
    "open_container",
    "origin_s",
    "stream_duration_s",
    "stream_start_s",
    "video_stream",
]

# playlists and scripts, which lead to other files than the one that was named (and perhaps allowed)
_LEADING_ELSEWHERE = {
    *("avisynth", "concat", "dash", "hls", "image2", "image2pipe", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp"),
    *("vapoursynth", "webm_dash_manifest"),
}
_DEMUXERS = ",".join(sorted(av.formats_available - _LEADING_ELSEWHERE))


def damaged(path: str | Path, error: BaseException | str) -> MediaDamaged:
    """Return the error for a file that cannot be decoded.

    Parameters
    ----------
    path : str or Path
        The file.
    error : BaseException or str
        What the decoder said.

    Returns
    -------
    MediaDamaged
        To be raised by the caller.
    """
    reason = (error.strerror or type(error).__name__) if isinstance(error, FFmpegError) else str(error)
    return MediaDamaged(
        f"the file is damaged or not a sound or video file ({reason})",
        where=str(path),
        cure="play it in a media player to check it, then export or copy it again",
    )


@contextmanager
def open_container(path: str | Path, options: dict[str, str] | None = None) -> Iterator[InputContainer]:
    """Open a media file for reading.

    Parameters
    ----------
    path : str or Path
        A local file.
    options : dict of str to str, optional
        Options of the demuxer.

    Yields
    ------
    InputContainer
        Closed when the block ends; decoder errors inside the block become MediaDamaged.

    Raises
    ------
    MediaMissing
        There is no such file.
    MediaEmpty
        The file holds no bytes.
    MediaDamaged
        The file is cut off, damaged, or not media.
    """
    check_complete(path)
    try:
        # "file:" keeps names such as "10:30.mp4" from being read as an address of another protocol
        with av.open(
            f"file:{Path(path).absolute()}",
            options={"protocol_whitelist": "file", "format_whitelist": _DEMUXERS} | (options or {}),
            metadata_errors="replace",
        ) as container:
            yield container
    except FFmpegError as error:
        raise damaged(path, error) from error


def video_stream(container: InputContainer) -> VideoStream | None:
    """Return the stream that a player would show, or None; cover pictures do not count."""
    moving = [s for s in container.streams.video if not _is_cover(s)]
    if not moving:
        return None
    best = container.streams.best("video")
    return next((s for s in moving if s is best), moving[0])


def audio_stream(container: InputContainer) -> AudioStream | None:
    """Return the stream that a player would play, or None."""
    streams = container.streams.audio
    if not streams:
        return None
    best = container.streams.best("audio")
    return next((s for s in streams if s is best), streams[0])


def codec_name(stream: AudioStream | VideoStream) -> str:
    """Return the name of a stream's coding, whichever library decodes it (``av1``, not ``libdav1d``)."""
    return stream.codec_context.codec.canonical_name


def stream_start_s(stream: Stream) -> Fraction:
    """Return the first presentation time of a stream as the file counts it [s]."""
    if stream.start_time is None or stream.time_base is None:
        return Fraction(0)
    return stream.start_time * stream.time_base


def stream_duration_s(stream: Stream) -> Fraction | None:
    """Return the length of a stream [s] as its header has it, or None."""
    if stream.duration is None or stream.time_base is None or stream.duration <= 0:
        return None
    return stream.duration * stream.time_base


def origin_s(container: InputContainer) -> Fraction:
    """Return time zero of the presentation as the file counts it [s].

    It is the earliest start of the sound and picture streams, as players take it: a transport stream that
    starts at 1.4 s, or a recording cut from the middle of a longer one, begins at zero.
    """
    streams: list[Stream] = [s for s in container.streams.video if not _is_cover(s)]
    streams += container.streams.audio
    starts = [stream_start_s(s) for s in streams if s.start_time is not None]
    return min(starts, default=Fraction(0))


def _is_cover(stream: VideoStream) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)
