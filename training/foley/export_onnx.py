"""From averaged weights to a file that ONNX Runtime computes, with what the program must know in its metadata."""

from __future__ import annotations

import json
import warnings
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import N_BANDS
from foleyspace_host.generate.embedded.condition import N_CONDITION
from foleyspace_host.generate.embedded.model import KIND
from foleyspace_host.generate.embedded.portrait import N_SHOWN, packed
from training.binaural_flow.export_onnx import Precision, smaller
from training.foley.data.bank import Bank, portraits
from training.foley.model.net import FoleyNet
from training.foley.recipes import FoleyRecipe

__all__ = ["averaged_net", "export", "parity"]

_OPSET = 17
_FRAMES = 160  # of the example that is traced; any number may be asked for afterwards


def averaged_net(recipe: FoleyRecipe, weights: Mapping[str, torch.Tensor]) -> FoleyNet:
    """Return the network with averaged weights, on the CPU, ready to be asked."""
    net = FoleyNet(recipe.size)
    net.load_state_dict(dict(weights))
    return net.eval()


def export(
    net: FoleyNet,
    path: Path,
    bank: Bank,
    facts: Mapping[str, str],
    precision: Precision = "fp32",
) -> Path:
    """Write a network as ONNX.

    Parameters
    ----------
    net : FoleyNet
        The network.
    path : Path
        File to write.
    bank : Bank
        What it was trained with.
    facts : mapping of str to str
        What the file shall state about itself: recipe, steps, data, licence, date.
    precision : {"fp32", "fp16", "int8"}
        How weights are stored; computing is in single precision always.

    Returns
    -------
    Path
        The file.
    """
    import onnx

    net = net.float().eval()
    example = (
        torch.zeros(2, N_BANDS, _FRAMES),
        torch.zeros(2, N_SHOWN, _FRAMES),
        torch.zeros(2, _FRAMES, N_CONDITION),
        torch.zeros(2),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own ageing
        torch.onnx.export(
            net,
            example,
            str(path),
            input_names=["place", "shown", "condition", "t"],
            output_names=["velocity"],
            dynamic_axes={
                "place": {0: "batch", 2: "frames"},
                "shown": {0: "batch", 2: "frames"},
                "condition": {0: "batch", 1: "frames"},
                "t": {0: "batch"},
                "velocity": {0: "batch", 2: "frames"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    if precision != "fp32":
        smaller(model, precision)
    stated = {
        "kind": KIND,
        "classes": ",".join(NAMES),
        "reach_frames": str(net.size.reach),
        "portraits": json.dumps([[b64encode(packed(one)).decode() for one in pair] for pair in portraits(bank)]),
        "precision": precision,
        **facts,
    }
    del model.metadata_props[:]
    for name, value in stated.items():
        model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def parity(net: FoleyNet, path: Path, seed: int = 0) -> float:
    """Return the largest difference of ONNX Runtime's answers from torch's, over the largest number in them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(seed)
    worst = 0.0
    for n_frames, t in ((40, 0.0), (200, 0.5), (333, 0.875)):
        place = torch.randn(2, N_BANDS, n_frames, generator=generator)
        shown = torch.randn(2, N_SHOWN, n_frames, generator=generator)
        condition = torch.rand(2, n_frames, N_CONDITION, generator=generator)
        time = torch.full((2,), t)
        with torch.no_grad():
            wanted = net.float().eval()(place, shown, condition, time).numpy()
        inputs = {"place": place.numpy(), "shown": shown.numpy(), "condition": condition.numpy(), "t": time.numpy()}
        found = session.run(None, inputs)[0]
        worst = max(worst, float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-9)))
    return worst
