"""The dry sound of a rendered clip: that of its file, or of a copy at its speed."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from foleyspace_host.geometry.timebase import Span
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.mixdown import Voice

__all__ = ["dry_voice"]


def dry_voice(one: Rendered, out: Path, copies: ExitStack) -> Voice:
    """Return the sound that a clip was rendered from, its channels summed as they were for the rendering.

    Parameters
    ----------
    one : Rendered
        The clip.
    out : Path
        The file that is to be written; copies lie beside it.
    copies : ExitStack
        Until it is left, copies are there.

    Returns
    -------
    Voice

    Raises
    ------
    FoleySpaceError
        If the sound cannot be read, or a copy not be written.
    """
    from foleyspace_host.media.atomic import scratch_file
    from foleyspace_host.media.retime import write_retimed

    piece = one.piece
    assert piece.path is not None  # noqa: S101 - it was rendered
    length_s = Fraction(one.n_samples, one.sample_rate_hz)
    if piece.speed == 1:
        whole = Span(piece.source_s - one.handle_s, length_s)
        return Voice(piece, piece.path, piece.source_s, _mono_gain(piece.path, whole))
    first_s = piece.source_s - one.handle_s * piece.speed
    if piece.speed < 0:  # played from its end on
        first_s += length_s * piece.speed
    copy = copies.enter_context(scratch_file(out, ".wav"))
    write_retimed(piece.path, Span(max(first_s, Fraction(0)), length_s * abs(piece.speed)), piece.speed, copy)
    return Voice(piece, copy, one.handle_s, _mono_gain(copy, Span(Fraction(0), length_s)))


def _mono_gain(path: Path, span: Span) -> float:
    """Return the factor that keeps the power of the channels in their mean."""
    from foleyspace_host.media.audio import open_audio

    source = open_audio(path, span)
    return 1.0 if source.n_channels == 1 else source.mono_gain
