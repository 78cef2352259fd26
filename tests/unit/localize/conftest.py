"""Clips of coloured blocks on a known path, and a detector that finds blocks by their colour."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.localize.see.detect import Detection

RED, BLUE = (220, 40, 40), (40, 40, 220)
GREY = 128

# a block is centre x, centre y, width, height in fractions of the picture, and a colour; None is not there
Block = tuple[float, float, float, float, tuple[int, int, int]]
Scene = Callable[[float], list[Block]]


class ColourDetector:
    """Finds the one red and the one blue block; what they are called is up to the test."""

    def __init__(self, red: str = "car", blue: str = "person", score: float = 0.6) -> None:
        self._named = {RED: red, BLUE: blue}
        self._score = score

    @property
    def names(self) -> tuple[str, ...]:
        return ("person", "car", "horse", "chair", "train")

    def detect(self, image: np.ndarray) -> list[Detection]:
        found = []
        for colour, name in self._named.items():
            hit = (np.abs(image.astype(int) - colour) < 60).all(axis=2)
            rows, columns = np.flatnonzero(hit.any(axis=1)), np.flatnonzero(hit.any(axis=0))
            if hit.sum() > 20:
                height, width = image.shape[:2]
                edges = [
                    columns[0] / width,
                    rows[0] / height,
                    (columns[-1] + 1) / width,
                    (rows[-1] + 1) / height,
                ]
                found.append(Detection(np.array(edges), self._score, {name: self._score}))
        return found


@pytest.fixture
def film(tmp_path) -> Callable[..., Path]:
    """Write a clip: film(scene, seconds, width, height, rate) -> path."""
    import av

    def write(
        scene: Scene,
        seconds: float = 4.0,
        width: int = 320,
        height: int = 180,
        rate: int = 16,
        name: str = "clip.mp4",
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=Fraction(rate))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.bit_rate = 4_000_000
            for index in range(round(seconds * rate)):
                image = np.full((height, width, 3), GREY, np.uint8)
                for x, y, w, h, colour in scene(index / rate):
                    left, right = round((x - w / 2) * width), round((x + w / 2) * width)
                    top, bottom = round((y - h / 2) * height), round((y + h / 2) * height)
                    image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = colour
                frame = av.VideoFrame.from_ndarray(image, "rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write
