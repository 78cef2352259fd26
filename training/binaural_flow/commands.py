"""The commands of ``python -m training.binaural_flow``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import torch

from foleyspace_host.errors import FoleySpaceError, InvalidInput
from training.binaural_flow.data.batches import Batches
from training.binaural_flow.data.prepare import load, prepare
from training.binaural_flow.data.presets import PRESETS, find_preset
from training.binaural_flow.data.workers import Ahead
from training.binaural_flow.recipes import RECIPES, DataChoice, find_recipe, preset_of

if TYPE_CHECKING:
    from training.binaural_flow.data.batches import Batch
    from training.flow.training import Source

__all__ = ["main"]

_FOLDER = click.Path(path_type=Path, file_okay=False)
_PAPER_RECIPE = click.option(
    "--recipe",
    type=click.Choice(["paper", "paper-cpu"]),
    default="paper",
    show_default=True,
    help="How large, and how long.",
)
_WORKERS = click.option(
    "--workers",
    type=click.IntRange(0),
    help="Processes that make examples ahead; all cores but one beside a GPU, none on a processor.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def _commands() -> None:
    """Train the model behind ``--renderer diffusion``: prepare, train, export."""


@_commands.command("prepare")
@click.argument("out", type=_FOLDER)
@click.option(
    "--heads", type=click.Path(path_type=Path), required=True, help="Archive of heads, or folder of SOFA files."
)
@click.option("--sounds", type=_FOLDER, multiple=True, help="Folder of sounds; may be given several times.")
@click.option("--any-licence", is_flag=True, help="Take sounds whose licence forbids to give the model away.")
def _prepare(out: Path, heads: Path, sounds: tuple[Path, ...], any_licence: bool) -> None:
    """Pack heads and sounds into the small folder OUT, which training needs and nothing else."""
    manifest = prepare(out, heads, sounds, any_licence=any_licence, on_progress=_said)
    click.echo(f"{out}: {manifest['duration_s']} s of sound, {len(manifest['heads'])} heads, {manifest['bytes']} bytes")  # type: ignore[arg-type]


@_commands.command("train")
@click.argument("data", type=_FOLDER)
@click.option("--recipe", type=click.Choice(list(RECIPES)), default="base", show_default=True)
@click.option("--out", type=_FOLDER, required=True, help="Folder of the training; what is there is gone on with.")
@click.option("--device", default="cuda" if torch.cuda.is_available() else "cpu", show_default=True)
@click.option("--minutes", type=float, help="Stop after so long, to go on with the same command.")
@click.option("--steps", type=int, help="Steps instead of the recipe's.")
@click.option("--threads", type=int, help="Threads of the processor.")
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
    chosen = find_recipe(recipe)
    if steps is not None:
        chosen = replace(chosen, n_steps=steps)
    with sources(data, chosen, device, workers) as (examples, held_out):
        left = None if minutes is None else minutes - (time.monotonic() - start) / 60.0
        begun = BinauralTraining(chosen, torch.device(device))
        training = train(begun, examples, held_out, out, minutes=left, say=click.echo)
    state = "done" if training.step >= chosen.n_steps else "to go on, give the same command again"
    click.echo(f"{training.step} of {chosen.n_steps} steps; {state}")


@_commands.command("export")
@click.argument("run", type=_FOLDER)
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--recipe", type=click.Choice(list(RECIPES)), default="base", show_default=True)
@click.option("--precision", type=click.Choice(["fp32", "fp16", "int8"]), default="fp16", show_default=True)
@click.option("--licence", default="Apache-2.0", show_default=True)
@click.option("--adds", default="room,sparse,extent", show_default=True, help="What it does better than the renderer.")
def _export(run: Path, out: Path, recipe: str, precision: str, licence: str, adds: str) -> None:
    """Write the averaged weights of the training RUN to the ONNX file OUT, and compare both."""
    from training.binaural_flow.export_onnx import averaged_net, export, n_parameters, parity
    from training.flow import checkpoint

    found = checkpoint.latest(run)
    if found is None:
        raise InvalidInput("there is no checkpoint", where=str(run), cure="train first")
    state = checkpoint.load(found)
    chosen = find_recipe(recipe)
    net = averaged_net(chosen, state["average"]["weights"])
    facts = {
        "recipe": recipe,
        "steps": str(state["step"]),
        "seconds": f"{state['seconds']:.0f}",
        "n_parameters": str(n_parameters(net)),
        "licence": licence,
    }
    export(net, out, facts, precision, adds=tuple(adds.split(",")))  # type: ignore[arg-type]
    click.echo(f"{out}: {out.stat().st_size} bytes; differs from torch by {parity(net, out):.2g} of the largest number")


@_commands.command("card")
@click.argument("model", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--quality", type=click.Path(path_type=Path), required=True, help="JSON of benchmarks/binaural_quality.py."
)
@click.option("--data", type=_FOLDER, required=True, help="Prepared folder.")
@click.option("--fact", multiple=True, metavar="NAME=TEXT", help="What else is known, such as hardware=...")
def _card(model: Path, out: Path, quality: Path, data: Path, fact: tuple[str, ...]) -> None:
    """Write the card OUT of a MODEL from what was measured."""
    from training.binaural_flow.card import write_card

    facts = dict(text.split("=", 1) for text in fact)
    write_card(out, model, quality, data / "manifest.json", facts)
    click.echo(out)


@_commands.command("pairs")
@click.argument("data", type=_FOLDER)
@click.argument("out", type=_FOLDER)
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


@_commands.command("evaluation")
@click.argument("data", type=_FOLDER)
@click.argument("out", type=_FOLDER)
def _evaluation(data: Path, out: Path) -> None:
    """Write the fixed evaluation set into OUT: sounds, trajectories and the truth."""
    from training.binaural_flow.data.evaluation import write_evaluation

    written = write_evaluation(out, data, on_progress=lambda done, total: _said("examples", done, total))
    click.echo(f"{out}: {written} examples")


@_commands.command("train-paper")
@click.argument("data", type=_FOLDER)
@click.option("--out", type=_FOLDER, required=True, help="Folder of the training; what is there is gone on with.")
@click.option("--device", default="cuda" if torch.cuda.is_available() else "cpu", show_default=True)
@click.option("--minutes", type=float, help="Stop after so long, to go on with the same command.")
@click.option("--steps", type=int, help="Steps in all.")
@click.option("--threads", type=int, help="Threads of the processor.")
@_WORKERS
@_PAPER_RECIPE
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
    chosen = PAPER_RECIPES[recipe]
    if steps is not None:
        chosen = replace(chosen, n_steps=steps)
    with sources(data, chosen, device, workers) as (examples, _):
        left = None if minutes is None else minutes - (time.monotonic() - start) / 60.0
        done = train_paper(chosen, examples, out, device=device, minutes=left, say=click.echo)
    click.echo(f"{done} of {chosen.n_steps} steps")


@_commands.command("render-paper")
@click.argument("data", type=_FOLDER)
@click.argument("run", type=_FOLDER)
@click.argument("out", type=_FOLDER)
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


def main(arguments: list[str] | None = None) -> None:
    """Run a command; ends the process."""
    run: Callable[..., Any] = _commands.main
    try:
        run(arguments, standalone_mode=True)
    except FoleySpaceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
