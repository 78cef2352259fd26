"""The commands of ``python -m training.foley``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from foleyspace_host.errors import FoleySpaceError, InvalidInput
from training.foley.recipes import RECIPES, find_recipe

__all__ = ["main"]

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_RECIPE = click.option(
    "--recipe", type=click.Choice(list(RECIPES)), default="base", show_default=True, help="How large, and how long."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def _commands() -> None:
    """Train the model that makes sounds of classes: prepare, train, export."""


@_commands.command("prepare")
@click.argument("out", type=_FOLDER)
@click.option("--packages", type=_FOLDER, required=True, help="Unpacked Debian packages, each in a folder of its name.")
@click.option("--invented", type=click.IntRange(1), default=32, show_default=True, help="Made sounds of each class.")
def _prepare(out: Path, packages: Path, invented: int) -> None:
    """Collect what is free and make what is lacking, into the small folder OUT that training needs."""
    from training.foley.data.prepare import prepare

    prepare(packages, out, n_invented=invented, say=click.echo)


@_commands.command("train")
@click.argument("data", type=_FOLDER)
@click.option(
    "--out", type=_FOLDER, required=True, help="Folder of checkpoints and log; what is there is gone on with."
)
@_RECIPE
@click.option("--steps", type=click.IntRange(1), help="Steps, instead of the recipe's.")
@click.option("--minutes", type=float, help="Stop after so many, with a checkpoint.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, or whichever is there.")
@click.option("--threads", type=click.IntRange(1), help="Of the processor.")
def _train(
    data: Path, out: Path, recipe: str, steps: int | None, minutes: float | None, device: str, threads: int | None
) -> None:
    """Train on the prepared folder DATA, or go on."""
    import torch

    from training.flow.training import train
    from training.foley.data.bank import read_bank
    from training.foley.data.batches import Stream
    from training.foley.train import FoleyTraining

    if threads:
        torch.set_num_threads(threads)
    place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    chosen = find_recipe(recipe)
    chosen = replace(chosen, n_steps=steps) if steps else chosen

    def stream(*, held_out: bool) -> Stream:
        return Stream(
            read_bank(data, held_out=held_out),
            n_frames=chosen.n_frames,
            seed=chosen.seed,
            vary=not held_out,
            device=place,
        )

    begun = FoleyTraining(chosen, torch.device(place))
    training = train(begun, stream(held_out=False), stream(held_out=True), out, minutes=minutes, say=click.echo)
    click.echo(f"{training.step} of {chosen.n_steps} steps" + ("; done" if training.step >= chosen.n_steps else ""))


@_commands.command("export")
@click.argument("run", type=_FOLDER)
@click.argument("out", type=_FILE)
@click.option("--data", type=_FOLDER, required=True, help="Prepared folder that it was trained on.")
@_RECIPE
@click.option("--precision", type=click.Choice(["fp32", "fp16", "int8"]), default="fp16", show_default=True)
@click.option("--licence", default="Apache-2.0", show_default=True, help="What the file states as its licence.")
def _export(run: Path, out: Path, data: Path, recipe: str, precision: str, licence: str) -> None:
    """Write the averaged weights of the training RUN to the ONNX file OUT, and compare both."""
    from training.binaural_flow.export_onnx import n_parameters
    from training.flow import checkpoint
    from training.foley.data.bank import read_bank
    from training.foley.export_onnx import averaged_net, export, parity

    found = checkpoint.latest(run)
    if found is None:
        raise InvalidInput("there is no checkpoint", where=str(run), cure="train first")
    state = checkpoint.load(found)
    net = averaged_net(find_recipe(recipe), state["average"]["weights"])
    facts = {
        "recipe": recipe,
        "steps": str(state["step"]),
        "seconds": f"{state['seconds']:.0f}",
        "n_parameters": str(n_parameters(net)),
        "licence": licence,
    }
    export(net, out, read_bank(data), facts, precision)  # type: ignore[arg-type]
    click.echo(f"{out}: {out.stat().st_size} bytes; differs from torch by {parity(net, out):.2g} of the largest number")


@_commands.command("card")
@click.argument("model", type=_FILE)
@click.argument("out", type=_FILE)
@click.option("--quality", type=_FILE, required=True, help="JSON of benchmarks/foley_quality.py.")
@click.option("--data", type=_FOLDER, required=True, help="Prepared folder.")
@click.option("--fact", multiple=True, metavar="NAME=TEXT", help="What else is known, such as hardware=...")
def _card(model: Path, out: Path, quality: Path, data: Path, fact: tuple[str, ...]) -> None:
    """Write the card OUT of a MODEL from what was measured, with the authors of what it learnt from."""
    from training.foley.card import write_card
    from training.foley.data.prepare import CREDITS

    write_card(out, model, quality, data / CREDITS, dict(text.split("=", 1) for text in fact))
    click.echo(out)


def main() -> None:
    """Run a command; errors are one line."""
    try:
        _commands(standalone_mode=True)
    except FoleySpaceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
