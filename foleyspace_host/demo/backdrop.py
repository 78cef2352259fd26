"""The demo's stage: a beach at dusk, drawn by formula, seen by the demo's camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Backdrop"]

_SUN_U = 0.62
"""Where the sun stands, as a fraction of the picture's width."""

_SHORE = 0.085
"""Height of the sea's band below the horizon, as a fraction of the picture's height."""


class Backdrop:
    """Sky, sun, sea and wet sand; the sea glitters.

    Parameters
    ----------
    width, height : int
        Size of the picture [px]; the horizon is in the middle.
    seed : int
        Seed of the clouds, the sand's grain and the glitter.
    """

    def __init__(self, width: int, height: int, seed: int = 7) -> None:
        import cv2

        rng = np.random.default_rng(seed)
        u = (np.arange(width) + 0.5) / width
        v = (np.arange(height) + 0.5) / height
        horizon = height // 2
        aspect = width / height

        def noise(across: float, down: float) -> NDArray[np.float32]:
            """Smooth noise of unit variance, shape (height, width), with these feature sizes [px]."""
            field = cv2.GaussianBlur(
                rng.standard_normal((height, width)).astype(np.float32), (0, 0), across, sigmaY=down
            )
            return np.asarray(field / field.std(), dtype=np.float32)

        sun_v = 0.455
        away = np.hypot((u[None, :] - _SUN_U) * aspect, v[:, None] - sun_v)
        up = np.clip(1.0 - v / 0.5, 0.0, 1.0)[:, None]
        image = _ramp(
            np.broadcast_to(up, (height, width)),
            [0.0, 0.22, 0.5, 0.8, 1.0],
            [(255, 196, 120), (250, 154, 110), (205, 116, 132), (120, 92, 140), (76, 74, 126)],
        )
        bands = np.clip(0.55 * noise(90, 7) + 0.45 * noise(36, 3.5) - 0.35, 0.0, 2.0) * np.clip(up * 3.0, 0.0, 1.0)
        lit = np.exp(-2.2 * away)[..., None]
        image += bands[..., None] * (np.array([26, -4, -8]) + lit * np.array([70, 52, 20]))
        image += np.exp(-6.5 * away)[..., None] * np.array([110, 84, 38])
        disc = np.clip((0.036 - away) * height / 1.5 + 0.5, 0.0, 1.0)[..., None]
        image = image * (1 - disc) + disc * np.array([255, 243, 205])

        # what lies below the horizon mirrors the sky above it, darker with every metre towards the camera
        below = np.clip((v - 0.5) / 0.5, 0.0, 1.0)[horizon:, None, None]
        mirrored = image[horizon - 1 :: -1][: height - horizon]
        soft = cv2.GaussianBlur(mirrored, (0, 0), 9.0, sigmaY=14.0)
        sand = _ramp(
            np.broadcast_to(below[..., 0], soft.shape[:2]),
            [0.0, 0.3, 1.0],
            [(216, 160, 128), (188, 134, 116), (126, 88, 90)],
        )
        wet = np.clip(0.68 - 0.5 * below + 0.10 * noise(70, 5)[horizon:, :, None], 0.0, 1.0)
        beach = wet * soft * np.array([0.97, 0.95, 0.97]) + (1 - wet) * sand
        beach *= 1.0 + 0.020 * noise(3.0, 0.8)[horizon:, :, None] * (0.25 + below)
        column = np.exp(-(((u[None, :] - _SUN_U) / (0.03 + 0.16 * below[..., 0])) ** 2))[..., None]
        glare = column * np.array([74, 52, 22]) * np.exp(-2.6 * below)
        beach += glare
        sea = 0.34 * soft * np.array([1.0, 0.95, 0.9]) + 0.66 * np.array([116, 98, 136]) + 1.1 * glare
        swash = _SHORE * height * (1.0 + 0.10 * noise(60, 60)[horizon])
        shore = np.clip((swash[None, :] - np.arange(height - horizon)[:, None]) / 2.0 + 0.5, 0.0, 1.0)[..., None]
        foam = np.exp(-(((swash[None, :] - np.arange(height - horizon)[:, None]) / 1.6) ** 2))[..., None]
        image[horizon:] = shore * sea + (1 - shore) * beach + 70.0 * foam * np.array([1.0, 0.94, 0.9])
        corner = np.hypot((u[None, :] - 0.5) * 1.1, v[:, None] - 0.5)[..., None]
        self._still = image * (1.06 - 0.32 * corner**2) + rng.uniform(-1.2, 1.2, (height, width, 1))
        self._glitter = [noise(5.0, 0.7)[horizon : horizon + round(_SHORE * height)] for _ in range(2)]
        self._glow = (0.35 + np.exp(-(((u - _SUN_U) / 0.10) ** 2)))[None, :, None] * np.array([46, 34, 18])
        self._rows = slice(horizon, horizon + round(_SHORE * height))
        self._shore = shore[: round(_SHORE * height)]

    def at(self, time_s: float) -> NDArray[np.float32]:
        """Draw the stage.

        Parameters
        ----------
        time_s : float
            Time [s].

        Returns
        -------
        ndarray, shape (height, width, 3), float32
            RGB, 0 to 255; may pass the ends a little.
        """
        image = self._still.astype(np.float32)
        near, far = (
            np.roll(field, round(step), axis=1)
            for field, step in zip(self._glitter, (23 * time_s, -17 * time_s), strict=True)
        )
        sparkle = np.clip(near * far - 0.4, 0.0, 2.0)[..., None]
        image[self._rows] += (sparkle * self._shore * self._glow).astype(np.float32)
        return image


def _ramp(where: NDArray[np.floating], stops: list[float], colours: list[tuple[int, int, int]]) -> NDArray[np.float64]:
    """Colours along a scale, shape (..., 3)."""
    table = np.asarray(colours, dtype=np.float64)
    return np.stack([np.interp(where, stops, table[:, channel]) for channel in range(3)], axis=-1)
