"""What is in one picture: boxes with class scores, from the CenterNet detector or another of its kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.localize.see.classes import CLASSES

if TYPE_CHECKING:
    from foleyspace_host.models.session import ModelSession

__all__ = ["MIN_SCORE", "TRACKED_SCORE", "CenterNet", "Detection", "Detector", "iou", "merge"]

MIN_SCORE = 0.06
"""Boxes below this are noise; up to `TRACKED_SCORE` they say that something is there, not what it is."""

TRACKED_SCORE = 0.12
"""Boxes below this are not followed; between it and 0.3 they are worth something only where they persist."""

_SAME_OBJECT_IOU = 0.55
_GREY = 114


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing seen in one picture.

    Parameters
    ----------
    box : ndarray of float64, shape (4,)
        Left, top, right, bottom as fractions of the picture's width and height.
    score : float
        0 to 1, of the best class.
    classes : dict of str to float
        Score of each class that the detector considered for this box.
    earlier : Detection, optional
        The same thing in the picture before, if this is only where that was carried to.
    """

    box: NDArray[np.float64]
    score: float
    classes: dict[str, float] = field(default_factory=dict)
    earlier: Detection | None = field(default=None, repr=False, compare=False)


class Detector(Protocol):
    """Anything that finds things in a picture; may be called from several threads at once."""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes it knows."""

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Return what is in an RGB picture of shape (height, width, 3), best first."""


class CenterNet:
    """MobileNetV3-CenterNet, or another model of its signature.

    One input [1, h, w, 3] of RGB values 0 to 255, the picture stretched to it; one output [1, n, 6] of left,
    top, right, bottom in pixels of that input, score, and COCO class index.

    Parameters
    ----------
    session : ModelSession
        The loaded model.
    where : str or Path
        Its file, for error messages.

    Raises
    ------
    ModelUnavailable
        If the model has another signature.
    """

    def __init__(self, session: ModelSession, where: str | Path) -> None:
        inputs = session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        outputs = [out for out in session.get_outputs() if len(out.shape or []) == 3 and out.shape[2] == 6]
        sizes = len(shape) == 4 and all(isinstance(length, int) for length in shape)
        image = sizes and shape[::3] == [1, 3]
        if not image or inputs[0].type != "tensor(float)" or not outputs:
            raise ModelUnavailable(
                "not a detector of the kind that is understood: it needs a float input [1, height, width, 3]"
                " and an output [1, n, 6] of box, score and COCO class",
                where=str(where),
                cure="give such a model, or leave the option out to use the shipped one",
            )
        self._session = session
        self._input, self._output = inputs[0].name, outputs[0].name
        self._height, self._width = int(shape[1]), int(shape[2])

    @property
    def device(self) -> str:
        """Where it computes now: "cuda" or "cpu"."""
        return self._session.device

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why it does not compute where it was asked to."""
        return self._session.warnings

    @property
    def names(self) -> tuple[str, ...]:
        """COCO's 80 class names."""
        return tuple(entry.name for entry in CLASSES)

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Return what is in a picture.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            RGB.

        Returns
        -------
        list of Detection
            Best first; boxes of the same object are merged into one.
        """
        import cv2

        size = (self._width, self._height)
        # never wider than it is: of photographs it was taught, most are wide, and were pressed together
        image, beside = _not_taller_than_wide(image)
        if image.shape[:2] != (self._height, self._width):
            shrinks = image.shape[0] * image.shape[1] > self._height * self._width
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        rows = self._session.run([self._output], {self._input: image.astype(np.float32)[None]})[0][0]
        rows = rows[np.isfinite(rows).all(axis=1) & (rows[:, 4] >= MIN_SCORE)].astype(np.float64)
        boxes = rows[:, :4] / np.array([*size, *size])
        boxes[:, 0::2] = 0.5 + (boxes[:, 0::2] - 0.5) / (1.0 - 2.0 * beside)
        boxes = np.clip(boxes, 0.0, 1.0)
        names = [CLASSES[int(index)].name if 0 <= index < len(CLASSES) else "object" for index in rows[:, 5]]
        whole = ((boxes[:, 2:] - boxes[:, :2]) > 0.004).all(axis=1)
        return merge(boxes[whole], rows[whole, 4], [name for name, keep in zip(names, whole, strict=True) if keep])


def _not_taller_than_wide(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Put grey beside a picture that is taller than wide, and say how wide it is on each side, of the whole."""
    height, width = image.shape[:2]
    missing = (height - width) // 2
    if missing <= 0:
        return image, 0.0
    padded = np.full((height, width + 2 * missing, 3), _GREY, np.uint8)
    padded[:, missing : missing + width] = image
    return padded, missing / (width + 2 * missing)


def iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every box with every other.

    Parameters
    ----------
    first : ndarray, shape (n, 4)
        Boxes: left, top, right, bottom.
    second : ndarray, shape (m, 4)
        Boxes.

    Returns
    -------
    ndarray, shape (n, m)
        0 to 1.
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(high - low, 0.0, None).prod(axis=2)
    area = (first[:, 2:] - first[:, :2]).prod(axis=1)[:, None] + (second[:, 2:] - second[:, :2]).prod(axis=1)
    return np.asarray(common / np.maximum(area - common, 1e-12))


def merge(boxes: NDArray[np.float64], scores: NDArray[np.float64], names: list[str]) -> list[Detection]:
    """Join boxes that mean the same object, whatever their class.

    CenterNet gives several boxes an object, often under different names ("car", "truck"). Suppressing all
    but the best would throw the evidence of the others away: instead a group becomes one box, the mean
    weighted by squared score (the best counts most, small disagreements average out), with a score for each
    name.

    Parameters
    ----------
    boxes : ndarray, shape (n, 4)
        Left, top, right, bottom.
    scores : ndarray, shape (n,)
        Score of each box.
    names : list of str
        Class of each box.

    Returns
    -------
    list of Detection
        Best first.
    """
    left = list(np.argsort(-scores, kind="stable"))
    overlap = iou(boxes, boxes)
    found = []
    while left:
        group = [index for index in left if overlap[left[0], index] >= _SAME_OBJECT_IOU]
        left = [index for index in left if index not in group]
        classes: dict[str, float] = {}
        for index in group:
            classes[names[index]] = max(classes.get(names[index], 0.0), float(scores[index]))
        weight = scores[group] ** 2
        found.append(Detection(weight @ boxes[group] / weight.sum(), float(scores[group[0]]), classes))
    return found
