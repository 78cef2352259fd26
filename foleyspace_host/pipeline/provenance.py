"""What a result was made with: versions, and each model by name and checksum."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host import __version__
from foleyspace_host.versions import installed_version

if TYPE_CHECKING:
    from foleyspace_host.models.slots import UserModel
    from foleyspace_host.render.options import RenderOptions

__all__ = [
    "ModelUse",
    "Provenance",
    "detector_used",
    "flow_used",
    "hrtf_used",
    "listener_used",
    "made_with",
    "own_used",
]

_LIBRARIES = ("av", "numpy", "onnxruntime", "onnxruntime-gpu", "scipy", "soundfile", "soxr")


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model or measured set that took part.

    Parameters
    ----------
    name : str
        Name in the registry, or the user's file.
    sha256 : str
        Checksum of the file.
    """

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Versions and models behind a result.

    Parameters
    ----------
    foleyspace, python, platform : str
        Version of this program, of Python, and the system.
    libraries : dict of str to str
        Versions of the libraries whose results may change with them.
    models : tuple of ModelUse
        Models and measured sets that took part.
    device : str
        Where models computed: "cpu" or "cuda".
    """

    foleyspace: str
    python: str
    platform: str
    libraries: dict[str, str]
    models: tuple[ModelUse, ...]
    device: str = "cpu"


def made_with(models: Iterable[ModelUse], device: str = "cpu") -> Provenance:
    """Return the provenance of a result made now.

    Parameters
    ----------
    models : iterable of ModelUse
        Models that took part.
    device : str
        Where they computed.

    Returns
    -------
    Provenance
    """
    libraries = {name: version for name in _LIBRARIES if (version := installed_version(name)) is not None}
    system = f"{platform.system()} {platform.machine()}"
    return Provenance(__version__, platform.python_version(), system, libraries, tuple(models), device)


def detector_used(replacement: Path | None) -> ModelUse:
    """Return the detector that takes part.

    Parameters
    ----------
    replacement : Path or None
        The user's ONNX file; the shipped detector if None.

    Returns
    -------
    ModelUse

    Raises
    ------
    ModelUnavailable
        If the user's file is not there.
    """
    return _used("centernet", replacement)


def listener_used() -> ModelUse:
    """Return the model that listens."""
    return _used("yamnet", None)


def own_used(model: UserModel) -> list[ModelUse]:
    """Return a model of the user's, each of its files by itself if there are several.

    Parameters
    ----------
    model : UserModel
        The model.

    Returns
    -------
    list of ModelUse
    """
    if len(model.digests) == 1:
        return [ModelUse(model.name, model.sha256)]
    return [ModelUse(f"{model.name}/{name}", digest) for name, digest in sorted(model.digests.items())]


def hrtf_used(replacement: Path | None) -> ModelUse:
    """Return the set of head-related responses that takes part.

    Parameters
    ----------
    replacement : Path or None
        The user's SOFA file; the shipped set if None.

    Returns
    -------
    ModelUse

    Raises
    ------
    ModelUnavailable
        If the user's file is not there.
    """
    return _used("kemar", replacement)


def flow_used(settings: RenderOptions) -> list[ModelUse]:
    """Return the flow model that takes part, if one does.

    Parameters
    ----------
    settings : RenderOptions
        How is rendered.

    Returns
    -------
    list of ModelUse
        One or none.

    Raises
    ------
    ModelUnavailable
        If it is not there.
    """
    if not settings.n_steps:
        return []
    from foleyspace_host.diffusion.model import NAME, find_flow_model

    replacement = settings.flow_model
    return [_used(NAME, None if replacement is None else find_flow_model(replacement))]


def _used(name: str, replacement: Path | None) -> ModelUse:
    from foleyspace_host.models.registry import entry, find

    if replacement is None:
        return ModelUse(name, entry(name).sha256)
    with find(name, replacement).open("rb") as file:
        return ModelUse(replacement.name, hashlib.file_digest(file, "sha256").hexdigest())
