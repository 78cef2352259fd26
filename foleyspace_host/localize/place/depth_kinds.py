"""The depth models that are understood: what each wants to see, and what its numbers mean.

Names and shapes are those of the exports that people use (the ONNX community's, and those of the models' own
repositories). Models that look alike and mean different things cannot be told apart by them: the metric
variants of Depth Anything V2 and of Video Depth Anything have to be named, and of Depth Anything 3 those that tell
the sky too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from foleyspace_host.errors import InvalidInput, ModelUnavailable
from foleyspace_host.models.session import signature

__all__ = ["DEPTH_KINDS", "DepthKind", "Meaning", "depth_kind", "image_input", "recognised"]

Meaning = Literal["nearness", "depth", "metres"]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True, slots=True)
class DepthKind:
    """One kind of depth model.

    Parameters
    ----------
    name : str
        As ``--depth-kind`` takes it.
    meaning : {"nearness", "depth", "metres"}
        Whether its numbers are inverse depths to an unknown factor and offset, depths to an unknown factor, or
        metres.
    fits : {"shorter", "longer", "inside"}
        Whether the shorter or the longer side of the picture becomes `side_px`, or the picture goes whole into
        a frame of 1064 by 616 with its margins in the mean colour.
    side_px : int
        That side [px]; both sides become multiples of 14.
    canonical_px : float
        Focal length for which the numbers are metres [px]; those of another camera are multiplied by its own
        (in the picture that the model sees) over this. 0 where there is none.
    normalised : bool
        Whether the picture is given in ImageNet's mean and deviation; else as RGB of 0 to 255.
    window : bool
        Whether it looks at many pictures in a row.
    """

    name: str
    meaning: Meaning
    fits: Literal["shorter", "longer", "inside"]
    side_px: int
    canonical_px: float = 0.0
    normalised: bool = True
    window: bool = False


_DA2_SIDE_PX, _DA3_SIDE_PX = 518, 504

DEPTH_KINDS: tuple[DepthKind, ...] = (
    DepthKind("depth-anything-v2", "nearness", "shorter", _DA2_SIDE_PX),
    DepthKind("depth-anything-v2-metric", "metres", "shorter", _DA2_SIDE_PX),
    DepthKind("depth-anything-3", "depth", "longer", _DA3_SIDE_PX),
    DepthKind("depth-anything-3-metric", "metres", "longer", _DA3_SIDE_PX, canonical_px=300.0),
    DepthKind("video-depth-anything", "nearness", "shorter", 518, window=True),
    DepthKind("video-depth-anything-metric", "metres", "shorter", 518, window=True),
    DepthKind("metric3d-v2", "metres", "inside", 1064, canonical_px=1000.0, normalised=False),
)

_BY_NAME = {kind.name: kind for kind in DEPTH_KINDS}


def depth_kind(name: str) -> DepthKind:
    """Return the kind of this name.

    Parameters
    ----------
    name : str
        As ``--depth-kind`` takes it.

    Returns
    -------
    DepthKind

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if name not in _BY_NAME:
        raise InvalidInput(f"{name!r} is unknown", where="depth kind", cure=f"use one of: {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def image_input(inputs: Sequence[Any], outputs: Sequence[Any], where: str) -> Any:
    """Return the input that takes pictures: [batch, 3, height, width], or [batch, pictures, 3, height, width].

    Parameters
    ----------
    inputs, outputs : sequence
        Of the model, with ``name``, ``shape`` and ``type``.
    where : str
        Its file, for the message.

    Returns
    -------
    object
        One of them.

    Raises
    ------
    ModelUnavailable
        If it has none, or needs more than that.
    """
    kept = [one for one in inputs if "float" in one.type and len(one.shape) in (4, 5)]
    if len(inputs) != 1 or len(kept) != 1 or (isinstance(kept[0].shape[-3], int) and kept[0].shape[-3] != 3):
        raise ModelUnavailable(
            f"not a depth model: {signature(inputs, outputs)}",
            where=where,
            cure="give a whole model in one ONNX file that takes pictures alone, [1, 3, height, width] or"
            " [1, pictures, 3, height, width], and gives their depth",
        )
    return kept[0]


def recognised(inputs: Sequence[Any], outputs: Sequence[Any], where: str) -> DepthKind:
    """Tell the kind of a model by the names and shapes of its inputs and outputs.

    Parameters
    ----------
    inputs, outputs : sequence
        Of the model, with ``name``, ``shape`` and ``type``.
    where : str
        Its file, for the message.

    Returns
    -------
    DepthKind

    Raises
    ------
    ModelUnavailable
        If it is none of the known ones, or could be several.
    """
    image = image_input(inputs, outputs, where)
    names = {one.name for one in outputs}
    depth = next((one for one in outputs if one.name in ("predicted_depth", "depth", "pred_depth")), None)
    if depth is None and len(outputs) != 1:
        raise _open(inputs, outputs, where)
    rank = len((depth or outputs[0]).shape or [])
    name = None
    if names & {"predicted_normal", "normal_confidence"} or "pred_depth" in names:
        name = "metric3d-v2"
    elif any(word in one for one in names for word in ("conf", "intrinsics", "extrinsics")):
        name = "depth-anything-3"
    elif "sky" in names:
        pass  # Depth Anything 3 has a model of metres and one of depths with the same outputs
    elif len(image.shape) == 5:
        # one picture at a time or of unknown number: a model of many views; many in a row: a model of videos
        name = "depth-anything-3" if image.shape[1] == 1 else "video-depth-anything"
    elif _DA3_SIDE_PX in image.shape[-2:]:
        name = "depth-anything-3"
    elif image.name == "pixel_values" or (rank == 3 and image.name != "image") or _DA2_SIDE_PX in image.shape[-2:]:
        name = "depth-anything-v2"
    if name is None:
        raise _open(inputs, outputs, where)
    return _BY_NAME[name]


def _open(inputs: Sequence[Any], outputs: Sequence[Any], where: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"it is open which kind of depth model this is: {signature(inputs, outputs)}",
        where=where,
        cure=f"say which it is with --depth-kind: {', '.join(_BY_NAME)}",
    )
