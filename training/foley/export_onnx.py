"""From averaged weights to a file that ONNX Runtime computes, with what the program must know in its metadata."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import N_BINS
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.condition import N_CONDITION, N_FOLEY_MAPS
from foleyspace_host.generate.embedded.model import KIND
from training.binaural_flow.export_onnx import Precision, smaller
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
    mean_db: NDArray[np.float32],
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
    mean_db : ndarray, float32, shape (n_classes, N_BANDS)
        Mean spectra of the classes that it was trained with.
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
    example = (torch.zeros(1, N_FOLEY_MAPS, N_BINS, _FRAMES), torch.zeros(1, _FRAMES, N_CONDITION), torch.zeros(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own ageing
        torch.onnx.export(
            net,
            example,
            str(path),
            input_names=["maps", "condition", "t"],
            output_names=["end"],
            dynamic_axes={"maps": {3: "frames"}, "condition": {1: "frames"}, "end": {3: "frames"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    if precision != "fp32":
        smaller(model, precision)
    stated = {
        "kind": KIND,
        "classes": ",".join(NAMES),
        "memory_frames": str(net.size.memory),
        "look_ahead_frames": str(net.size.look_ahead),
        "mean_db": json.dumps(np.round(mean_db, 2).tolist()),
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
        maps = torch.randn(1, N_FOLEY_MAPS, N_BINS, n_frames, generator=generator)
        condition = torch.rand(1, n_frames, N_CONDITION, generator=generator)
        time = torch.tensor([t])
        with torch.no_grad():
            wanted = net.float().eval()(maps, condition, time).numpy()
        found = session.run(None, {"maps": maps.numpy(), "condition": condition.numpy(), "t": time.numpy()})[0]
        worst = max(worst, float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-9)))
    return worst
