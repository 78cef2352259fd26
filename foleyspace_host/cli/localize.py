"""``foleyspace localize``: from a video to a trajectory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.report import localized_lines, print_result

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
@options.hfov_option()
@options.detector_option()
@options.json_option()
def command(video: Path, out: Path, as_json: bool, **settings: Any) -> None:
    """Find where the source in VIDEO is over time, and write its trajectory."""
    from foleyspace_host.pipeline.localize import localize_file

    with stage_bars() as show:
        result = localize_file(video, out, on_progress=show, **settings)
    print_result(result, localized_lines(result), as_json)
