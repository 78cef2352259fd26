"""What the cards of all models say alike: which file it is, what it states about itself, and tables."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

__all__ = ["card_head", "metadata", "table"]


def metadata(model: Path) -> dict[str, str]:
    """Return what an ONNX file states about itself."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return dict(session.get_modelmeta().custom_metadata_map)


def card_head(
    title: str, about: Sequence[str], model: Path, facts: Mapping[str, str], hidden: Collection[str] = ()
) -> list[str]:
    """Return the head of a card: what the model is, and the table of facts about its file.

    Parameters
    ----------
    title : str
        Name of the model.
    about : sequence of str
        Lines that say what it is.
    model : Path
        ONNX file; what it states about itself goes into the table.
    facts : mapping of str to str
        What else is known: hardware, date, duration.
    hidden : collection of str
        Names of what it states that the table leaves out.

    Returns
    -------
    list of str
        Lines of Markdown, an empty one at the end.
    """
    stated = {name: value for name, value in sorted(metadata(model).items()) if name not in hidden}
    rows = {
        "file": f"`{model.name}`, {model.stat().st_size} bytes",
        "sha256": f"`{hashlib.sha256(model.read_bytes()).hexdigest()}`",
        **{name.replace("_", " "): value for name, value in stated.items()},
    }
    lines = [f"| {name} | {value} |" for name, value in [*rows.items(), *facts.items()]]
    return [f"# {title}", "", *about, "", "| | |", "|---|---|", *lines, ""]


def table(columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Return a table in Markdown.

    Parameters
    ----------
    columns : sequence of str
        What the columns are called; that of the names of rows is called nothing.
    rows : iterable of (str, sequence of str)
        Names of rows, and their cells.

    Returns
    -------
    list of str
        Its lines.
    """
    return [
        "| | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        *(f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows),
    ]
