"""Small real clips: a disc that moves over a plain background, with noise as its sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE_HZ = 48_000


def write_moving_clip(path: Path, seconds: float = 1.0, *, seed: int = 0, sound: bool = True) -> Path:
    """Write a clip of 160 x 96 pixels at 25 frames a second; another seed makes another clip."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        audio: Any = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono") if sound else None
        y, x = np.mgrid[:96, :160]
        for index in range(round(seconds * 25)):
            image = np.full((96, 160, 3), 90, np.uint8)
            image[np.hypot(x - 160 * index / (seconds * 25), y - 30 - seed % 40) < 14] = (230, 60, 40)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
        if audio is not None:
            samples = random.normal(0, 3000, (1, round(seconds * RATE_HZ))).clip(-30000, 30000).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path
