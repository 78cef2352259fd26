"""Models of the user's own: kept in the data folder by copy, each under a name, with digest and licence.

Two slots take them, "depth" and "open-vocabulary". A model keeps the names of its files, because an ONNX file
names the file beside it that holds its weights. Nothing here loads a model.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from foleyspace_host.config import Folders
from foleyspace_host.errors import DiskFull, InvalidInput, ModelUnavailable, OutputUnwritable

__all__ = [
    "NONE",
    "SLOTS",
    "Slot",
    "UserModel",
    "add",
    "damage",
    "folder",
    "installed",
    "plain",
    "remove",
    "user_model",
    "weights_beside",
]

Slot = Literal["depth", "open-vocabulary"]

SLOTS: tuple[Slot, ...] = get_args(Slot)

NONE = "none"
"""What stands for no model, where one could be named."""

UNSTATED = "unstated: see the terms of its origin"

_RECORD = "model.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


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
    size_bytes: int
    licence: str = UNSTATED
    kind: str = ""
    tokenizer: tuple[Path, ...] = ()
    added: int = 0


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
    for record in folder().glob(f"*/{_RECORD}"):
        try:
            found.append(_read(record))
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
    try:
        files = [path, *weights_beside(path)]
        digest, size_bytes = _digest(path), sum(file.stat().st_size for file in files)
    except OSError as error:
        raise ModelUnavailable(f"cannot be read ({error.strerror})", where=str(path)) from error
    return UserModel(path.name, slot, path, digest, size_bytes)


def add(
    slot: Slot,
    file: str | Path,
    *,
    name: str | None = None,
    licence: str | None = None,
    kind: str = "",
    tokenizer: Sequence[str | Path] = (),
) -> UserModel:
    """Copy a model into the user's data folder.

    Parameters
    ----------
    slot : {"depth", "open-vocabulary"}
        What it is for.
    file : str or Path
        The ONNX file; weights beside it (``model.onnx_data`` beside ``model.onnx``) come along.
    name : str, optional
        What to call it; the file's name without its ending if not given.
    licence : str, optional
        Its terms.
    kind : str
        What it is exactly.
    tokenizer : sequence of str or Path
        Files that turn words into numbers.

    Returns
    -------
    UserModel
        As it lies in the folder.

    Raises
    ------
    InvalidInput
        If the name cannot be used, or another model has it: nothing is written over.
    ModelUnavailable
        If a file is missing or cannot be read.
    OutputUnwritable
        If it cannot be kept.
    """
    file = Path(file)
    name = file.stem if name is None else name
    if not _NAME.fullmatch(name) or name == NONE:
        cure = "give --name with letters, digits, dots, dashes and underlines"
        raise InvalidInput(f"{name!r} cannot be the name of a model", where="name", cure=cure)
    sources = [file, *weights_beside(file), *map(Path, tokenizer)]
    for source in sources:
        if not source.is_file():
            raise ModelUnavailable("there is no such model file", where=str(source), cure="check the path")
    if len({source.name for source in sources}) < len(sources):
        raise InvalidInput("two of its files have the same name", where=str(file), cure="rename one of them")
    place = folder() / name
    if place.exists():
        cure = f"choose another --name, or remove it first with `foleyspace models remove {name}`"
        raise InvalidInput("there is a model of this name already", where=name, cure=cure)
    record = {
        "slot": slot,
        "file": file.name,
        "licence": licence or UNSTATED,
        "kind": kind,
        "tokenizer": [Path(source).name for source in tokenizer],
        "added": 1 + max((model.added for model in installed()), default=0),
    }
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".adding-", dir=folder()))
    except OSError as error:
        raise _unwritable(error, folder()) from error
    try:
        for source in sources:
            shutil.copyfile(source, scratch / source.name)
        record["sha256"] = _digest(scratch / file.name)
        record["size_bytes"] = sum(copy.stat().st_size for copy in scratch.iterdir())
        (scratch / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        scratch.rename(place)
    except OSError as error:
        raise _unwritable(error, place) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return _read(place / _RECORD)


def remove(name: str) -> UserModel:
    """Delete an added model with its files.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    UserModel
        What it was.

    Raises
    ------
    ModelUnavailable
        If there is none of this name; the message lists those there are.
    OutputUnwritable
        If it cannot be deleted.
    """
    models = {model.name: model for model in installed()}
    if name not in models:
        cure = f"name one of: {', '.join(sorted(models))}" if models else "none was added"
        raise ModelUnavailable("no model of this name was added", where=name, cure=cure)
    try:
        shutil.rmtree(folder() / name)
    except OSError as error:
        raise OutputUnwritable(f"cannot be deleted ({error.strerror})", where=str(folder() / name)) from error
    return models[name]


def damage(model: UserModel) -> str | None:
    """Say what is wrong with an added model's file: gone, or not what was added; None if nothing is."""
    try:
        digest = _digest(model.path)
    except OSError as error:
        return f"its file cannot be read ({error.strerror})"
    return None if digest == model.sha256 else f"its sha256 is {digest}, not {model.sha256}"


def plain(model: UserModel) -> dict[str, Any]:
    """Return a model as plain values, for JSON."""
    return asdict(model) | {"path": str(model.path), "tokenizer": [str(path) for path in model.tokenizer]}


def weights_beside(file: Path) -> list[Path]:
    """Return the files beside an ONNX file that hold its weights, as exporters name them."""
    names = (f"{file.name}_data", f"{file.name}.data", f"{file.stem}.data", f"{file.stem}.weight")
    beside = [file.with_name(name) for name in names]
    beside += sorted(file.parent.glob(f"{_escaped(file.name)}_data_[0-9]*"))
    return [path for path in beside if path.is_file()]


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _there(model: UserModel) -> UserModel:
    if not model.path.is_file():
        cure = f"add it again after `foleyspace models remove {model.name}`"
        raise ModelUnavailable("the file of this model is gone", where=model.name, cure=cure)
    return model


def _read(record: Path) -> UserModel:
    data = json.loads(record.read_text(encoding="utf-8"))
    if data["slot"] not in SLOTS:
        raise ValueError(data["slot"])
    place = record.parent
    return UserModel(
        name=place.name,
        slot=data["slot"],
        path=place / Path(data["file"]).name,
        sha256=str(data["sha256"]),
        size_bytes=int(data["size_bytes"]),
        licence=str(data["licence"]),
        kind=str(data["kind"]),
        tokenizer=tuple(place / Path(name).name for name in data["tokenizer"]),
        added=int(data["added"]),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unwritable(error: OSError, place: Path) -> OutputUnwritable:
    if error.errno == errno.ENOSPC:
        return DiskFull("the disk is full", where=str(place), cure="free some space")
    return OutputUnwritable(f"cannot be written ({error.strerror or error})", where=str(place))
