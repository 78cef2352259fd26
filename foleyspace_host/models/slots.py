"""Models of the user's own, as they lie in the data folder: each under a name, with digests and licence.

Two slots take them, "depth" and "open-vocabulary". Nothing here loads a model.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from foleyspace_host.config import Folders
from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.models.beside import digest_of, tokenizer_beside, weights_beside

__all__ = [
    "NONE",
    "RECORD",
    "SLOTS",
    "UNSTATED",
    "Slot",
    "UserModel",
    "damage",
    "folder",
    "installed",
    "named_model",
    "plain",
    "read_record",
    "user_model",
]

Slot = Literal["depth", "open-vocabulary"]

SLOTS: tuple[Slot, ...] = get_args(Slot)

NONE = "none"
"""What stands for no model, where one could be named."""

UNSTATED = "unstated: see the terms of its origin"

RECORD = "model.json"
"""Name of the file that says what a model is, beside its files."""


@dataclass(frozen=True, slots=True)
class UserModel:
    """A model that the user has added, or named by its file.

    Parameters
    ----------
    name : str
        Its name; the file's, where it was not added.
    slot : {"depth", "open-vocabulary"}
        What it is for.
    path : Path
        The ONNX file.
    sha256 : str
        Digest of the ONNX file, lower-case hexadecimal.
    digests : dict of str to str
        The same of each of its files, by name: the ONNX file, weights beside it, tokenizer.
    size_bytes : int
        Length of all of its files.
    licence : str
        As the user typed it, or as the file states it.
    kind : str
        What it is exactly, as far as its slot distinguishes; empty to go by its inputs and outputs.
    tokenizer : tuple of Path
        Files that turn words into numbers; for words.
    added : int
        Its place in the order in which models were added.
    """

    name: str
    slot: Slot
    path: Path
    sha256: str
    digests: dict[str, str]
    size_bytes: int
    licence: str = UNSTATED
    kind: str = ""
    tokenizer: tuple[Path, ...] = ()
    added: int = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """All of its files."""
        return (self.path, *weights_beside(self.path), *self.tokenizer)


def folder() -> Path:
    """Return the folder that holds all of them; it need not exist."""
    return Folders().data / "models"


def installed(slot: Slot | None = None) -> tuple[UserModel, ...]:
    """Return the models that were added, the last one first.

    Parameters
    ----------
    slot : {"depth", "open-vocabulary"}, optional
        Only those for this.

    Returns
    -------
    tuple of UserModel
        Without what cannot be read.
    """
    found = []
    for record in folder().glob(f"*/{RECORD}"):
        try:
            found.append(read_record(record))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    kept = [model for model in found if slot is None or model.slot == slot]
    return tuple(sorted(kept, key=lambda model: (-model.added, model.name)))


def user_model(slot: Slot, wanted: str | Path | None = None) -> UserModel | None:
    """Return the model to use.

    Parameters
    ----------
    slot : {"depth", "open-vocabulary"}
        What for.
    wanted : str or Path, optional
        The name of an added model, an ONNX file, or "none"; the model added last if not given.

    Returns
    -------
    UserModel or None
        None if none is wanted or was added.

    Raises
    ------
    ModelUnavailable
        If there is no model of this name and no such file, or its file is gone or cannot be read.
    """
    if wanted is None or str(wanted) == NONE:
        models = installed(slot) if wanted is None else ()
        return _there(models[0]) if models else None
    for model in installed(slot):
        if model.name == str(wanted):
            return _there(model)
    path = Path(wanted)
    if not path.is_file():
        names = ", ".join(model.name for model in installed(slot))
        known = f"name one of: {names}; or check the path" if names else "check the path"
        raise ModelUnavailable(f"there is no {slot} model of this name and no such file", where=str(wanted), cure=known)
    tokenizer = tokenizer_beside(path) if slot == "open-vocabulary" else ()
    files = [path, *weights_beside(path), *tokenizer]
    try:
        digests, size_bytes = {file.name: digest_of(file) for file in files}, sum(file.stat().st_size for file in files)
    except OSError as error:
        raise ModelUnavailable(f"cannot be read ({error.strerror})", where=str(path)) from error
    return UserModel(path.name, slot, path, digests[path.name], digests, size_bytes, tokenizer=tokenizer)


def named_model(slot: Slot, name: str, where: str) -> str:
    """Return the name of an added model, or "none"; for those who may name no files.

    Parameters
    ----------
    slot : {"depth", "open-vocabulary"}
        What for.
    name : str
        Its name.
    where : str
        Where it was named, for the message.

    Returns
    -------
    str

    Raises
    ------
    ModelUnavailable
        If none of this name was added for this; the message lists those there are.
    """
    names = [model.name for model in installed(slot)]
    if name not in (*names, NONE):
        known = f"name one of: {', '.join(names)}; or " if names else ""
        raise ModelUnavailable(
            f"no {slot} model {name!r} was added",
            where=where,
            cure=f"{known}add it: foleyspace models add {slot} FILE.onnx",
        )
    return name


def damage(model: UserModel) -> str | None:
    """Say what is wrong with an added model's files: gone, or not what was added; None if nothing is."""
    for name, expected in model.digests.items():
        try:
            digest = digest_of(model.path.with_name(name))
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
        if digest != expected:
            return f"the sha256 of {name} is {digest}, not {expected}"
    return None


def plain(model: UserModel) -> dict[str, Any]:
    """Return a model as plain values, for JSON."""
    return asdict(model) | {"path": str(model.path), "tokenizer": [str(path) for path in model.tokenizer]}


def _there(model: UserModel) -> UserModel:
    if not model.path.is_file():
        cure = f"add it again after `foleyspace models remove {model.name}`"
        raise ModelUnavailable("the file of this model is gone", where=model.name, cure=cure)
    return model


def read_record(record: Path) -> UserModel:
    """Return the model that a record describes; raises OSError, ValueError, KeyError or TypeError if it is none."""
    data = json.loads(record.read_text(encoding="utf-8"))
    if data["slot"] not in SLOTS:
        raise ValueError(data["slot"])
    place = record.parent
    digests = {Path(name).name: str(digest) for name, digest in data["digests"].items()}
    return UserModel(
        name=place.name,
        slot=data["slot"],
        path=place / Path(data["file"]).name,
        sha256=digests[Path(data["file"]).name],
        digests=digests,
        size_bytes=int(data["size_bytes"]),
        licence=str(data["licence"]),
        kind=str(data["kind"]),
        tokenizer=tuple(place / Path(name).name for name in data["tokenizer"]),
        added=int(data["added"]),
    )
