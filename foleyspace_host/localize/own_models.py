"""The user's own models, loaded: depth, and detectors that are told in words what to look for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.localize.place.depth import DepthModel
from foleyspace_host.localize.see.open_vocabulary import OpenVocabulary, check_vocabulary, open_vocabulary
from foleyspace_host.models.beside import tokenizer_beside

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device
    from foleyspace_host.models.slots import Slot, UserModel

__all__ = ["Examined", "depth_model", "examined", "finder_of", "try_out"]

_TRIED_SIZE = (640, 360)


class Examined(NamedTuple):
    """What a model's file tells about it.

    Parameters
    ----------
    kind : str
        What it is: a kind of depth model, "owlv2" or "grounding-dino".
    tokenizer : tuple of Path
        Files that turn words into numbers.
    licence : str or None
        As the file states it.
    """

    kind: str
    tokenizer: tuple[Path, ...]
    licence: str | None


def depth_model(model: UserModel, kind: str | None = None, device: Device = "auto") -> DepthModel:
    """Load a depth model.

    Parameters
    ----------
    model : UserModel
        Which.
    kind : str, optional
        What it is; as it was added, or told by its inputs and outputs, if not given.
    device : {"auto", "cpu", "cuda"}
        Where it computes, see `open_session`.

    Returns
    -------
    DepthModel

    Raises
    ------
    ModelUnavailable
        If it is not of a kind that is understood, or cannot be loaded.
    InvalidInput
        If the kind is unknown.
    """
    from foleyspace_host.models.session import open_session

    # one picture after the other: all cores belong to it
    session = open_session(model.path, threads=os.cpu_count() or 1, device=device)
    return DepthModel(session, model.path, kind or model.kind or None)


def finder_of(model: UserModel, label: str, device: Device = "auto") -> OpenVocabulary:
    """Load a detector of what a label names.

    Parameters
    ----------
    model : UserModel
        Which, with its tokenizer.
    label : str
        What to look for.
    device : {"auto", "cpu", "cuda"}
        Where it computes, see `open_session`.

    Returns
    -------
    OpenVocabulary

    Raises
    ------
    ModelUnavailable
        If model or tokenizer are not of a kind that is understood, or cannot be loaded.
    InvalidInput
        If the label is empty.
    """
    from foleyspace_host.models.session import open_session

    return open_vocabulary(open_session(model.path, device=device), model.path, model.tokenizer, label)


def examined(slot: Slot, file: Path, kind: str | None = None, tokenizer: tuple[Path, ...] = ()) -> Examined:
    """Check by its inputs and outputs that a model can be used in a slot, before it is added.

    Parameters
    ----------
    slot : {"depth", "open-vocabulary"}
        What for.
    file : Path
        The ONNX file.
    kind : str, optional
        What it is, for depth models.
    tokenizer : tuple of Path
        Files that turn words into numbers; those beside the model if there are none here.

    Returns
    -------
    Examined

    Raises
    ------
    ModelUnavailable
        If it cannot be used.
    InvalidInput
        If the kind is unknown.
    """
    from foleyspace_host.models.session import open_session

    session = open_session(file, device="cpu")
    stated = {name.lower(): value for name, value in session.metadata().items()}
    licence = next((stated[name] for name in ("license", "licence", "license_name") if stated.get(name)), None)
    if slot == "depth":
        return Examined(DepthModel(session, file, kind).kind.name, (), licence)
    found = tokenizer or tokenizer_beside(file)
    open_vocabulary(session, file, found, "anything")
    return Examined(check_vocabulary(session, file).kind, found, licence)


def try_out(model: UserModel, device: Device = "auto") -> str:
    """Let an added model answer to one grey picture, or to as many as it looks at together.

    Parameters
    ----------
    model : UserModel
        Which.
    device : {"auto", "cpu", "cuda"}
        Where it computes, see `open_session`.

    Returns
    -------
    str
        Where it computed: "cuda" or "cpu".

    Raises
    ------
    ModelUnavailable
        If it cannot be loaded, or fails.
    """
    grey = np.full((_TRIED_SIZE[1], _TRIED_SIZE[0], 3), 128, np.uint8)
    if model.slot == "depth":
        depth = depth_model(model, None, device)
        for _ in depth.maps([(grey, 0)], Camera(*_TRIED_SIZE)):
            pass
        return depth.device
    words = finder_of(model, "anything", device)
    words.detect(grey)
    return words.device
