"""``foleyspace render``: from a dry sound and a trajectory to binaural sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.report import print_host_result, print_result, rendered_lines
from foleyspace_host.cli.through_host import run_in_host

__all__ = ["command"]


@click.command("render", short_help="Place a sound along a trajectory.")
@click.argument("dry", type=options.FILE)
@click.option(
    "--trajectory",
    type=options.FILE,
    required=True,
    metavar="T.json|T.csv",
    help="Where the sound goes: a trajectory, or CSV with t_s,azimuth_deg,elevation_deg,distance_m.",
)
@click.option(
    "-o",
    "--output",
    "out",
    type=options.FILE,
    required=True,
    metavar="OUT.wav",
    help="A .wav (32 bit float) or .flac file to write.",
)
@options.render_options()
@options.sound_options()
@options.hrtf_option()
@options.host_options()
@options.json_option()
def command(
    dry: Path, trajectory: Path, out: Path, in_host: bool, profile: str, as_json: bool, **settings: Any
) -> None:
    """Place the sound DRY along a trajectory, as binaural sound for headphones or in another format."""
    from foleyspace_host.pipeline.render import render_file
    from foleyspace_host.pipeline.results import RenderResult

    if in_host:
        details = run_in_host("render", out, profile=profile, settings=settings, audio=dry, trajectory=trajectory)
        print_host_result(details, RenderResult, rendered_lines, as_json)
        return
    with stage_bars() as show:
        result = render_file(dry, trajectory, out, on_progress=show, **settings)
    print_result(result, rendered_lines(result), as_json)
