"""``foleyspace models``: what ships and what was added, and under which terms."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.engines import engine, engine_lines, engines_told
from foleyspace_host.cli.table import size

if TYPE_CHECKING:
    from foleyspace_host.models.slots import Slot, UserModel

__all__ = ["command"]


@click.group("models", short_help="List, check, add or remove models and measured data.", invoke_without_command=True)
@options.json_option()
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List, check, add or remove models and measured data: those that ship, and your own."""
    if context.invoked_subcommand is None:
        context.invoke(list_models, as_json=as_json)


command.add_command(engine)


@command.command("list", short_help="Show what ships and what you added, with licences and checksums.")
@options.json_option()
def list_models(as_json: bool) -> None:
    """Show name, task, licence, size, origin and sha256 of each; last those that you added."""
    from foleyspace_host.models.registry import ENTRIES
    from foleyspace_host.models.slots import installed, plain

    added = installed()
    if as_json:
        told: dict[str, Any] = {"models": [asdict(entry) for entry in ENTRIES]}
        told |= {"added": [plain(model) for model in added], "engines": engines_told()}
        click.echo(json.dumps(told))
        return
    for entry in ENTRIES:
        click.echo(f"{entry.name}  {entry.task}, {size(entry.size_bytes)}, {entry.version}")
        for name in ("licence", "origin", "notes", "sha256"):
            if value := getattr(entry, name):
                click.echo(f"  {name:<9}{value}")
    for model in added:
        _show(model)
    click.echo("\n".join(engine_lines()))


def _show(model: UserModel) -> None:
    from foleyspace_host.models.slots import installed

    used = ", used unless another is named" if installed(model.slot)[0].name == model.name else ""
    click.echo(f"{model.name}  {model.slot}, {size(model.size_bytes)}, {model.kind}, added by you{used}")
    lines = [("licence", model.licence), ("file", str(model.path)), ("sha256", model.sha256)]
    lines += [(name, digest) for name, digest in model.digests.items() if name != model.path.name]
    width = max(8, *(len(name) for name, _ in lines))
    for name, value in lines:
        click.echo(f"  {name:<{width}} {value}")


@command.command("add", short_help="Add a model that tells depth, or one that finds what words name.")
@click.argument("slot", type=click.Choice(["depth", "open-vocabulary"]))
@click.argument("file", type=options.FILE, metavar="FILE.onnx")
@click.option("--name", help="What to call it; the file's name, or its kind's for a file called model, if not given.")
@click.option("--licence", metavar="TEXT", help="Its terms; as the file states them if not given.")
@click.option(
    "--depth-kind", "kind", metavar="KIND", help="What a depth model is, where its inputs and outputs do not tell."
)
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
    from foleyspace_host.models.keep import add
    from foleyspace_host.models.registry import ENTRIES
    from foleyspace_host.models.slots import plain

    for option, value, wanted in (("depth-kind", kind, "depth"), ("tokenizer", tokenizer, "open-vocabulary")):
        if value and slot != wanted:
            raise InvalidInput(f"is for {wanted} models", where=f"--{option}", cure="leave it out")
    found = examined(slot, file, kind, tokenizer)
    # hubs call every file "model", or "model_fp16"
    name = name or (found.kind if file.stem.startswith("model") else file.stem)
    if name in [entry.name for entry in ENTRIES]:
        raise InvalidInput("a model that ships has this name", where=name, cure="give another --name")
    model = add(slot, file, name=name, licence=licence or found.licence, kind=found.kind, tokenizer=found.tokenizer)
    if as_json:
        click.echo(json.dumps({"added": plain(model)}))
    else:
        _show(model)


@command.command("remove", short_help="Delete a model that you added.")
@click.argument("name")
@options.json_option()
def remove_model(name: str, as_json: bool) -> None:
    """Delete the model NAME, which you added."""
    from foleyspace_host.models.keep import remove
    from foleyspace_host.models.slots import plain

    model = remove(name)
    click.echo(json.dumps({"removed": plain(model)}) if as_json else f"{model.name}  removed")


@command.command("check", short_help="Compare checksums, and let your models answer once.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.json_option()
def check_models(names: tuple[str, ...], as_json: bool) -> None:
    """Compare the sha256 of the models NAME, or of all, with the recorded ones; let those that you added run once."""
    from foleyspace_host.errors import ModelUnavailable
    from foleyspace_host.models.registry import ENTRIES, entry
    from foleyspace_host.models.slots import installed

    added = {model.name: model for model in installed()}
    wanted = list(names) or [*(one.name for one in ENTRIES), *added]
    for name in wanted:
        if name not in added:
            entry(name, also=tuple(added))
    told: list[dict[str, Any]] = []
    failed: list[ModelUnavailable] = []
    for name in wanted:
        found: dict[str, Any] = {"name": name, "whole": True}
        try:
            found |= _checked(name, added.get(name))
            remark = (
                "whole" if name not in added else "whole, answers in {took_s:.2f} s on the {device}".format(**found)
            )
        except ModelUnavailable as error:
            found["whole"], remark = False, "cannot be used"
            failed.append(error)
        told.append(found)
        if not as_json:
            click.echo(f"{name}  {remark}")
    if failed:
        raise failed[0]
    if as_json:
        click.echo(json.dumps({"models": told}))


def _checked(name: str, model: UserModel | None) -> dict[str, Any]:
    """Check one model, and return how long an added one takes, and on what; raises ModelUnavailable."""
    from foleyspace_host.errors import ModelUnavailable
    from foleyspace_host.models.registry import verify
    from foleyspace_host.models.slots import damage

    if model is None:
        verify(name)
        return {}
    if problem := damage(model):
        cure = f"add it again after `foleyspace models remove {name}`"
        raise ModelUnavailable(f"is damaged: {problem}", where=name, cure=cure)
    from foleyspace_host.localize.own_models import try_out

    try_out(model)  # what is slow but once is not counted
    start = perf_counter()
    device = try_out(model)
    return {"took_s": round(perf_counter() - start, 3), "device": device}
