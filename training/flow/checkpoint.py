"""Checkpoints in pieces that can be carried one by one: at most 16 MiB each, and whole or not there at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from foleyspace_host.errors import InvalidInput

__all__ = ["PIECE_BYTES", "latest", "load", "load_latest", "save"]

PIECE_BYTES = 16 << 20
"""Largest piece."""

_MOST_PIECES = 7  # and the list of them
_LIST = "pieces.json"
_PREFIX = "step-"


def save(run: Path, step: int, state: dict[str, Any]) -> Path:
    """Write a checkpoint; earlier ones go when it is whole.

    Parameters
    ----------
    run : Path
        Folder of the training.
    step : int
        Steps done.
    state : dict
        Tensors, numbers, strings, lists and dictionaries of them.

    Returns
    -------
    Path
        Its folder.

    Raises
    ------
    InvalidInput
        If it is larger than 7 pieces.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getbuffer()
    pieces = [data[first : first + PIECE_BYTES] for first in range(0, len(data), PIECE_BYTES)]
    if len(pieces) > _MOST_PIECES:
        raise InvalidInput(f"a checkpoint of {len(data)} bytes is too large", where=str(run))
    folder = run / f"{_PREFIX}{step:08d}"
    partial = run / f".{folder.name}.part"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    listed = []
    for number, piece in enumerate(pieces):
        name = f"piece-{number}.bin"
        (partial / name).write_bytes(piece)
        listed.append({"name": name, "sha256": hashlib.sha256(piece).hexdigest()})
    (partial / _LIST).write_text(json.dumps({"step": step, "pieces": listed}, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)
    for old in run.glob(f"{_PREFIX}*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def latest(run: Path) -> Path | None:
    """Return the newest checkpoint of a training, if there is one."""
    return max(run.glob(f"{_PREFIX}*"), default=None, key=lambda folder: folder.name)


def load(folder: Path) -> dict[str, Any]:
    """Read a checkpoint.

    Parameters
    ----------
    folder : Path
        From `save` or `latest`.

    Returns
    -------
    dict
        As it was saved, on the CPU.

    Raises
    ------
    InvalidInput
        If a piece is missing or damaged.
    """
    try:
        listed = json.loads((folder / _LIST).read_text(encoding="utf-8"))["pieces"]
        data = b""
        for piece in listed:
            part = (folder / piece["name"]).read_bytes()
            if hashlib.sha256(part).hexdigest() != piece["sha256"]:
                raise ValueError(f"{piece['name']} is damaged")
            data += part
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"the checkpoint cannot be read ({error})", where=str(folder), cure="remove it") from error
    state: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return state


def load_latest(run: Path) -> dict[str, Any]:
    """Read the newest checkpoint of a training.

    Parameters
    ----------
    run : Path
        Folder of the training.

    Returns
    -------
    dict
        As it was saved, on the CPU.

    Raises
    ------
    InvalidInput
        If there is none, or it is damaged.
    """
    found = latest(run)
    if found is None:
        raise InvalidInput("there is no checkpoint", where=str(run), cure="train first")
    return load(found)
