"""Many pictures through a model that sees a window of them at once, and agrees with itself from one to the next.

The scheme is Video Depth Anything's (Chen and others, 2025): a window begins with pictures of the one before,
its first, one of its middle and its last ones. By the first two the new window's scale and offset are brought to
the old one's; over the last ones it fades in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_WINDOW", "WINDOW", "in_windows"]

Floats = NDArray[np.float32]

WINDOW = 32
"""Pictures that Video Depth Anything was made for."""

LEAST_WINDOW = 8


def in_windows(
    pictures: Iterator[Floats], length: int, run: Callable[[Floats], Floats], *, align: bool
) -> Iterator[Floats]:
    """Yield the answer to each picture of a shot.

    Parameters
    ----------
    pictures : iterator of ndarray
        Pictures of the same shape.
    length : int
        Pictures in a window, 8 or more.
    run : callable
        Returns the answers (length, ...) to a window (length, ...).
    align : bool
        Whether scale and offset of the answers differ from window to window.

    Yields
    ------
    ndarray
        One for each picture, in order.
    """
    fading = length // 4
    again = [0, 3 * length // 8, *range(length - fading, length)]
    left = 0  # real pictures whose answers have not come
    window: Floats | None = None
    tail = np.empty(0, np.float32)
    marks: list[Floats] = []
    while True:
        new = list(islice(pictures, length if window is None else length - len(again)))
        if not new:
            break
        left += len(new)
        old = [] if window is None else [window[index] for index in again]
        window = np.stack(old + new + [new[-1]] * (length - len(old) - len(new)))
        answers = run(window)
        if not old:
            ready = answers[: length - fading]
            marks = [answers[index] for index in again[:2]]
        else:
            if align:
                answers = _brought_to(answers, answers[:2], marks)
            fade = np.linspace(0.0, 1.0, fading, dtype=np.float32).reshape(-1, *[1] * (answers.ndim - 1))
            faded = tail * (1.0 - fade) + answers[2 : 2 + fading] * fade
            ready = np.concatenate([faded, answers[len(again) : length - fading]])
            marks = [marks[0], answers[again[1]]]
        tail = answers[length - fading :]
        yield from ready[:left]
        left -= min(left, len(ready))
    yield from tail[:left]


def _brought_to(answers: Floats, own: Floats, wanted: list[Floats]) -> Floats:
    """Scale and shift answers so that some of them meet what they were before, as nearly as squares can tell."""
    x, y = own.ravel().astype(np.float64), np.stack(wanted).ravel().astype(np.float64)
    spread = float(((x - x.mean()) ** 2).sum())
    scale = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 1e-12 * len(x) else 1.0
    shift = float(y.mean()) - scale * float(x.mean())
    return np.maximum(answers * np.float32(scale) + np.float32(shift), 0.0).astype(np.float32)
