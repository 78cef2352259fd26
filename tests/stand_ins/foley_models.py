"""Foley models whose answers can be worked out by hand: in numpy, and as ONNX files."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import N_BANDS
from foleyspace_host.generate.embedded.condition import N_CONDITION, N_LIKENESS
from foleyspace_host.generate.embedded.course import Course
from foleyspace_host.generate.embedded.model import KIND
from foleyspace_host.generate.embedded.portrait import N_SHOWN, Portrait, packed

Floats = NDArray[np.float32]

PORTRAIT = Portrait(
    np.linspace(0.0, -20.0, N_BANDS, dtype=np.float32),
    np.full(N_BANDS, 0.25, dtype=np.float32),
    np.full(N_BANDS, 6.0, dtype=np.float32),
)


class Recall:
    """Answers with what was `reach` frames ago and ahead, and what it is told and shown."""

    def __init__(self, reach: int = 12) -> None:
        self.reach = reach
        self.portraits = [([PORTRAIT], [PORTRAIT]) for _ in NAMES]
        self.courses: list[tuple[list[Course | None], list[Course | None]]] = [([None], [None]) for _ in NAMES]
        self.calls: list[float] = []

    def velocity(self, place: Floats, shown: Floats, condition: Floats, t: float) -> Floats:
        self.calls.append(t)
        out = (
            0.3 * place + 0.1 * shown[:, :N_BANDS] + 0.1 * condition[:, None, :, N_LIKENESS] + condition[:, None, :, 1]
        )
        out[..., self.reach :] += 0.3 * place[..., : -self.reach]
        out[..., : -self.reach] += 0.2 * place[..., self.reach :]
        return out.astype(np.float32)


def steady_onnx(path: Path, share: float = 0.0, **facts: str) -> Path:
    """Write a model whose flow has a share of where it is as its velocity; `facts` replace what its metadata say."""
    nodes = [
        helper.make_node("Mul", ["place", "share"], ["grown"]),
        # the other inputs take part, with nothing
        helper.make_node("ReduceSum", ["condition", "axes"], ["told"], keepdims=1),
        helper.make_node("ReduceSum", ["shown", "axes"], ["seen"], keepdims=1),
        helper.make_node("Mul", ["seen", "nothing"], ["seen_nothing"]),
        helper.make_node("Mul", ["told", "nothing"], ["told_nothing"]),
        helper.make_node("Mul", ["t", "nothing"], ["t_nothing"]),
        helper.make_node("Unsqueeze", ["t_nothing", "axes"], ["t_wide"]),
        helper.make_node("Sum", ["grown", "told_nothing", "seen_nothing"], ["grown_too"]),
        helper.make_node("Add", ["grown_too", "t_wide"], ["velocity"]),
    ]
    inputs = [
        helper.make_tensor_value_info("place", TensorProto.FLOAT, ["batch", N_BANDS, "frames"]),
        helper.make_tensor_value_info("shown", TensorProto.FLOAT, ["batch", N_SHOWN, "frames"]),
        helper.make_tensor_value_info("condition", TensorProto.FLOAT, ["batch", "frames", N_CONDITION]),
        helper.make_tensor_value_info("t", TensorProto.FLOAT, ["batch"]),
    ]
    outputs = [helper.make_tensor_value_info("velocity", TensorProto.FLOAT, ["batch", N_BANDS, "frames"])]
    tensors = [numpy_helper.from_array(np.array([1, 2], dtype=np.int64), "axes")]
    tensors.append(numpy_helper.from_array(np.float32(share), "share"))
    tensors.append(numpy_helper.from_array(np.float32(0.0), "nothing"))
    graph = helper.make_graph(nodes, "steady", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    stated = {
        "kind": KIND,
        "classes": ",".join(NAMES),
        "reach_frames": "4",
        "portraits": json.dumps([[b64encode(packed([PORTRAIT])).decode(), ""]] * len(NAMES)),
        "courses": json.dumps([[[""], []]] * len(NAMES)),
    }
    stated |= facts
    for name, value in stated.items():
        if value:
            model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
