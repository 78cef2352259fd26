"""Rendered clips on as few tracks as their overlaps allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from foleyspace_host.timeline.model import Piece

__all__ = ["Rendered", "layers"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A clip that was rendered.

    Parameters
    ----------
    piece : Piece
        The clip.
    path : Path
        The rendered sound.
    handle_s : Fraction
        How much of it lies before the start of the clip [s].
    sample_rate_hz, n_samples : int
        Rate and length of the rendered sound.
    told : dict
        What the timeline tells of it.
    """

    piece: Piece
    path: Path
    handle_s: Fraction
    sample_rate_hz: int
    n_samples: int
    told: dict[str, object]


def layers(rendered: Sequence[Rendered]) -> list[list[Rendered]]:
    """Return the clips in layers without overlap.

    Parameters
    ----------
    rendered : sequence of Rendered
        In any order.

    Returns
    -------
    list of list of Rendered
        Each in order of time. A clip goes where the last one is of its own track, if that is free, else onto the
        first layer that is: what is cross-faded stays together.
    """
    found: list[list[Rendered]] = []
    for one in sorted(rendered, key=lambda item: (item.piece.start_s, item.piece.end_s)):
        free = [layer for layer in found if layer[-1].piece.end_s <= one.piece.start_s]
        own = [layer for layer in free if layer[-1].piece.track == one.piece.track]
        layer = next(iter(own or free), None)
        if layer is None:
            layer = []
            found.append(layer)
        layer.append(one)
    return found
