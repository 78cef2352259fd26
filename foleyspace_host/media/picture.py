"""What makes a copied picture the same for players: the coding's four letters, shape and rotation."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import InvalidInput, NoVideo
from foleyspace_host.media.container import codec_name
from foleyspace_host.media.probe import probe

if TYPE_CHECKING:
    from av.video.stream import VideoStream

__all__ = ["check_picture", "codec_tag"]

_MP4_TAGS = {"avc1", "avc3", "hvc1", "hev1", "av01", "vp09", "mp4v"}


def codec_tag(picture: VideoStream, container: str, suffix: str) -> str | None:
    """Return the four letters by which players of MP4 and MOV files choose a decoder.

    Parameters
    ----------
    picture : VideoStream
        The picture that is copied.
    container : str
        FFmpeg's name of the format that it comes from.
    suffix : str
        Suffix of the file that it goes to.

    Returns
    -------
    str or None
        None to leave the choice to FFmpeg.
    """
    if suffix == ".mkv":
        return None
    own = None
    if "mov" in container:
        with contextlib.suppress(UnicodeDecodeError):
            own = picture.codec_context.codec_tag
    if own is not None and (suffix == ".mov" or own in _MP4_TAGS):
        # tells the flavours of ProRes, for example, which the packets do not
        return own
    # FFmpeg's choice, hev1, is what Apple's players refuse
    return "hvc1" if codec_name(picture) == "hevc" else None


def check_picture(video_path: Path, temporary: Path, out_path: Path) -> None:
    """Make sure that a new file shows the picture as the old one does; some formats cannot say all.

    Parameters
    ----------
    video_path, temporary : Path
        The old and the new file.
    out_path : Path
        What the new file will be called, for errors.

    Raises
    ------
    InvalidInput
        If it does not.
    NoVideo
        If one of them has no picture.
    """
    before, after = probe(video_path).video, probe(temporary).video
    if before is None or after is None:
        raise NoVideo("the file has no video stream", where=str(video_path), cure="name a video file")
    shown = [(v.width, v.height, v.rotation_deg, v.sample_aspect) for v in (before, after)]
    if shown[0] != shown[1]:
        raise InvalidInput(
            f"a {out_path.suffix} file cannot keep the picture's shape "
            f"({shown[0][0]}x{shown[0][1]} would become {shown[1][0]}x{shown[1][1]}, or turned)",
            where=str(out_path),
            cure="write a file of the type of the original",
        )
