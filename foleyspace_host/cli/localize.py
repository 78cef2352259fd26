"""``foleyspace localize``: from a video to a trajectory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.machine import machine_options, use_machine
from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.report import localized_lines, print_host_result, print_result
from foleyspace_host.cli.through_host import refuse, run_in_host

__all__ = ["command"]


@click.command("localize", short_help="Find where the source in a video is, over time.")
@click.argument("video", type=options.FILE)
@click.option(
    "-o",
    "--output",
    "out",
    type=options.FILE,
    required=True,
    metavar="T.json",
    help="Trajectory to write.",
)
@options.label_option()
@options.prompt_option()
@options.source_option()
@options.hfov_option()
@click.option(
    "--keys",
    type=options.FILE,
    metavar="EDITED.json",
    help="Lead what is found through the keys that you edited in this trajectory.",
)
@options.report_options()
@options.vision_options()
@machine_options()
@options.host_options()
@options.json_option()
def command(video: Path, out: Path, in_host: bool, profile: str, as_json: bool, **settings: Any) -> None:
    """Find where the source in VIDEO is over time, and write its trajectory."""
    from foleyspace_host.pipeline.localize import localize_file
    from foleyspace_host.pipeline.results import LocalizeResult

    if in_host:
        settings.pop("report_embed_mb")
        refuse(**{name: settings.pop(name) for name in ("keys", "report", "device")})
        refuse(no_cache=settings.pop("no_cache") or None)
        details = run_in_host("localize", out, profile=profile, settings=settings, video=video)
        print_host_result(details, LocalizeResult, localized_lines, as_json)
        return
    settings |= use_machine(settings.pop("device"), settings.pop("no_cache"))
    with stage_bars() as show:
        result = localize_file(video, out, on_progress=show, **settings)
    print_result(result, localized_lines(result), as_json)
