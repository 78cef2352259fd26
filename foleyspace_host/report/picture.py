"""How the video comes onto the page: inside it, or beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from foleyspace_host.media.atomic import atomic_output, scratch_file
from foleyspace_host.media.probe import probe

if TYPE_CHECKING:
    from foleyspace_host.media.audio import AudioSource
    from foleyspace_host.media.probe import MediaInfo

__all__ = ["Picture", "beside", "prepare_picture"]

_MOST_BITS_PER_S = 1_000_000
_LEAST_BITS_PER_S = 200_000
_MARGIN = 0.85  # the encoder keeps to its rate only about


@dataclass(frozen=True, slots=True)
class Picture:
    """The video of a page.

    Parameters
    ----------
    kind : {"embedded", "linked", "beside"}
        Whether the proxy is inside the page, the page shows the original file, or a proxy lies beside it.
    data : bytes
        The proxy, if it is inside.
    href : str
        Relative address of the file, if it is not.
    """

    kind: Literal["embedded", "linked", "beside"]
    data: bytes = b""
    href: str = ""


def beside(page: Path) -> Path:
    """Return the name of the proxy of a page, if there has to be one beside it.

    Parameters
    ----------
    page : Path
        The page.

    Returns
    -------
    Path
    """
    return page.with_name(f"{page.stem}.proxy.webm")


def prepare_picture(
    files: ExitStack,
    page: Path,
    video: Path,
    *,
    sound: AudioSource | None,
    embed_mb: float,
    on_progress: Callable[[float], None] | None = None,
) -> Picture:
    """Make what the page shows.

    A proxy that fits into the limit goes into the page, at the best rate that fits. If none does, the page
    links the video where every browser plays it, or else a proxy that is written beside it.

    Parameters
    ----------
    files : ExitStack
        A file beside the page appears when this ends well.
    page : Path
        The page that is made.
    video : Path
        The video.
    sound : AudioSource or None
        Its sound, or another one for a proxy.
    embed_mb : float
        Largest proxy to embed, 0 for none [10^6 bytes].
    on_progress : callable, optional
        Called with the time of the clip that is done [s]; raise Cancelled to stop.

    Returns
    -------
    Picture

    Raises
    ------
    MediaError
        If the video cannot be read.
    OutputUnwritable
        If there is no place for the proxy.
    """
    info = probe(video)
    # with no stated duration the first try has to show it
    rate = _MOST_BITS_PER_S
    if info.duration_s:
        rate = min(_bits_per_s(embed_mb, info.duration_s, with_sound=sound is not None), _MOST_BITS_PER_S)
    if rate >= _LEAST_BITS_PER_S and embed_mb > 0.0:
        with scratch_file(page, ".webm") as scratch:
            _write(info, scratch, rate, sound, on_progress)
            if scratch.stat().st_size <= embed_mb * 1e6:
                return Picture("embedded", data=scratch.read_bytes())
    from foleyspace_host.media.proxy import plays_in_browsers

    if plays_in_browsers(video):
        return Picture("linked", href=_address(video, page))
    _write(info, files.enter_context(atomic_output(beside(page))), _MOST_BITS_PER_S, sound, on_progress)
    return Picture("beside", href=_quoted(beside(page).name))


def _bits_per_s(embed_mb: float, duration_s: Fraction, *, with_sound: bool) -> int:
    from foleyspace_host.media.proxy import AUDIO_BITS_PER_S

    whole = _MARGIN * embed_mb * 8e6 / float(duration_s)
    return int(whole - (AUDIO_BITS_PER_S if with_sound else 0))


def _write(
    info: MediaInfo, out: Path, rate: int, sound: AudioSource | None, on_progress: Callable[[float], None] | None
) -> None:
    from foleyspace_host.media.proxy import proxy_size, write_proxy

    assert info.video is not None  # noqa: S101 - a trajectory with a camera was made from it
    size = proxy_size(info.video.width, info.video.height)
    write_proxy(
        info.path,
        out,
        size=size,
        frame_rate=info.video.frame_rate,
        bits_per_s=rate,
        sound=sound,
        on_progress=on_progress,
    )


def _address(video: Path, page: Path) -> str:
    """Relative, so that page and video can move together; absolute where there is no way (another drive)."""
    try:
        relative = os.path.relpath(video.resolve(), page.resolve().parent)
    except ValueError:
        return video.resolve().as_uri()
    # "./" keeps a colon in the name from being read as a scheme
    return "./" + _quoted(Path(relative).as_posix())


def _quoted(path: str) -> str:
    return PurePosixPath("/", path).as_uri().removeprefix("file:///")
