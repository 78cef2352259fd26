"""``foleyspace demo``: hear it, and see how exact it is, in one command."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foleyspace_host.cli.progress import stage_bars

if TYPE_CHECKING:
    from foleyspace_host.demo.run import DemoResult

__all__ = ["command"]


@click.command("demo")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("foleyspace-demo"),
    show_default=True,
    help="Folder for the results.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(output: Path, as_json: bool) -> None:
    """Make a clip whose truth is known, place its sound, and measure the result."""
    from foleyspace_host.demo.run import run_demo

    with stage_bars() as on_progress:
        result = run_demo(output, on_progress)
    click.echo(json.dumps(asdict(result)) if as_json else _told(result))


def _told(result: DemoResult) -> str:
    errors, times_s = result.errors, result.times_s
    return "\n".join(
        [
            f"A horse trots past, {result.clip_s:g} s. With headphones on, play:",
            "",
            f"  {result.video}",
            "",
            f"  picture      {result.picture}",
            f"  sound        {result.sound}",
            f"  trajectory   {result.trajectory}",
            f"  clip before  {result.clip}",
            "",
            f"Spatialized in {times_s['spatialize']:.1f} s;"
            f" {times_s['total']:.1f} s with making the clip and measuring the result.",
            f"Azimuth error {errors.azimuth_mean_deg:.2f}° mean, {errors.azimuth_max_deg:.2f}° at most;"
            f" distance error {errors.distance_mean_percent:.1f} % mean.",
            f"Interaural time {result.itd_error_us:.0f} µs and level {result.ild_error_db:.1f} dB mean"
            " from what the true path gives.",
        ]
    )
