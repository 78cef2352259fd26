"""Measure how long a tick of an action keeps REAPER's user interface waiting.

    python benchmarks/reaper_ticks.py [--rounds 5] [--lua 5.4] [--json]

*Spatialize selected items* on 200 items of four tracks, run by Lua (lupa, which `make test-reaper` installs) against
the fake REAPER of the tests, with a bridge that answers at once. What counts is the processor's time of the script
itself: the fake's own work is taken off, so REAPER's functions are not in it. A script rests after 8 ms of work.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "plugins" / "reaper"))

RATE_HZ = 48_000
N_TRACKS, N_EACH = 4, 50


def ticks_ms(lua: str, folder: Path) -> list[float]:
    """Return how long each tick of one run worked [ms of processor time]."""
    from fake import FakeReaper, add_item, add_track, run_script
    from scripts.conftest import PASS, StandIn, entry

    resource = folder / "REAPER"
    data = resource / "Data" / "FoleySpace"
    data.mkdir(parents=True)
    bridge = StandIn(folder / "program")
    (data / "foleyspace_paths.lua").write_text(f'return {{ bridge = "{bridge.program}", version = "0.1.0" }}\n')
    path = folder / "steps.wav"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, RATE_HZ // 20), RATE_HZ, subtype="FLOAT")
    reaper = FakeReaper(resource)
    try:
        reaper.active.values.update({"PROJECT_SRATE_USE": 1.0, "PROJECT_SRATE": float(RATE_HZ)})
        for number in range(N_TRACKS):
            track = add_track(reaper.active, f"Track {number}")
            for index in range(N_EACH):
                add_item(track, path, 0.1 * index)
        reaper.dialogs.inputs.append(PASS)
        script = run_script(reaper, entry("spatialize"), lua=lua)
        placed = sum(len(track.items) for track in reaper.active.tracks) - N_TRACKS * N_EACH
        if placed != N_TRACKS * N_EACH:
            raise SystemExit(f"{placed} items were placed, not {N_TRACKS * N_EACH}: {reaper.dialogs.texts}")
        return [1e3 * tick.own_s for tick in script.ticks]
    finally:
        reaper.close()


def processor() -> str:
    """Return what the processor is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def summary(rounds: list[list[float]]) -> dict[str, Any]:
    """Return median, 95th percentile and longest of all ticks that did something, and the usual longest of a round."""
    worked = np.array([tick for ticks in rounds for tick in ticks if tick > 0.05])
    return {
        "ticks": len(worked),
        "median_ms": round(float(np.median(worked)), 2),
        "p95_ms": round(float(np.percentile(worked, 95)), 2),
        "longest_ms": round(float(worked.max()), 2),
        "median_of_longest_ms": round(float(np.median([max(ticks) for ticks in rounds])), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how long ticks of an action in REAPER are.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lua", default="5.4", choices=["5.3", "5.4"])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    rounds = []
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(ticks_ms(given.lua, Path(folder)))
    found = {"lua": given.lua, "items": N_TRACKS * N_EACH, "rounds": given.rounds, **summary(rounds)}
    found |= {"processor": f"{processor()}, {os.cpu_count()} cores", "load": round(load, 1)}
    if given.json:
        print(json.dumps(found))
        return
    print(f"Lua {found['lua']}, {found['items']} items, {found['rounds']} rounds, {found['ticks']} ticks that worked:")
    print(f"median {found['median_ms']} ms, 95 % {found['p95_ms']} ms, longest {found['longest_ms']} ms")
    print(f"(the longest of a round, median: {found['median_of_longest_ms']} ms)")
    print(f"{found['processor']}; load average {found['load']} when it began")


if __name__ == "__main__":
    main()
