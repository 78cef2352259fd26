"""Depth models of the user's: from pictures to maps of depth.

The picture is brought to the size that the kind of model wants (or to the one that a fixed model has), given in
its normalisation, and what comes back is put into terms of nearness, depth or metres; see `DepthKind`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.place.depth_kinds import IMAGENET, DepthKind, depth_kind, image_input, recognised
from foleyspace_host.localize.place.windows import LEAST_WINDOW, WINDOW, in_windows
from foleyspace_host.models.session import signature

if TYPE_CHECKING:
    from foleyspace_host.models.session import ModelSession

__all__ = ["DepthMap", "DepthModel"]

Floats = NDArray[np.float32]
Inset = tuple[int, int, int, int]

_STEP_PX = 14  # patches of the vision transformers that all of these models are
_LETTERBOX = (1064, 616)  # of Metric3D's ViT models
_MARGIN = (123.675, 116.28, 103.53)  # ImageNet's mean
_WIDEST = 1.78  # Video Depth Anything: wider pictures are made smaller, for the sake of memory
_SKY = 0.3
_SIDES, _ENDS = 0.2, 0.15  # of a box's width and height that hold more background than thing
_NEARER = 30.0  # percentile of depth: most of a box is the thing, the rest mostly lies behind it


@dataclass(frozen=True, slots=True)
class DepthMap:
    """How far everything in a picture is.

    Parameters
    ----------
    values : ndarray, float32, shape (rows, columns)
        Over the whole picture, in what the kind of model tells; NaN where it tells nothing.
    nearness : bool
        Whether larger values are nearer.
    """

    values: Floats
    nearness: bool

    def within(self, box: NDArray[np.float64]) -> float | None:
        """Return the value of the thing in a box.

        Parameters
        ----------
        box : ndarray, shape (4,)
            Left, top, right, bottom as fractions of the picture.

        Returns
        -------
        float or None
            The value that 30 % of the inner part of the box are nearer than; None where nothing is known.
        """
        rows, columns = self.values.shape
        size = box[2:] - box[:2]
        trim = np.array([_SIDES, _ENDS]) * size
        low, high = np.clip(box[:2] + trim, 0.0, 1.0), np.clip(box[2:] - trim, 0.0, 1.0)
        left, top = (int(edge) for edge in np.floor(low * (columns, rows)))
        right, bottom = (int(edge) for edge in np.ceil(high * (columns, rows)))
        piece = self.values[top : max(bottom, top + 1), left : max(right, left + 1)]
        known = piece[np.isfinite(piece)]
        if not known.size:
            return None
        return float(np.percentile(known, 100.0 - _NEARER if self.nearness else _NEARER))

    @property
    def far(self) -> float:
        """The value of what is farthest, but for a few pixels; NaN if nothing is known."""
        known = self.values[np.isfinite(self.values)]
        return float(np.percentile(known, 2.0 if self.nearness else 98.0)) if known.size else float("nan")


class DepthModel:
    """A depth model.

    Parameters
    ----------
    session : ModelSession
        The loaded model.
    where : str or Path
        Its file, for error messages.
    kind : str, optional
        What it is; told by its inputs and outputs if not given.

    Raises
    ------
    ModelUnavailable
        If it is not of a kind that is understood.
    InvalidInput
        If the kind is unknown.
    """

    def __init__(self, session: ModelSession, where: str | Path, kind: str | None = None) -> None:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        self.kind: DepthKind = depth_kind(kind) if kind else recognised(inputs, outputs, str(where))
        image = image_input(inputs, outputs, str(where))
        names = [one.name for one in outputs]
        named = [name for name in ("predicted_depth", "depth", "pred_depth") if name in names]
        self._session, self._where = session, str(where)
        self._input, self._output = image.name, (named or names)[0]
        self._sky = "sky" if "sky" in names else None
        self._rank = len(image.shape)
        height, width = image.shape[-2:]
        self._fixed = (width, height) if isinstance(width, int) and isinstance(height, int) else None
        length = image.shape[1] if self._rank == 5 else None
        self._window = length if isinstance(length, int) else WINDOW
        if not self.kind.window and isinstance(length, int) and length != 1:
            raise ModelUnavailable(
                f"no {self.kind.name} model: {signature(inputs, outputs)}, and such a model takes one picture",
                where=self._where,
                cure="say with --depth-kind what it is, or leave that out",
            )
        if self.kind.window and (self._rank != 5 or self._window < LEAST_WINDOW):
            raise ModelUnavailable(
                f"no {self.kind.name} model: {signature(inputs, outputs)}, and such a model takes"
                f" [1, pictures, 3, height, width] with {LEAST_WINDOW} pictures or more",
                where=self._where,
                cure="say with --depth-kind what it is, or leave that out",
            )

    @property
    def device(self) -> str:
        """Where it computes now: "cuda" or "cpu"."""
        return self._session.device

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why it does not compute where it was asked to."""
        return self._session.warnings

    def maps(self, pictures: Iterable[tuple[NDArray[np.uint8], int]], camera: Camera) -> Iterator[DepthMap]:
        """Yield the map of each picture, in order; those of a window come when it is full.

        Parameters
        ----------
        pictures : iterable of (ndarray of uint8, shape (height, width, 3); int)
            RGB, and the number of the shot.
        camera : Camera
            Its focal length makes metres of the numbers of some kinds.

        Yields
        ------
        DepthMap
        """
        if not self.kind.window:
            for image, _ in pictures:
                seen, inset, scale = self._prepared(image, camera)
                stack = seen[None] if self._rank == 4 else seen[None, None]
                answers = self._session.answer({self._input: stack})
                yield self._map(self._plane(answers[self._output]), inset, scale, self._plane_of_sky(answers))
            return
        for _, shot in groupby(pictures, key=lambda picture: picture[1]):
            yield from self._maps_of_shot((image for image, _ in shot), camera)

    def _maps_of_shot(self, images: Iterator[NDArray[np.uint8]], camera: Camera) -> Iterator[DepthMap]:
        insets: list[tuple[Inset, float]] = []

        def prepared() -> Iterator[Floats]:
            for image in images:
                seen, inset, scale = self._prepared(image, camera)
                insets[:] = [(inset, scale)]  # the same for all pictures of a video
                yield seen

        for plane in in_windows(prepared(), self._window, self._run, align=self.kind.meaning == "nearness"):
            yield self._map(plane, *insets[0], None)

    def _run(self, window: Floats) -> Floats:
        """Return the planes (n, h, w) of a window (n, 3, h, w)."""
        answer = self._session.answer({self._input: window[None]})[self._output]
        planes = np.asarray(answer, np.float32).reshape(-1, *answer.shape[-2:])
        if len(planes) != len(window):
            raise self._odd(answer)
        return planes

    def _prepared(self, image: NDArray[np.uint8], camera: Camera) -> tuple[Floats, Inset, float]:
        """Return a picture as the model wants it (3, h, w), where in it it lies, and focal length over canonical."""
        import cv2

        height, width = image.shape[:2]
        wide, high = self._fixed or self._size(width, height)
        inset = (0, 0, wide, high)
        if self.kind.fits == "inside":
            scale = min(wide / width, high / height)
            inner = max(int(width * scale), 1), max(int(height * scale), 1)
            left, top = (wide - inner[0]) // 2, (high - inner[1]) // 2
            inset = (left, top, left + inner[0], top + inner[1])
        size = (inset[2] - inset[0], inset[3] - inset[1])
        shrinks = size[0] * size[1] < width * height
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
        seen = np.empty((high, wide, 3), np.float32)
        seen[:] = _MARGIN
        seen[inset[1] : inset[3], inset[0] : inset[2]] = small
        if self.kind.normalised:
            mean, deviation = (np.array(value, np.float32) for value in IMAGENET)
            seen = (seen / 255.0 - mean) / deviation
        focal_px = camera.focal_px * float(np.sqrt(size[0] / camera.width * size[1] / camera.height))
        scale = focal_px / self.kind.canonical_px if self.kind.canonical_px else 1.0
        return np.ascontiguousarray(seen.transpose(2, 0, 1)), inset, scale

    def _size(self, width: int, height: int) -> tuple[int, int]:
        if self.kind.fits == "inside":
            return _LETTERBOX if width >= height else (_LETTERBOX[1], _LETTERBOX[0])
        side = float(self.kind.side_px)
        ratio = max(width, height) / min(width, height)
        if self.kind.window and ratio > _WIDEST:
            side = round(int(side * (_WIDEST - 0.003) / ratio) / _STEP_PX) * _STEP_PX
        scale = side / (min if self.kind.fits == "shorter" else max)(width, height)
        wide, high = (max(round(length * scale / _STEP_PX), 1) * _STEP_PX for length in (width, height))
        return wide, high

    def _plane(self, answer: NDArray[np.float32]) -> Floats:
        plane = np.asarray(answer, np.float32)
        if plane.ndim < 2 or plane.size != plane.shape[-1] * plane.shape[-2]:
            raise self._odd(answer)
        return plane.reshape(plane.shape[-2:])

    def _plane_of_sky(self, answers: dict[str, NDArray[np.float32]]) -> Floats | None:
        return None if self._sky is None else self._plane(answers[self._sky])

    def _map(self, plane: Floats, inset: Inset, scale: float, sky: Floats | None) -> DepthMap:
        # the answer may be smaller than what was asked about
        rows, columns = plane.shape
        high, wide = self._asked(inset)
        top, bottom = (round(edge * rows / high) for edge in (inset[1], inset[3]))
        left, right = (round(edge * columns / wide) for edge in (inset[0], inset[2]))
        values = plane[top : max(bottom, top + 1), left : max(right, left + 1)] * np.float32(scale)
        known = np.isfinite(values)
        if self.kind.meaning != "nearness":
            known &= values > 0.0
        if sky is not None and sky.shape == plane.shape:
            known &= sky[top : max(bottom, top + 1), left : max(right, left + 1)] < _SKY
        return DepthMap(np.where(known, values, np.float32(np.nan)), self.kind.meaning == "nearness")

    def _asked(self, inset: Inset) -> tuple[int, int]:
        """Return height and width of the frame that an inset lies in."""
        if self._fixed:
            return self._fixed[1], self._fixed[0]
        return inset[1] + inset[3], inset[0] + inset[2]  # it lies in the middle

    def _odd(self, answer: NDArray[np.float32]) -> ModelUnavailable:
        return ModelUnavailable(
            f"its output {self._output} {list(answer.shape)} is no map of depth",
            where=self._where,
            cure="say with --depth-kind what it is",
        )
