"""Clips of one block on a known path before a still background with texture."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

SIDE = 0.12
"""Height of the block, of the picture's."""

Path2D = Callable[[float], tuple[float, float] | None]


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """Write a clip: film(path of the block, seconds, cuts) -> file; None is not there."""
    import av

    def write(place: Path2D, seconds: float = 4.0, rate: int = 25, cuts: tuple[float, ...] = ()) -> Path:
        path = tmp_path / "clip.mp4"
        width, height = 320, 180
        random = np.random.default_rng(0)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=Fraction(rate))
            stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 4_000_000
            backs = [
                np.kron(random.integers(60, 200, (18, 32, 3)), np.ones((10, 10, 1))).astype(np.uint8)
                for _ in range(len(cuts) + 1)
            ]
            for index in range(round(seconds * rate)):
                t_s = index / rate
                image = backs[sum(t_s >= cut for cut in cuts)].copy()
                if (at := place(t_s)) is not None:
                    half = round(SIDE * height / 2)
                    x, y = round(at[0] * width), round(at[1] * height)
                    image[max(y - half, 0) : y + half, max(x - half, 0) : x + half] = (230, 30, 30)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode())
        return path

    return write
