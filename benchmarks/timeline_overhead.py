"""Measures what a timeline costs beyond decoding and rendering its clips.

``python benchmarks/timeline_overhead.py [--rounds 7] [--clips 200] [--handles 1.0]`` makes a timeline in which
every clip is placed by a marker, and prints a table in Markdown. The same ranges of the same files are decoded,
rendered and written one after the other by the functions that do nothing else, with and without measuring the
levels of what is written, interleaved with the timeline in one process, after one round that is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile
from performance import machine

from foleyspace_host.geometry.timebase import Span
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import load_hrtf
from foleyspace_host.media.audio import open_audio
from foleyspace_host.media.write import write_audio
from foleyspace_host.pipeline.settings import RenderSettings
from foleyspace_host.render.stream import render_stream
from foleyspace_host.timeline.run import spatialize_timeline

RATE = 48_000
FPS = 24
N_FILES = 20
FILE_S = 60
CLIP_S = 5
GAP_S = 1
N_TRACKS = 10


@dataclass(frozen=True)
class Clip:
    """A clip of the timeline: which part of which file, and from which side."""

    number: int
    path: Path
    start_s: Fraction
    azimuth_deg: float


def made_clips(folder: Path, n_clips: int) -> list[Clip]:
    """Write files of noise, and say which parts of them are the clips."""
    rng = np.random.default_rng(0)
    for number in range(N_FILES):
        noise = rng.uniform(-0.1, 0.1, FILE_S * RATE).astype(np.float32)
        soundfile.write(folder / f"{number}.wav", noise, RATE, subtype="FLOAT")
    first, room = 2, FILE_S - CLIP_S - 4
    return [
        Clip(n, folder / f"{n % N_FILES}.wav", first + Fraction(7 * n % (room * FPS), FPS), (37 * n) % 181 - 90)
        for n in range(n_clips)
    ]


def timed(start_s: Fraction, duration_s: Fraction) -> dict[str, Any]:
    """Return a range of time as OpenTimelineIO has it."""
    start, duration = (
        {"OTIO_SCHEMA": "RationalTime.1", "rate": FPS, "value": float(t * FPS)} for t in (start_s, duration_s)
    )
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": start, "duration": duration}


def write_timeline(clips: list[Clip], path: Path) -> Path:
    """Write the clips onto tracks, with gaps between them."""
    tracks: list[list[dict[str, Any]]] = [[] for _ in range(N_TRACKS)]
    nothing = Fraction(0)
    for clip in clips:
        mark = {
            "OTIO_SCHEMA": "Marker.2",
            "name": f"foleyspace: az={clip.azimuth_deg} dist=2",
            "marked_range": timed(clip.start_s, nothing),
        }
        reference = {
            "OTIO_SCHEMA": "ExternalReference.1",
            "target_url": clip.path.name,
            "available_range": timed(nothing, Fraction(FILE_S)),
        }
        tracks[clip.number % N_TRACKS] += [
            {
                "OTIO_SCHEMA": "Clip.2",
                "name": f"clip {clip.number}",
                "source_range": timed(clip.start_s, Fraction(CLIP_S)),
                "markers": [mark],
                "media_references": {"DEFAULT_MEDIA": reference},
                "active_media_reference_key": "DEFAULT_MEDIA",
            },
            {"OTIO_SCHEMA": "Gap.1", "source_range": timed(nothing, Fraction(GAP_S))},
        ]
    children = [{"OTIO_SCHEMA": "Track.1", "kind": "Audio", "children": items} for items in tracks]
    stack = {"OTIO_SCHEMA": "Stack.1", "children": children}
    path.write_text(json.dumps({"OTIO_SCHEMA": "Timeline.1", "name": "cut", "tracks": stack}))
    return path


def decode_and_render(clips: list[Clip], folder: Path, handles_s: Fraction, *, levels: bool) -> None:
    """Do for each clip what cannot be left out: decode its range, render it, write the sound."""
    settings = RenderSettings()
    duration_s = CLIP_S + 2 * handles_s
    for clip in clips:
        source = open_audio(clip.path, Span(clip.start_s - handles_s, duration_s))
        path = Trajectory(float(duration_s), (Source("marker", (Key(float(handles_s), clip.azimuth_deg, 0.0, 2.0),)),))
        rate, n_samples = source.sample_rate_hz, source.n_samples
        blocks = source.blocks(channels="mono")
        rendered = render_stream(blocks, n_samples, rate, path, load_hrtf(None, rate), settings)
        write_audio(folder / f"{clip.number}.wav", rendered, rate, 2, levels=levels)


def at_once(clips: list[Clip], folder: Path, handles_s: Fraction) -> None:
    """Do the same in as many threads as the timeline has, without measuring levels."""
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(decode_and_render, [clip], folder, handles_s, levels=False) for clip in clips]:
            done.result()


def same(ours: Path, theirs: Path) -> bool:
    """Tell whether the timeline's renderings are what was rendered one by one."""
    sounds = {path.name.split("-")[1]: path for path in ours.glob("*.wav")}
    return all(sounds[path.stem].read_bytes() == path.read_bytes() for path in theirs.glob("*.wav"))


def took(work: Callable[[], object]) -> tuple[float, float]:
    """Return the time on the clock and of the processor [s]."""
    os.sync()  # what was written before is not to slow it down
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def one_round(clips: list[Clip], source: Path, number: int, handles_s: Fraction) -> dict[str, tuple[float, float]]:
    """Do everything once, every other round the other way round."""
    folder = source.parent
    for path in {clip.path for clip in clips}:  # files of yesterday, which this process has not seen yet
        os.utime(path, (time.time(), time.time() - 86_400 - number))
    out, alone, bare, both = folder / "out.otio", folder / "alone", folder / "bare", folder / "both"
    for made in (alone, bare, both):
        made.mkdir()

    def timeline() -> None:
        spatialize_timeline(source, out, handles_s=float(handles_s))

    works: list[tuple[str, Callable[[], object]]] = [
        ("alone", lambda: decode_and_render(clips, alone, handles_s, levels=True)),
        ("timeline", timeline),
        ("bare", lambda: decode_and_render(clips, bare, handles_s, levels=False)),
        ("both", lambda: at_once(clips, both, handles_s)),
    ]
    found = {label: took(work) for label, work in (works if number % 2 else reversed(works))}
    found["again"] = took(timeline)
    if not same(folder / "out-foleyspace", alone):
        sys.exit("the timeline's renderings differ from those made one by one")
    for used in (alone, bare, both, folder / "out-foleyspace"):
        shutil.rmtree(used)
    out.unlink()
    return found


def ratios(rounds: list[dict[str, tuple[float, float]]], other: str) -> str:
    """Return how much longer the timeline took, within each round, by the clock and by the processor."""
    cells = []
    for which in (0, 1):
        more = [100 * (one["timeline"][which] / one[other][which] - 1) for one in rounds]
        cells.append(f"{median(more):+.1f} ({min(more):+.1f} to {max(more):+.1f}) %")
    return " | ".join(cells)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--handles", type=float, default=1.0, help="more of each file on either side [s]")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder if not given")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        clips = made_clips(Path(name), args.clips)
        source = write_timeline(clips, Path(name) / "in.otio")
        rounds = [one_round(clips, source, number, Fraction(args.handles)) for number in range(args.rounds + 1)][1:]
    lines = [
        f"{args.clips} clips of {CLIP_S} s with handles of {args.handles:g} s; {machine()}.",
        f"Medians of {args.rounds} rounds with their range.",
        "",
        "| | clock | processor |",
        "|---|---|---|",
    ]
    rows = {
        "alone": "decode, render, measure and write, one by one",
        "bare": "decode, render and write, one by one",
        "both": "decode, render and write, in two threads",
        "timeline": "`spatialize_timeline`",
        "again": "once more, nothing changed",
    }
    for key, label in rows.items():
        columns = [[one[key][which] for one in rounds] for which in (0, 1)]
        cells = [f"{median(column):.2f} ({min(column):.2f}-{max(column):.2f}) s" for column in columns]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    lines += [f"| timeline beyond {rows[key]} | {ratios(rounds, key)} |" for key in ("alone", "bare", "both")]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
