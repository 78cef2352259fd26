"""From a trained network to a file that ONNX Runtime computes and that says what it is; and how far they are apart."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.flow.stored_weights import Precision, store_weights

__all__ = ["Shape", "Signature", "facts_of", "largest_difference", "write_onnx"]

Shape = tuple[int | str, ...]
"""Lengths of the axes of an array; an axis with a name may have any length."""

_OPSET = 17
_TRACED = {"batch": 2, "frames": 160}  # lengths of the example that is traced


@dataclass(frozen=True, slots=True)
class Signature:
    """What a network takes and gives.

    Parameters
    ----------
    inputs : dict of str to Shape
        Names and shapes of its inputs, in the order of its ``forward``; axes may be called "batch" and "frames".
    outputs : dict of str to Shape
        The same of its outputs.
    """

    inputs: dict[str, Shape]
    outputs: dict[str, Shape]


def write_onnx(
    net: nn.Module,
    path: Path,
    signature: Signature,
    stated: Mapping[str, str],
    precision: Precision = "fp32",
) -> Path:
    """Write a network as ONNX.

    Parameters
    ----------
    net : nn.Module
        The network, on the CPU.
    path : Path
        File to write.
    signature : Signature
        What it takes and gives.
    stated : mapping of str to str
        What the file shall state about itself, as its metadata.
    precision : {"fp32", "fp16", "int8"}
        How weights are stored; computing is in single precision always.

    Returns
    -------
    Path
        The file.
    """
    import onnx

    example = tuple(
        torch.zeros([_TRACED[axis] if isinstance(axis, str) else axis for axis in shape])
        for shape in signature.inputs.values()
    )
    named = {
        name: {number: axis for number, axis in enumerate(shape) if isinstance(axis, str)}
        for name, shape in (signature.inputs | signature.outputs).items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own ageing
        torch.onnx.export(
            net.float().eval(),
            example,
            str(path),
            input_names=list(signature.inputs),
            output_names=list(signature.outputs),
            dynamic_axes={name: axes for name, axes in named.items() if axes},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    store_weights(model, precision)
    del model.metadata_props[:]
    for name, value in stated.items():
        model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def largest_difference(net: nn.Module, path: Path, questions: Iterable[tuple[Tensor, ...]]) -> float:
    """Return how far ONNX Runtime's answers are from torch's.

    Parameters
    ----------
    net : nn.Module
        The network.
    path : Path
        What it was exported to.
    questions : iterable of tuple of Tensor
        Inputs to ask both with, in the order of the signature.

    Returns
    -------
    float
        Largest difference over the largest number in the answer, of all questions.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    net = net.float().eval()
    worst = 0.0
    for question in questions:
        with torch.no_grad():
            wanted = net(*question).numpy()
        found = session.run(None, {name: value.numpy() for name, value in zip(names, question, strict=True)})[0]
        worst = max(worst, float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-9)))
    return worst


def facts_of(state: Mapping[str, Any], net: nn.Module, *, recipe: str, licence: str) -> dict[str, str]:
    """Return what a file states about the training that made it.

    Parameters
    ----------
    state : mapping
        Its checkpoint.
    net : nn.Module
        Its network.
    recipe : str
        Name of its recipe.
    licence : str
        Licence of the file.

    Returns
    -------
    dict of str to str
    """
    return {
        "recipe": recipe,
        "steps": str(state["step"]),
        "seconds": f"{state['seconds']:.0f}",
        "n_parameters": str(sum(weight.numel() for weight in net.parameters())),
        "licence": licence,
    }
