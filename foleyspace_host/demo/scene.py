"""The demo's clip: a horse trots along a known path past a known camera, so the truth is known.

The camera stands still, its optical axis level and straight ahead; the listener's head is at the camera. The
path is on flat ground; the point that counts as the source is half the horse's height above the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from math import pi
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.demo.backdrop import Backdrop
from foleyspace_host.demo.puppet import Puppet
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.frames import unit_to_angles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = [
    "CAMERA",
    "DURATION_S",
    "FRAME_RATE",
    "HORSE_HEIGHT_M",
    "SAMPLE_RATE_HZ",
    "Truth",
    "frames",
    "sound",
    "truth",
    "write_clip",
]

CAMERA = Camera(854, 480, 60.0)
DURATION_S = 8
FRAME_RATE = 25
SAMPLE_RATE_HZ = 48_000

HORSE_HEIGHT_M = 2.0
"""From the ground to the tips of the ears [m].

The outline's withers are at 0.77 of its height: 1.54 m or 15.1 hands, in the middle of the usual range of
riding horses.
"""

_EYE_HEIGHT_M = 1.2
_STRIDE_M = 1.35
_POSES = 36
_INK = np.array([34, 24, 34], dtype=np.float32)
_RIM = np.array([255, 158, 92], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the horse really is.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times [s].
    position_m : ndarray, shape (n, 3)
        The source point in the listener's frame (x front, y left, z up) [m].
    azimuth_deg, elevation_deg, distance_m : ndarray, shape (n,)
        The same as directions [deg] and distances [m].
    """

    t_s: NDArray[np.float64]
    position_m: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]
    elevation_deg: NDArray[np.float64]
    distance_m: NDArray[np.float64]


def truth(t_s: NDArray[np.float64]) -> Truth:
    """Return the horse's true path: a parabola from the left past the camera to the right.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times [s], 0 to 8.

    Returns
    -------
    Truth
    """
    s = np.asarray(t_s, dtype=np.float64) / DURATION_S
    # half evenly, half as a cosine: the speed along the ground stays near 1.5 m/s
    left = 2.0 * (1.0 - 2.0 * s + np.cos(pi * s))
    front = 5.0 + 0.28 * left**2
    up = np.full_like(s, HORSE_HEIGHT_M / 2 - _EYE_HEIGHT_M)
    position = np.stack([front, left, up], axis=-1)
    azimuth, elevation = unit_to_angles(position)
    return Truth(np.asarray(t_s, dtype=np.float64), position, azimuth, elevation, np.linalg.norm(position, axis=-1))


def _stride_phase(t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Phase of the stride [rad]: proportional to the way gone."""
    fine = np.linspace(0.0, DURATION_S, 2001)
    steps = np.linalg.norm(np.diff(truth(fine).position_m, axis=0), axis=-1)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    return 2 * pi * np.interp(t_s, fine, travelled) / _STRIDE_M


def frames() -> Iterator[NDArray[np.uint8]]:
    """Draw the clip's frames.

    Yields
    ------
    ndarray, shape (480, 854, 3), uint8
        RGB; frame i shows the time i / 25 s.
    """
    import cv2

    stage = Backdrop(CAMERA.width, CAMERA.height)
    outline = cv2.imdecode(np.frombuffer(_asset("horse.png"), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert outline is not None  # noqa: S101 - a file of this package
    puppet = Puppet(np.asarray(outline, dtype=np.uint8))
    poses = [_shaded(puppet.pose(2 * pi * index / _POSES)) for index in range(_POSES)]
    t_s = np.arange(DURATION_S * FRAME_RATE) / FRAME_RATE
    path, phase = truth(t_s), _stride_phase(t_s)
    for index, time_s in enumerate(t_s):
        image = stage.at(float(time_s))
        pose = poses[round(float(phase[index]) / (2 * pi) * _POSES) % _POSES]
        front, left, up = path.position_m[index]
        ground = up - HORSE_HEIGHT_M / 2
        # where the middle of the hooves and the scale come out, by the pinhole
        u = CAMERA.width / 2 - CAMERA.focal_px * left / front
        v = CAMERA.height / 2 - CAMERA.focal_px * ground / front
        _draw(image, pose, u, v, CAMERA.focal_px / front * HORSE_HEIGHT_M / puppet.rest_height)
        yield np.clip(image, 0, 255).astype(np.uint8)


def _shaded(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn a mask into premultiplied RGBA 0..1: dark, with a warm rim on the sun's side."""
    import cv2

    alpha = mask.astype(np.float32) / 255.0
    shifted = cv2.warpAffine(alpha, np.array([[1.0, 0, -2.5], [0, 1.0, 1.5]]), alpha.shape[::-1])
    rim = cv2.GaussianBlur(np.clip(alpha - shifted, 0.0, 1.0), (0, 0), 1.0)[..., None]
    colour = _INK + 0.62 * rim * (_RIM - _INK)
    return np.concatenate([colour / 255.0 * alpha[..., None], alpha[..., None]], axis=-1)


def _draw(image: NDArray[np.float32], pose: NDArray[np.float32], u: float, v: float, scale: float) -> None:
    """Lay a posed figure over the picture, its last row's middle at (u, v), with shadow and reflection."""
    import cv2

    height, width = pose.shape[:2]
    # blur first by what the reduction leaves out, so that thin legs do not flicker
    soft = cv2.GaussianBlur(pose, (0, 0), max(0.05, 0.40 / scale - 0.30))
    # only the part of the picture that the figure and its reflection can touch
    reach_x, reach_y = scale * width / 2 + 8, scale * height + 8
    left, right = max(0, int(u - reach_x)), min(image.shape[1], int(u + reach_x) + 1)
    top, bottom = max(0, int(v - reach_y)), min(image.shape[0], int(v + reach_y) + 1)
    part = image[top:bottom, left:right]

    def placed(picture: NDArray[np.float32], stretch: float) -> NDArray[np.float32]:
        x, y = u - left - scale * width / 2, v - top - scale * stretch * (height - 1)
        matrix = np.array([[scale, 0.0, x], [0.0, scale * stretch, y]])
        return np.asarray(cv2.warpAffine(picture, matrix, (right - left, bottom - top)), dtype=np.float32)

    depth_px = np.clip(np.arange(top, bottom) - v, 0.0, None)[:, None]
    fade = np.exp(-depth_px / (0.30 * scale * height)).astype(np.float32)
    mirrored = cv2.GaussianBlur(placed(soft[..., 3], -0.9), (0, 0), 1.5, sigmaY=3.5) * fade
    part *= 1.0 - 0.42 * mirrored[..., None] * np.array([0.85, 0.95, 1.0], dtype=np.float32)
    figure = placed(soft, 1.0)
    part *= 1.0 - figure[..., 3:]
    part += 255.0 * figure[..., :3]


def sound() -> NDArray[np.float32]:
    """Lay the hoofbeats where the hooves land.

    Returns
    -------
    ndarray, shape (n_samples,), float32
        Mono at 48 kHz, 8 s, of even level: the distance is the renderer's to add.
    """
    import io

    import soundfile

    hooves = [soundfile.read(io.BytesIO(_asset(f"hoof_{index}.flac")), dtype="float32")[0] for index in range(1, 5)]
    rng = np.random.default_rng(11)
    out = np.zeros(DURATION_S * SAMPLE_RATE_HZ, dtype=np.float32)
    fine = np.linspace(0.0, DURATION_S, 8001)
    phase = _stride_phase(fine)
    # the two hooves of a diagonal land nearly together, the hind one a little later
    for beat in range(int(phase[-1] / pi) + 1):
        landing = float(np.interp(beat * pi, phase, fine))
        for lag, level in ((0.0, 1.0), (0.045, 0.7)):
            start = round((landing + lag + rng.uniform(0.0, 0.008)) * SAMPLE_RATE_HZ)
            hoof = hooves[int(rng.integers(len(hooves)))][: max(0, len(out) - start)]
            out[start : start + len(hoof)] += np.float32(level * rng.uniform(0.75, 1.0)) * hoof
    return out / np.float32(2.0 * np.abs(out).max())


def write_clip(path: Path, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Write the clip as mp4 with H.264 and AAC.

    Parameters
    ----------
    path : Path
        Where to write; the folder exists.
    on_progress : callable, optional
        Called as ``on_progress(frames_done, frames)``.
    """
    import av

    n_frames = DURATION_S * FRAME_RATE
    with av.open(str(path), "w") as container:
        # with one thread and no B-frames x264 writes the same bytes each time
        options = {"crf": "18", "preset": "veryfast", "x264-params": "threads=1:lookahead-threads=1:bframes=0"}
        video = container.add_stream("libx264", rate=FRAME_RATE, options=options)
        video.width, video.height, video.pix_fmt = CAMERA.width, CAMERA.height, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        audio.bit_rate = 160_000
        for index, image in enumerate(frames()):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
            container.mux(video.encode(frame))
            if on_progress is not None:
                on_progress(index + 1, n_frames)
        container.mux(video.encode(None))
        samples = sound()
        for start in range(0, len(samples), 1024):
            block = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[None, start : start + 1024]), format="fltp", layout="mono"
            )
            block.sample_rate, block.pts, block.time_base = SAMPLE_RATE_HZ, start, Fraction(1, SAMPLE_RATE_HZ)
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))


def _asset(name: str) -> bytes:
    return (files("foleyspace_host.demo") / "assets" / name).read_bytes()
