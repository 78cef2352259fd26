"""From averaged weights to a file that ONNX Runtime computes, in three precisions of its weights.

Computing is in single precision always; what is halved or quartered is the file: weights stand in it as 16-bit
floats, or as 8-bit integers with one scale for each output channel, and are turned back when it is loaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from foleyspace_host.diffusion.condition import N_CONDITION
from foleyspace_host.diffusion.features import N_BINS, N_MAPS
from foleyspace_host.diffusion.model import KIND
from training.binaural_flow.data.rooms import LONGEST_RT60_S, SHORTEST_RT60_S
from training.binaural_flow.model.net import FlowNet
from training.binaural_flow.recipes import Recipe

__all__ = ["PRECISIONS", "TASKS", "Precision", "averaged_net", "export", "parity", "smaller"]

Precision = Literal["fp32", "fp16", "int8"]
TASKS = ("room", "sparse", "extent")
"""What a model may add to a prior; see `foleyspace_host.diffusion.model.FlowModel`."""

PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")

_OPSET = 17
_FRAMES = 160  # of the example that is traced; any number may be asked for afterwards
_LEAST = 256  # smaller weights stay as they are: they weigh nothing and count most


def averaged_net(recipe: Recipe, weights: Mapping[str, torch.Tensor]) -> FlowNet:
    """Return the network with averaged weights, on the CPU, ready to be asked.

    Parameters
    ----------
    recipe : Recipe
        Its size.
    weights : mapping of str to Tensor
        Weights by name.

    Returns
    -------
    FlowNet
    """
    net = FlowNet(recipe.size)
    net.load_state_dict(dict(weights))
    return net.eval()


def export(
    net: FlowNet,
    path: Path,
    facts: Mapping[str, str],
    precision: Precision = "fp32",
    rt60_s: tuple[float, float] = (SHORTEST_RT60_S, LONGEST_RT60_S),
    adds: tuple[str, ...] = TASKS,
) -> Path:
    """Write a network as ONNX.

    Parameters
    ----------
    net : FlowNet
        The network.
    path : Path
        File to write.
    facts : mapping of str to str
        What the file shall state about itself: recipe, steps, data, licence, date.
    precision : {"fp32", "fp16", "int8"}
        How weights are stored.
    rt60_s : tuple of 2 floats
        Reverberation times that it was trained with [s].
    adds : tuple of str
        What it does better than the renderer, of `TASKS`; the rest is left to that.

    Returns
    -------
    Path
        The file.
    """
    import onnx

    net = net.float().eval()
    example = (torch.zeros(1, N_MAPS, N_BINS, _FRAMES), torch.zeros(1, _FRAMES, N_CONDITION), torch.zeros(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own ageing
        torch.onnx.export(
            net,
            example,
            str(path),
            input_names=["maps", "condition", "t"],
            output_names=["residual"],
            dynamic_axes={"maps": {3: "frames"}, "condition": {1: "frames"}, "residual": {3: "frames"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    if precision != "fp32":
        smaller(model, precision)
    stated = {
        "kind": KIND,
        "memory_frames": str(net.size.memory),
        "look_ahead_frames": str(net.size.look_ahead),
        "adds": ",".join(adds),
        "rt60_range_s": f"{rt60_s[0]:g},{rt60_s[1]:g}",
        "size": ", ".join(f"{name} {value}" for name, value in asdict(net.size).items()),
        "precision": precision,
        **facts,
    }
    del model.metadata_props[:]
    for name, value in stated.items():
        model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def parity(net: FlowNet, path: Path, seed: int = 0) -> float:
    """Return how far ONNX Runtime's answers are from torch's.

    Parameters
    ----------
    net : FlowNet
        The network.
    path : Path
        What it was exported to.
    seed : int
        Of the questions.

    Returns
    -------
    float
        Largest difference over the largest number in the answer, over several lengths and flow times.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(seed)
    worst = 0.0
    for n_frames, t in ((40, 0.0), (200, 0.5), (333, 0.75)):
        maps = torch.randn(1, N_MAPS, N_BINS, n_frames, generator=generator)
        condition = torch.randn(1, n_frames, N_CONDITION, generator=generator)
        time = torch.tensor([t])
        with torch.no_grad():
            wanted = net.float().eval()(maps, condition, time).numpy()
        inputs = {"maps": maps.numpy(), "condition": condition.numpy(), "t": time.numpy()}
        found = session.run(None, inputs)[0]
        worst = max(worst, float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-9)))
    return worst


def n_parameters(net: nn.Module) -> int:
    """Return the number of a network's weights."""
    return sum(weight.numel() for weight in net.parameters())


def smaller(model: object, precision: Precision) -> None:
    """Store large weights in fewer bits, with nodes that turn them back."""
    import onnx
    from onnx import helper, numpy_helper

    assert isinstance(model, onnx.ModelProto)
    graph = model.graph
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
        axis = 1 if values.ndim == 4 and weight.name.startswith("up.") else 0
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
