"""Flow models whose answers can be worked out by hand: in numpy, and as ONNX files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foleyspace_host.diffusion.condition import N_CONDITION
from foleyspace_host.diffusion.model import KIND


class Echo:
    """Adds what was `memory` frames ago, what is `look_ahead` frames ahead, and a curve of where the flow is.

    All of that over the reach, as networks see and answer.
    """

    rt60_range_s = (0.15, 0.6)

    def __init__(self, memory: int = 20, look_ahead: int = 2, adds: str = "room,sparse,extent") -> None:
        self.adds = frozenset(adds.split(","))
        self.memory, self.look_ahead = memory, look_ahead
        self.n_calls = 0

    def residual(self, maps: NDArray[np.float32], condition: NDArray[np.float32], t: float) -> NDArray[np.float32]:
        self.n_calls += 1
        place, prior, mono = maps[0, :4], maps[0, 4:8], np.tile(maps[0, 8:10], (2, 1, 1))
        out = 0.1 * np.tanh(place) + 0.05 * t + 0.1 * condition[0, :, :1].T
        out[..., self.memory :] += 0.3 * mono[..., : -self.memory]
        out[..., : -self.look_ahead] += 0.2 * prior[..., self.look_ahead :]
        return out.astype(np.float32)


def share_of_prior_onnx(path: Path, share: float = 0.25, **facts: str) -> Path:
    """Write a model that adds a share of the prior to itself; `facts` stand in its metadata instead of right ones."""
    values = {"first": [4], "stop": [8], "axis": [1], "share": np.array(share, dtype=np.float32)}
    nodes = [
        helper.make_node("Slice", ["maps", "first", "stop", "axis"], ["prior"]),
        helper.make_node("Mul", ["prior", "share"], ["grown"]),
        # the other inputs take part, with nothing
        helper.make_node("ReduceSum", ["condition"], ["told"], keepdims=0),
        helper.make_node("Mul", ["told", "nothing"], ["told_nothing"]),
        helper.make_node("Mul", ["t", "nothing"], ["t_nothing"]),
        helper.make_node("Add", ["grown", "told_nothing"], ["grown_too"]),
        helper.make_node("Add", ["grown_too", "t_nothing"], ["residual"]),
    ]
    inputs = [
        helper.make_tensor_value_info("maps", TensorProto.FLOAT, [1, 11, 512, "frames"]),
        helper.make_tensor_value_info("condition", TensorProto.FLOAT, [1, "frames", N_CONDITION]),
        helper.make_tensor_value_info("t", TensorProto.FLOAT, [1]),
    ]
    outputs = [helper.make_tensor_value_info("residual", TensorProto.FLOAT, [1, 4, 512, "frames"])]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    tensors.append(numpy_helper.from_array(np.float32(0.0), "nothing"))
    graph = helper.make_graph(nodes, "share", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    stated = {
        "kind": KIND,
        "memory_frames": "4",
        "look_ahead_frames": "1",
        "rt60_range_s": "0.15,0.6",
        "adds": "room,sparse,extent",
    }
    stated |= facts
    for name, value in stated.items():
        if value:
            model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
