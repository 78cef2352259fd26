"""``foleyspace generate``: from words, and a video where there is one, to a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.machine import machine_options, use_machine
from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.report import generated_lines, print_host_result, print_result
from foleyspace_host.cli.through_host import refuse, run_in_host

__all__ = ["command"]


@click.command("generate", short_help="Make a sound from words, and a video where there is one.")
@click.option("--prompt", metavar="TEXT", help="What it should sound like; what is seen in the video if not given.")
@click.option("--video", type=options.FILE, help="What it should go with: it starts, stops and swells as is seen.")
@click.option(
    "--envelope", type=options.FILE, metavar="E.csv", help="Loudness over time to follow: t_s,level_db[,onset]."
)
@click.option("--envelope-out", type=options.FILE, metavar="E.csv", help="Also write the loudness over time used.")
@click.option(
    "--duration", "duration_s", type=float, metavar="S", help="Length; as the video or the envelope if not given."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same one gives the same sound.")
@click.option(
    "-o", "--output", "out", type=options.FILE, required=True, metavar="OUT", help="A .wav or .flac file, mono."
)
@click.option("--engine", metavar="NAME", help="What makes it: foley (ships), library, stable-audio or mmaudio.")
@click.option("--negative", default="", metavar="TEXT", help="What it should not sound like.")
@click.option("--loop", is_flag=True, help="Let its end lead into its beginning.")
@click.option(
    "--quality",
    type=click.Choice(["draft", "normal", "fine"]),
    default="normal",
    show_default=True,
    help="How much work is put into it.",
)
@options.label_option()
@options.source_option()
@click.option("--bit-depth", type=click.Choice(["16", "24", "float"]), help="Samples of the file.")
@machine_options()
@options.host_options()
@options.json_option()
def command(out: Path, in_host: bool, profile: str, as_json: bool, **settings: Any) -> None:
    """Make a sound from words, and a video where there is one: mono, 48 kHz, in time with the picture."""
    from foleyspace_host.pipeline.generate import generate_file
    from foleyspace_host.pipeline.generated import GenerateResult

    if in_host:
        refuse(**{name: settings.pop(name) for name in ("device", "bit_depth")})
        refuse(no_cache=settings.pop("no_cache") or None)
        files = {name: settings.pop(name) for name in ("video", "envelope", "envelope_out")}
        settings |= {"negative": settings["negative"] or None, "loop": settings["loop"] or None}
        details = run_in_host("generate", out, profile=profile, settings=settings, **files)
        print_host_result(details, GenerateResult, generated_lines, as_json)
        return
    settings |= use_machine(settings.pop("device"), settings.pop("no_cache"))
    with stage_bars() as show:
        result = generate_file(settings.pop("prompt"), out, on_progress=show, **settings)
    print_result(result, generated_lines(result), as_json)
