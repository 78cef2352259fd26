"""Trajectories of rendered clips for other programs, as CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from foleyspace_host.errors import OutputUnwritable
from foleyspace_host.geometry.trajectory import Source
from foleyspace_host.geometry.trajectory_file import CSV_COLUMNS, loads, loads_csv
from foleyspace_host.timeline.layers import Rendered

__all__ = ["csv_text", "write_trajectories"]


def csv_text(source: Source) -> str:
    """Return the keys of a source as CSV; a jump is two lines a microsecond apart.

    Parameters
    ----------
    source : Source
        The source.

    Returns
    -------
    str
        A header and a line for each key, as `loads_csv` reads them.
    """
    rows = [source.keys[0]]
    lines = []
    for before, key in pairwise(source.keys):
        if key.cut and key.t_s - before.t_s > 2e-6:  # this file knows no jumps: it stays, and moves at once
            lines.append((key.t_s - 1e-6, before))
        rows.append(key)
    lines += [(key.t_s, key) for key in rows]
    lines.sort(key=lambda line: line[0])
    text = [",".join(CSV_COLUMNS)]
    text += [f"{t_s!r},{key.azimuth_deg!r},{key.elevation_deg!r},{key.distance_m!r}" for t_s, key in lines]
    return "\n".join(text) + "\n"


def write_trajectories(rendered: Sequence[Rendered], folder: Path) -> list[Path]:
    """Write the trajectory of every clip; its times count from the start of the clip.

    Parameters
    ----------
    rendered : sequence of Rendered
        The clips.
    folder : Path
        Where the files go, called as the renderings are; made if it is not there.

    Returns
    -------
    list of Path
        One file for each source that sounds.

    Raises
    ------
    OutputUnwritable
        If they cannot be written, or read differently then.
    """
    from foleyspace_host.media.atomic import atomic_output, write_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
    written = []
    for one in rendered:
        sources = loads(json.dumps(one.told["trajectory"])).selected
        for number, source in enumerate(sources, 1):
            path = folder / (one.path.stem + (f"-{number}" if len(sources) > 1 else "") + ".csv")
            with atomic_output(path) as partial:
                partial.write_text(csv_text(source), encoding="utf-8", newline="\n")
                if not _says(source, partial.read_bytes().decode()):
                    raise OutputUnwritable("the written trajectory reads differently", where=str(path))
            written.append(path)
    return written


def _says(source: Source, text: str) -> bool:
    """Tell whether a file says where a source is at each of its keys."""
    there = {(key.t_s, key.azimuth_deg, key.elevation_deg, key.distance_m) for key in loads_csv(text).sources[0].keys}
    return all((key.t_s, key.azimuth_deg, key.elevation_deg, key.distance_m) in there for key in source.keys)
