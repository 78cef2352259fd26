"""``foleyspace hrtf``: what a set of head-related responses holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foleyspace_host.cli import options
from foleyspace_host.errors import InvalidInput

if TYPE_CHECKING:
    from foleyspace_host.hrtf.survey import Survey

__all__ = ["command"]

_PICTURES = (".png", ".svg", ".pdf")


@click.group("hrtf", short_help="Look at a set of head-related responses.")
def command() -> None:
    """Look at a set of head-related responses."""


@command.command("inspect")
@click.argument("sofa", type=options.FILE, required=False)
@click.option(
    "-o",
    "--output",
    "picture",
    type=options.FILE,
    metavar="PICTURE.png",
    help="Draw coverage, time differences and responses (.png, .svg or .pdf).",
)
@options.json_option()
def inspect_set(sofa: Path | None, picture: Path | None, as_json: bool) -> None:
    """Tell what the set SOFA holds; without a name, the KEMAR that ships."""
    if picture is not None and picture.suffix.lower() not in _PICTURES:
        raise InvalidInput(
            f"a picture cannot be of the kind {picture.suffix or 'without a suffix'}",
            where=str(picture),
            cure=f"name a file that ends in {', '.join(_PICTURES)}",
        )
    from foleyspace_host.hrtf.survey import survey
    from foleyspace_host.media.atomic import atomic_output, check_writable

    if picture is not None:
        check_writable(picture)
    facts, curves = survey(sofa)
    if picture is not None:
        from foleyspace_host.hrtf.picture import draw

        with atomic_output(picture) as temporary:
            draw(facts, curves, temporary)
    if as_json:
        click.echo(json.dumps(asdict(facts) | {"picture": None if picture is None else str(picture)}))
        return
    click.echo("\n".join(_lines(facts)))
    if picture is not None:
        click.echo(f"  {'picture':<12}{picture}")


def _lines(facts: Survey) -> list[str]:
    measured = f"{facts.n_directions} directions"
    if facts.n_measurements != facts.n_directions:
        measured += f" of {facts.n_measurements} measurements"
    distance = f"{facts.radius_m:.2f} m"
    if len(facts.radii_m) > 1:
        distance += f", the one used of {len(facts.radii_m)}: {facts.radii_m[0]:.2f} to {facts.radii_m[-1]:.2f} m"
    low, high = facts.elevation_deg
    hole_azimuth, hole_elevation = facts.hole_at_deg
    side_azimuth, side_elevation = facts.itd_max_at_deg
    first, last = facts.delays_ms
    apart = "none apart from the responses" if first == last == 0.0 else f"{first:.2f} to {last:.2f} ms apart"
    rows = [
        ("convention", facts.convention),
        ("measured", f"{measured}, every {facts.spacing_deg:.1f}°"),
        ("distance", distance),
        ("responses", f"{facts.n_taps} samples at {facts.sample_rate_hz} Hz"),
        ("coverage", f"elevation {low:+.0f}° to {high:+.0f}°; largest hole {facts.hole_deg:.0f}°, around"
         f" azimuth {hole_azimuth:.0f}°, elevation {hole_elevation:.0f}°"),
        ("delays", f"{apart}; onsets by {facts.onset_estimator}"),
        ("ITD", f"at most {facts.itd_max_us:.0f} µs, at azimuth {side_azimuth:.0f}°, elevation {side_elevation:.0f}°"),
        ("level", f"diffuse field at {round(facts.level_db, 1) + 0.0:+.1f} dB, rendered at 0 dB"),
        *(("note", note) for note in facts.notes),
    ]  # fmt: skip
    return [f"{facts.name} ({facts.file})", *(f"  {name:<12}{text}" for name, text in rows)]
