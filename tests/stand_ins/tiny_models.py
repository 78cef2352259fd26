"""Tiny ONNX models with the inputs and outputs of the real ones, whose answers can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

GREEN_OF_NORMALISED = (np.array([0.0, 0.224, 0.0]), 0.456)
"""Weights and offset that give the green of a picture that is in ImageNet's normalisation, 0 to 1."""

GREEN_OF_BYTES = (np.array([0.0, 1.0 / 255.0, 0.0]), 0.0)
"""The same for a picture of 0 to 255."""


def info(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def save(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], values: dict[str, Any]) -> Path:
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def depth_onnx(
    path: Path,
    *,
    image: tuple[str, list[Any]] = ("pixel_values", ["batch", 3, "height", "width"]),
    depth: tuple[str, list[Any]] = ("predicted_depth", ["batch", "height", "width"]),
    others: dict[str, list[Any]] | None = None,
    green: tuple[np.ndarray, float] = GREEN_OF_NORMALISED,
    kind: int = TensorProto.FLOAT,
    window_scale: bool = False,
    flat: bool = False,
) -> Path:
    """A model whose depth is the green of each pixel; `others` are further outputs that hold the green too.

    With `window_scale` what it says is divided by its mean over all pictures it is given, as the scale of a model
    of videos differs from window to window. With `flat` all rows follow each other in one, which is no map.
    """
    number = np.float16 if kind == TensorProto.FLOAT16 else np.float32
    name, shape = image
    nodes = [
        helper.make_node("Mul", [name, "weights"], ["weighed"]),
        helper.make_node("ReduceSum", ["weighed", "channel"], ["plain"], keepdims=0),
        helper.make_node("Add", ["plain", "offset"], ["green"]),
    ]
    last = "green"
    if window_scale:
        nodes += [
            helper.make_node("ReduceMean", ["green"], ["mean"], keepdims=0),
            helper.make_node("Div", ["green", "mean"], ["scaled"]),
        ]
        last = "scaled"
    if flat:
        nodes.append(helper.make_node("Reshape", [last, "one row"], ["row"]))
        last = "row"
    values: dict[str, Any] = {
        "weights": green[0].reshape(3, 1, 1).astype(number),
        "offset": np.array(green[1], number),
        "channel": np.array([-3], np.int64),
    }
    if flat:
        values["one row"] = np.array([1, 2, 1, -1], np.int64)
    outputs = []
    for answer, wanted in ({depth[0]: depth[1]} | (others or {})).items():
        if len(wanted) > len(shape) - 1:  # a channel of its own: [batch, 1, height, width]
            values["one"] = np.array([1], np.int64)
            nodes.append(helper.make_node("Unsqueeze", [last, "one"], [answer]))
        else:
            nodes.append(helper.make_node("Identity", [last], [answer]))
        outputs.append(info(answer, wanted, kind))
    return save(path, nodes, [info(name, shape, kind)], outputs, values)


BOXES = np.array([[0.25, 0.125, 0.3, 0.25], [0.7, 0.3, 0.2, 0.2], [0.5, 0.5, 0.1, 0.1]])
"""Centre and size of the three things that a tiny detector of words finds everywhere."""


def vocabulary_onnx(
    path: Path, *, logits: np.ndarray, dino: bool, size: int | None = None, length: Any = "length"
) -> Path:
    """A detector of words that finds `BOXES` with given logits: (3, 1) as OWLv2's, (3, 256) as Grounding DINO's."""
    picture: list[Any] = ["batch", 3, size or "height", size or "width"]
    words = ["batch", length]
    whole = {"input_ids": words, "attention_mask": words}
    if dino:
        whole |= {"token_type_ids": words, "pixel_mask": ["batch", *picture[2:]]}
    nodes = [helper.make_node("ReduceMean", ["pixel_values"], ["sum 0"], keepdims=0)]
    for index, name in enumerate(whole):  # all take part, so that none can be forgotten
        nodes += [
            helper.make_node("Cast", [name], [f"{name} as float"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", [f"{name} as float"], [f"{name} mean"], keepdims=0),
            helper.make_node("Add", [f"sum {index}", f"{name} mean"], [f"sum {index + 1}"]),
        ]
    nodes += [
        helper.make_node("Mul", [f"sum {len(whole)}", "zero"], ["nothing"]),
        helper.make_node("Add", ["boxes", "nothing"], ["pred_boxes"]),
        helper.make_node("Add", ["scores", "nothing"], ["logits"]),
    ]
    inputs = [info("pixel_values", picture)]
    inputs += [info(name, shape, TensorProto.INT64) for name, shape in whole.items()]
    outputs = [info("logits", ["batch", 3, logits.shape[1]]), info("pred_boxes", ["batch", 3, 4])]
    constants = {
        "boxes": BOXES[None].astype(np.float32),
        "scores": logits[None].astype(np.float32),
        "zero": np.float32(0),
    }
    return save(path, nodes, inputs, outputs, constants)


CLIP_WORDS = {f"{sign}{end}": 2 * ord(sign) + bool(end) for sign in map(chr, range(33, 127)) for end in ("", "</w>")}
CLIP_WORDS |= {"<|startoftext|>": 1000, "<|endoftext|>": 1001}
"""CLIP's scheme with no merges: each letter is a piece."""

BERT_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", "steam", "train", "a"]


def tokenizer_json(path: Path, *, dino: bool) -> Path:
    """The file that comes with a detector of words."""
    model: dict[str, Any] = {"vocab": {word: number for number, word in enumerate(BERT_WORDS)}}
    if not dino:
        model = {"vocab": CLIP_WORDS, "merges": []}
    path.write_text(json.dumps({"model": model}), encoding="utf-8")
    return path
