"""Measure how fast the Blender extension follows objects, and how long a tick keeps the user interface waiting.

    python benchmarks/blender_sampling.py [--frames 5000] [--rounds 5] [--json]

Runs in a Python that has ``bpy``: that of ``make test-blender`` is .venv/blender/bin/python. A simple scene has one
animated object and an animated camera; a full one has 200 animated objects besides, and 20 surfaces of 900 vertices
with a wave that Blender computes anew for each frame. Each is followed as in the user interface, in slices of 20 ms.
Of the processor's time, which other programs do not lengthen, the median of the rounds is told.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUDGET_S = 0.02


def build(bpy: object, full: bool) -> None:
    """Make a scene; everything moves."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene

    def add(name: str, data: object, path: list[tuple[int, tuple[float, float, float]]]) -> object:
        item = bpy.data.objects.new(name, data)
        scene.collection.objects.link(item)
        for frame, location in path:
            item.location = location
            item.keyframe_insert("location", frame=frame)
        return item

    camera = add("Camera", bpy.data.cameras.new("Camera"), [(1, (0, 0, 1.7)), (5000, (3, 0, 1.7))])
    camera.rotation_euler = (math.pi / 2, 0, 0)
    scene.camera = camera
    add("Car", None, [(1, (-20, 8, 1)), (2500, (20, 8, 1)), (5000, (-20, 30, 1))])
    if not full:
        return
    for n in range(200):
        add(f"Thing {n}", None, [(1, (n, 0, 0)), (5000, (0, n, 0))])
    n_side = 30
    corners = [(x / 3, y / 3, 0.0) for y in range(n_side) for x in range(n_side)]
    faces = [
        (y * n_side + x, y * n_side + x + 1, (y + 1) * n_side + x + 1, (y + 1) * n_side + x)
        for y in range(n_side - 1)
        for x in range(n_side - 1)
    ]
    for n in range(20):
        mesh = bpy.data.meshes.new(f"Sea {n}")
        mesh.from_pydata(corners, [], faces)
        sea = bpy.data.objects.new(f"Sea {n}", mesh)
        scene.collection.objects.link(sea)
        sea.modifiers.new("Wave", "WAVE")


def follow(n_frames: int) -> dict[str, float]:
    """Follow the car once; return frames a second and the longest tick."""
    import bpy
    from foleyspace.sampling import Sampler
    from foleyspace.tracks import Track

    track = Track(bpy.context.scene.name, ("Car", ""), Fraction(1), Fraction(n_frames), Fraction(25))
    sampler = Sampler([track])
    walls, processors = [], []
    while not sampler.finished:
        wall, processor = time.perf_counter(), time.thread_time()
        sampler.step(BUDGET_S)
        walls.append(time.perf_counter() - wall)
        processors.append(time.thread_time() - processor)
    assert not track.error, track.error
    assert sampler.done == n_frames
    return {
        "frames_per_s": n_frames / sum(walls),
        "frames_per_processor_s": n_frames / sum(processors),
        "longest_tick_ms": 1e3 * max(walls),
        "longest_tick_processor_ms": 1e3 * max(processors),
        "ticks": len(walls),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as user:
        os.environ["BLENDER_USER_RESOURCES"] = user
        sys.path.insert(0, str(ROOT / "plugins" / "blender"))
        import bpy

        told: dict[str, object] = {"blender": bpy.app.version_string, "frames": args.frames, "rounds": args.rounds}
        for name in ("simple", "full"):
            build(bpy, full=name == "full")
            rounds = [follow(args.frames if name == "simple" else args.frames // 10) for _ in range(args.rounds)]
            told[name] = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    if args.json:
        sys.stdout.write(json.dumps(told) + "\n")
        return
    sys.stdout.write(f"Blender {told['blender']}, median of {args.rounds}\n")
    for name in ("simple", "full"):
        one = told[name]
        sys.stdout.write(
            f"{name:>7} scene: {one['frames_per_s']:,.0f} frames/s ({one['frames_per_processor_s']:,.0f} per processor "
            f"second); longest tick {one['longest_tick_ms']:.1f} ms ({one['longest_tick_processor_ms']:.1f} ms)\n"
        )


if __name__ == "__main__":
    main()
