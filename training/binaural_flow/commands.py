"""The commands of ``python -m training.binaural_flow``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import torch

from training.binaural_flow.data.batches import Batches
from training.binaural_flow.data.prepare import load, prepare
from training.binaural_flow.data.presets import PRESETS, find_preset
from training.binaural_flow.data.workers import Ahead
from training.binaural_flow.recipes import RECIPES, DataChoice, preset_of
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

if TYPE_CHECKING:
    from training.binaural_flow.data.batches import Batch
    from training.flow.stored_weights import Precision
    from training.flow.training import Source

__all__ = ["commands", "sources"]

_PAPER_RECIPE = recipe_option(["paper", "paper-cpu"], "paper")
_WORKERS = click.option(
    "--workers",
    type=click.IntRange(0),
    help="Processes that make examples ahead; all cores but one beside a GPU, none on a processor.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Train the model behind ``--renderer diffusion``: prepare, train, export."""


@commands.command("prepare")
@click.argument("out", type=FOLDER)
@click.option(
    "--heads", type=click.Path(path_type=Path), required=True, help="Archive of heads, or folder of SOFA files."
)
@click.option("--sounds", type=FOLDER, multiple=True, help="Folder of sounds; may be given several times.")
@click.option("--any-licence", is_flag=True, help="Take sounds whose licence forbids to give the model away.")
def _prepare(out: Path, heads: Path, sounds: tuple[Path, ...], any_licence: bool) -> None:
    """Pack heads and sounds into the small folder OUT, which training needs and nothing else."""
    manifest = prepare(out, heads, sounds, any_licence=any_licence, on_progress=_said)
    click.echo(f"{out}: {manifest['duration_s']} s of sound, {len(manifest['heads'])} heads, {manifest['bytes']} bytes")  # type: ignore[arg-type]


@commands.command("train")
@click.argument("data", type=FOLDER)
@recipe_option(RECIPES)
@training_options
@_WORKERS
def _train(
    data: Path,
    recipe: str,
    out: Path,
    device: str,
    minutes: float | None,
    steps: int | None,
    threads: int | None,
    workers: int | None,
) -> None:
    """Train on the folder DATA, or go on with it."""
    from training.binaural_flow.train import BinauralTraining
    from training.flow.training import train

    start = time.monotonic()
    if threads is not None:
        torch.set_num_threads(threads)
    place = device_of(device)
    chosen = find_recipe(RECIPES, recipe)
    if steps is not None:
        chosen = replace(chosen, n_steps=steps)
    with sources(data, chosen, place, workers) as (examples, held_out):
        left = None if minutes is None else minutes - (time.monotonic() - start) / 60.0
        begun = BinauralTraining(chosen, torch.device(place))
        training = train(begun, examples, held_out, out, minutes=left, say=click.echo)
    state = "done" if training.step >= chosen.n_steps else "to go on, give the same command again"
    click.echo(f"{training.step} of {chosen.n_steps} steps; {state}")


@commands.command("export")
@click.argument("run", type=FOLDER)
@click.argument("out", type=FILE)
@recipe_option(RECIPES)
@export_options
@click.option("--adds", default="room,sparse,extent", show_default=True, help="What it does better than the renderer.")
def _export(run: Path, out: Path, recipe: str, precision: Precision, licence: str, adds: str) -> None:
    """Write the averaged weights of the training RUN to the ONNX file OUT, and compare both."""
    from training.binaural_flow.export_onnx import export, parity
    from training.binaural_flow.model.net import FlowNet
    from training.flow import checkpoint
    from training.flow.averages import with_weights
    from training.flow.export_onnx import facts_of

    state = checkpoint.load_latest(run)
    net = with_weights(FlowNet(find_recipe(RECIPES, recipe).size), state["average"]["weights"])
    facts = facts_of(state, net, recipe=recipe, licence=licence)
    export(net, out, facts, precision, adds=tuple(adds.split(",")))
    click.echo(f"{out}: {out.stat().st_size} bytes; differs from torch by {parity(net, out):.2g} of the largest number")


@commands.command("card")
@click.argument("model", type=FILE)
@click.argument("out", type=FILE)
@click.option(
    "--quality", type=click.Path(path_type=Path), required=True, help="JSON of benchmarks/binaural_quality.py."
)
@click.option("--data", type=FOLDER, required=True, help="Prepared folder.")
@FACTS
def _card(model: Path, out: Path, quality: Path, data: Path, facts: tuple[str, ...]) -> None:
    """Write the card OUT of a MODEL from what was measured."""
    from training.binaural_flow.card import write_card

    write_card(out, model, quality, data / "manifest.json", facts_in(facts))
    click.echo(out)


@commands.command("pairs")
@click.argument("data", type=FOLDER)
@click.argument("out", type=FOLDER)
@click.option("--preset", type=click.Choice(list(PRESETS)), default="physical", show_default=True)
@click.option("--count", type=int, default=100, show_default=True, help="Pairs to write.")
@click.option("--seconds", type=float, default=8.0, show_default=True, help="Duration of each.")
@click.option("--seed", type=int, default=1, show_default=True)
def _pairs(data: Path, out: Path, preset: str, count: int, seconds: float, seed: int) -> None:
    """Write pairs of mono and binaural sound with their trajectories into OUT, for other people's models."""
    from training.binaural_flow.data.export import export_pairs

    chosen = find_preset(preset)
    found = load(data, chosen, on_progress=lambda done, total: _said("preparing heads", done, total))
    export_pairs(
        out,
        found.heads,
        found.sounds,
        chosen,
        count,
        duration_s=seconds,
        seed=seed,
        on_progress=lambda done, total: _said("pairs", done, total),
    )


@commands.command("evaluation")
@click.argument("data", type=FOLDER)
@click.argument("out", type=FOLDER)
def _evaluation(data: Path, out: Path) -> None:
    """Write the fixed evaluation set into OUT: sounds, trajectories and the truth."""
    from training.binaural_flow.data.evaluation import write_evaluation

    written = write_evaluation(out, data, on_progress=lambda done, total: _said("examples", done, total))
    click.echo(f"{out}: {written} examples")


@commands.command("train-paper")
@click.argument("data", type=FOLDER)
@_PAPER_RECIPE
@training_options
@_WORKERS
def _train_paper(
    data: Path,
    out: Path,
    device: str,
    minutes: float | None,
    steps: int | None,
    threads: int | None,
    workers: int | None,
    recipe: str,
) -> None:
    """Train the paper's waveform model on the folder DATA, for comparison."""
    from training.binaural_flow.paper_mode.train import PAPER_RECIPES, train_paper

    start = time.monotonic()
    if threads is not None:
        torch.set_num_threads(threads)
    place = device_of(device)
    chosen = PAPER_RECIPES[recipe]
    if steps is not None:
        chosen = replace(chosen, n_steps=steps)
    with sources(data, chosen, place, workers) as (examples, _):
        left = None if minutes is None else minutes - (time.monotonic() - start) / 60.0
        done = train_paper(chosen, examples, out, device=place, minutes=left, say=click.echo)
    click.echo(f"{done} of {chosen.n_steps} steps")


@commands.command("render-paper")
@click.argument("data", type=FOLDER)
@click.argument("run", type=FOLDER)
@click.argument("out", type=FOLDER)
@_PAPER_RECIPE
def _render_paper(data: Path, run: Path, out: Path, recipe: str) -> None:
    """Render the evaluation set with the training RUN into OUT, for `benchmarks/binaural_quality.py --other`."""
    import soundfile

    from training.binaural_flow.data.evaluation import cases
    from training.binaural_flow.paper_mode.train import PAPER_RECIPES, paper_net, render_case

    chosen = PAPER_RECIPES[recipe]
    net = paper_net(run, chosen)
    out.mkdir(parents=True, exist_ok=True)
    for case in cases(data):
        soundfile.write(
            out / f"{case.name}.wav", render_case(net, case, autocast=chosen.autocast).T, 48_000, subtype="FLOAT"
        )


@contextmanager
def sources(
    data: Path, recipe: DataChoice, device: str, workers: int | None = None
) -> Iterator[tuple[Source[Batch], Source[Batch]]]:
    """Give the streams that a recipe learns from, and is looked at with.

    Parameters
    ----------
    data : Path
        Prepared folder.
    recipe : Recipe or PaperRecipe
        The recipe.
    device : str
        Where batches shall be.
    workers : int, optional
        Processes that make them; all cores but one for another device than the processor.

    Yields
    ------
    examples, held_out : Source
    """
    preset = preset_of(recipe)
    if workers is None:
        workers = 0 if torch.device(device).type == "cpu" else max((os.cpu_count() or 2) - 1, 1)
    found = load(
        data,
        preset,
        "cpu" if workers else device,
        workers=workers,
        on_progress=lambda done, total: _said("preparing heads", done, total),
    )
    examples = Batches(found.heads, found.sounds, preset, recipe.seed)
    held_out = Batches(found.heads, found.unseen, preset, recipe.seed + 1, held_out=True)
    if not workers:
        yield examples, held_out
        return
    ahead = Ahead(examples, workers, device), Ahead(held_out, min(workers, 4), device)
    try:
        yield ahead
    finally:
        for one in ahead:
            one.close()


def _said(stage: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{stage}: {done} of {total}   ", err=True, nl=done == total)
