"""Writes the card of a binaural model from what was measured: every row, those that lose too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.flow.card import card_head, metadata, table

__all__ = ["write_card"]

Table = Mapping[str, Mapping[str, Mapping[str, float]]]

_HIGHER_IS_BETTER = ("x real time",)


def write_card(path: Path, model: Path, quality: Path, manifest: Path, facts: Mapping[str, str]) -> None:
    """Write a card beside a model.

    Parameters
    ----------
    path : Path
        Markdown file to write.
    model : Path
        ONNX file; what it states about itself goes into the card.
    quality : Path
        JSON of ``benchmarks/binaural_quality.py``.
    manifest : Path
        ``manifest.json`` of the prepared data.
    facts : mapping of str to str
        What else is known: hardware, date, duration.
    """
    data: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    found: Table = json.loads(quality.read_text(encoding="utf-8"))
    names = {"room": "rooms", "sparse": "what few measurements of a listener do not tell", "extent": "width"}
    adds = ", ".join(names[name] for name in metadata(model)["adds"].split(","))
    about = [
        f"A flow model for `--renderer diffusion`. It adds to a binaural rendering of the free field: {adds}.",
        "The rest is left to the renderer.",
    ]
    lines = [
        *card_head(path.stem, about, model, facts),
        "## Data",
        "",
        *_data(data),
        "",
        "## Measured",
        "",
        "By `benchmarks/binaural_quality.py`: rooms and movements took no part in training, nor did what is called",
        "unseen; other heads and sounds did. In each column the best row is bold. The factor of real time is of",
        "processor time, all threads together.",
        "",
    ]
    for split, rows in found.items():
        lines += [f"### {split.capitalize()}", "", *_measured(rows), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _data(data: Mapping[str, Any]) -> list[str]:
    sounds = data["sounds"]
    return [
        f"- Heads: {len(data['heads'])} to learn from, {len(data['heads_held_out'])} kept apart"
        f" ({', '.join(data['heads_held_out'])}).",
        f"- Sounds: {data['duration_s']:g} s; {sounds.get('recorded', 0)} recorded under CC0, CC BY or in the public"
        f" domain, {sounds.get('spoken', 0)} spoken by a program, and generated noises, sweeps, clicks and chords;"
        f" {len(data['sounds_held_out'])} kept apart.",
        "- Rooms: shoeboxes with reverberation times of 0.15 to 0.6 s, reflections and tail of this project's room"
        " renderer; movements of seven kinds at 0.3 to 10 m.",
    ]


def _measured(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    columns = list(dict.fromkeys(name for values in rows.values() for name in values))
    best: dict[str, float] = {}
    for column in columns:
        numbers = [row[column] for row in rows.values() if column in row]
        best[column] = max(numbers) if column in _HIGHER_IS_BETTER else min(numbers)

    def cell(column: str, values: Mapping[str, float]) -> str:
        text = _number(values[column]) if column in values else ""
        return f"**{text}**" if text and values[column] == best[column] else text

    return table(columns, ((name, [cell(column, values) for column in columns]) for name, values in rows.items()))


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
