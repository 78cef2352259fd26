"""Measure localization on clips whose source has been labelled by hand.

    python benchmarks/localization.py CLIPS [--evaluator SCRIPT] [--json]

CLIPS is a folder with ``labels.json`` and ``<clip>.mp4``. For each clip, the labels give the source's point
in the picture once a second; a pinhole camera of 60 degrees over the longer side turns it into a direction.

az, el     mean error of azimuth and elevation where the method gives an answer [deg]
az_all     mean error of azimuth where a missing answer counts as straight ahead [deg]
coverage   share of the labelled points with an answer
az_seen    as az, but only where "best box" gives an answer too [deg]
seconds    time to localize the clip with its decoding; loading the model is stated apart

Beside `localize` stand two baselines: "best box" takes the box of the highest score in each picture, if that
is at least 0.3, and "centre" always says straight ahead. ``--evaluator`` scores the same trajectories with a
script that has a function ``score_visual(path, clip, hfov)``, and stops if the numbers differ from these.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import dumps
from foleyspace_host.localize.localizer import SAMPLING_HZ, load_detector, localize
from foleyspace_host.localize.see.detect import Detector
from foleyspace_host.media.probe import probe
from foleyspace_host.media.video import read_frames

HFOV_DEG = 60.0
BEST_BOX_SCORE = 0.3
REACH_S = 0.5  # an answer holds for so long before its first and after its last key
COLUMNS = ("az", "az_seen", "az_all", "el", "coverage", "seconds")


def score(
    trajectory: Trajectory, clip: dict[str, Any], seen: NDArray[np.bool_] | None = None
) -> tuple[dict[str, float], NDArray[np.bool_]]:
    """Errors of the selected source over the visible label points, and which of them have an answer."""
    points = np.array([(p["t"], p["x"], p["y"]) for p in clip["points"] if p["visible"]])
    camera = Camera(round(1e6 * clip["aspect"]), 1_000_000, HFOV_DEG)
    azimuth, elevation = camera.directions(points[:, 1] * camera.width, points[:, 2] * camera.height)
    if not trajectory.selected:
        none = {"az": np.nan, "az_seen": np.nan, "el": np.nan}
        return {**none, "az_all": float(np.abs(azimuth).mean()), "coverage": 0.0}, np.zeros(len(points), bool)
    keys = trajectory.selected[0].keys
    time_s = np.array([key.t_s for key in keys])
    at = points[:, 0]
    found = np.interp(at, time_s, np.unwrap([key.azimuth_deg for key in keys], period=360.0))
    raised = np.interp(at, time_s, [key.elevation_deg for key in keys])
    sure = np.interp(at, time_s, [key.confidence for key in keys]) > 0
    covered = sure & (at >= time_s[0] - REACH_S) & (at <= time_s[-1] + REACH_S)
    covered |= len(keys) == 1  # a single key is a source that stays where it is
    error = np.abs((found - azimuth + 180.0) % 360.0 - 180.0)
    both = covered if seen is None else covered & seen
    row = {
        "az": _mean(error[covered]),
        "az_seen": _mean(error[both]),
        "az_all": _mean(np.where(covered, error, np.abs(azimuth))),
        "el": _mean(np.abs(raised - elevation)[covered]),
        "coverage": float(covered.mean()),
    }
    return row, covered


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def best_box(path: Path, detector: Detector) -> Trajectory:
    """Return the naive trajectory: in each picture the box of the highest score, nothing followed."""
    info = probe(path)
    assert info.video is not None
    camera = Camera(info.video.width, info.video.height, HFOV_DEG)
    keys = []
    for frame in read_frames(path, rate_hz=SAMPLING_HZ, max_side_px=768):
        found = [box for box in detector.detect(frame.image) if box.score >= BEST_BOX_SCORE]
        if found:
            x, y = (found[0].box[:2] + found[0].box[2:]) / 2
            azimuth, elevation = camera.directions(x * camera.width, y * camera.height)
            keys.append(Key(frame.t_s, float(azimuth), float(elevation), confidence=found[0].score))
    sources = (Source("best-box", tuple(keys)),) if keys else ()
    return Trajectory(float(info.duration_s), sources, camera)


def check(evaluator: Path, trajectory: Trajectory, clip: dict[str, Any], mine: dict[str, float]) -> None:
    """Stop if another script scores a trajectory differently."""
    spec = importlib.util.spec_from_file_location("evaluator", evaluator)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.trajectory.json"
        path.write_text(dumps(trajectory), encoding="utf-8")
        theirs = module.score_visual(path, clip, HFOV_DEG)
    for name in ("az", "az_all", "el", "coverage"):
        if not np.isclose(theirs[name], mine[name], atol=0.02, equal_nan=True):
            sys.exit(f"{evaluator}: {name} is {theirs[name]:.3f}, here it is {mine[name]:.3f}")


def measure(folder: Path, evaluator: Path | None) -> dict[str, Any]:
    """Localize all labelled clips of a folder; return the rows of the table."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    start = time.perf_counter()
    detector = load_detector()
    loading_s = time.perf_counter() - start
    # the best box first: the others are also scored where it has an answer
    methods: dict[str, dict[str, dict[str, float]]] = {"best box": {}, "localize": {}, "centre": {}}
    for name, clip in labels.items():
        path, seen = folder / f"{name}.mp4", None
        for method, rows in methods.items():
            start = time.perf_counter()
            if method == "localize":
                trajectory = localize(path, hfov_deg=HFOV_DEG, detector=detector)
            elif method == "best box":
                trajectory = best_box(path, detector)
            else:
                trajectory = Trajectory(1e4, (Source("centre", (Key(0.0, 0.0), Key(1e4, 0.0))),))
            seconds = time.perf_counter() - start
            row, covered = score(trajectory, clip, seen)
            seen = covered if seen is None else seen
            if evaluator is not None:
                check(evaluator, trajectory, clip, row)
            rows[name] = {**row, "seconds": seconds}
    means = {
        method: {column: float(np.nanmean([row[column] for row in rows.values()])) for column in COLUMNS}
        for method, rows in methods.items()
    }
    return {"loading_s": loading_s, "methods": methods, "mean": means}


def main() -> None:
    """Print the table, or all numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="folder of labels.json and <clip>.mp4")
    parser.add_argument("--evaluator", type=Path, help="script to check the scores against")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    arguments = parser.parse_args()
    result = measure(arguments.clips, arguments.evaluator)
    if arguments.json:
        print(json.dumps(result, indent=1).replace("NaN", "null"))
        return
    print(f"{'':<24}" + "".join(f"{column:>10}" for column in COLUMNS))
    rows = {
        **result["methods"]["localize"],
        **{f"MEAN {method}": row for method, row in result["mean"].items()},
    }
    for name, row in rows.items():
        print(f"{name[:23]:<24}" + "".join(f"{row[column]:>10.2f}" for column in COLUMNS))
    print(f"loading the model: {result['loading_s']:.2f} s")


if __name__ == "__main__":
    main()
