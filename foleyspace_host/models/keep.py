"""Adds models of the user's to the data folder, and removes them.

A model keeps the names of its files, because an ONNX file names the file beside it that holds its weights.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from foleyspace_host.errors import DiskFull, InvalidInput, ModelUnavailable, OutputUnwritable
from foleyspace_host.models.beside import digest_of, weights_beside
from foleyspace_host.models.slots import NONE, RECORD, UNSTATED, Slot, UserModel, folder, installed, read_record

__all__ = ["add", "remove"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


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
        cure = "give --name with at most 40 letters, digits, dots, dashes and underlines"
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
        record["digests"] = {source.name: digest_of(scratch / source.name) for source in sources}
        record["size_bytes"] = sum(copy.stat().st_size for copy in scratch.iterdir())
        (scratch / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        scratch.rename(place)
    except OSError as error:
        raise _unwritable(error, place) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return read_record(place / RECORD)


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


def _unwritable(error: OSError, place: Path) -> OutputUnwritable:
    if error.errno == errno.ENOSPC:
        return DiskFull("the disk is full", where=str(place), cure="free some space")
    return OutputUnwritable(f"cannot be written ({error.strerror or error})", where=str(place))
