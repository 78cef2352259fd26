"""Trajectories as files: JSON of schema ``foleyspace.trajectory/1``, and CSV of one source.

The reader is strict: a wrong type, an unknown field or an unsorted key is an error that names its place
(``sources[0].keys[3].t_s`` or a line of the CSV), never a guess.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import cast

from foleyspace_host.errors import InvalidInput, TrajectoryInvalid
from foleyspace_host.geometry.camera import DEFAULT_HFOV_DEG, Camera
from foleyspace_host.geometry.strict_json import Fields, Place, parse
from foleyspace_host.geometry.trajectory import Key, Origin, Source, Trajectory, check_key
from foleyspace_host.geometry.trajectory_text import SCHEMA, dumps, pieces

__all__ = ["CSV_COLUMNS", "SCHEMA", "dumps", "loads", "loads_csv", "pieces", "read_trajectory"]

CSV_COLUMNS = ("t_s", "azimuth_deg", "elevation_deg", "distance_m")

_FIELDS = {
    "trajectory": ("schema", "duration_s", "camera", "sources"),
    "camera": ("hfov_deg", "width", "height"),
    "source": ("id", "label", "confidence", "selected", "gain_db", "extent_deg", "keys"),
    "key": (*CSV_COLUMNS, "confidence", "image_xy", "origin", "cut", "gain_db"),
}


def read_trajectory(path: Path) -> Trajectory:
    """Read a trajectory file; ``.csv`` is one source, anything else is JSON.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Trajectory

    Raises
    ------
    TrajectoryInvalid
        If the file cannot be read or breaks the schema; the message names file, place and cure.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise TrajectoryInvalid(
            f"cannot be read ({error.strerror or error})",
            where=str(path),
            cure="give an existing trajectory file",
        ) from error
    except UnicodeDecodeError as error:
        raise TrajectoryInvalid(
            f"is not text in UTF-8 (byte {error.start})",
            where=str(path),
            cure="give a trajectory written by `foleyspace localize`, or a CSV saved as UTF-8",
        ) from error
    return loads_csv(text, str(path)) if path.suffix.lower() == ".csv" else loads(text, str(path))


def loads(text: str, where: str = "trajectory") -> Trajectory:
    """Read a trajectory from JSON text.

    Parameters
    ----------
    text : str
        JSON of schema ``foleyspace.trajectory/1``.
    where : str
        What messages call the text, usually the file.

    Returns
    -------
    Trajectory

    Raises
    ------
    TrajectoryInvalid
        If the text is not JSON or breaks the schema; the message names the place in it.
    """
    root = Place(parse(text, where), where, "").fields()
    if (schema := root.text("schema")) != SCHEMA:
        raise TrajectoryInvalid(
            f"is {schema[:60]!r}, which this version cannot read",
            where=root.name_of("schema"),
            cure=f"give a trajectory of schema {SCHEMA!r}",
        )
    root.allow(_FIELDS["trajectory"])
    camera = None if root.data.get("camera") is None else _camera(root.at("camera").fields())
    sources = tuple(_source(place.fields()) for place in root.at("sources").items())
    duration_s = root.number("duration_s")
    try:
        return Trajectory(duration_s, sources, camera)
    except TrajectoryInvalid as error:
        raise TrajectoryInvalid(error.problem, where=where, cure=error.cure) from error


def loads_csv(text: str, where: str = "trajectory.csv") -> Trajectory:
    """Read one source from CSV text with the columns ``t_s,azimuth_deg,elevation_deg,distance_m``.

    Parameters
    ----------
    text : str
        Comma-separated values with a header line; the columns may stand in any order.
    where : str
        What messages call the text; its stem names the source.

    Returns
    -------
    Trajectory
        One selected source. The duration is the time of the last line (1 s where that is 0).

    Raises
    ------
    TrajectoryInvalid
        If a column is missing or unknown, or a line is damaged; the message names the line.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] = []
    keys: list[Key] = []
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            place = f"{where}, line {reader.line_num}"
            if not columns:
                columns = _csv_columns(row, place)
                continue
            keys.append(_csv_key(columns, row, place))
            check_key(keys[-1], keys[-2].t_s if len(keys) > 1 else -1.0, place)
    except csv.Error as error:
        raise TrajectoryInvalid(f"is not CSV ({error})", where=f"{where}, line {reader.line_num}") from error
    if not keys:
        raise TrajectoryInvalid(
            "has no keys",
            where=where,
            cure=f"give a header line {','.join(CSV_COLUMNS)} and one line for each key",
        )
    return Trajectory(keys[-1].t_s or 1.0, (Source(Path(where).stem or "source", tuple(keys)),))


def _camera(fields: Fields) -> Camera:
    fields.allow(_FIELDS["camera"])
    width, height = fields.integer("width"), fields.integer("height")
    hfov_deg = fields.number("hfov_deg", DEFAULT_HFOV_DEG)
    try:
        return Camera(width, height, hfov_deg)
    except InvalidInput as error:
        raise TrajectoryInvalid(error.problem, where=f"{fields.where}, camera", cure=error.cure) from error


def _source(fields: Fields) -> Source:
    fields.allow(_FIELDS["source"])
    keys: list[Key] = []
    for place in fields.at("keys").items():
        keys.append(_key(place.fields()))
        check_key(keys[-1], keys[-2].t_s if len(keys) > 1 else -1.0, place.name)
    name, label = fields.text("id"), fields.text("label", "")
    confidence, gain_db = fields.number("confidence", 1.0), fields.number("gain_db", 0.0)
    selected, extent_deg = fields.flag("selected", True), fields.number("extent_deg", 0.0)
    try:
        return Source(name, tuple(keys), label, confidence, selected, gain_db, extent_deg)
    except TrajectoryInvalid as error:
        raise TrajectoryInvalid(error.problem, where=f"{fields.where}, {fields.path}", cure=error.cure) from error


def _key(fields: Fields) -> Key:
    fields.allow(_FIELDS["key"])
    point = None
    if fields.data.get("image_xy") is not None:
        place = fields.at("image_xy")
        numbers = [item.number() for item in place.items()]
        if len(numbers) != 2:
            raise TrajectoryInvalid(f"holds {len(numbers)} numbers, not 2", where=place.name)
        point = (numbers[0], numbers[1])
    return Key(
        t_s=fields.number("t_s"),
        azimuth_deg=fields.number("azimuth_deg"),
        elevation_deg=fields.number("elevation_deg"),
        distance_m=fields.number("distance_m"),
        confidence=fields.number("confidence", 1.0),
        image_xy=point,
        origin=cast(Origin, fields.text("origin", "edited")),  # check_key refuses unknown ones
        cut=fields.flag("cut", False),
        gain_db=fields.number("gain_db", 0.0),
    )


def _csv_columns(row: list[str], place: str) -> list[str]:
    columns = [cell.strip() for cell in row]
    if sorted(columns) != sorted(CSV_COLUMNS):
        raise TrajectoryInvalid(
            f"the columns are {','.join(columns)[:80]!r}",
            where=place,
            cure=f"begin with the header line {','.join(CSV_COLUMNS)}",
        )
    return columns


def _csv_key(columns: list[str], row: list[str], place: str) -> Key:
    if len(row) != len(columns):
        raise TrajectoryInvalid(
            f"holds {len(row)} values, not {len(columns)}",
            where=place,
            cure="separate values by commas, with decimal points",
        )
    numbers = {}
    for column, cell in zip(columns, row, strict=True):
        try:
            numbers[column] = float(cell)
        except ValueError:
            raise TrajectoryInvalid(
                f"{column} is {cell[:40]!r}, not a number", where=place, cure="write plain numbers"
            ) from None
    return Key(numbers["t_s"], numbers["azimuth_deg"], numbers["elevation_deg"], numbers["distance_m"])
