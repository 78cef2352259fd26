"""Run the test of every promise and write ``docs/reliability.md``: promise, measured figure, test.

    python benchmarks/reliability.py [--long] [--rounds 5] [-o docs/reliability.md]

A promise's tests are those named after its id (``test_J1_...``). What they measure they record as properties; how
quick the host is, ``host.py`` beside this file measures. With a failing test, or a promise without one, nothing is
written and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import host as speed

ROOT = Path(__file__).resolve().parents[1]

PROMISES = {
    "Jobs": {
        "J1": "An accepted job is never lost, whenever the host is killed",
        "J2": "After that it is resumed, not begun anew: finished stages are not done again",
        "J3": "The same request, sent again, is the same job; with another content it is refused",
        "J4": "Every job ends exactly once: done, failed or cancelled",
        "J5": "A cancel is heard within 0.1 s, stops the job within 1 s, by force within 3 s, and leaves no file",
        "J6": "A cancel before the start or after the end has an answer too",
        "J7": "The death of a client ends no job; the result waits for it",
        "J8": "A job that crashes its worker fails alone; the host goes on",
        "J9": "A worker that hangs is found and ended",
        "J10": "One client's many jobs do not delay another's single one",
        "J11": "A job is not started after its deadline",
        "J12": "A damaged, newer or read-only record of jobs is told, never guessed at",
    },
    "Wire": {
        "W1": "No bytes crash the host or make it grow",
        "W2": "Decoding is total: any bytes are a message or one kind of error",
        "W3": "Every limit is enforced, and the answer names the field",
        "W4": "64 clients with 100 requests each: none lost, none crossed",
        "W5": "A slow client costs the host less than 64 MB and nobody else anything",
        "W6": "A worker that holds its interpreter's lock delays no answer",
        "W7": "A restarted host is found again without the user",
        "W8": "A client that was stopped, such as on a laptop asleep, goes on where it was",
        "W9": "Lost, doubled and reordered messages: every job is done once",
        "W10": "Idling costs next to nothing, and connections leave nothing behind",
    },
    "Security": {
        "S1": "Who has no key gets no word, and who listens in understands nothing",
        "S2": "Without encryption there is no host",
        "S3": "Keys can be read by their owner alone, and stand in no log",
        "S4": "The host listens on 127.0.0.1 alone",
        "S5": "No path leads out of the folders that a client named",
        "S6": "Nothing is overwritten",
        "S7": "No data is run as code",
        "S8": "No program is run through a shell, and no file name or playlist leads elsewhere",
        "S9": "Archives are not unpacked",
        "S10": "A connection file that a dead host left leads to nobody else",
        "S11": "A cluster with TLS takes neither plain TCP nor certificates of another authority",
    },
    "Media": {
        "M1": "A broken file is one clear error",
        "M2": "What is not a number never leaves",
        "M3": "Empty and tiny inputs have an answer",
        "M4": "Results are as long as they should be, to the sample",
        "M5": "The same request gives the same bytes",
        "M6": "How sound is cut into blocks cannot be heard",
        "M7": "Sound comes from where the measurement says",
        "M8": "A full disk fails one job and leaves no half file",
        "M9": "A file that can be seen is whole",
    },
    "Life": {
        "L1": "There is one host for each profile",
        "L2": "A port in use is named",
        "L3": "The host ends in order: running jobs finish or are laid down",
        "L4": "On wish it ends with its parent, or when nobody needs it",
        "L5": "Older and newer clients get along, or are told what to upgrade",
        "L6": "Messages of every released version stay readable",
        "L7": "The host is ready within 1 s and loads no models",
        "L8": "The log is structured, rotates, and gives nothing away",
    },
}

_UNITS = {"per_s": "per s", "mb": "MB", "ms": "ms", "s": "s", "percent": "%"}


@dataclass
class Promise:
    """What became of the tests of one promise."""

    tests: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # outcomes of each test's variants
    figures: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, str] = field(default_factory=dict)


def run_tests(*, long: bool) -> tuple[dict[str, Promise], str]:
    """Run them.

    Parameters
    ----------
    long : bool
        Also the variants that take minutes.

    Returns
    -------
    dict of str to Promise
        By id.
    str
        What pytest said last.
    """
    named = re.compile(r"def test_[JWSML]\d+_")
    files = [str(path) for path in sorted((ROOT / "tests").rglob("test_*.py")) if named.search(path.read_text("utf-8"))]
    ids = " or ".join(f"{one}_" for promises in PROMISES.values() for one in promises)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-k",
            ids,
            "-o",
            "junit_family=xunit1",
            f"--junitxml={report}",
            *files,
        ]
        exactly = {**os.environ, "FOLEYSPACE_TEST_PATIENCE": "1"}
        command += ["-m", ""] if long else []
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=exactly)
        cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - written by pytest just now
    promises: dict[str, Promise] = defaultdict(Promise)
    for case in cases:
        name = case.get("name", "").partition("[")[0]
        outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        for one in re.findall(r"(?<=_)[JWSML]\d+(?=_)", name):
            promise = promises[one]
            promise.tests[name].append(outcome)
            promise.files[name] = "/".join(case.get("classname", "").split("."))
            for fact in case.iter("property"):
                promise.figures[fact.get("name", "")].append(fact.get("value", ""))
    return promises, done.stdout.strip().splitlines()[-1]


def figures(promise: Promise) -> str:
    """Return what the tests measured, in words; how many held where they measured nothing."""
    told = []
    for name, values in promise.figures.items():
        text, unit = next(
            ((name.removesuffix(f"_{unit}"), word) for unit, word in _UNITS.items() if name.endswith(f"_{unit}")),
            (name, ""),
        )
        numbers = sorted({float(value) for value in values if re.fullmatch(r"-?[\d.]+", value)})
        if not numbers:
            continue
        span = f"{numbers[0]:g}" if len(numbers) == 1 else f"{numbers[0]:g} to {numbers[-1]:g}"
        told.append(f"{text.replace('_', ' ')} {span} {unit}".strip())
    n_passed = sum(outcomes.count("passed") for outcomes in promise.tests.values())
    return "; ".join(told) or f"held in {n_passed} case{'s' if n_passed != 1 else ''}"


def page(promises: dict[str, Promise], measured: dict[str, object], last: str) -> str:
    """Return the document."""
    machine = (
        f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
    told = ", ".join(re.findall(r"\d+ (?:passed|skipped)", last))
    lines = [
        "# What the host promises, and what was measured",
        "",
        "Written by `python benchmarks/reliability.py`, which runs the tests of every promise against the real",
        "process over real, encrypted sockets. What a job does is pretended there, so that it can be slow, hang or",
        "crash on purpose; the promises about media are tested with the real thing.",
        "",
        f"On {machine}: {told}.",
        "",
        "## How quick it is",
        "",
        "| | promised | measured: median (range) |",
        "|---|---|---|",
        *(f"| {what} | {promised} | {figure} |" for what, promised, figure in speed.rows(measured)),
    ]
    for title, group in PROMISES.items():
        lines += ["", f"## {title}", "", "| | promise | measured | tests |", "|---|---|---|---|"]
        for one, text in group.items():
            names = "<br>".join(f"`{name}`" for name in sorted(promises[one].tests))
            lines.append(f"| {one} | {text} | {figures(promises[one])} | {names} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="also the variants that take minutes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "reliability.md")
    options = parser.parse_args()
    promises, last = run_tests(long=options.long)
    print(last)
    missing = [one for group in PROMISES.values() for one in group if one not in promises]
    failed = [
        name
        for promise in promises.values()
        for name, outcomes in promise.tests.items()
        if {"failure", "error"} & set(outcomes)
    ]
    if missing or failed:
        print(f"without a test: {', '.join(missing) or 'none'}; failed: {', '.join(sorted(set(failed))) or 'none'}")
        return 1
    measured = speed.measure(options.rounds)
    options.output.write_text(page(promises, measured, last), encoding="utf-8")
    print(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
