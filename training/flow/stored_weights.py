"""Weights of an ONNX file in fewer bits; computing is in single precision always.

What is halved or quartered is the file: weights stand in it as 16-bit floats, or as 8-bit integers with one scale for
each output channel, and are turned back when it is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import onnx

__all__ = ["PRECISIONS", "Precision", "store_weights"]

Precision = Literal["fp32", "fp16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")

_LEAST = 256  # smaller weights stay as they are: they weigh nothing and count most


def store_weights(model: onnx.ModelProto, precision: Precision) -> None:
    """Store large weights in fewer bits, with nodes that turn them back.

    Parameters
    ----------
    model : onnx.ModelProto
        The model, whose weights are in single precision; changed in place.
    precision : {"fp32", "fp16", "int8"}
        How weights are stored; with "fp32" nothing is changed.
    """
    import onnx
    from onnx import helper, numpy_helper

    if precision == "fp32":
        return
    graph = model.graph
    transposed = {node.input[1] for node in graph.node if node.op_type == "ConvTranspose"}
    nodes, kept, added = [], [], []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _LEAST:
            kept.append(weight)
            continue
        stored = f"{weight.name}.stored"
        if precision == "fp16":
            added.append(numpy_helper.from_array(values.astype(np.float16), stored))
            nodes.append(helper.make_node("Cast", [stored], [weight.name], to=onnx.TensorProto.FLOAT))
            continue
        # output channels come first in convolutions, second in transposed ones
        axis = 1 if weight.name in transposed else 0
        others = tuple(number for number in range(values.ndim) if number != axis)
        scale = np.maximum(np.abs(values).max(axis=others) / 127.0, 1e-12).astype(np.float32)
        shape = [-1 if number == axis else 1 for number in range(values.ndim)]
        rounded = np.clip(np.round(values / scale.reshape(shape)), -127, 127).astype(np.int8)
        added += [
            numpy_helper.from_array(rounded, stored),
            numpy_helper.from_array(scale, f"{weight.name}.scale"),
            numpy_helper.from_array(np.zeros(scale.shape, dtype=np.int8), f"{weight.name}.zero"),
        ]
        inputs = [stored, f"{weight.name}.scale", f"{weight.name}.zero"]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [weight.name], axis=axis))
    rest = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend([*kept, *added])
    graph.node.extend([*nodes, *rest])
