"""What the commands of all trainings have in common: options, devices, and errors that are one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from foleyspace_host.errors import FoleySpaceError, InvalidInput
from training.flow.stored_weights import PRECISIONS

__all__ = [
    "FACTS",
    "FILE",
    "FOLDER",
    "device_of",
    "export_options",
    "facts_in",
    "main",
    "recipe_option",
    "training_options",
]

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

FOLDER = click.Path(path_type=Path, file_okay=False)
"""A folder, as an argument or option."""

FILE = click.Path(path_type=Path, dir_okay=False)
"""A file, as an argument or option."""

FACTS = click.option(
    "--fact", "facts", multiple=True, metavar="NAME=TEXT", help="What else is known, such as hardware=..."
)
"""What a card tells beside what was measured; `facts_in` reads it."""


def recipe_option(names: Iterable[str], default: str = "base") -> Callable[[CommandT], CommandT]:
    """Return the option that chooses a recipe by its name."""
    return click.option(
        "--recipe", type=click.Choice(list(names)), default=default, show_default=True, help="How large, and how long."
    )


def training_options(command: CommandT) -> CommandT:
    """Give a command the options of a training: ``out``, ``steps``, ``minutes``, ``device`` and ``threads``."""
    for option in reversed(
        (
            click.option(
                "--out",
                type=FOLDER,
                required=True,
                help="Folder of checkpoints and log; what is there is gone on with.",
            ),
            click.option("--steps", type=click.IntRange(1), help="Steps, instead of the recipe's."),
            click.option("--minutes", type=float, help="Stop after so many, with a checkpoint."),
            click.option("--device", default="auto", show_default=True, help="cpu, cuda, or whichever is there."),
            click.option("--threads", type=click.IntRange(1), help="Of the processor."),
        )
    ):
        command = option(command)
    return command


def export_options(command: CommandT) -> CommandT:
    """Give a command the options of an export: ``precision`` and ``licence``."""
    for option in reversed(
        (
            click.option("--precision", type=click.Choice(PRECISIONS), default="fp16", show_default=True),
            click.option(
                "--licence", default="Apache-2.0", show_default=True, help="What the file states as its licence."
            ),
        )
    ):
        command = option(command)
    return command


def device_of(name: str) -> str:
    """Return the name of a device: for "auto" a GPU if there is one."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def facts_in(texts: Iterable[str]) -> dict[str, str]:
    """Return what the values of `FACTS` say, by name.

    Raises
    ------
    InvalidInput
        If one has no name, or says nothing.
    """
    found = {}
    for text in texts:
        name, _, said = text.partition("=")
        if not (name and said):
            raise InvalidInput(f"{text!r} is no fact", where="--fact", cure="write it as NAME=TEXT")
        found[name] = said
    return found


def main(commands: click.Group, arguments: list[str] | None = None) -> None:
    """Run one of several commands and end the process; an error of this project is one line.

    Parameters
    ----------
    commands : click.Group
        The commands.
    arguments : list of str, optional
        Words of the command line; those of the process if not given.
    """
    try:
        commands.main(arguments, standalone_mode=True)
    except FoleySpaceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
