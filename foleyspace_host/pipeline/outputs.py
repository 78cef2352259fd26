"""Which outputs there are, and what is checked before any work is done for them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from foleyspace_host.errors import InvalidInput
from foleyspace_host.render.formats import find_format

__all__ = [
    "SOUND_SUFFIXES",
    "VIDEO_SUFFIXES",
    "add_text",
    "check_coding",
    "check_format",
    "check_outputs",
    "output_kind",
]

SOUND_SUFFIXES = (".wav", ".flac")
VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")


def output_kind(path: Path) -> Literal["sound", "video"]:
    """Tell by its suffix what an output shall be.

    Parameters
    ----------
    path : Path
        The output.

    Returns
    -------
    {"sound", "video"}

    Raises
    ------
    InvalidInput
        If the suffix is of neither.
    """
    suffix = path.suffix.lower()
    if suffix in SOUND_SUFFIXES:
        return "sound"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    raise InvalidInput(
        f"cannot write files of type {suffix!r}" if suffix else "the output's name has no suffix",
        where=str(path),
        cure=f"end it with one of {', '.join(SOUND_SUFFIXES + VIDEO_SUFFIXES)}",
    )


def check_format(name: str, path: Path) -> None:
    """Check that an output can hold a format.

    Parameters
    ----------
    name : str
        Format, see `find_format`.
    path : Path
        The output.

    Raises
    ------
    InvalidInput
        If such files have no layout for its channels.
    """
    output = find_format(name)
    suffix = path.suffix.lower()
    if suffix != ".wav" and not output.is_common:
        raise InvalidInput(
            f"a {suffix} file has no layout for the {output.n_channels} channels of {name}",
            where=str(path),
            cure="end the name with .wav",
        )


def check_coding(path: Path, bit_depth: str | None, time_reference: int | None) -> None:
    """Check that an output can hold such samples, and a time reference.

    Parameters
    ----------
    path : Path
        The output.
    bit_depth : {"16", "24", "float"} or None
        Wish for the samples.
    time_reference : int or None
        Wish for a time reference.

    Raises
    ------
    InvalidInput
        If files of its type cannot.
    """
    suffix = path.suffix.lower()
    if bit_depth is not None and (suffix not in SOUND_SUFFIXES or (suffix == ".flac" and bit_depth == "float")):
        cure = "use 16 or 24, or end the name with .wav" if suffix == ".flac" else "write a .wav or .flac file"
        raise InvalidInput(f"the bit depth of a {suffix} file cannot be {bit_depth}", where=str(path), cure=cure)
    if time_reference is not None and suffix != ".wav":
        raise InvalidInput("only WAV files hold a time reference", where=str(path), cure="end the name with .wav")


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Check, before any work, that outputs can be written and would replace no input.

    Parameters
    ----------
    outputs : iterable of Path or None
        Files to be written; None for those not asked for.
    inputs : iterable of Path or None
        Files to be read.

    Raises
    ------
    InvalidInput
        If an output is an input, or two outputs are one file.
    OutputUnwritable
        If an output cannot be written.
    """
    from foleyspace_host.media.atomic import check_writable

    taken = {path.resolve(): "the input" for path in inputs if path is not None}
    for output in outputs:
        if output is None:
            continue
        target = check_writable(output)
        if target in taken:
            raise InvalidInput(f"would replace {taken[target]}", where=str(output), cure="choose another name")
        taken[target] = "another output"


def add_text(files: ExitStack, path: Path, pieces: Iterable[str]) -> None:
    """Write a text file that takes its place, whole, when everything else has succeeded too.

    Parameters
    ----------
    files : ExitStack
        The file appears when this ends well.
    path : Path
        The file.
    pieces : iterable of str
        Its content, piece by piece; line feeds stay as they are.

    Raises
    ------
    OutputUnwritable
        If it cannot be written.
    """
    from foleyspace_host.media.atomic import atomic_output

    with files.enter_context(atomic_output(path)).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
