"""Foley models whose answers can be worked out by hand: in numpy, and as ONNX files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.condition import N_BANDS, N_CONDITION
from foleyspace_host.generate.embedded.model import KIND


class Recall:
    """Answers with what was `memory` frames ago and `look_ahead` frames ahead, the level, and what it is told."""

    def __init__(self, memory: int = 12, look_ahead: int = 2) -> None:
        self.memory, self.look_ahead = memory, look_ahead
        self.mean_db = np.tile(np.linspace(0.0, -20.0, N_BANDS, dtype=np.float32), (len(NAMES), 1))
        self.calls: list[float] = []

    def end(self, maps: NDArray[np.float32], condition: NDArray[np.float32], t: float) -> NDArray[np.float32]:
        self.calls.append(t)
        place = maps[0, :2]
        out = 0.3 * place + 0.05 * maps[0, 2] + 0.1 * condition[0, :, -2]
        out[..., self.memory :] += 0.3 * place[..., : -self.memory]
        out[..., : -self.look_ahead] += 0.2 * place[..., self.look_ahead :]
        return out.astype(np.float32)


def louder_onnx(path: Path, share: float = 1.0, **facts: str) -> Path:
    """Write a model whose flow ends at a share of where it is; `facts` stand in its metadata instead of right ones."""
    values = {"first": [0], "stop": [2], "axis": [1], "share": np.array(share, dtype=np.float32)}
    nodes = [
        helper.make_node("Slice", ["maps", "first", "stop", "axis"], ["place"]),
        helper.make_node("Mul", ["place", "share"], ["grown"]),
        # the other inputs take part, with nothing
        helper.make_node("ReduceSum", ["condition"], ["told"], keepdims=0),
        helper.make_node("Mul", ["told", "nothing"], ["told_nothing"]),
        helper.make_node("Mul", ["t", "nothing"], ["t_nothing"]),
        helper.make_node("Add", ["grown", "told_nothing"], ["grown_too"]),
        helper.make_node("Add", ["grown_too", "t_nothing"], ["end"]),
    ]
    inputs = [
        helper.make_tensor_value_info("maps", TensorProto.FLOAT, [1, 3, 512, "frames"]),
        helper.make_tensor_value_info("condition", TensorProto.FLOAT, [1, "frames", N_CONDITION]),
        helper.make_tensor_value_info("t", TensorProto.FLOAT, [1]),
    ]
    outputs = [helper.make_tensor_value_info("end", TensorProto.FLOAT, [1, 2, 512, "frames"])]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    tensors.append(numpy_helper.from_array(np.float32(0.0), "nothing"))
    graph = helper.make_graph(nodes, "louder", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    stated = {
        "kind": KIND,
        "classes": ",".join(NAMES),
        "memory_frames": "4",
        "look_ahead_frames": "1",
        "mean_db": json.dumps(Recall().mean_db.tolist()),
    }
    stated |= facts
    for name, value in stated.items():
        if value:
            model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
