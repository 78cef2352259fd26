"""The commands of ``python -m training.foley``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.flow.commands import (
    FACTS,
    FILE,
    FOLDER,
    device_of,
    export_options,
    facts_in,
    recipe_option,
    training_options,
)
from training.flow.recipe import find_recipe
from training.foley.recipes import RECIPES

if TYPE_CHECKING:
    from training.flow.stored_weights import Precision

__all__ = ["commands"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Train the model that makes sounds of classes: prepare, train, export."""


@commands.command("prepare")
@click.argument("out", type=FOLDER)
@click.option("--packages", type=FOLDER, required=True, help="Unpacked Debian packages, each in a folder of its name.")
@click.option("--invented", type=click.IntRange(1), default=32, show_default=True, help="Made sounds of each class.")
def _prepare(out: Path, packages: Path, invented: int) -> None:
    """Collect what is free and make what is lacking, into the small folder OUT that training needs."""
    from training.foley.data.prepare import prepare

    prepare(packages, out, n_invented=invented, say=click.echo)


@commands.command("train")
@click.argument("data", type=FOLDER)
@recipe_option(RECIPES)
@training_options
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
    place = device_of(device)
    chosen = find_recipe(RECIPES, recipe)
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


@commands.command("export")
@click.argument("run", type=FOLDER)
@click.argument("out", type=FILE)
@click.option("--data", type=FOLDER, required=True, help="Prepared folder that it was trained on.")
@recipe_option(RECIPES)
@export_options
def _export(run: Path, out: Path, data: Path, recipe: str, precision: Precision, licence: str) -> None:
    """Write the averaged weights of the training RUN to the ONNX file OUT, and compare both."""
    from training.flow import checkpoint
    from training.flow.averages import with_weights
    from training.flow.export_onnx import facts_of
    from training.foley.data.bank import read_bank
    from training.foley.export_onnx import export, parity
    from training.foley.model.net import FoleyNet

    state = checkpoint.load_latest(run)
    net = with_weights(FoleyNet(find_recipe(RECIPES, recipe).size), state["average"]["weights"])
    export(net, out, read_bank(data), facts_of(state, net, recipe=recipe, licence=licence), precision)
    click.echo(f"{out}: {out.stat().st_size} bytes; differs from torch by {parity(net, out):.2g} of the largest number")


@commands.command("card")
@click.argument("model", type=FILE)
@click.argument("out", type=FILE)
@click.option("--quality", type=FILE, required=True, help="JSON of benchmarks/foley_quality.py.")
@click.option("--data", type=FOLDER, required=True, help="Prepared folder.")
@FACTS
def _card(model: Path, out: Path, quality: Path, data: Path, facts: tuple[str, ...]) -> None:
    """Write the card OUT of a MODEL from what was measured, with the authors of what it learnt from."""
    from training.foley.card import write_card
    from training.foley.data.prepare import CREDITS

    write_card(out, model, quality, data / CREDITS, facts_in(facts))
    click.echo(out)
