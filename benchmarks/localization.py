"""Measure localization on clips whose source has been labelled by hand.

    python benchmarks/localization.py CLIPS [--mirrored] [--evaluator SCRIPT] [--json]
    python benchmarks/localization.py CLIPS --ablation

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
``--mirrored`` takes mirror images of clips and labels: most labelled sources are on the right.

``--ablation`` prints az_all with all cues, and with each switched off in turn; and for the same keys the azimuth
that the mapping of the FoleySpace paper (arXiv 2508.12918) gives, as far as its text tells it: with forward
S d and sideways 2 S (1/2 - x), d the depth brought to 0 to 1 over the clip by its least and greatest value, S half
the width of the sound field, which falls out of the azimuth.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.camera import Camera
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.geometry.trajectory_file import dumps
from foleyspace_host.localize.cues import Cues
from foleyspace_host.localize.localizer import SAMPLING_HZ, load_detector, localize
from foleyspace_host.localize.see.detect import Detector
from foleyspace_host.media.probe import probe
from foleyspace_host.media.video import read_frames

HFOV_DEG = 60.0
BEST_BOX_SCORE = 0.3
REACH_S = 0.5  # an answer holds for so long before its first and after its last key
CUES = ("tracker", "motion", "audio", "range")
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


def paper_mapping(trajectory: Trajectory) -> Trajectory:
    """Return the same keys with azimuth and elevation as the paper's mapping has them."""
    assert trajectory.camera is not None
    camera, source = trajectory.camera, trajectory.selected[0]
    points = np.array([key.image_xy for key in source.keys])
    sideways, up = 2 * (0.5 - points[:, 0]), 2 * (0.5 - points[:, 1]) * camera.height / camera.width
    depth = np.array([key.distance_m for key in source.keys]) / camera.range_m(
        np.ones(len(points)), points[:, 0] * camera.width, points[:, 1] * camera.height
    )
    forward = (depth - depth.min()) / np.ptp(depth) if np.ptp(depth) > 0.0 else np.ones(len(depth))
    azimuth = np.degrees(np.arctan2(sideways, forward))
    elevation = np.degrees(np.arctan2(up, np.hypot(sideways, forward)))
    keys = tuple(
        replace(key, azimuth_deg=float(az), elevation_deg=float(el))
        for key, az, el in zip(source.keys, azimuth, elevation, strict=True)
    )
    return replace(trajectory, sources=(replace(source, keys=keys),))


def mirrored(folder: Path, into: Path) -> Path:
    """Write mirror images of labelled clips and their labels into another folder."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    for name, clip in labels.items():
        with av.open(str(folder / f"{name}.mp4")) as source, av.open(str(into / f"{name}.mp4"), "w") as copy:
            _copy_mirrored(source, copy)
        for point in clip["points"]:
            if point["x"] is not None:
                point["x"] = 1.0 - point["x"]
    (into / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    return into


def _copy_mirrored(source: Any, copy: Any) -> None:
    video, sounds = source.streams.video[0], source.streams.audio
    out = copy.add_stream("libx264", rate=video.average_rate, options={"preset": "veryfast", "crf": "12"})
    out.width, out.height, out.pix_fmt, out.time_base = video.width, video.height, "yuv420p", video.time_base
    out.codec_context.time_base = video.time_base
    sound = copy.add_stream_from_template(sounds[0]) if sounds else None
    for packet in source.demux([video, *sounds[:1]]):
        if packet.stream is video:
            for frame in packet.decode():
                picture = np.ascontiguousarray(frame.to_ndarray(format="rgb24")[:, ::-1])
                flipped = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
                flipped.pts, flipped.time_base = frame.pts, frame.time_base
                copy.mux(out.encode(flipped))
        elif packet.dts is not None:
            packet.stream = sound
            copy.mux(packet)
    copy.mux(out.encode(None))


def ablation(folder: Path) -> dict[str, dict[str, float]]:
    """Return az_all of each clip with all cues, without each of them, and by the paper's mapping."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    detector = load_detector()
    variants = {"all cues": Cues()} | {f"without {name}": replace(Cues(), **{name: False}) for name in CUES}
    rows: dict[str, dict[str, float]] = {}
    for variant, cues in variants.items():
        for name, clip in labels.items():
            found = localize(folder / f"{name}.mp4", hfov_deg=HFOV_DEG, detector=detector, cues=cues)
            rows.setdefault(variant, {})[name] = score(found, clip)[0]["az_all"]
            if cues == Cues():
                rows.setdefault("paper's mapping", {})[name] = score(paper_mapping(found), clip)[0]["az_all"]
    return rows


def print_ablation(rows: dict[str, dict[str, float]]) -> None:
    """Print az_all of each clip (rows) in each variant (columns)."""
    print(f"{'az_all [deg]':<24}" + "".join(f"{variant:>17}" for variant in rows))
    for name in next(iter(rows.values())):
        print(f"{name[:23]:<24}" + "".join(f"{row[name]:>17.2f}" for row in rows.values()))
    print(f"{'MEAN':<24}" + "".join(f"{np.mean(list(row.values())):>17.2f}" for row in rows.values()))


def main() -> None:
    """Print the table, or all numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="folder of labels.json and <clip>.mp4")
    parser.add_argument("--evaluator", type=Path, help="script to check the scores against")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--mirrored", action="store_true", help="mirror images of the clips")
    parser.add_argument("--ablation", action="store_true", help="switch each cue off in turn")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = mirrored(arguments.clips, Path(folder)) if arguments.mirrored else arguments.clips
        if arguments.ablation:
            print_ablation(ablation(clips))
            return
        result = measure(clips, arguments.evaluator)
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
