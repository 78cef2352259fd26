"""Writes the card of a foley model: what it is, what it learnt from and whose that is, and all that was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from foleyspace_host.generate.classes import NAMES
from training.flow.card import card_head, table

__all__ = ["write_card"]

_HIDDEN = ("classes", "courses", "portraits")  # long, or told in other words
_COLUMNS = (
    *("class heard", "told apart / among 3", "kernel distance (95 %)", "envelope r", "onsets"),
    *("likest wave", "likest embedding", "x real time"),
)


def write_card(path: Path, model: Path, quality: Path, credits: Path, facts: Mapping[str, str]) -> None:
    """Write a card beside a model.

    Parameters
    ----------
    path : Path
        Markdown file to write.
    model : Path
        ONNX file; what it states about itself goes into the card.
    quality : Path
        JSON of ``benchmarks/foley_quality.py``.
    credits : Path
        ``credits.json`` of the prepared data.
    facts : mapping of str to str
        What else is known: hardware, date, duration.
    """
    used = json.loads(credits.read_text(encoding="utf-8"))
    rows = json.loads(quality.read_text(encoding="utf-8"))
    about = [
        "A flow model for `foleyspace generate`: from a class of sounds and a loudness over time to the levels of 128",
        "bands, of which the program makes a waveform. What it can do and what not: docs/foley.md.",
    ]
    lines = [
        *card_head(path.stem, about, model, {**facts, "classes": ", ".join(NAMES)}, _HIDDEN),
        "The file holds weights, and of each sound that was learnt from 384 numbers that say how loud its bands are on",
        "the whole; of those that glide also how their pitch goes, call by call. No recording can be had back from it.",
        "",
        "## Measured",
        "",
        "By `benchmarks/foley_quality.py`, on recordings that took no part in training; docs/foley.md says what the",
        "columns are.",
        "",
        *_measured(rows),
        "",
        "## Whose sounds",
        "",
        f"{len(used)} recordings of Debian packages, four in five of them to learn from, the rest to measure with, and",
        "sounds that `training/foley/invented` computed. As the packages name their authors:",
        "",
        *_credits(used),
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _measured(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    def cells(row: Mapping[str, Any]) -> list[str]:
        mean, low, high = row["kernel"]
        onset = "" if row["onset_ms"] is None else f"{row['onset_ms']:.0f} ms"
        speed = f"{row['times_real']:.1f}" if row["name"].startswith("model") else ""
        likest = [f"{row[name][0]:.2f}, at most {row[name][1]:.2f}" for name in ("copied_wave", "copied_embedding")]
        heard, distance = f"{100 * row['class_accuracy']:.0f} %", f"{mean:.2f} ({low:.2f} to {high:.2f})"
        apart = " / ".join(f"{100 * share:.0f} %" for share in row["told_apart"])
        return [heard, apart, distance, f"{row['envelope']:.3f}", onset, *likest, speed]

    return table(_COLUMNS, ((row["name"], cells(row)) for row in rows))


def _credits(used: Sequence[Mapping[str, str]]) -> list[str]:
    def key(one: Mapping[str, str]) -> tuple[str, str]:
        return one["package"], one["licence"]

    lines = []
    for (package, licence), group in groupby(sorted(used, key=key), key):
        own = list(group)
        holders = sorted({one["holders"] for one in own})
        lines.append(f"- {package}, {licence}, {len(own)}: {'; '.join(holders)}")
    return lines
