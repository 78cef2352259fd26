"""``foleyspace listener``: whose ears the diffusion renderer shall hear with."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foleyspace_host.cli import options

if TYPE_CHECKING:
    from foleyspace_host.hrtf.fit import ListenerFit

__all__ = ["command"]


@click.group("listener", short_help="Tell the diffusion renderer whose ears it renders for.")
def command() -> None:
    """Tell the diffusion renderer whose ears it renders for."""


@command.command("fit")
@click.argument("measurements", type=options.FILE, metavar="MEASUREMENTS.sofa")
@click.option(
    "-o",
    "--output",
    type=options.FILE,
    metavar="LISTENER.json",
    help="Where to write the code; beside the measurements if not given.",
)
@options.json_option()
def fit(measurements: Path, output: Path | None, as_json: bool) -> None:
    """Find the sixteen numbers that stand for the listener of a few MEASUREMENTS.sofa.

    Directions are kept out in turn and predicted from the others: by interpolation, with the code's help, and by what
    ears have in common, as the renderer does of itself. It says which is nearest.
    """
    from foleyspace_host.diffusion.listener import Listener
    from foleyspace_host.hrtf.fit import fit_listener
    from foleyspace_host.media.atomic import atomic_output, check_writable

    target = output or measurements.with_suffix(".listener.json")
    check_writable(target)
    found = fit_listener(measurements)
    listener = Listener(found.code, found.sparse, found.name)
    with atomic_output(target) as temporary:
        temporary.write_text(listener.to_json(), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(asdict(found) | {"code_helps": found.code_helps, "output": str(target)}))
        return
    click.echo("\n".join(_lines(found, measurements, target)))


def _lines(found: ListenerFit, measurements: Path, target: Path) -> list[str]:
    from foleyspace_host.diffusion.model import shipped_adds

    plain, alone, both, learnt = (
        f"{db:.2f} dB, {us:.0f} µs" for db, us in zip(found.level_error_db, found.itd_error_us, strict=True)
    )
    plainly = f"--renderer hrtf --hrtf {measurements}"
    with_code = f"--renderer diffusion --hrtf {measurements} --listener {target}"
    if found.code_helps and found.sparse and "sparse" in shipped_adds():
        advice = f"the code helps: {with_code}"
    elif found.renderer_helps:
        advice = f"the renderer does the last by itself: {plainly}"
    else:
        advice = f"the measurements need no help: {plainly}"
    rows = [
        ("measured", f"{found.n_directions} directions"),
        ("kept out", f"predicted by interpolation within {plain}"),
        ("", f"by the code alone {alone}, by both {both}"),
        *([("", f"by what ears have in common {learnt}")] if found.by_other_ears else []),
        ("advice", advice),
        ("code", str(target)),
    ]
    return [found.name, *(f"  {name:<10}{text}" for name, text in rows)]
