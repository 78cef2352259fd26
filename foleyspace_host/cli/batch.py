"""``foleyspace batch``: many clips and timelines in one go, on this machine or on a cluster."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.progress import item_bar
from foleyspace_host.cli.table import table

if TYPE_CHECKING:
    from foleyspace_host.batch.results import BatchResult, ItemResult

__all__ = ["command"]

FAILED = 1
_LONGEST_TABLE = 200


@click.command("batch", short_help="Do many clips and timelines, on this machine or on a cluster.")
@click.argument("what", nargs=-1, required=True, metavar="LIST_OR_TIMELINE...")
@click.option(
    "-o",
    "--output",
    "folder",
    type=options.FILE,
    default=Path("foleyspace-batch"),
    show_default=True,
    metavar="FOLDER",
    help="Where results go, with the record of the batch.",
)
@click.option(
    "--suffix",
    default=".wav",
    show_default=True,
    metavar=".wav|.flac|.mp4|.mov|...",
    help="Type of results that the list does not name.",
)
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="Processes on this machine.")
@click.option("--scheduler", metavar="ADDRESS", help="Give the work to this Dask scheduler: tcp://... or tls://...")
@click.option(
    "--tls-ca", type=options.FILE, metavar="CA.pem", help="Authority that signed the scheduler's certificate."
)
@click.option("--tls-cert", type=options.FILE, metavar="CERT.pem", help="Certificate of this machine.")
@click.option("--tls-key", type=options.FILE, metavar="KEY.pem", help="Its key.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done, and what is done already.")
@click.option("--retry-failed", is_flag=True, help="Also do again what failed in an earlier run.")
@options.label_option()
@options.prompt_option()
@click.option("--engine", metavar="NAME", help="Make the sound of every clip that has none named by this engine.")
@click.option("--negative", metavar="TEXT", help="What sounds that are made should not sound like.")
@options.hfov_option()
@options.render_options()
@options.sound_options()
@options.hrtf_option()
@click.option("--bed", "bed_db", type=float, metavar="DB", help="Keep each video's own stereo sound at this level.")
@options.vision_options()
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where models compute.")
@options.json_option()
def command(what: tuple[str, ...], as_json: bool, **settings: Any) -> int:
    """Spatialize all clips and timelines that the lists, folders and patterns name.

    A second call with the same folder goes on where the first one was.
    """
    from foleyspace_host.batch.entry import run_batch
    from foleyspace_host.cluster.connection import Tls

    certificates = {name: settings.pop(f"tls_{name}") for name in ("ca", "cert", "key")}
    tls = Tls(**certificates) if any(certificates.values()) else None
    if settings.pop("time_reference") is not None:
        raise click.UsageError("--time-reference is of one clip; leave it out.")
    with item_bar() as show:
        result = run_batch(what, tls=tls, on_progress=show, **settings)
    for warning in result.warnings:
        click.echo(f"foleyspace: warning: {warning}", err=True)
    click.echo(json.dumps(asdict(result), allow_nan=False) if as_json else "\n".join(_lines(result)))
    return FAILED if result.count("failed") else 0


def _lines(result: BatchResult) -> list[str]:
    """Return the table of items, and what became of all."""
    shown = result.items
    if len(shown) > _LONGEST_TABLE:  # of many, those that want attention
        shown = tuple(item for item in shown if item.state == "failed" or item.warnings)
    rows = [("ITEM", "STATE", "TOOK", "STAGES", "RESULT")]
    rows += [(item.name, item.state, _took(item), _stages(item), _outcome(item)) for item in shown]
    lines = table(rows) if len(rows) > 1 else []
    counts = {state: result.count(state) for state in ("done", "known", "failed", "to do")}
    words = {"known": "done before", "to do": "to do"}
    said = ", ".join(f"{number} {words.get(state, state)}" for state, number in counts.items() if number)
    lines.append(f"{len(result.items)} item{'s' * (len(result.items) != 1)}: {said}; {result.total_s:.1f} s")
    if result.interrupted:
        lines.append(f"{result.interrupted} stages were taken up that an earlier run had begun")
    if counts["failed"] and not counts["to do"]:
        lines.append("mend what failed, then run the same again with --retry-failed")
    return lines


def _took(item: ItemResult) -> str:
    return "" if item.took_s is None or item.state == "known" else f"{item.took_s:.1f} s"


def _stages(item: ItemResult) -> str:
    """Return the stages, those that need not be done in brackets."""
    return " ".join(f"({stage.kind})" if stage.state == "known" else stage.kind for stage in item.stages)


def _outcome(item: ItemResult) -> str:
    if item.error is not None:
        return f"{item.where}: {item.error}"
    return "; ".join([item.out, *item.warnings])
