"""``foleyspace library``: the user's own recordings, indexed once and found by words."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foleyspace_host.cli import options
from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.table import table

if TYPE_CHECKING:
    from foleyspace_host.generate.library.index import Sound

__all__ = ["command"]


@click.group("library", short_help="Your own recordings: index a folder, find sounds by words.")
def command() -> None:
    """Your own recordings: index a folder once, find sounds by words, generate from them."""


@command.command("add", short_help="Listen to the recordings in a folder, and remember them.")
@click.argument("folder", type=options.FILE, metavar="DIR")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where the model computes.")
@options.json_option()
def add(folder: Path, device: Any, as_json: bool) -> None:
    """Listen to the recordings in DIR, and remember them; again for a folder of which files have changed."""
    from foleyspace_host.generate.library.index import open_index
    from foleyspace_host.generate.library.scan import add_folder
    from foleyspace_host.generate.setup import library_path

    with stage_bars() as show, open_index(library_path()) as index:
        tell = None if show is None else lambda done, total: show("listen", done, total)
        added = add_folder(index, folder, device=device, on_progress=tell)
    if as_json:
        click.echo(json.dumps(asdict(added)))
        return
    click.echo(f"{added.folder}  {added.new} new, {added.changed} changed, {added.same} as before, {added.gone} gone")
    for line in added.damaged:
        click.echo(f"  cannot be used: {line}")


@command.command("search", short_help="Find recordings by words.")
@click.argument("text", nargs=-1, required=True)
@click.option("--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many at most.")
@options.json_option()
def find(text: tuple[str, ...], count: int, as_json: bool) -> None:
    """Find recordings by TEXT: in names, in what files say of themselves, and in what they were heard to be."""
    from foleyspace_host.generate.library.index import open_index
    from foleyspace_host.generate.library.search import search
    from foleyspace_host.generate.setup import library_path

    with open_index(library_path()) as index:
        hits = search(index.sounds(), " ".join(text), count=count)
    if as_json:
        told = [_plain(hit.sound) | {"score": hit.score, "because": hit.because} for hit in hits]
        click.echo(json.dumps({"found": told}))
    elif hits:
        rows = [(f"{hit.score:.2f}", _length(hit.sound), hit.sound.path, hit.because) for hit in hits]
        click.echo("\n".join(table(rows)))
    else:
        click.echo("nothing found")


@command.command("list", short_help="Show the folders and the recordings in them.")
@options.json_option()
def show_all(as_json: bool) -> None:
    """Show the folders that were added, and the recordings in them with what they were heard to be."""
    from foleyspace_host.generate.library.index import open_index
    from foleyspace_host.generate.setup import library_path

    with open_index(library_path()) as index:
        folders, sounds = index.folders(), list(index.sounds())
        damaged = list(index.sounds(damaged=True))
    if as_json:
        told = {"sounds": [_plain(one) for one in sounds], "damaged": {one.path: one.damage for one in damaged}}
        click.echo(json.dumps({"folders": folders} | told))
        return
    if not folders:
        click.echo("nothing was added: foleyspace library add DIR")
    for folder in folders:
        own = [one for one in sounds if one.folder == folder]
        click.echo(f"{folder}  {len(own)} recordings")
        rows = [("", _length(one), str(Path(one.path).relative_to(folder)), _heard(one)) for one in own]
        click.echo("\n".join(table(rows)) if rows else "  none that can be used")


@command.command("remove", short_help="Forget a folder or a recording; the files stay.")
@click.argument("path", type=options.FILE)
@options.json_option()
def remove(path: Path, as_json: bool) -> None:
    """Forget the folder or the recording PATH; the files themselves stay where they are."""
    from foleyspace_host.errors import NotFound
    from foleyspace_host.generate.library.index import open_index
    from foleyspace_host.generate.setup import library_path

    with open_index(library_path()) as index:
        place = str(path.expanduser().resolve())
        known = place in index.folders()
        count = index.remove(place)
        if not count and not known:
            raise NotFound("is not in the library", where=place, cure="see foleyspace library list")
    click.echo(json.dumps({"removed": count}) if as_json else f"{place}  {count} recordings forgotten")


def _plain(sound: Sound) -> dict[str, object]:
    return {name: getattr(sound, name) for name in ("path", "folder", "duration_s", "name", "told", "tags")}


def _length(sound: Sound) -> str:
    return f"{sound.duration_s:.1f} s"


def _heard(sound: Sound) -> str:
    return ", ".join(list(sound.tags)[:3])
