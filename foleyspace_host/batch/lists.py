"""Lists of clips as text, CSV and JSON lines: each line a row of named fields."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from foleyspace_host.errors import InvalidInput

__all__ = ["FIELDS", "LIST_SUFFIXES", "read_list"]

FIELDS = ("video", "sound", "out", "trajectory", "timeline", "label", "prompt")
"""What a line may hold; the first three are the columns of a list without a head."""

LIST_SUFFIXES = (".txt", ".csv", ".jsonl")

_MOST_BYTES = 256 << 20


def read_list(path: Path, wrong: list[InvalidInput]) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a list.

    ``.txt`` has a path in each line, or several parted by tabs; what follows a ``#`` at the start is a remark.
    ``.csv`` has a head with names of `FIELDS`, or none and then the columns ``video``, ``sound`` and ``out``.
    ``.jsonl`` has an object, or a path as a string, in each line.

    Parameters
    ----------
    path : Path
        The list, in UTF-8.
    wrong : list of InvalidInput
        Lines that are not understood are put here.

    Yields
    ------
    number : int
        The line, from 1 on.
    row : dict of str to str
        What it holds; empty fields are left out.

    Raises
    ------
    InvalidInput
        If it cannot be read at all, or holds nothing.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"the list is larger than {_MOST_BYTES >> 20} MiB", where=str(path))
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problem = f"the list cannot be read ({error.strerror or error})"
        raise InvalidInput(problem, where=str(path), cure="check the path") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidInput(
            "the list is no text in UTF-8", where=f"{path}, line {line}", cure="save it as UTF-8"
        ) from error
    rows = {".txt": _text, ".csv": _csv, ".jsonl": _json}[path.suffix.lower()]
    n_rows = 0
    for number, row in rows(text, str(path), wrong):
        n_rows += 1
        if "\0" in "".join(row.values()):
            wrong.append(InvalidInput("a path holds a zero byte", where=f"{path}, line {number}", cure="remove it"))
        elif given := {name: value.strip() for name, value in row.items() if value.strip()}:
            yield number, given
    if not n_rows and not wrong:
        raise InvalidInput("the list is empty", where=str(path), cure="write a path into each line")


Rows = Iterator[tuple[int, dict[str, str]]]


def _text(text: str, path: str, wrong: list[InvalidInput]) -> Rows:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) > 3:
            wrong.append(_too_many(path, number, len(cells)))
        else:
            yield number, dict(zip(FIELDS, cells, strict=False))


def _csv(text: str, path: str, wrong: list[InvalidInput]) -> Rows:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    head: list[str] | None = None
    try:
        for cells in reader:
            number = reader.line_num
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if head is None:
                names = [cell.strip().lower() for cell in cells]
                if any(name in FIELDS for name in names):
                    if unknown := [name for name in names if name not in FIELDS]:
                        wrong.append(_unknown(path, number, unknown[0]))
                        return
                    head = names
                    continue
                head = list(FIELDS[:3])
            if len(cells) > len(head):
                wrong.append(_too_many(path, number, len(cells)))
            else:
                yield number, dict(zip(head, cells, strict=False))
    except csv.Error as error:
        cure = "put paths with commas or quotes into double quotes"
        wrong.append(InvalidInput(f"is no CSV ({error})", where=f"{path}, line {reader.line_num}", cure=cure))


def _json(text: str, path: str, wrong: list[InvalidInput]) -> Rows:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            problem = f"is no JSON ({getattr(error, 'msg', 'nested too deeply')})"
            wrong.append(InvalidInput(problem, where=where, cure='write for example {"video": "a.mp4"}'))
            continue
        row = {"video": row} if isinstance(row, str) else row
        if not isinstance(row, dict) or not all(value is None or isinstance(value, str) for value in row.values()):
            cure = 'write for example {"video": "a.mp4", "sound": "a.wav"}'
            wrong.append(InvalidInput("is not an object of texts", where=where, cure=cure))
        elif unknown := [name for name in row if name not in FIELDS]:
            wrong.append(_unknown(path, number, unknown[0]))
        else:
            yield number, {name: value for name, value in row.items() if value is not None}


def _unknown(path: str, number: int, name: str) -> InvalidInput:
    return InvalidInput(
        f"the field {name!r} is unknown", where=f"{path}, line {number}", cure=f"use: {', '.join(FIELDS)}"
    )


def _too_many(path: str, number: int, n_cells: int) -> InvalidInput:
    return InvalidInput(
        f"has {n_cells} columns", where=f"{path}, line {number}", cure="give video, sound and out, or a head of names"
    )
