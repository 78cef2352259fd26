"""``foleyspace spatialize``: the main job."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.machine import machine_options, use_machine
from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.report import print_host_result, print_result, rendered_lines
from foleyspace_host.cli.through_host import refuse, run_in_host
from foleyspace_host.errors import InvalidInput

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
@options.prompt_option()
@click.option(
    "--engine",
    metavar="NAME",
    help="Make the sound of --prompt, or of what is seen, by this engine; a video without sound needs only --prompt.",
)
@click.option("--negative", metavar="TEXT", help="What a sound that is made should not sound like.")
@options.source_option()
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
@click.option(
    "--keys",
    type=options.FILE,
    metavar="T.json|T.csv",
    help="Use this trajectory as it is, instead of looking at the picture.",
)
@click.option("--trajectory-out", type=options.FILE, metavar="T.json", help="Also write the trajectory.")
@options.report_options()
@options.vision_options()
@machine_options()
@options.host_options()
@options.json_option()
def command(video: Path, out: Path, in_host: bool, profile: str, as_json: bool, **settings: Any) -> None:
    """Make the sound of VIDEO follow the thing on screen, for headphones or in another format."""
    from foleyspace_host.pipeline.results import SpatializeResult
    from foleyspace_host.pipeline.spatialize import spatialize
    from foleyspace_host.pipeline.spatialize_made import Wish, has_sound, spatialize_made

    engine, negative, prompt = settings.pop("engine"), settings.pop("negative"), settings["prompt"]
    wish = None
    if settings["audio"] is None and (engine or (prompt and not has_sound(video))):
        wish = Wish(prompt or "", negative or "", engine, settings["seed"])
    elif engine or negative:
        name, where = ("--engine", "--audio") if engine else ("--negative", "the video's own sound")
        raise InvalidInput(f"{where} leaves no sound to be made", where=name, cure="leave one of them out")
    if in_host:
        settings.pop("report_embed_mb")
        refuse(**{name: settings.pop(name) for name in ("report", "device")})
        refuse(no_cache=settings.pop("no_cache") or None)
        files = {name: settings.pop(name) for name in ("audio", "trajectory_out")}
        files |= {"video": video, "trajectory": settings.pop("keys")}
        if wish is not None:
            settings["generate"] = {name: value for name, value in asdict(wish).items() if value not in ("", None)}
        details = run_in_host("spatialize", out, profile=profile, settings=settings, **files)
        print_host_result(details, SpatializeResult, rendered_lines, as_json)
        return
    settings |= use_machine(settings.pop("device"), settings.pop("no_cache"))
    with stage_bars() as show:
        if wish is None:
            result = spatialize(video, out, on_progress=show, **settings)
        else:
            settings.pop("audio")
            result = spatialize_made(video, out, wish=wish, on_progress=show, **settings)
    print_result(result, rendered_lines(result), as_json)
