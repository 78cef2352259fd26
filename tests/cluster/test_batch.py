"""The command as a process of its own, over real clips, with each engine: what is killed costs one stage."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import timelines as otio
from moving_clips import write_moving_clip

from foleyspace_host.batch.ledger import RECORD, Ledger, record_folder

from .conftest import Cluster, environment, needs_dask, wait_for

pytestmark = pytest.mark.timeout(500)  # many processes that load models, on a machine that may be busy

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
both = pytest.mark.parametrize("engine", ["local", pytest.param("dask", marks=needs_dask)])


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def states(self) -> dict[str, str]:
        return {item["name"]: item["state"] for item in self.json["items"]}


@dataclass(frozen=True)
class Batch:
    """The command in a folder of clips."""

    folder: Path
    options: Sequence[str]

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "foleyspace_host", "batch", *map(str, arguments), *self.options]
        return subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder, env=environment()
        )

    def __call__(self, *arguments: object) -> Done:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=300)
            return Done(process.returncode, out, err)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with six clips."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(6):
        write_moving_clip(folder / f"c{number}.mov", 1.0, seed=number)
    return folder


@pytest.fixture
def batch(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Batch:
    return Batch(tmp_path, options_of(engine, request))


def options_of(engine: str, request: pytest.FixtureRequest) -> list[str]:
    if engine == "local":
        return ["--workers", "2"]
    cluster: Cluster = request.getfixturevalue("cluster")
    return ["--scheduler", cluster.address]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.wav"))}


@both
def test_all_is_done_once_and_known_the_next_time(batch: Batch, clips: Path) -> None:
    first = batch(clips, "-o", "out", "--json")
    assert (first.code, first.err) == (0, "")
    assert set(first.states().values()) == {"done"}
    for item in first.json["items"]:
        assert [stage["kind"] for stage in item["stages"]] == ["localize", "spatialize"]
        assert [stage["attempts"] for stage in item["stages"]] == [1, 1]
    before = {path: path.stat().st_mtime_ns for path in (batch.folder / "out").glob("*.wav")}
    assert len(before) == 6
    second = batch(clips, "-o", "out", "--json")
    assert second.code == 0
    assert set(second.states().values()) == {"known"}
    assert second.json["stages_done"] == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


@needs_dask
def test_both_engines_make_the_same_bytes_as_the_command_for_one(
    tmp_path: Path, clips: Path, request: pytest.FixtureRequest
) -> None:
    for engine in ("local", "dask"):
        assert Batch(tmp_path, options_of(engine, request))(clips, "-o", engine).code == 0
    assert digests(tmp_path / "local") == digests(tmp_path / "dask")
    one = [sys.executable, "-m", "foleyspace_host", "spatialize", str(clips / "c3.mov"), "-o", "c3.wav"]
    subprocess.run(one, cwd=tmp_path, env=environment(), check=True, capture_output=True)
    assert digests(tmp_path)["c3.wav"] == digests(tmp_path / "local")["c3.wav"]


@both
def test_only_what_changed_is_done_again(batch: Batch, clips: Path) -> None:
    work = batch.folder / "clips"
    work.mkdir()
    for number in range(3):
        (work / f"c{number}.mov").write_bytes((clips / f"c{number}.mov").read_bytes())
    assert batch(work, "-o", "out").code == 0
    write_moving_clip(work / "c1.mov", 1.0, seed=17)
    (batch.folder / "out" / "c2.wav").unlink()
    again = batch(work, "-o", "out", "--json")
    assert again.states() == {"c0.mov": "known", "c1.mov": "done", "c2.mov": "done"}
    assert again.json["stages_done"] == 3  # both stages of c1; of c2 the picture was looked at before
    other = batch(work, "-o", "out", "--json", "--spread", "1.5")
    assert other.json["stages_done"] == 3
    assert {stage["kind"] for item in other.json["items"] for stage in item["stages"] if stage["state"] == "done"} == {
        "spatialize"
    }


@both
def test_what_fails_fails_alone_and_is_tried_again_when_that_is_wanted(batch: Batch, clips: Path) -> None:
    broken = batch.folder / "broken.mov"
    broken.write_bytes(b"no video at all")
    listed = batch.folder / "clips.txt"
    listed.write_text(f"{clips / 'c0.mov'}\nbroken.mov\nmissing.mov\n{clips / 'c1.mov'}\n")
    first = batch(listed, "-o", "out", "--json")
    assert first.code == 1
    assert first.states() == {"c0.mov": "done", "broken.mov": "failed", "missing.mov": "failed", "c1.mov": "done"}
    errors = {item["name"]: (item["code"], item["where"]) for item in first.json["items"] if item["error"]}
    assert errors == {
        "broken.mov": ("media_damaged", f"{listed}, line 2"),
        "missing.mov": ("media_missing", f"{listed}, line 3"),
    }
    told = batch(listed, "-o", "out")
    assert told.code == 1
    assert "4 items: 2 done before, 2 failed" in told.out
    assert f"{listed}, line 2: broken.mov" in told.out or f"{listed}, line 2: {broken}" in told.out
    write_moving_clip(broken, 1.0, seed=8)
    write_moving_clip(batch.folder / "missing.mov", 1.0, seed=9)
    last = batch(listed, "-o", "out", "--retry-failed", "--json")
    assert last.code == 0
    assert last.states() == {"c0.mov": "known", "broken.mov": "done", "missing.mov": "done", "c1.mov": "known"}


@both
def test_sounds_timelines_and_clips_in_one_list(batch: Batch, clips: Path) -> None:
    folder = batch.folder
    (folder / "walk.csv").write_text("t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n1,-60,0,2\n")
    for number in range(2):
        (folder / f"c{number}.mov").write_bytes((clips / f"c{number}.mov").read_bytes())
    span = otio.span(0, 24)
    otio.write(
        folder / "cut.otio",
        otio.timeline(
            otio.track(otio.clip("v", span, otio.media("c1.mov")), kind="Video"),
            otio.track(otio.clip("a", span, otio.media("c1.mov"))),
        ),
    )
    lines: list[dict[str, str]] = [
        {"video": "c0.mov", "out": "film.mov"},
        {"sound": "c0.mov", "trajectory": "walk.csv", "out": "walk.wav"},
        {"video": "c1.mov", "trajectory": "walk.csv"},
        {"timeline": "cut.otio"},
    ]
    listed = folder / "all.jsonl"
    listed.write_text("\n".join(json.dumps(line) for line in lines))
    done = batch(listed, "-o", "out", "--json")
    assert done.code == 0, done
    kinds = [[stage["kind"] for stage in item["stages"]] for item in done.json["items"]]
    assert kinds == [["localize", "spatialize"], ["render"], ["spatialize"], ["timeline"]]
    for name in ("film.mov", "walk.wav", "c1.wav", "cut.otio"):
        assert (folder / "out" / name).stat().st_size > 0
    (render,) = (folder / "out" / "cut-foleyspace").glob("*.wav")
    assert render.stat().st_size > 0
    assert set(batch(listed, "-o", "out", "--json").states().values()) == {"known"}
    write_moving_clip(folder / "c1.mov", 1.0, seed=30)  # which the timeline names
    states = batch(listed, "-o", "out", "--json").states()
    assert states == {"c0.mov": "known", "c1.mov": "done", "cut.otio": "done"}


def kill_at_the_first_result(process: subprocess.Popen[str], out: Path, kill: Callable[[], object]) -> dict[str, int]:
    """Kill something when there is a first result, and return the results that were there by then."""
    try:
        wait_for(lambda: list(out.glob("c*.wav")) or process.poll() is not None, 180)
        assert process.poll() is None, process.communicate()
        kill()
        return {path.name: path.stat().st_mtime_ns for path in out.glob("c*.wav")}
    except BaseException:
        process.kill()
        process.communicate()
        raise


def n_written_again(out: Path, before: dict[str, int]) -> int:
    return sum((out / name).stat().st_mtime_ns != mtime_ns for name, mtime_ns in before.items())


@dataclass(frozen=True)
class OnRecord:
    """What a run that is over left on record; whatever else it did, nobody heard of."""

    n_done: int
    attempts: int
    results: dict[str, int]  # times of change of the results, by name

    @classmethod
    def read(cls, out: Path) -> OnRecord:
        with contextlib.closing(Ledger(record_folder(out) / RECORD)) as ledger:
            stages = ledger.stages()
        done = [stage for stage in stages if stage.state == "done"]
        results = {Path(stage.out).name: stage.mtime_ns or 0 for stage in done if stage.kind == "spatialize"}
        return cls(len(done), sum(stage.attempts for stage in stages), results)


@posix
@both
def test_a_killed_client_goes_on_where_it_was(batch: Batch, clips: Path) -> None:
    out = batch.folder / "out"
    process = batch.start(clips, "-o", "out")
    before = kill_at_the_first_result(process, out, process.kill)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    on_record = OnRecord.read(out)
    at_work = on_record.attempts - on_record.n_done
    assert on_record.n_done >= 1  # a result was there, so what it was made of had been heard of
    # two workers, one stage ahead of them, and ends that were not heard yet
    assert at_work <= 2 + 1 + 3
    assert len(on_record.results) >= len(before) - at_work
    again = batch(clips, "-o", "out", "--json")
    assert again.code == 0, [item["error"] for item in again.json["items"]]
    states = again.states()
    assert all(states[name.replace(".wav", ".mov")] == "known" for name in on_record.results)
    assert again.json["interrupted"] == at_work
    assert again.json["stages_done"] == 12 - on_record.n_done
    attempts = [stage["attempts"] for item in again.json["items"] for stage in item["stages"]]
    assert len(attempts) == 12
    assert sum(attempts) == 12 + at_work
    assert n_written_again(out, on_record.results) == 0
    alone = Batch(batch.folder, ["--workers", "2"])(clips, "-o", "whole")
    assert alone.code == 0
    assert digests(out) == digests(batch.folder / "whole")


@posix
@both
def test_ctrl_c_stops_soon_leaves_nothing_half_and_the_next_run_goes_on(batch: Batch, clips: Path) -> None:
    out = batch.folder / "out"
    process = batch.start(clips, "-o", "out")
    kill_at_the_first_result(process, out, lambda: process.send_signal(signal.SIGINT))
    told, error = process.communicate(timeout=60)
    assert (process.returncode, told, error) == (130, "", "foleyspace: error: cancelled\n")
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == [".foleyspace-batch"]
    on_record = OnRecord.read(out)
    assert on_record.n_done >= 1
    # a result can be in its place before its worker could say so
    assert len(on_record.results) >= len(list(out.glob("*.wav"))) - 2
    again = batch(clips, "-o", "out", "--json")
    assert again.code == 0
    assert again.json["interrupted"] == 0  # it put back what it was at
    assert again.json["stages_done"] == 12 - on_record.n_done
    assert n_written_again(out, on_record.results) == 0


@posix
def test_a_killed_process_costs_one_stage(tmp_path: Path, clips: Path) -> None:
    process = Batch(tmp_path, ["--workers", "1", "--json"]).start(clips, "-o", "out")

    def kill_worker() -> None:
        workers = [
            child
            for child in psutil.Process(process.pid).children()
            if "foleyspace_host.jobs.worker" in child.cmdline()
        ]
        assert workers
        workers[0].kill()

    before = kill_at_the_first_result(process, tmp_path / "out", kill_worker)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    attempts = [stage["attempts"] for item in json.loads(out)["items"] for stage in item["stages"]]
    assert sorted(attempts) in ([1] * 11 + [2], [1] * 12)  # the second, if it was killed between two
    assert n_written_again(tmp_path / "out", before) <= 1


@posix
@needs_dask
def test_a_killed_worker_of_a_cluster_costs_one_stage(
    tmp_path: Path, clips: Path, make_cluster: Callable[..., Cluster]
) -> None:
    cluster = make_cluster(2)
    process = Batch(tmp_path, ["--scheduler", cluster.address, "--json"]).start(clips, "-o", "out")
    before = kill_at_the_first_result(process, tmp_path / "out", cluster.workers[0].kill)
    out, error = process.communicate(timeout=240)
    assert process.returncode == 0, error
    items = json.loads(out)["items"]
    assert all(item["state"] == "done" for item in items)
    assert n_written_again(tmp_path / "out", before) <= 1
    assert sum(stage["attempts"] for item in items for stage in item["stages"]) <= 13
    # its process went with it
    gone = cluster.workers[0].pid
    assert not [one for one in psutil.process_iter(["cmdline"]) if str(gone) in (one.info["cmdline"] or [])]


@needs_dask
def test_what_needs_models_goes_to_the_workers_with_a_gpu_where_there_are_any(
    tmp_path: Path, clips: Path, make_cluster: Callable[..., Cluster]
) -> None:
    """Where the work goes; there need not be a GPU behind the name."""
    cluster = make_cluster(1)
    cluster.add_worker("--resources", "GPU=1")
    wait_for(lambda: "Registered to" in (cluster.folder / "worker-1.log").read_text())
    done = Batch(tmp_path, ["--scheduler", cluster.address])(clips, "-o", "out", "--json")
    assert done.code == 0, done
    stages = [stage for item in done.json["items"] for stage in item["stages"]]
    (with_gpu,) = {stage["worker"] for stage in stages if stage["kind"] == "localize"}
    assert with_gpu in (cluster.folder / "worker-1.log").read_text()
    others = {stage["worker"] for stage in stages if stage["kind"] == "spatialize"} - {with_gpu}
    assert others, "rendering needs no models, and the other worker has nothing else to do"


@posix
@needs_dask
def test_a_killed_scheduler_is_told_and_the_next_one_goes_on(
    tmp_path: Path, clips: Path, make_cluster: Callable[..., Cluster]
) -> None:
    cluster = make_cluster(1)
    process = Batch(tmp_path, ["--scheduler", cluster.address]).start(clips, "-o", "out")
    kill_at_the_first_result(process, tmp_path / "out", cluster.scheduler.kill)
    _, error = process.communicate(timeout=180)
    assert process.returncode == 1
    assert error.splitlines()[-1].startswith("foleyspace: error:")
    assert "the scheduler of the cluster is gone" in error
    assert "Traceback" not in error
    other = make_cluster(1)
    again = Batch(tmp_path, ["--scheduler", other.address])(clips, "-o", "out", "--json")
    assert again.code == 0
    assert again.json["stages_done"] < 12


@both
def test_a_dry_run_writes_nothing(batch: Batch, clips: Path) -> None:
    told = batch(clips, "-o", "out", "--dry-run")
    assert told.code == 0
    assert "6 items: 6 to do" in told.out
    assert not (batch.folder / "out").exists()


def test_a_bad_line_stops_everything_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("a.mov\nb.mov,1,2,3\n")
    done = Batch(tmp_path, [])("l.csv", "-o", "out")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("foleyspace: error: l.csv, line 2: has 4 columns; give video, sound and out")
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_settings_are_checked_before_anything_begins(tmp_path: Path, clips: Path) -> None:
    run = Batch(tmp_path, [])
    for words, problem in (
        (["--spread", "99"], "spread"),
        (["--hrtf", "no.sofa"], "no such file"),
        (["--suffix", ".xyz"], "cannot write"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "workers of its own"),
        (["--tls-ca", "x.pem"], "certificates are for a scheduler"),
    ):
        done = run(clips, "-o", "out", *words)
        assert done.code == 1
        assert problem in done.err
        assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert os.listdir(tmp_path) == []
