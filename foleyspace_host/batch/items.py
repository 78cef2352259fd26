"""Items of a batch: each thing that is wanted, with the place of its result."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foleyspace_host.batch.listing import Wanted
from foleyspace_host.errors import InvalidInput
from foleyspace_host.pipeline.outputs import SOUND_SUFFIXES, output_kind

__all__ = ["Item", "items_of"]


@dataclass(frozen=True, slots=True)
class Item:
    """One clip, sound or timeline, and where its result goes.

    Parameters
    ----------
    item_id : str
        Tells it from all others of the batch, and is the same the next time.
    name : str
        For people.
    wanted : Wanted
        What is asked for.
    out : Path
        The result.
    """

    item_id: str
    name: str
    wanted: Wanted
    out: Path


def items_of(wanted: Sequence[Wanted], folder: Path, suffix: str) -> list[Item]:
    """Give everything that is wanted the place of its result.

    Parameters
    ----------
    wanted : sequence of Wanted
        What is asked for.
    folder : Path
        Folder for results; relative names of results count from there.
    suffix : str
        Type of a result that is not named, such as ``.wav``; a sound without a picture becomes ``.wav`` if this is
        a video's.

    Returns
    -------
    list of Item

    Raises
    ------
    InvalidInput
        If a result is of a wrong type, would replace an input or a folder, or if two would be one file; names line
        and cure.
    """
    items: list[Item] = []
    taken: dict[Path, str] = {}
    for one in wanted:
        for path in (one.video, one.sound, one.trajectory, one.timeline):
            if path is not None:
                taken.setdefault(path.absolute(), "an input")
    for one in wanted:
        out = _out(one, folder, suffix).absolute()
        _check_type(one, out)
        if (by := taken.get(out)) is not None:
            cure = "give it a place of its own with the field `out`, or choose another folder with -o"
            what = "would replace an input" if by == "an input" else f"is the result of {by} too"
            raise InvalidInput(f"{out} {what}", where=one.where, cure=cure)
        if out.is_dir():
            raise InvalidInput(f"{out} is a folder", where=one.where, cure="name a file")
        taken[out] = one.where
        place = out.relative_to(folder).as_posix() if out.is_relative_to(folder) else str(out)
        item_id = hashlib.sha256("\0".join([str(one.main.absolute()), str(one.sound), place]).encode()).hexdigest()
        items.append(Item(item_id[:32], one.main.name, one, out))
    return items


def _out(one: Wanted, folder: Path, suffix: str) -> Path:
    if one.out is not None:
        return folder / one.out
    if one.timeline is not None:
        suffix = ".otio"
    elif one.video is None and suffix not in SOUND_SUFFIXES:
        suffix = ".wav"
    return folder / one.below / f"{one.main.stem}{suffix}"


def _check_type(one: Wanted, out: Path) -> None:
    try:
        if one.timeline is not None:
            if out.suffix.lower() != ".otio":
                raise InvalidInput(f"a timeline is no {out.suffix!r} file", cure="end its name with .otio")
        elif output_kind(out) == "video" and one.video is None:
            raise InvalidInput("there is no picture for a video", cure="end the name with .wav or .flac")
    except InvalidInput as error:
        raise InvalidInput(f"{out.name}: {error.problem}", where=one.where, cure=error.cure) from None
