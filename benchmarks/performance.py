"""Measure the renderer's speed and memory and write ``docs/performance.md``.

    python benchmarks/performance.py [--peers KIT] [--peers-python PYTHON] [--rounds 5] [-o docs/performance.md]

Every figure is a median over rounds, with its range. What is compared runs interleaved in one go, so that a
machine that slows down slows both. KIT is a folder with ``run_all.py`` and ``make_inputs.py``, which race
other renderers; without it that table is left out. ffmpeg is compared where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
KEMAR = ROOT / "foleyspace_host" / "hrtf" / "assets" / "MIT_KEMAR_normal_pinna.sofa"
PEERS = ["openal", "py3dti", "csound", "sonore", "mysofa", "mysofa --block 1024"]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def python(code: str, *words: str, env: dict[str, str] | None = None) -> dict[str, float]:
    """Run a snippet in a fresh interpreter and return the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **ONE_THREAD, **(env or {})},
    )
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def span(values: list[float], digits: int = 2) -> str:
    """Return the median and the range of values as text."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


PREAMBLE = """
import json, pathlib, re, resource, sys, time
import numpy as np
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import load_hrtf
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.binaural import render_blocks
RATE = 44100
def circle(seconds, name="s", turn=0.0):
    times = range(int(seconds * 20) + 1)
    keys = tuple(Key(t / 20, (turn + 4.5 * t) % 360, 20 * float(np.sin(t / 60)), 1.4) for t in times)
    return Source(name, keys)
def run(sources, seconds, hrtf, block=RATE):
    mono = (0.1 * np.random.default_rng(0).standard_normal(block)).astype(np.float32)
    n = int(seconds * RATE)
    blocks = (mono for _ in range(-(-n // block)))
    start = time.perf_counter()
    for out in render_blocks(blocks, n, RATE, Trajectory(seconds, sources), hrtf, RenderOptions("none")):
        pass
    return time.perf_counter() - start
def peak_mb():
    status = pathlib.Path("/proc/self/status")  # getrusage starts at the parent's peak on Linux
    if status.is_file():
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text()).group(1)) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
"""


def preparation(sofa: Path | None) -> dict[str, float]:
    """Time of loading a set cold and from the cache, in fresh processes; imports are left out."""
    code = (
        PREAMBLE
        + """
start = time.perf_counter(); hrtf = load_hrtf(sys.argv[1] if len(sys.argv) > 1 else None, RATE)
print(json.dumps({"s": time.perf_counter() - start, "mb": peak_mb()}))"""
    )
    words = [] if sofa is None else [str(sofa)]
    with tempfile.TemporaryDirectory() as folder:
        env = {"FOLEYSPACE_CACHE_DIR": folder}
        cold, cached = python(code, *words, env=env), python(code, *words, env=env)
    return {"cold_s": cold["s"], "cached_s": cached["s"], "peak_mb": cold["mb"]}


def lattice_set(n_directions: int, path: Path) -> Path:
    """Write a set of many even directions, each with the nearest response of the KEMAR that ships."""
    import netCDF4

    from foleyspace_host.geometry.frames import unit_to_angles
    from foleyspace_host.hrtf.refine import lattice
    from foleyspace_host.hrtf.sofa import read_sofa

    kemar = read_sofa(KEMAR)
    unit = lattice(n_directions)
    hrirs = kemar.hrirs[(unit @ kemar.unit.T).argmax(axis=1)]
    azimuth, elevation = unit_to_angles(unit)
    with netCDF4.Dataset(path, "w") as file:
        file.setncatts({"SOFAConventions": "SimpleFreeFieldHRIR", "DataType": "FIR"})
        for name, size in {"I": 1, "C": 3, "R": 2, "M": n_directions, "N": hrirs.shape[-1]}.items():
            file.createDimension(name, size)
        for name, dimensions, value in (
            ("Data.IR", ("M", "R", "N"), hrirs),
            ("Data.SamplingRate", ("I",), [kemar.sample_rate_hz]),
            ("SourcePosition", ("M", "C"), np.stack([azimuth, elevation, np.ones(n_directions)], axis=1)),
            ("ReceiverPosition", ("R", "C", "I"), [[[0.0], [0.09], [0.0]], [[0.0], [-0.09], [0.0]]]),
        ):
            file.createVariable(name, "f8", dimensions)[:] = value
        file["SourcePosition"].setncatts({"Type": "spherical", "Units": "degree, degree, metre"})
    return path


def package_import() -> dict[str, float]:
    """Time of importing the package in a fresh interpreter."""
    return python(
        "import json, time\nstart = time.perf_counter()\nimport foleyspace_host\n"
        'print(json.dumps({"s": time.perf_counter() - start}))'
    )


def first_render() -> dict[str, float]:
    """Time of the first second rendered in a fresh process, and of the next one."""
    return python(
        PREAMBLE
        + """
hrtf = load_hrtf(None, RATE)
first, second = (run((circle(1),), 1.0, hrtf) for _ in range(2))
print(json.dumps({"first_s": first, "second_s": second}))"""
    )


def sources() -> dict[str, float]:
    """Time of 20 s with one source and with 32."""
    return python(
        PREAMBLE
        + """
hrtf = load_hrtf(None, RATE)
run((circle(1),), 1.0, hrtf)
one = run((circle(20),), 20.0, hrtf)
many = run(tuple(circle(20, str(n), 11 * n) for n in range(32)), 20.0, hrtf)
print(json.dumps({"one_s": one, "many_s": many}))"""
    )


def two_processes() -> dict[str, float]:
    """Time of a 10 min clip alone, and of two of them at once in two processes."""
    code = (
        PREAMBLE
        + """
import multiprocessing
hrtf = load_hrtf(None, RATE); run((circle(1),), 1.0, hrtf)
def work(_):
    return run((circle(600),), 600.0, hrtf)
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    alone = []
    with context.Pool(2) as pool:
        pool.map(work, [0, 1], chunksize=1)  # every worker once, uncounted
        start = time.perf_counter(); pool.map(work, [0]); alone = time.perf_counter() - start
        start = time.perf_counter(); pool.map(work, [0, 1], chunksize=1); both = time.perf_counter() - start
    print(json.dumps({"alone_s": alone, "both_s": both}))"""
    )
    return python(code)


def one_hour() -> dict[str, float]:
    """Time and memory of one hour with a source that moves all the time."""
    return python(
        PREAMBLE
        + """
hrtf = load_hrtf(None, RATE)
seconds = run((circle(3600),), 3600.0, hrtf)
print(json.dumps({"s": seconds, "mb": peak_mb()}))"""
    )


def end_to_end(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Wall-clock time of 60 s WAV to WAV: the command, moving; and ffmpeg's sofalizer, static; interleaved."""
    import time

    import soundfile

    rate = 44_100
    noise = (0.1 * np.random.default_rng(0).standard_normal(60 * rate)).astype(np.float32)
    soundfile.write(folder / "dry.wav", noise, rate, subtype="FLOAT")
    rows = [f"{t / 20},{(4.5 * t) % 360},0,1.4" for t in range(1201)]
    (folder / "circle.csv").write_text("\n".join(["t_s,azimuth_deg,elevation_deg,distance_m", *rows]) + "\n")
    command = Path(sys.executable).with_name("foleyspace")
    words = ["render", folder / "dry.wav", "--trajectory", folder / "circle.csv", "-o", folder / "out.wav"]
    ours: list[str | Path] = [command, *words]
    theirs = ["ffmpeg", "-v", "error", "-y", "-i", folder / "dry.wav", "-af", f"sofalizer=sofa={KEMAR}"]
    theirs += ["-c:a", "pcm_f32le", folder / "peer.wav"]
    # as users have it: Python keeps what it has compiled
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times: tuple[list[float], list[float]] = ([], [])
    for counted in [False] + [True] * rounds:
        for command_words, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            subprocess.run([str(word) for word in command_words], check=True, capture_output=True, env=env)
            if counted:
                kept.append(time.perf_counter() - start)
    return times


def peers_table(kit: Path, interpreter: str, rounds: int) -> str:
    """Race other renderers and return the kit's own table."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [interpreter, "-W", "ignore", kit / "make_inputs.py", KEMAR, folder], check=True, capture_output=True
        )
        command = [interpreter, "-W", "ignore", kit / "run_all.py", "--inputs", folder, "--rounds", str(rounds)]
        command += ["--entry", "peers_entry:factory", "--factory", "--import-path", ROOT / "benchmarks"]
        command += ["--python", f"project={sys.executable}", "--peers", *PEERS]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith("|"))


def machine() -> str:
    """Name the processor, the system and the Python."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = re.search(r"model name\s*: (.+)", info.read_text())
        name = found.group(1) if found else name
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def repeated(measure: Callable[[], dict[str, float]], rounds: int) -> dict[str, list[float]]:
    """Collect the figures of several runs."""
    runs = [measure() for _ in range(rounds)]
    return {name: [run[name] for run in runs] for name in runs[0]}


def main() -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peers", type=Path, help="folder of the peers kit")
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter that has the peers installed")
    parser.add_argument("--sofa", type=Path, nargs="*", default=[], help="more sets to prepare")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "performance.md")
    args = parser.parse_args()
    lines = [
        "# Performance",
        "",
        f"Made by `make bench` on: {machine()}. Medians of {args.rounds} runs with their range; one thread unless",
        "said otherwise. What is compared ran interleaved, so trust the ratios more than the absolute figures.",
        "",
    ]
    if args.peers is not None:
        lines += [
            "## Against other renderers",
            "",
            "60 s of pink noise on a circle at 90° a second, KEMAR at 44.1 kHz, arrays in memory. RTF: seconds of",
            "sound per second. *project / peer*: ratio within each round, above 1 the project is faster. Accuracy at",
            "24 measured directions that were taken out of the set. *tone OOB*: noise beside a moving 1 kHz tone. An",
            "asterisk marks whole-process timing. OpenAL and Csound render with their own sets, libmysofa without",
            "aligning the responses and without sliding delays.",
            "",
            peers_table(args.peers, args.peers_python, args.rounds),
            "",
        ]
    lines += ["## By itself", "", "| what | result |", "|---|---|"]
    times = repeated(package_import, args.rounds)
    lines.append(f"| `import foleyspace_host` | {span([1000 * value for value in times['s']], 0)} ms |")
    scratch = tempfile.TemporaryDirectory()
    large = [lattice_set(n, Path(scratch.name) / f"a set of {n} directions.sofa") for n in (2000, 11_950)]
    for sofa in [None, *large, *args.sofa]:
        name = "the KEMAR that ships, 710 directions" if sofa is None else sofa.stem
        times = repeated(lambda sofa=sofa: preparation(sofa), args.rounds)  # type: ignore[misc]
        cached = span([1000 * value for value in times["cached_s"]], 0)
        peak_mb = max(times["peak_mb"])
        lines.append(
            f"| prepare {name} | cold {span(times['cold_s'])} s, cached {cached} ms; at most {peak_mb:.0f} MB |"
        )
    scratch.cleanup()
    times = repeated(first_render, args.rounds)
    lines.append(
        f"| first second in a fresh process | {span(times['first_s'])} s; the next {span(times['second_s'], 3)} s |"
    )
    times = repeated(sources, args.rounds)
    ratio = [many / one for many, one in zip(times["many_s"], times["one_s"], strict=True)]
    lines.append(f"| 32 sources against one | {span(ratio, 1)} times as long |")
    times = repeated(two_processes, args.rounds)
    ratio = [2 * alone / both for alone, both in zip(times["alone_s"], times["both_s"], strict=True)]
    lines.append(f"| two clips in two processes against one after the other | {span(ratio)} times as fast |")
    hour = one_hour()
    lines.append(f"| one hour, moving all the time | {hour['s']:.1f} s, {hour['mb']:.0f} MB resident at most |")
    if shutil.which("ffmpeg"):
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = end_to_end(Path(folder), args.rounds)
        lines.append(f"| `foleyspace render`, 60 s WAV to WAV, moving, process start included | {span(ours)} s |")
        lines.append(f"| ffmpeg `sofalizer`, the same clip, standing still | {span(theirs)} s |")
    args.output.write_text("\n".join(lines) + "\n")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
