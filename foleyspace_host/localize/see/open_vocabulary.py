"""Things of any name: detectors that are told in words what to look for.

Two kinds are understood, by the names of their inputs and outputs as the ONNX community exports them: OWLv2
(``pixel_values``, ``input_ids``, ``attention_mask``) and Grounding DINO (those, ``token_type_ids`` and
``pixel_mask``); both answer ``logits`` and ``pred_boxes``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput, ModelUnavailable
from foleyspace_host.localize.see.detect import Detection, merge
from foleyspace_host.localize.see.words import BytePairs, WordPieces, read_words
from foleyspace_host.models.session import signature

if TYPE_CHECKING:
    from foleyspace_host.models.session import ModelSession

__all__ = ["STEP_S", "GroundingDino", "OpenVocabulary", "Owl", "as_phrase", "check_vocabulary", "open_vocabulary"]

STEP_S = 0.375
"""Time between the pictures that are asked about: such models take seconds for one on a CPU, and a thing that was
seen once is forgotten after half a second without another sighting [s]."""

Images = NDArray[np.float32]

_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_OWL_SIDE_PX = 960
_OWL_LENGTH = 16  # pieces of a phrase, with the marks at both ends
_OWL_SCORE = 0.1
_DINO_SHORT_PX, _DINO_LONG_PX = 800, 1333
_DINO_SCORE = 0.25  # its authors' threshold for text; below it other words' things come in
_DINO_LENGTH = 256
_CANDIDATES = 300
_SMALLEST = 0.004
_INPUTS = ("pixel_values", "input_ids", "attention_mask")


def as_phrase(label: str) -> str:
    """Return a typed label as the name of what is found: lower case, single spaces, no full stop.

    Parameters
    ----------
    label : str
        What the user typed.

    Returns
    -------
    str

    Raises
    ------
    InvalidInput
        If nothing is left of it.
    """
    phrase = " ".join(label.lower().replace("_", " ").split()).strip(" .")
    if not phrase:
        raise InvalidInput("the label is empty", where="label", cure='say what to look for, for example "steam train"')
    return phrase


class OpenVocabulary(ABC):
    """Finds what a phrase names; may be called from several threads at once.

    Parameters
    ----------
    session : ModelSession
        The loaded model.
    phrase : str
        What to look for.

    Attributes
    ----------
    kind : str
        Which model it is: "owlv2" or "grounding-dino".
    """

    kind: ClassVar[str]

    def __init__(self, session: ModelSession, phrase: str) -> None:
        self._session = session
        self._phrase = phrase

    @property
    def names(self) -> tuple[str, ...]:
        """The one thing it looks for."""
        return (self._phrase,)

    @property
    def device(self) -> str:
        """Where it computes now: "cuda" or "cpu"."""
        return self._session.device

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why it does not compute where it was asked to."""
        return self._session.warnings

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Return where the thing is in an RGB picture of shape (height, width, 3), best first."""
        boxes, scores = self._found(image)
        boxes = np.clip(boxes, 0.0, 1.0)
        kept = np.isfinite(boxes).all(axis=1) & np.isfinite(scores)
        kept &= ((boxes[:, 2:] - boxes[:, :2]) > _SMALLEST).all(axis=1)
        index = np.flatnonzero(kept)
        index = index[np.argsort(-scores[index], kind="stable")][:_CANDIDATES]
        return merge(boxes[index], scores[index], [self._phrase] * len(index))

    @abstractmethod
    def _found(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return boxes (n, 4) as fractions of the picture and scores (n,) above the model's own threshold."""

    def _size(self) -> tuple[int, int] | None:
        """Return width and height that a fixed model wants."""
        shape = next(one.shape for one in self._session.get_inputs() if one.name == "pixel_values")
        return (shape[3], shape[2]) if isinstance(shape[2], int) and isinstance(shape[3], int) else None


class Owl(OpenVocabulary):
    """OWLv2 (Minderer and others, 2023)."""

    kind = "owlv2"

    def __init__(self, session: ModelSession, words: BytePairs, phrase: str) -> None:
        super().__init__(session, phrase)
        if phrase.split()[0] not in ("a", "an", "the"):
            phrase = f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"
        numbers = [words.start, *words.numbers(f"a photo of {phrase}")[: _OWL_LENGTH - 2], words.end]
        self._ids = np.zeros((1, _OWL_LENGTH), np.int64)  # what fills up is "!", number 0
        self._ids[0, : len(numbers)] = numbers
        self._mask = (np.arange(_OWL_LENGTH) < len(numbers)).astype(np.int64)[None]

    def _found(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        # made square below and to the right with black, as its authors have it; boxes are fractions of the square
        height, width = image.shape[:2]
        longest = max(height, width)
        side = (self._size() or (_OWL_SIDE_PX, _OWL_SIDE_PX))[0]
        square = np.zeros((longest, longest, 3), np.uint8)
        square[:height, :width] = image
        answer = self._session.answer(
            {
                "pixel_values": _normalised(_resized(square, (side, side)), *_CLIP),
                "input_ids": self._ids,
                "attention_mask": self._mask,
            }
        )
        scores = _sigmoid(answer["logits"].reshape(-1))
        boxes = _corners(answer["pred_boxes"].reshape(-1, 4)) * longest / np.array([width, height, width, height])
        kept = scores >= _OWL_SCORE
        return boxes[kept], scores[kept]


class GroundingDino(OpenVocabulary):
    """Grounding DINO (Liu and others, 2023)."""

    kind = "grounding-dino"

    def __init__(self, session: ModelSession, words: WordPieces, phrase: str) -> None:
        super().__init__(session, phrase)
        own = words.numbers(phrase)[: _DINO_LENGTH - 3]
        numbers = [words.start, *own, *words.numbers("."), words.end]
        shape = next(one.shape for one in session.get_inputs() if one.name == "input_ids")
        length = shape[1] if isinstance(shape[1], int) else len(numbers)
        if len(numbers) > length:
            raise InvalidInput(
                f"the label has {len(numbers)} pieces, and this model takes {length}", where="label", cure="shorten it"
            )
        self._ids = np.zeros((1, length), np.int64)  # "[PAD]" is number 0
        self._ids[0, : len(numbers)] = numbers
        self._mask = (np.arange(length) < len(numbers)).astype(np.int64)[None]
        self._own = slice(1, 1 + len(own))

    def _found(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        height, width = image.shape[:2]
        scale = min(_DINO_SHORT_PX / min(height, width), _DINO_LONG_PX / max(height, width))
        size = self._size() or (max(round(width * scale), 1), max(round(height * scale), 1))
        answer = self._session.answer(
            {
                "pixel_values": _normalised(_resized(image, size), *_IMAGENET),
                "pixel_mask": np.ones((1, size[1], size[0]), np.int64),
                "input_ids": self._ids,
                "token_type_ids": np.zeros_like(self._ids),
                "attention_mask": self._mask,
            }
        )
        logits = answer["logits"].reshape(-1, answer["logits"].shape[-1])
        scores = _sigmoid(logits[:, self._own]).max(axis=1)
        kept = scores >= _DINO_SCORE
        return _corners(answer["pred_boxes"].reshape(-1, 4)[kept]), scores[kept]


def check_vocabulary(session: ModelSession, where: str | Path) -> type[OpenVocabulary]:
    """Tell which kind of open-vocabulary model this is.

    Parameters
    ----------
    session : ModelSession
        The loaded model.
    where : str or Path
        Its file, for the message.

    Returns
    -------
    type
        `Owl` or `GroundingDino`.

    Raises
    ------
    ModelUnavailable
        If it is neither.
    """
    taken, given = session.get_inputs(), session.get_outputs()
    inputs, outputs = {one.name for one in taken}, {one.name for one in given}
    if {"logits", "pred_boxes"} <= outputs and inputs == set(_INPUTS):
        return Owl
    if {"logits", "pred_boxes"} <= outputs and inputs - {"pixel_mask"} == {*_INPUTS, "token_type_ids"}:
        return GroundingDino
    raise ModelUnavailable(
        f"neither an OWLv2 nor a Grounding DINO model: {signature(taken, given)}",
        where=str(where),
        cure="give a whole model that takes pixel_values, input_ids and attention_mask (Grounding DINO:"
        " token_type_ids and pixel_mask too) and gives logits and pred_boxes",
    )


def open_vocabulary(
    session: ModelSession, where: str | Path, tokenizer: Sequence[str | Path], label: str
) -> OpenVocabulary:
    """Return a detector of what a label names.

    Parameters
    ----------
    session : ModelSession
        The loaded model.
    where : str or Path
        Its file, for messages.
    tokenizer : sequence of str or Path
        Files that turn words into numbers; see `read_words`.
    label : str
        What to look for.

    Returns
    -------
    OpenVocabulary

    Raises
    ------
    ModelUnavailable
        If the model or the files are not of a kind that is understood, or do not belong together.
    InvalidInput
        If the label is empty.
    """
    kind = check_vocabulary(session, where)
    if not tokenizer:
        raise ModelUnavailable(
            "the files that turn words into numbers are missing",
            where=str(where),
            cure="lay the model's own tokenizer.json beside it, or name it: foleyspace models add ... --tokenizer FILE",
        )
    words = read_words(tokenizer)
    phrase = as_phrase(label)
    if kind is Owl and isinstance(words, BytePairs):
        return Owl(session, words, phrase)
    if kind is GroundingDino and isinstance(words, WordPieces):
        return GroundingDino(session, words, phrase)
    wanted, found = ("BERT's word pieces", "CLIP's byte pairs")[:: -1 if kind is Owl else 1]
    raise ModelUnavailable(
        f"these files turn words into {found}, and the model takes {wanted}",
        where=str(tokenizer[0]),
        cure="give the model's own",
    )


def _resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2

    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    resized: NDArray[np.uint8] = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized


def _normalised(image: NDArray[np.uint8], mean: Sequence[float], deviation: Sequence[float]) -> Images:
    seen = (image.astype(np.float32) / 255.0 - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    return np.ascontiguousarray(seen.transpose(2, 0, 1)[None])


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)) for any x, those of minus infinity (words that are not there) too."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(logits, np.float64)))


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return left, top, right, bottom of boxes given by centre and size."""
    centre, half = boxes[:, :2].astype(np.float64), boxes[:, 2:].astype(np.float64) / 2.0
    return np.concatenate([centre - half, centre + half], axis=1)
