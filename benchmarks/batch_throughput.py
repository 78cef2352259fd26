"""Measure batches: clips an hour on 1 and 2 workers, what each stage and its management cost; project to clusters.

    python benchmarks/batch_throughput.py [--clips 8] [--rounds 3] [--storage-mb-s 1000] [-o docs/cluster.md]

The clips are copies of the demo's, each with other bytes at its end, so that nothing is known from before. Both
engines work with real processes; the cluster is a scheduler and workers of Dask on this machine, over TCP. What a
stage costs where there is only one of its kind (the client with its record, and the scheduler) is the processor time
of these processes over many stages that do nothing (``nothing_runner.py``). The projection is arithmetic from these
figures and nothing else. With ``-o`` the tables replace those in the file, between its marks.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(HERE)]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(HERE)])

from foleyspace_host.batch.entry import run_batch  # noqa: E402
from foleyspace_host.batch.items import items_of  # noqa: E402
from foleyspace_host.batch.ledger import RECORD, Ledger  # noqa: E402
from foleyspace_host.batch.listing import wanted  # noqa: E402
from foleyspace_host.batch.results import BatchResult  # noqa: E402
from foleyspace_host.batch.run import BatchRun  # noqa: E402
from foleyspace_host.batch.settings import BatchSettings  # noqa: E402
from foleyspace_host.cluster.connection import connect  # noqa: E402
from foleyspace_host.cluster.engine import DaskEngine  # noqa: E402
from foleyspace_host.config import Config  # noqa: E402
from foleyspace_host.demo.run import run_demo  # noqa: E402

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
LOOPBACK = ("--dashboard-address", "127.0.0.1:0")
STAGES = ("localize", "spatialize")
SIZES = (1, 10, 100, 1000)


@dataclass
class Cluster:
    """A scheduler and workers on this machine."""

    address: str
    scheduler: psutil.Process
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def cluster(n_workers: int, folder: Path, n_threads: int = 1) -> Iterator[Cluster]:
    """Start one, as docs/cluster.md says."""
    told = folder / "scheduler.json"
    told.unlink(missing_ok=True)
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", *LOOPBACK, "--scheduler-file", str(told)]
    processes = [subprocess.Popen([*dask, *words], **quiet)]
    try:
        while not (told.exists() and told.read_text().strip().endswith("}")):
            time.sleep(0.05)
        address = json.loads(told.read_text())["address"]
        for number in range(n_workers):
            words = ["worker", address, "--host", "127.0.0.1", "--nthreads", str(n_threads), *LOOPBACK]
            words += ["--local-directory", str(folder / f"scratch-{number}")]
            processes.append(subprocess.Popen([*dask, *words], **quiet))
        client = connect(address)
        client.wait_for_workers(n_workers)
        client.close()
        yield Cluster(address, psutil.Process(processes[0].pid), processes[1:])
    finally:
        for process in reversed(processes):
            with contextlib.suppress(OSError):
                process.terminate()
        for process in processes:
            process.wait(20)


def make_clips(folder: Path, number: int) -> Path:
    """Write copies of the demo's clip that differ in a box which every reader skips."""
    made = run_demo(folder / "demo")
    clip = Path(made.clip).read_bytes()
    clips = folder / "clips"
    clips.mkdir()
    for index in range(number):
        (clips / f"clip{index:02}.mp4").write_bytes(clip + b"\0\0\0\x0cfree" + index.to_bytes(4, "big"))
    return clips


@dataclass
class Measured:
    """What one way of working gave, over all rounds."""

    clips_per_h: list[float] = field(default_factory=list)
    stage_s: dict[str, list[float]] = field(default_factory=lambda: {stage: [] for stage in STAGES})

    def add(self, result: BatchResult, n_workers: int) -> None:
        """Take in a run; of stages, those that each worker does first, loading its models, are left out."""
        if result.count("done") != len(result.items):
            raise SystemExit(f"a clip failed: {[item.error for item in result.items if item.error]}")
        ledger = Ledger(Path(result.record))
        rows = ledger.stages()
        ledger.close()
        begin_s = min(row.started_s or 0.0 for row in rows)
        end_s = max(row.finished_s or 0.0 for row in rows)
        self.clips_per_h.append(3600.0 * len(result.items) / (end_s - begin_s))
        for stage in STAGES:
            times = sorted(((row.started_s or 0.0), (row.finished_s or 0.0)) for row in rows if row.kind == stage)
            self.stage_s[stage] += [end - start for start, end in times[n_workers:]]


def measure_throughput(clips: Path, folder: Path, n_rounds: int) -> dict[tuple[str, int], Measured]:
    """Run the batch in every way, one after the other in each round."""
    ways = [(engine, n_workers) for engine in ("local", "Dask") for n_workers in (1, 2)]
    found = {way: Measured() for way in ways}
    for round_ in range(n_rounds):
        for way in ways:
            engine, n_workers = way
            # with a cache of its own, so that nothing is known from another way
            os.environ["FOLEYSPACE_HOME"] = str(folder / f"home-{round_}-{engine}-{n_workers}")
            out = folder / f"out-{round_}-{engine}-{n_workers}"
            if engine == "local":
                result = run_batch([clips], out, workers=n_workers, device="cpu")
            else:
                with cluster(n_workers, folder) as made:
                    result = run_batch([clips], out, scheduler=made.address, device="cpu")
            found[way].add(result, n_workers)
            print(
                f"round {round_ + 1}, {engine} {n_workers}: {found[way].clips_per_h[-1]:.0f} clips/h", file=sys.stderr
            )
            shutil.rmtree(out)
    return found


def measure_cpu_s(clips: Path, folder: Path, n_rounds: int) -> float:
    """Return the processor time that a worker needs for a clip, which other programs do not change much [s].

    It is the difference between a batch of all clips and one of a single clip, which holds the start as well.
    """
    paths = sorted(clips.iterdir())
    each = []
    for round_ in range(n_rounds):
        spent = []
        for few in (paths[:1], paths):
            os.environ["FOLEYSPACE_HOME"] = str(folder / f"home-cpu-{round_}-{len(few)}")
            out = folder / f"out-cpu-{round_}-{len(few)}"
            before = os.times()
            run_batch(few, out, workers=1, device="cpu")
            after = os.times()  # the worker has ended and counts as a child
            spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
        each.append((spent[1] - spent[0]) / (len(paths) - 1))
        print(f"round {round_ + 1}: {each[-1]:.2f} s of processor time a clip", file=sys.stderr)
    return statistics.median(each)


@dataclass(frozen=True)
class Overhead:
    """What one stage costs those of whom there is only one [s of processor time], and in all [s of wall time]."""

    client_s: float
    scheduler_s: float
    wall_s: float


def measure_overhead(folder: Path, n_items: int) -> Overhead:
    """Let a cluster do stages that do nothing: two for each item."""
    tiny = folder / "tiny"
    tiny.mkdir()
    for index in range(n_items):
        (tiny / f"t{index:05}.mp4").write_bytes(index.to_bytes(4, "big"))
    out = folder / "tiny-out"
    with cluster(2, folder, n_threads=4) as made:
        client = connect(made.address)
        client.wait_for_workers(2)
        (out / ".foleyspace-batch").mkdir(parents=True)
        ledger = Ledger(out / ".foleyspace-batch" / RECORD)
        run = BatchRun(
            items_of(wanted([tiny], out), out, ".wav"),
            *(BatchSettings.of({}), ledger, out, Config(workers=1)),
            device="cpu",
            cache_folder=out,
        )
        before = _cpu_s(psutil.Process()), _cpu_s(made.scheduler), time.perf_counter()
        result = run.run(lambda progress, end: DaskEngine(client, "nothing_runner", on_progress=progress, on_end=end))
        after = _cpu_s(psutil.Process()), _cpu_s(made.scheduler), time.perf_counter()
        ledger.close()
    n_stages = result.stages_done
    if n_stages != 2 * n_items:
        raise SystemExit(f"only {n_stages} stages were done")
    return Overhead(*((end - start) / n_stages for start, end in zip(before, after, strict=True)))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure_digest_mb_s() -> float:
    """Return how fast one core digests what it reads, file in memory [10^6 bytes a second]."""
    data = os.urandom(64 << 20)
    times = []
    for _ in range(5):
        start_s = time.perf_counter()
        hashlib.sha256(data).digest()
        times.append(time.perf_counter() - start_s)
    return len(data) / statistics.median(times) / 1e6


def limits(
    overhead: Overhead, digest_mb_s: float, storage_mb_s: float, clip_mb: float, result_mb: float
) -> dict[str, float]:
    """Return how many clips an hour each part can take of which there is one.

    The client reads every clip once for its digest; a worker reads it for each of its two stages, writes the
    result, and reads it for its digest.
    """
    n_stages = len(STAGES)
    moved_mb = (1 + n_stages) * clip_mb + 2 * result_mb
    return {
        "client": 3600.0 / (n_stages * overhead.client_s + clip_mb / digest_mb_s),
        "scheduler": 3600.0 / (n_stages * overhead.scheduler_s),
        "storage": 3600.0 * storage_mb_s / moved_mb,
    }


def tables(
    found: dict[tuple[str, int], Measured],
    cpu_s: float,
    overhead: Overhead,
    digest_mb_s: float,
    storage_mb_s: float,
    sizes_mb: tuple[float, float],
    about: str,
) -> list[str]:
    """Return the tables as Markdown."""
    clip_mb, result_mb = sizes_mb
    lines = [
        about,
        "",
        "| engine | workers | clips an hour (min-max) | localize s | spatialize s |",
        "|---|---|---|---|---|",
    ]
    for (engine, n_workers), way in found.items():
        stages = " | ".join(f"{statistics.median(way.stage_s[stage]):.2f}" for stage in STAGES)
        lines.append(f"| {engine} | {n_workers} | {_spread(way.clips_per_h)} | {stages} |")
    ends = limits(overhead, digest_mb_s, storage_mb_s, clip_mb, result_mb)
    each = 3600.0 / cpu_s
    lines += [
        "",
        f"A clip takes a worker {cpu_s:.2f} s of processor time: {each:,.0f} clips an hour on a core of its own.",
        "",
        "What there is only one of:",
        "",
        "| part | costs | so at most, clips an hour |",
        "|---|---|---|",
        f"| client, with the record | {1e3 * overhead.client_s:.1f} ms of one core a stage; digests at "
        f"{digest_mb_s:,.0f} MB/s | {ends['client']:,.0f} |",
        f"| scheduler | {1e3 * overhead.scheduler_s:.1f} ms of one core a stage | {ends['scheduler']:,.0f} |",
        f"| storage, *taken to be* {storage_mb_s:,.0f} MB/s | {3 * clip_mb + 2 * result_mb:.1f} MB a clip "
        f"| {ends['storage']:,.0f} |",
        "",
        "**Projection: arithmetic, not measured.** What a worker does in an hour of processor time, times the number "
        "of workers, up to the smallest of the limits above; it takes every worker to have a core as fast as this one "
        "for itself.",
        "",
        "| workers | clips an hour | held up by |",
        "|---|---|---|",
    ]
    first = min(ends, key=lambda name: ends[name])
    for n_workers in SIZES:
        rate = n_workers * each
        by = "the workers" if rate <= ends[first] else f"the {first}"
        lines.append(f"| {n_workers:,} | {min(rate, ends[first]):,.0f} | {by} |")
    lines += ["", f"The first bottleneck is the {first}, from {ends[first] / each:,.0f} workers on."]
    return lines


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"


def put(lines: Sequence[str], path: Path) -> None:
    """Replace what stands between the marks of a file."""
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    path.write_text("\n".join([f"{before}{BEGIN}", *lines, f"{END}{after}"]), encoding="utf-8")


def main() -> None:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=8, help="clips in a batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stages", type=int, default=1000, help="stages that do nothing")
    parser.add_argument(
        "--storage-mb-s", type=float, default=1000.0, help="what the shared storage gives, for the projection"
    )
    parser.add_argument("-o", "--output", type=Path)
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="foleyspace-bench-") as scratch:
        folder = Path(scratch)
        os.environ["FOLEYSPACE_HOME"] = str(folder / "home")
        clips = make_clips(folder, chosen.clips)
        clip = next(clips.iterdir())
        found = measure_throughput(clips, folder, chosen.rounds)
        cpu_s = measure_cpu_s(clips, folder, chosen.rounds)
        overhead = measure_overhead(folder, chosen.stages // len(STAGES))
        clip_mb, result_mb = clip.stat().st_size / 1e6, _result_mb(clip, folder)
        processor = platform.processor() or platform.machine()
        about = (
            f"{chosen.clips} clips of {_seconds(clip):.0f} s ({clip_mb:.1f} MB; results {result_mb:.1f} MB), medians "
            f"of {chosen.rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} cores ({processor}). "
            "Clips an hour hold the start of the workers, the times of stages do not. Other programs were at work too "
            f"(load average {load:.1f} when it began), so trust the processor times more than the clips an hour."
        )
        lines = tables(found, cpu_s, overhead, measure_digest_mb_s(), chosen.storage_mb_s, (clip_mb, result_mb), about)
    print("\n".join(lines))
    if chosen.output:
        put(lines, chosen.output)


def _seconds(clip: Path) -> float:
    from foleyspace_host.media.probe import probe

    return float(probe(clip).duration_s)


def _result_mb(clip: Path, folder: Path) -> float:
    result = run_batch([clip], folder / "one", workers=1, device="cpu")
    return Path(result.items[0].out).stat().st_size / 1e6


if __name__ == "__main__":
    main()
