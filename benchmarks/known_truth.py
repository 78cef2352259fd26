"""Measure localization on clips that are rendered along known paths, and how fast it is.

    python benchmarks/known_truth.py [--only WORDS] [--mirrored] [--json]
    python benchmarks/known_truth.py --speed [--seconds 60]

Each clip is a few seconds of a thing that the shipped detector knows, moving in one way, seen by a camera that
moves in one way, stored in one way; see `truth_clips`. Errors are means over all pictures in which the thing's
middle is in sight, of the found source that is nearest to it over the clip:

azimuth, elevation   error [deg]; target 1.5 and 2
distance             error [%], truth by the known height of the class; target 20
at most              largest error of the azimuth [deg]
cuts                 found/true, exact to the picture
apart                of two things, whether each is followed by one source from first to last

``--speed`` times whole runs on clips of 480p and 1080p, with the memory they take; loading is stated apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from truth_clips import Cases, Clip, Thing, write

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.trajectory import Source, Trajectory
from foleyspace_host.localize.localizer import load_detector, localize
from foleyspace_host.localize.see.classes import class_named

AZIMUTH_DEG, ELEVATION_DEG, DISTANCE_PERCENT = 1.5, 2.0, 20.0
COLUMNS = ("azimuth", "at most", "elevation", "distance", "cuts", "apart")

Array = NDArray[np.float64]


def errors(clip: Clip, thing: Thing, source: Source, class_name: str) -> dict[str, Array]:
    """Errors of a source in each picture where the thing's middle is in the picture, behind a pillar too."""
    camera = Camera(*clip.size, 60.0)
    rows = []
    for t_s in clip.times_s:
        place = clip.truth(thing, float(t_s))
        if place is None or not (0.0 <= place[0] <= 1.0 and 0.0 <= place[1] <= 1.0):
            continue
        x, y, height = place
        away = camera.focal_px * class_named(class_name).height_m / (height * clip.size[1])
        azimuth, elevation = camera.directions(np.array(x * clip.size[0]), np.array(y * clip.size[1]))
        distance = camera.range_m(np.array(away), np.array(x * clip.size[0]), np.array(y * clip.size[1]))
        found = at(source, float(t_s))
        rows.append((found[0] - azimuth, found[1] - elevation, 100.0 * (found[2] / distance - 1.0)))
    table = np.abs(np.array(rows, dtype=np.float64))
    return {"azimuth": table[:, 0], "elevation": table[:, 1], "distance": table[:, 2]}


def at(source: Source, t_s: float) -> tuple[float, float, float]:
    """Where a source is; up to a cut it stays with the shot before."""
    times = np.array([key.t_s for key in source.keys])
    k = int(np.clip(np.searchsorted(times, t_s + 1e-6, side="right") - 1, 0, len(times) - 1))
    here, after = source.keys[k], source.keys[min(k + 1, len(times) - 1)]
    share = 0.0 if after.cut or after is here else (t_s - here.t_s) / (after.t_s - here.t_s)
    share = min(max(share, 0.0), 1.0)
    return (
        here.azimuth_deg + share * (after.azimuth_deg - here.azimuth_deg),
        here.elevation_deg + share * (after.elevation_deg - here.elevation_deg),
        float(np.exp((1 - share) * np.log(here.distance_m) + share * np.log(after.distance_m))),
    )


def score(clip: Clip, trajectory: Trajectory, class_names: dict[str, str] | None = None) -> dict[str, Any]:
    """Compare a trajectory with the truth of a clip."""
    names = class_names or {}
    all_rows, chosen = [], []
    for thing in clip.things:
        name = names.get(thing.look, thing.look)
        each = [errors(clip, thing, source, name) for source in trajectory.sources]
        best = int(np.argmin([rows["azimuth"].mean() for rows in each]))
        all_rows.append(each[best])
        chosen.append(best)
    row = {name: float(max(rows[name].mean() for rows in all_rows)) for name in ("azimuth", "elevation", "distance")}
    found = [key.t_s for key in trajectory.sources[0].keys if key.cut]
    first = [float(clip.times_s[clip.times_s >= cut - 1e-6][0]) for cut in clip.cuts_s]
    exact = sum(bool(np.isclose(found, cut, atol=1e-3).any()) for cut in first) if found else 0
    return {
        **row,
        "at most": float(max(rows["azimuth"].max() for rows in all_rows)),
        "cuts": f"{exact}/{len(first)}" + (f" and {len(found) - exact} false" if len(found) > exact else ""),
        "apart": len(set(chosen)) == len(chosen),
        "sources": [source.id for source in trajectory.sources],
        "right": chosen[0] == [source.selected for source in trajectory.sources].index(True),
    }


def misses(row: dict[str, Any]) -> list[str]:
    """Which targets a row misses."""
    bounds = {"azimuth": AZIMUTH_DEG, "elevation": ELEVATION_DEG, "distance": DISTANCE_PERCENT}
    missed = [name for name, bound in bounds.items() if not row[name] <= bound]
    found, _, true = row["cuts"].partition("/")
    return missed + (["cuts"] if found != true else []) + ([] if row["apart"] else ["apart"])


def measure(clips: list[Clip], find: Callable[[Path], Trajectory]) -> dict[str, dict[str, Any]]:
    """Render, localize and score clips."""
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips:
            path = write(clip, Path(folder) / "clip.mp4")
            rows[clip.name] = score(clip, find(path))
            path.unlink()
    return rows


def speed(seconds: float) -> None:
    """Print how many seconds of video are localized per second, and the memory that takes."""
    start = time.perf_counter()
    detector = load_detector()
    print(f"loading the detector: {time.perf_counter() - start:.2f} s")
    for size in ((854, 480), (1920, 1080)):
        clip = replace(Cases(size=size).clips["passes"], duration_s=seconds, hooves=True)
        thing = replace(clip.things[0], at=lambda t_s: (250.0 * np.sin(0.8 * t_s), 70.0, 170.0))
        with tempfile.TemporaryDirectory() as folder:
            path = write(replace(clip, things=(thing,)), Path(folder) / "clip.mp4")
            start, used = time.perf_counter(), time.process_time()
            localize(path, detector=detector)
            wall_s, cpu_s = time.perf_counter() - start, time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{size[0]}x{size[1]}, {seconds:g} s: {seconds / wall_s:.2f} x real time in {wall_s:.1f} s, "
            f"{cpu_s:.1f} s of processor time ({2 * seconds / cpu_s:.2f} x on two idle cores at best), "
            f"peak memory so far {peak:.0f} MB"
        )


def main() -> None:
    """Print the table, or all numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="clips whose name has this in it")
    parser.add_argument("--mirrored", action="store_true", help="mirror images of the clips")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--speed", action="store_true", help="measure speed and memory instead")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the clips for --speed")
    arguments = parser.parse_args()
    if arguments.speed:
        speed(arguments.seconds)
        return
    detector = load_detector()
    clips = [clip for clip in Cases().clips.values() if arguments.only in clip.name]
    clips = [clip.reflected() for clip in clips] if arguments.mirrored else clips
    rows = measure(clips, lambda path: localize(path, detector=detector))
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'':<30}" + "".join(f"{column:>12}" for column in COLUMNS))
    for name, row in rows.items():
        cells = [f"{row[c]:>12.2f}" if isinstance(row[c], float) else f"{row[c]!s:>12}" for c in COLUMNS]
        print(f"{name:<30}" + "".join(cells) + "".join(f"  misses {missed}" for missed in misses(row)))
    if any(misses(row) for row in rows.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
