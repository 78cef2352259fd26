"""Measures how near renderings come to the truth: the rows and columns of ``docs/diffusion.md``.

``python benchmarks/binaural_quality.py DATA [--model MODEL.onnx] [--json FILE]`` takes the folder that ``python -m
training.binaural_flow prepare`` wrote, and prints a table in Markdown for each question of
``training.binaural_flow.data.evaluation``. Renderings that know nothing of rooms or of the listener are rows beside
those that do; the rows of the flow model come in with ``--model``, those of other programs with ``--other NAME=FOLDER``
(WAV files named as the examples of the written set).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from binaural_metrics import METRICS, measured  # noqa: E402

from foleyspace_host.geometry.path import SourcePath  # noqa: E402
from foleyspace_host.hrtf.head import HEAD_RADIUS_M  # noqa: E402
from foleyspace_host.hrtf.listener import shipped_model  # noqa: E402
from foleyspace_host.hrtf.power import ear_powers  # noqa: E402
from foleyspace_host.hrtf.prepare import load_hrtf  # noqa: E402
from foleyspace_host.hrtf.prepared import Hrtf  # noqa: E402
from foleyspace_host.render.delay import N_TAPS, read_delayed  # noqa: E402
from foleyspace_host.render.distance import SPEED_OF_SOUND_M_S  # noqa: E402
from foleyspace_host.render.options import RenderOptions  # noqa: E402
from training.binaural_flow.data.evaluation import (  # noqa: E402
    DURATION_S,
    SPLITS,
    Case,
    cases,
    few_of,
    few_set,
    own_set,
    rendered,
    truth_of,
)
from training.binaural_flow.data.heads import Head  # noqa: E402
from training.binaural_flow.data.presets import SAMPLE_RATE_HZ  # noqa: E402

Sound = NDArray[np.float32]
HOP = 256
_UNSEEN = ("unseen listeners",)


@dataclass(frozen=True)
class Row:
    """A way to render.

    Parameters
    ----------
    name : str
        Its name in the table.
    render : callable
        Renders an example.
    splits : tuple of str
        Questions that it has an answer to.
    timed : bool
        Whether it is rendered here, and not only read.
    """

    name: str
    render: Callable[[Case], Sound]
    splits: tuple[str, ...] = SPLITS
    timed: bool = True


def mono_copy(case: Case) -> Sound:
    """Play the sound to both ears, as loud as its distance makes it."""
    gain = _gain(case)
    return np.stack([case.mono * gain] * 2).astype(np.float32)


def panned(case: Case) -> Sound:
    """Pan with constant power, and delay by Woodworth's formula."""
    unit, _ = _path(case)
    side = np.clip(unit[:, 1], -1.0, 1.0)
    angle = 0.25 * np.pi * (1.0 + side)
    lateral = np.arcsin(side)
    itd_s = HEAD_RADIUS_M / SPEED_OF_SOUND_M_S * (lateral + np.sin(lateral))
    n = len(case.mono)
    times = np.arange(n)
    knots = np.arange(len(unit)) * HOP
    gain = _gain(case) * np.sqrt(2.0)
    padded = np.concatenate([np.zeros(1024, np.float32), case.mono, np.zeros(1024, np.float32)])
    out = np.zeros((2, n), dtype=np.float32)
    still = np.zeros(len(unit) - 1, dtype=np.bool_)
    for ear, sign in enumerate((-0.5, 0.5)):
        delay = sign * itd_s * SAMPLE_RATE_HZ
        still[:] = np.abs(np.diff(delay)) > 0.5 * HOP
        read_delayed(padded, -1024, 0, HOP, delay, still, out[ear])
        level = np.sin(angle) if ear == 0 else np.cos(angle)
        out[ear] *= np.interp(times, knots, level) * gain
    assert N_TAPS < 1024
    return out


def true_room(case: Case) -> Sound:
    """Render the true room as ``--room`` does: 12 reflections of the second order, and another tail."""
    if case.room is None:
        return rendered(case, own_set(case.head))
    known = replace(case.room, order=2, reflections=12, seed=case.room.seed + 1)
    return rendered(case, own_set(case.head), known)


def prior_set(case: Case) -> Hrtf:
    """Return what is known of the listener: everything, or few measurements of an unseen one."""
    return few_set(case.head) if case.split == "unseen listeners" else own_set(case.head)


def code_of(case: Case) -> NDArray[np.float32]:
    """Return the code of the listener, from what is known of them."""
    return _code(case.head, case.split == "unseen listeners")


@lru_cache(maxsize=4)
def _code(head: Head, few: bool) -> NDArray[np.float32]:
    return shipped_model().fit(few_of(head) if few else head.measured)


def flow_rows(path: Path) -> list[Row]:
    """Return the rows of a flow model, which is told the room's times, volume and level, and the listener's code."""
    from foleyspace_host.diffusion.listener import Listener
    from foleyspace_host.diffusion.model import open_flow_model
    from foleyspace_host.render.flow import render_flow_blocks

    model = open_flow_model(path)

    def render(case: Case, quality: str) -> Sound:
        unseen, code = case.split == "unseen listeners", code_of(case)
        options = RenderOptions(
            distance_gain="physical",
            room=case.room,
            renderer="diffusion",
            quality=quality,
            listener=Listener(tuple(float(number) for number in code), unseen),
            seed=1,
        )
        n, hrtf = len(case.mono), prior_set(case)
        blocks = render_flow_blocks([case.mono], n, SAMPLE_RATE_HZ, case.trajectory, hrtf, options, model)
        return np.concatenate(list(blocks), axis=1)

    return [
        Row("flow, draft", lambda case: render(case, "draft")),
        Row("flow, fine", lambda case: render(case, "fine")),
    ]


def other_row(text: str) -> Row:
    """Return a row of files that another program wrote: NAME=FOLDER."""
    import soundfile

    name, _, folder = text.partition("=")
    return Row(name, lambda case: soundfile.read(Path(folder) / f"{case.name}.wav", dtype="float32")[0].T, timed=False)


def own_rows() -> list[Row]:
    """Return the rows that need nothing else."""
    return [
        Row("mono copy", mono_copy),
        Row("pan and Woodworth's delay", panned),
        Row("DSP, KEMAR", lambda case: rendered(case, load_hrtf(None, SAMPLE_RATE_HZ))),
        Row("DSP, 50 measurements interpolated", lambda case: rendered(case, few_set(case.head, plain=True))),
        Row("DSP, 50 measurements and other ears", lambda case: rendered(case, few_set(case.head)), _UNSEEN),
        Row("DSP, own dense set", lambda case: rendered(case, own_set(case.head))),
        Row("DSP and the true room", true_room, ("rooms", "unseen sounds")),
    ]


def evaluate(data: Path, rows: list[Row], splits: list[str], per_split: int) -> dict[str, dict[str, dict[str, float]]]:
    """Measure all rows.

    Parameters
    ----------
    data : Path
        Prepared folder.
    rows : list of Row
        Ways to render.
    splits : list of str
        Questions.
    per_split : int
        Examples of each.

    Returns
    -------
    dict
        Mean of each metric over the examples, and ``x real time``, by split and row.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for split in splits:
        sums: dict[str, list[dict[str, float]]] = {row.name: [] for row in rows if split in row.splits}
        for number, case in enumerate(cases(data, [split], per_split)):
            truth = truth_of(case)
            # preparing a set is not rendering
            ear_powers(own_set(case.head)), few_set(case.head, plain=True), prior_set(case), code_of(case)
            for row in rows:
                if split in row.splits:
                    row.render(case) if number == 0 else None  # what is made once is made now
                    start = process_time()
                    sound = row.render(case)
                    spent = process_time() - start
                    sums[row.name].append(measured(truth, sound, SAMPLE_RATE_HZ) | {"spent": spent})
        columns = list(METRICS)
        found[split] = {
            row.name: {column: float(np.mean([one[column] for one in sums[row.name]])) for column in columns}
            | ({"x real time": _speed(sums[row.name])} if row.timed else {})
            for row in rows
            if split in row.splits
        }
    return found


def _speed(ones: list[dict[str, float]]) -> float:
    return float(DURATION_S / np.median([one["spent"] for one in ones]))


def table(found: dict[str, dict[str, float]]) -> str:
    """Lay out the rows of one question."""
    columns = [*METRICS, "x real time"]
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    digits = dict(zip(columns, (3, 3, 3, 2, 0, 2, 3, 3, 1), strict=True))
    for name, values in found.items():
        cells = [
            ""
            if column not in values
            else f"{values[column]:,.0f}"
            if column == "x real time" and values[column] >= 20
            else f"{values[column]:.{digits[column]}f}"
            for column in columns
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--other", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--split", action="append", choices=SPLITS)
    parser.add_argument("--examples", type=int, default=12, help="of each question")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = own_rows() + [other_row(text) for text in arguments.other]
    if arguments.model is not None:
        rows += flow_rows(arguments.model)
    found = evaluate(arguments.data, rows, arguments.split or list(SPLITS), arguments.examples)
    for split, values in found.items():
        print(f"**{split}**\n\n{table(values)}\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _path(case: Case) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    path = SourcePath.from_source(case.trajectory.sources[0])
    return path.sample(np.arange(0, len(case.mono) + HOP, HOP) / SAMPLE_RATE_HZ)


def _gain(case: Case) -> NDArray[np.float64]:
    distance_m = _path(case)[1]
    return np.interp(np.arange(len(case.mono)), np.arange(len(distance_m)) * HOP, 1.0 / distance_m)


if __name__ == "__main__":
    main()
