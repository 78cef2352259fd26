"""The user's own models, loaded: depth, and detectors that are told in words what to look for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.localize.place.depth import DepthModel
from foleyspace_host.localize.see.open_vocabulary import OpenVocabulary, check_vocabulary, open_vocabulary
from foleyspace_host.localize.see.words import files_beside

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device
    from foleyspace_host.models.slots import Slot, UserModel

__all__ = ["depth_model", "examined", "finder_of"]


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
        Which; where no tokenizer was added with it, one is taken that lies beside its file or one folder above.
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

    tokenizer = model.tokenizer or files_beside(model.path)
    return open_vocabulary(open_session(model.path, device=device), model.path, tokenizer, label)


def examined(
    slot: Slot, file: Path, kind: str | None = None, tokenizer: tuple[Path, ...] = ()
) -> tuple[str, tuple[Path, ...], str | None]:
    """Check that a model can be used in a slot, before it is added.

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
    kind : str
        What it is.
    tokenizer : tuple of Path
        Files that turn words into numbers.
    licence : str or None
        As the file states it.

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
        return DepthModel(session, file, kind).kind.name, (), licence
    found = tokenizer or files_beside(file)
    open_vocabulary(session, file, found, "anything")
    return check_vocabulary(session, file).__name__.lower(), found, licence
