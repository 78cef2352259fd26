"""The foley model as a file that ONNX Runtime computes: what it takes and gives, and what the program must know."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import torch

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import N_BANDS
from foleyspace_host.generate.embedded.condition import N_CONDITION
from foleyspace_host.generate.embedded.course import packed as packed_course
from foleyspace_host.generate.embedded.model import KIND
from foleyspace_host.generate.embedded.portrait import N_SHOWN, packed
from training.flow.export_onnx import Signature, largest_difference, write_onnx
from training.flow.stored_weights import Precision
from training.foley.data.bank import Bank, portraits
from training.foley.model.net import FoleyNet

__all__ = ["export", "parity"]

_SIGNATURE = Signature(
    inputs={
        "place": ("batch", N_BANDS, "frames"),
        "shown": ("batch", N_SHOWN, "frames"),
        "condition": ("batch", "frames", N_CONDITION),
        "t": ("batch",),
    },
    outputs={"velocity": ("batch", N_BANDS, "frames")},
)


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
    known = portraits(bank)
    stated = {
        "kind": KIND,
        "classes": ",".join(NAMES),
        "reach_frames": str(net.size.reach),
        "portraits": json.dumps(
            [[b64encode(packed([one.portrait for one in of])).decode() for of in pair] for pair in known]
        ),
        "courses": json.dumps([[[packed_course(one.course) for one in of] for of in pair] for pair in known]),
        "precision": precision,
        **facts,
    }
    return write_onnx(net, path, _SIGNATURE, stated, precision)


def parity(net: FoleyNet, path: Path, seed: int = 0) -> float:
    """Return the largest difference of ONNX Runtime's answers from torch's, over the largest number in them."""
    generator = torch.Generator().manual_seed(seed)
    questions = [
        (
            torch.randn(2, N_BANDS, n_frames, generator=generator),
            torch.randn(2, N_SHOWN, n_frames, generator=generator),
            torch.rand(2, n_frames, N_CONDITION, generator=generator),
            torch.full((2,), t),
        )
        for n_frames, t in ((40, 0.0), (200, 0.5), (333, 0.875))
    ]
    return largest_difference(net, path, questions)
