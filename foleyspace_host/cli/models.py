"""``foleyspace models``: what ships and what was added, and under which terms."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foleyspace_host.cli import options

if TYPE_CHECKING:
    from foleyspace_host.models.slots import Slot, UserModel

__all__ = ["command"]


@click.group("models", short_help="List, check, add or remove models and measured data.")
def command() -> None:
    """List, check, add or remove models and measured data."""


@command.command("list")
@options.json_option()
def list_models(as_json: bool) -> None:
    """Show name, task, licence, size, origin and sha256 of each; last those that you added."""
    from foleyspace_host.models.registry import ENTRIES
    from foleyspace_host.models.slots import installed, plain

    added = installed()
    if as_json:
        told = {"models": [asdict(entry) for entry in ENTRIES], "added": [plain(model) for model in added]}
        click.echo(json.dumps(told))
        return
    for entry in ENTRIES:
        click.echo(f"{entry.name}  {entry.task}, {entry.size_bytes / 1e6:.1f} MB, {entry.version}")
        for name in ("licence", "origin", "notes", "sha256"):
            if value := getattr(entry, name):
                click.echo(f"  {name:<9}{value}")
    for model in added:
        _show(model)


def _show(model: UserModel) -> None:
    click.echo(f"{model.name}  {model.slot}, {model.size_bytes / 1e6:.1f} MB, {model.kind}, added by you")
    for name, value in (("licence", model.licence), ("file", str(model.path)), ("sha256", model.sha256)):
        click.echo(f"  {name:<9}{value}")


@command.command("add")
@click.argument("slot", type=click.Choice(["depth", "open-vocabulary"]))
@click.argument("file", type=options.FILE, metavar="FILE.onnx")
@click.option("--name", help="What to call it; the file's name if not given.")
@click.option("--licence", metavar="TEXT", help="Its terms; as the file states them if not given.")
@click.option("--kind", metavar="KIND", help="What a depth model is, where its inputs and outputs do not tell.")
@click.option(
    "--tokenizer",
    type=options.FILE,
    multiple=True,
    metavar="FILE",
    help="tokenizer.json, or vocab.json and merges.txt, or vocab.txt; those beside the model if not given.",
)
@options.json_option()
def add_model(
    slot: Slot,
    file: Path,
    name: str | None,
    licence: str | None,
    kind: str | None,
    tokenizer: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Copy the model FILE.onnx into your data folder: one that tells depth, or one that finds what words name."""
    from foleyspace_host.errors import InvalidInput
    from foleyspace_host.localize.own_models import examined
    from foleyspace_host.models.registry import ENTRIES
    from foleyspace_host.models.slots import add, plain

    for option, value, wanted in (("kind", kind, "depth"), ("tokenizer", tokenizer, "open-vocabulary")):
        if value and slot != wanted:
            raise InvalidInput(f"is for {wanted} models", where=f"--{option}", cure="leave it out")
    if (name or file.stem) in [entry.name for entry in ENTRIES]:
        raise InvalidInput("a model that ships has this name", where=name or file.stem, cure="give another --name")
    kind, tokenizer, stated = examined(slot, file, kind, tokenizer)
    model = add(slot, file, name=name, licence=licence or stated, kind=kind, tokenizer=tokenizer)
    if as_json:
        click.echo(json.dumps({"added": plain(model)}))
    else:
        _show(model)


@command.command("remove")
@click.argument("name")
@options.json_option()
def remove_model(name: str, as_json: bool) -> None:
    """Delete the model NAME, which you added."""
    from foleyspace_host.models.slots import plain, remove

    model = remove(name)
    click.echo(json.dumps({"removed": plain(model)}) if as_json else f"{model.name}  removed")


@command.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.json_option()
def verify_models(names: tuple[str, ...], as_json: bool) -> None:
    """Read the models NAME, or all of them, and compare their sha256 with the registered one."""
    from foleyspace_host.errors import ModelUnavailable
    from foleyspace_host.models.registry import ENTRIES, entry, verify
    from foleyspace_host.models.slots import damage, installed

    added = {model.name: model for model in installed()}
    wanted = list(names) or [*(one.name for one in ENTRIES), *added]
    for name in wanted:
        if name not in added:
            entry(name)
    found: dict[str, ModelUnavailable | None] = {}
    for name in wanted:
        found[name] = None
        if name in added:
            if problem := damage(added[name]):
                cure = f"add it again after `foleyspace models remove {name}`"
                found[name] = ModelUnavailable(f"is damaged: {problem}", where=name, cure=cure)
            continue
        try:
            verify(name)
        except ModelUnavailable as error:
            found[name] = error
    if not as_json:
        click.echo("\n".join(f"{name}  {'damaged' if error else 'whole'}" for name, error in found.items()))
    if (first := next(filter(None, found.values()), None)) is not None:
        raise first
    if as_json:
        click.echo(json.dumps({"models": [{"name": name, "whole": True} for name in found]}))
