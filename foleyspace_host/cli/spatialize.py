"""``foleyspace spatialize``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.report import print_result, rendered_lines

__all__ = ["command"]


@click.command("spatialize", short_help="Make a video's sound follow the thing on screen.")
@click.argument("video", type=options.FILE)
@click.option(
    "-o",
    "--output",
    "out",
    type=options.FILE,
    required=True,
    metavar="OUT",
    help="A .wav or .flac file, or the video again as .mp4, .m4v, .mov or .mkv with its picture copied.",
)
@click.option("--audio", type=options.FILE, metavar="DRY.wav", help="Sound to place instead of the video's own.")
@options.label_option()
@options.hfov_option()
@options.render_options()
@options.sound_options()
@options.hrtf_option()
@click.option(
    "--bed",
    "bed_db",
    type=float,
    metavar="DB",
    help="Keep the video's own stereo sound under the point source, at this level, for example -12.",
)
@click.option("--trajectory-out", type=options.FILE, metavar="T.json", help="Also write the trajectory.")
@options.detector_option()
@options.json_option()
def command(video: Path, out: Path, as_json: bool, **settings: Any) -> None:
    """Make the sound of VIDEO follow the thing on screen, for headphones or in another format."""
    from foleyspace_host.pipeline.spatialize import spatialize

    with stage_bars() as show:
        result = spatialize(video, out, on_progress=show, **settings)
    print_result(result, rendered_lines(result), as_json)
