"""The binaural model as a file that ONNX Runtime computes: what it takes and gives, and what the program must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from foleyspace_host.diffusion.condition import N_CONDITION
from foleyspace_host.diffusion.features import N_BINS, N_MAPS
from foleyspace_host.diffusion.model import KIND
from training.binaural_flow.data.rooms import LONGEST_RT60_S, SHORTEST_RT60_S
from training.binaural_flow.model.net import FlowNet
from training.flow.export_onnx import Signature, largest_difference, write_onnx
from training.flow.stored_weights import Precision

__all__ = ["TASKS", "export", "parity"]

TASKS = ("room", "sparse", "extent")
"""What a model may add to a prior; see `foleyspace_host.diffusion.model.FlowModel`."""

_SIGNATURE = Signature(
    inputs={"maps": (1, N_MAPS, N_BINS, "frames"), "condition": (1, "frames", N_CONDITION), "t": (1,)},
    outputs={"residual": (1, 4, N_BINS, "frames")},  # real and imaginary part of left and right
)


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
    return write_onnx(net, path, _SIGNATURE, stated, precision)


def parity(net: FlowNet, path: Path, seed: int = 0) -> float:
    """Return how far ONNX Runtime's answers are from torch's, over several lengths and flow times.

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
        Largest difference over the largest number in the answer.
    """
    generator = torch.Generator().manual_seed(seed)
    questions = [
        (
            torch.randn(1, N_MAPS, N_BINS, n_frames, generator=generator),
            torch.randn(1, n_frames, N_CONDITION, generator=generator),
            torch.tensor([t]),
        )
        for n_frames, t in ((40, 0.0), (200, 0.5), (333, 0.75))
    ]
    return largest_difference(net, path, questions)
