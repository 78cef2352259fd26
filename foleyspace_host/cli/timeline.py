"""``foleyspace timeline``: the sounds of an edited timeline, each where its picture shows it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.machine import machine_options, use_machine
from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.report import loudness_told, print_host_result
from foleyspace_host.cli.table import table
from foleyspace_host.cli.through_host import refuse, run_timeline_in_host
from foleyspace_host.errors import InvalidInput

if TYPE_CHECKING:
    from foleyspace_host.timeline.results import TimelineResult

__all__ = ["command"]


@click.command("timeline", short_help="Place the sounds of an edited timeline (OpenTimelineIO).")
@click.argument("timeline", type=options.FILE)
@click.option("-o", "--output", "out", type=options.FILE, metavar="OUT.otio", help="Timeline to write.")
@click.option("--mixdown", type=options.FILE, metavar="OUT.wav", help="Also write all that is rendered as one sound.")
@click.option(
    "--adm", type=options.FILE, metavar="OUT.wav", help="Also write the dry sounds and their positions (BS.2076)."
)
@click.option(
    "--bit-depth",
    type=click.Choice(["16", "24", "float"]),
    help="Samples of all that is written. If not given, float for renderings, and 24 for the mix and the ADM file. "
    "What would clip in 16 or 24 is turned down.",
)
@click.option(
    "--timeline", "timeline_name", metavar="NAME", help="Which timeline of a file with several: its name or number."
)
@click.option("--track", multiple=True, metavar="NAME", help="Only clips of this track (A1 or its name); repeatable.")
@click.option("--clip", multiple=True, metavar="NAME", help="Only clips of this name, with * for anything; repeatable.")
@click.option("--marked", is_flag=True, help="Only clips with a marker `foleyspace: az=30 dist=2`.")
@click.option("--with-metadata", is_flag=True, help='Only clips with metadata["foleyspace"]["trajectory"].')
@click.option("--keep-sources", is_flag=True, help="Leave the clips that are rendered enabled.")
@click.option(
    "--handles",
    "handles_s",
    type=float,
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How much more of its file is rendered before and after each clip, 0 to 60.",
)
@click.option(
    "--trajectories",
    type=options.FILE,
    metavar="FOLDER",
    help="Also write the trajectory of every rendered clip there, as CSV.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be rendered, from where, and why the rest is not.")
@click.option("--rate", "rate_hz", type=float, metavar="FPS", help="Frame rate of an EDL, which does not say it.")
@click.option("--engine", metavar="NAME", help="What makes the sounds of markers `foley: PROMPT`; see models list.")
@click.option("--negative", default="", metavar="TEXT", help="What these should not sound like.")
@options.label_option()
@options.hfov_option()
@options.render_options()
@options.hrtf_option()
@machine_options()
@options.host_options()
@options.json_option()
def command(timeline: Path, in_host: bool, profile: str, as_json: bool, **settings: Any) -> None:
    """Render the sounds of TIMELINE where its pictures, its metadata or its markers show them."""
    from foleyspace_host.timeline.results import TimelineResult
    from foleyspace_host.timeline.run import spatialize_timeline

    if in_host:
        out = settings.pop("out")
        refuse(device=settings.pop("device"), no_cache=settings.pop("no_cache") or None)
        refuse(dry_run=settings.pop("dry_run") or None)
        if out is None:
            raise InvalidInput("there is no output", where="output", cure="name an .otio file with -o")
        details = run_timeline_in_host(timeline, out, profile=profile, settings=settings)
        print_host_result(details, TimelineResult, _lines, as_json)
        return
    settings |= use_machine(settings.pop("device"), settings.pop("no_cache"))
    with stage_bars() as show:
        result = spatialize_timeline(timeline, on_progress=show, **settings)
    for warning in result.warnings:
        click.echo(f"foleyspace: warning: {warning}", err=True)
    click.echo(json.dumps(asdict(result), indent=1) if as_json else "\n".join(_lines(result)))


def _lines(result: TimelineResult) -> list[str]:
    """Return the table of clips, and what was written."""
    rows = [("CLIP", "START", "LENGTH", "", "FROM", "NOTE")]
    for clip in result.clips:
        placed = ", ".join(clip.pictures) if clip.placed_by == "picture" else clip.placed_by
        times = f"{clip.start_s:.3f} s", f"{max(clip.duration_s, 0.0):.3f} s"
        rows.append((clip.name, *times, clip.action, placed, clip.reason or "; ".join(clip.notes)))
    lines = table(rows) if result.clips else ["no clips of sound"]
    verb = "to render" if result.output is None else "rendered"
    lines.append(f"{result.rendered} {verb}, {result.reused} unchanged, {result.skipped} left as they are")
    lines += [f"wrote {path}" for path in (result.output, result.mixdown, result.adm) if path is not None]
    if result.mix is not None:
        lines.append(f"the mix peaks at {loudness_told(result.mix)}")
    return lines
