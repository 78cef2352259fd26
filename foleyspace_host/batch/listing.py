"""From the words of a user to what is wanted: lists, folders, patterns, single clips and timelines."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from foleyspace_host.batch.lists import LIST_SUFFIXES, read_list
from foleyspace_host.errors import InvalidInput

__all__ = ["TIMELINE_SUFFIXES", "VIDEO_SUFFIXES", "Wanted", "wanted"]

VIDEO_SUFFIXES = frozenset(
    ".avi .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .webm .wmv".split()  # noqa: SIM905 - easier to read
)
"""What is taken for a video in a folder; a video that is named may be called anything."""

TIMELINE_SUFFIXES = frozenset((".otio", ".otioz", ".otiod", ".aaf", ".ale", ".edl", ".fcpxml", ".xml"))
_IN_FOLDERS = VIDEO_SUFFIXES | {".otio", ".otioz", ".otiod"}
_WILD = "*?["


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that is to be done, as it was asked for.

    Parameters
    ----------
    where : str
        Who asks: ``clips.csv, line 3``, or the argument.
    video, sound, trajectory, timeline : Path, optional
        The inputs: a timeline alone, a video, or a sound with its trajectory.
    out : str, optional
        Where the result goes, as it was given.
    below : Path
        Folder below that of the results which keeps apart what lies in different folders.
    label, prompt : str, optional
        What to follow, and what to make a sound of; those of the whole batch if not given.
    """

    where: str
    video: Path | None = None
    sound: Path | None = None
    trajectory: Path | None = None
    timeline: Path | None = None
    out: str | None = None
    below: Path = Path()
    label: str | None = None
    prompt: str | None = None

    @property
    def main(self) -> Path:
        """The input that names the result."""
        path = self.timeline or self.video or self.sound
        assert path is not None  # noqa: S101 - `_checked` sees to it
        return path


def wanted(arguments: Sequence[str | Path], results: Path) -> list[Wanted]:
    """Return all that is wanted, in order; what is named twice in the same way is there once.

    Parameters
    ----------
    arguments : sequence of str or Path
        Lists (``.txt``, ``.csv``, ``.jsonl``), timelines, videos, folders, and patterns with ``*``.
    results : Path
        Folder of the results; what lies in it is left out of folders and patterns around it.

    Returns
    -------
    list of Wanted

    Raises
    ------
    InvalidInput
        If a list cannot be read or something is not understood: names list and line of the first, and says how many
        there are.
    """
    found: list[Wanted] = []
    wrong: list[InvalidInput] = []
    for argument in arguments:
        path = Path(argument)
        try:
            if path.suffix.lower() in LIST_SUFFIXES:
                for number, row in read_list(path, wrong):
                    try:
                        found += _of_row(row, path, number, results)
                    except InvalidInput as error:
                        wrong.append(error)
            else:
                found += _expanded(str(argument), Path(), str(argument), results)
        except InvalidInput as error:
            wrong.append(error)
    if wrong:
        first = wrong[0]
        more = f" ({len(wrong) - 1} more like this)" if len(wrong) > 1 else ""
        raise InvalidInput(f"{first.problem}{more}", where=first.where, cure=first.cure)
    return list(dict.fromkeys(found))


def _of_row(row: Mapping[str, str], listed: Path, number: int, results: Path) -> Iterable[Wanted]:
    """Return what a line of a list asks for; paths in it count from the list's folder."""
    where, folder = f"{listed}, line {number}", listed.parent
    if list(row) == ["video"]:
        return _expanded(row["video"], folder, where, results)
    paths = {name: folder / row[name] for name in ("video", "sound", "trajectory", "timeline") if name in row}
    if "video" in paths and paths["video"].suffix.lower() in TIMELINE_SUFFIXES:
        paths["timeline"] = paths.pop("video")
    one = Wanted(where, **paths, out=row.get("out"), label=row.get("label"), prompt=row.get("prompt"))
    return [_checked(one)]


def _checked(one: Wanted) -> Wanted:
    if one.timeline is not None:
        if one.video or one.sound or one.trajectory or one.prompt:
            raise InvalidInput("a timeline goes alone", where=one.where, cure="give it a line of its own")
    elif one.video is None and (one.sound is None or one.trajectory is None):
        cure = "name a video, a timeline, or a sound and its trajectory"
        raise InvalidInput("there is nothing to look at", where=one.where, cure=cure)
    elif one.prompt is not None and (one.sound is not None or one.video is None):
        raise InvalidInput("a given sound leaves none to be made", where=one.where, cure="leave prompt or sound out")
    return one


def _expanded(text: str, folder: Path, where: str, results: Path) -> Iterator[Wanted]:
    """Yield what a path, a folder or a pattern stands for."""
    path = folder / text
    try:
        path.exists()
    except OSError as error:  # such as a name that is too long
        raise InvalidInput(f"cannot be a path ({error.strerror})", where=where, cure="check it") from error
    if path.is_dir() and path.suffix.lower() != ".otiod":
        there = (one for one in path.rglob("*") if one.suffix.lower() in _IN_FOLDERS)
        yield from _several(there, path, where, results, f"the folder {path} holds no video and no timeline")
    elif any(letter in text for letter in _WILD) and not path.exists():
        names = glob.iglob(str(path), recursive=True)
        yield from _several(
            map(Path, names), Path(*_parts_before_wild(path)), where, results, f"nothing is called like {text}"
        )
    else:
        yield _one(path, where)


def _several(paths: Iterable[Path], base: Path, where: str, results: Path, nothing: str) -> Iterator[Wanted]:
    inside, target = base.resolve(), results.resolve()
    apart = target != inside and target.is_relative_to(inside)
    n_found = 0
    for path in sorted(paths):
        below = path.relative_to(base).parent
        hidden = any(part.startswith(".") for part in path.relative_to(base).parts)
        bundled = any(part.endswith(".otiod") for part in below.parts)
        if hidden or bundled or (path.is_dir() and path.suffix.lower() != ".otiod"):
            continue
        if apart and path.resolve().is_relative_to(target):
            continue
        n_found += 1
        yield replace(_one(path, where), below=below)
    if not n_found:
        raise InvalidInput(nothing, where=where, cure="check the path")


def _one(path: Path, where: str) -> Wanted:
    if path.suffix.lower() in TIMELINE_SUFFIXES:
        return Wanted(where, timeline=path)
    return Wanted(where, video=path)


def _parts_before_wild(path: Path) -> Iterator[str]:
    for part in path.parts[:-1]:
        if any(letter in part for letter in _WILD):
            return
        yield part
