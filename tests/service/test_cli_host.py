"""The commands that speak with the host, against the real one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import depth_onnx, tokenizer_json, vocabulary_onnx

from foleyspace_host.cli import main
from foleyspace_host.client import Client

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("FOLEYSPACE_HOME", str(folder))
    return folder


@pytest.fixture
def client(home: Path, host: Any) -> Iterator[Client]:
    with Client("test", start=False) as made:
        yield made


@pytest.fixture
def real_host(home: Path, make_host: Callable[..., Any]) -> Any:
    """A host that really works."""
    return make_host(runner=None).start()


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def plan(**fields: Any) -> str:
    return json.dumps(fields)


class TestLooking:
    @pytest.mark.parametrize("command", [["status"], ["cancel", "x"], ["host", "--stop"]])
    def test_without_a_host_one_line_says_what_to_do(
        self, command: list[str], home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, err = run(capsys, *command)
        assert (code, out) == (1, "")
        assert err == "foleyspace: error: the host is not running; start it: foleyspace host\n"
        code, out, _ = run(capsys, *command, "--json")
        assert json.loads(out)["error"]["code"] == "host_not_running"
        assert run(capsys, *command, "--profile", "film")[2].endswith("start it: foleyspace host --profile film\n")

    def test_jobs_are_told_without_a_host_too(
        self, home: Path, make_host: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(capsys, "jobs")[:2] == (0, "no jobs\n")
        assert not (home / "data").exists(), "looking makes nothing"
        host = make_host(home=home).start()
        peer = host.peer()
        done = peer.finished(peer.submit_fake())
        going = peer.submit_fake(stages=1000, step_ms=20)
        peer.event("job.progress", job_id=going)
        host.kill()
        code, out, _ = run(capsys, "jobs")
        lines = out.splitlines()
        assert (code, [line[: len(going)] for line in lines[1:]]) == (0, [going, done.job_id])
        assert lines[1][lines[0].index("STATE") :].startswith("queued")
        assert lines[2].endswith(done.artifacts[0].path)
        Path(done.artifacts[0].path).unlink()
        assert "moved or removed: " in run(capsys, "jobs", "--state", "done")[1]
        assert [job["state"] for job in json.loads(run(capsys, "jobs", "--json")[1])["jobs"]] == ["queued", "done"]

    def test_status_fits_the_terminal(
        self, client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "72")
        assert max(map(len, run(capsys, "status")[1].splitlines())) <= 72

    def test_status_shows_workers_and_abilities(self, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = run(capsys, "status")
        assert code == 0
        assert out.startswith(("serving:", "degraded:"))
        for text in ("0 running, 0 waiting", "worker-1", "render", "timeline"):
            assert text in out
        code, out, _ = run(capsys, "status", "--json")
        facts = json.loads(out)
        assert facts["instance_id"] == client.instance_id
        assert facts["workers"][0]["device"] == "cpu"

    def test_jobs_is_a_tidy_table(
        self, client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert run(capsys, "jobs")[:2] == (0, "no jobs\n")
        done = client.submit("generate", prompt="{}")
        done.result()
        failed = client.submit("generate", prompt=plan(fail=0))
        while not failed.finished:
            client.poll()
        running = client.submit("generate", prompt=plan(stages=100, step_ms=50))
        while running.latest is None or not running.latest.fraction:
            client.poll()
        lines = run(capsys, "jobs")[1].splitlines()
        assert lines[0].split() == ["JOB", "KIND", "STATE", "FROM", "AGE", "TOOK", "WHAT"]
        column = lines[0].index("STATE")
        assert [line[: len(done.job_id)] for line in lines[1:]] == [running.job_id, failed.job_id, done.job_id]
        assert lines[1][column:].split()[1] == "%"
        assert "media_damaged: clip.wav: the file is damaged" in lines[2]
        assert lines[3].endswith(".bin")
        monkeypatch.setenv("COLUMNS", "80")
        assert max(map(len, run(capsys, "jobs")[1].splitlines())) <= 80
        lines = run(capsys, "jobs", "--state", "failed")[1].splitlines()
        assert len(lines) == 2
        listed = json.loads(run(capsys, "jobs", "--json", "--limit", "1")[1])["jobs"]
        assert [job["job_id"] for job in listed] == [running.job_id]
        running.cancel()

    def test_cancel_takes_the_first_letters(self, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
        job = client.submit("generate", prompt=plan(stages=1000, step_ms=20))
        code, out, _ = run(capsys, "cancel", job.job_id[:12])
        assert (code, out) == (0, f"{job.job_id} cancelled\n")
        while not job.finished:
            client.poll()
        assert job.state == "cancelled"
        assert run(capsys, "cancel", job.job_id)[1] == f"{job.job_id} was cancelled already\n"
        assert "is empty" in run(capsys, "cancel", "")[2]
        code, _, err = run(capsys, "cancel", "nothing")
        assert code == 1
        assert "nothing" in err

    def test_stop_ends_the_host(self, client: Client, host: Any, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, _ = run(capsys, "host", "--stop")
        assert code == 0
        assert host.process.wait(60) == 0


TRAJECTORY = "t_s,azimuth_deg,elevation_deg,distance_m\n0,-40,0,2\n1,40,0,2\n"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    import soundfile

    path = tmp_path / "dry sound.wav"
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 44_100).astype(np.float32)
    soundfile.write(path, noise, 44_100, subtype="FLOAT")
    (tmp_path / "path.csv").write_text(TRAJECTORY)
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A second of a grey picture with noise."""
    import av

    path = tmp_path / "clip.mp4"
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (2, 48_000)).astype(np.float32)
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=25)
        audio: Any = container.add_stream("aac", rate=48_000, layout="stereo")
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        for index in range(25):
            picture = np.full((96, 160, 3), 90 + index, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(noise, "fltp", "stereo")
        frame.sample_rate = 48_000
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


class TestWorking:
    def test_render_gives_the_same_file_and_result_as_without_the_host(
        self, real_host: Any, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        own, hosts = tmp_path / "own.wav", tmp_path / "results" / "host's: 1.wav"
        hosts.parent.mkdir()
        words = ["render", str(sound), "--trajectory", str(tmp_path / "path.csv"), "--json"]
        options = ["--air", "5,80", "--spread", "1.5", "--format", "foa", "--bit-depth", "24"]
        assert main([*words, *options, "-o", str(own)]) == 0
        expected = json.loads(capsys.readouterr().out)
        code, out, err = run(capsys, *words, *options, "-o", str(hosts), "--host")
        assert code == 0, err
        result = json.loads(out)
        assert hosts.read_bytes() == own.read_bytes()
        assert list(hosts.parent.iterdir()) == [hosts]
        assert result["output"] == str(hosts)
        for name in ("duration_s", "true_peak_db", "loudness_lufs", "sources", "channels", "format"):
            assert result[name] == expected[name]
        assert result["settings"] == expected["settings"]

    def test_a_room_is_the_same_room(
        self, real_host: Any, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import soundfile

        words = ["render", str(sound), "--trajectory", str(tmp_path / "path.csv"), "--room", "hall:rt60=0.8", "--json"]
        code, out, _ = run(capsys, *words, "-o", str(tmp_path / "own.wav"))
        hosts_code, hosts_out, _ = run(capsys, *words, "-o", str(tmp_path / "hosts.wav"), "--host")
        assert (code, hosts_code) == (0, 0)
        assert json.loads(out)["settings"] == json.loads(hosts_out)["settings"]
        own, hosts = (soundfile.read(tmp_path / name)[0] for name in ("own.wav", "hosts.wav"))
        np.testing.assert_allclose(own, hosts, atol=1e-6)

    def test_spatialize_puts_every_result_where_it_was_asked_for(
        self, real_host: Any, clip: Path, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["spatialize", str(clip), "--keys", str(tmp_path / "path.csv"), "--bed", "-12", "--json"]
        for name in ("own", "hosts"):
            (tmp_path / name).mkdir()
        own = run(capsys, *words, "-o", str(tmp_path / "own" / "a.wav"))
        folder = tmp_path / "hosts"
        hosts = run(capsys, *words, "-o", str(folder / "a.wav"), "--host")
        assert (own[0], hosts[0]) == (0, 0), hosts[2]
        assert (folder / "a.wav").read_bytes() == (tmp_path / "own" / "a.wav").read_bytes()
        assert json.loads(hosts[1])["trajectory"] is None
        code, out, _ = run(
            capsys, *words, "-o", str(folder / "a.MP4"), "--trajectory-out", str(folder / "t.json"), "--host"
        )
        assert code == 0
        assert json.loads(out)["trajectory"] == str(folder / "t.json")
        assert json.loads((folder / "t.json").read_text())["schema"] == "foleyspace.trajectory/1"
        assert sorted(path.name for path in folder.iterdir()) == ["a.MP4", "a.wav", "t.json"]

    def test_generate_goes_through_too(
        self, real_host: Any, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import soundfile

        place = tmp_path / "recordings"
        place.mkdir()
        soundfile.write(place / "rain.wav", 0.1 * np.random.default_rng(1).standard_normal(48_000), 48_000)
        assert main(["library", "add", str(place)]) == 0
        (tmp_path / "drawn").mkdir()
        (tmp_path / "drawn" / "e.csv").write_text("t_s,level_db\n0,-30\n1,0\n")
        capsys.readouterr()
        words = ["generate", "--prompt", "rain", "--engine", "library", "--seed", "3", "--json"]
        words += ["--envelope", str(tmp_path / "drawn" / "e.csv")]
        for name in ("own", "hosts"):
            (tmp_path / name).mkdir()
        own = run(capsys, *words, "-o", str(tmp_path / "own" / "a.wav"))
        folder = tmp_path / "hosts"
        hosts = run(capsys, *words, "-o", str(folder / "a.wav"), "--envelope-out", str(folder / "e.csv"), "--host")
        assert (own[0], hosts[0]) == (0, 0), own[2] + hosts[2]
        assert (folder / "a.wav").read_bytes() == (tmp_path / "own" / "a.wav").read_bytes()
        told, expected = json.loads(hosts[1]), json.loads(own[1])
        assert told["sounds"] == expected["sounds"]
        assert (told["output"], told["envelope"]) == (str(folder / "a.wav"), str(folder / "e.csv"))
        assert sorted(path.name for path in folder.iterdir()) == ["a.wav", "e.csv"]

    def test_localize_goes_through_too(
        self, real_host: Any, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing is to be recognised in the clip: what comes of that is the same either way."""
        words = ["localize", str(clip), "--hfov", "70"]
        own = run(capsys, *words, "-o", str(tmp_path / "own.trajectory.json"))
        hosts = run(capsys, *words, "-o", str(tmp_path / "hosts.trajectory.json"), "--host")
        assert hosts[0] == own[0]
        assert hosts[2] == own[2]
        if own[0] == 0:
            texts = [(tmp_path / f"{name}.trajectory.json").read_text() for name in ("own", "hosts")]
            assert texts[0] == texts[1]

    def test_models_words_and_choices_go_through_too(
        self, real_host: Any, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logits = np.full((3, 256), -9.0)
        logits[:2] = [[1.0], [0.5]]
        place = tmp_path / "models"
        place.mkdir()
        vocabulary_onnx(place / "words.onnx", logits=logits, dino=True)
        tokenizer_json(place / "tokenizer.json", dino=True)
        depth_onnx(place / "deep.onnx")
        assert main(["models", "add", "open-vocabulary", str(place / "words.onnx")]) == 0
        assert main(["models", "add", "depth", str(place / "deep.onnx")]) == 0
        capsys.readouterr()
        words = ["localize", str(clip), "--prompt", "steam train", "--open-vocabulary", "words", "--depth", "deep"]
        words += ["--depth-kind", "depth-anything-v2-metric", "--source", "steam-train-2", "--json"]
        told = []
        for name, more in (("own", []), ("hosts", ["--host"])):
            code, out, err = run(capsys, *words, "-o", str(tmp_path / f"{name}.json"), *more)
            assert code == 0, err
            told.append(json.loads(out))
        assert (tmp_path / "own.json").read_bytes() == (tmp_path / "hosts.json").read_bytes()
        for name in ("sources", "settings", "heard", "why", "warnings", "provenance"):
            assert told[0][name] == told[1][name], name
        assert [(one["id"], one["selected"]) for one in told[1]["sources"]] == [
            ("steam-train-1", False),
            ("steam-train-2", True),
        ]
        assert told[1]["why"] == "it is what you chose"
        made = [model["name"] for model in told[1]["provenance"]["models"]]
        assert made == ["words/tokenizer.json", "words/words.onnx", "deep", "yamnet"]
        code, _, err = run(capsys, *words, "--source", "dog-1", "-o", str(tmp_path / "x.json"), "--host")
        assert code == 1
        assert "there is no source 'dog-1'; choose among: steam-train-1, steam-train-2" in err

    def test_a_detector_goes_through_too(
        self, real_host: Any, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mine = tmp_path / "mine.onnx"
        shutil.copy(ROOT / "foleyspace_host" / "models" / "assets" / "centernet.onnx", mine)
        words = ["spatialize", str(clip), "--detector", str(mine), "--json"]
        code, out, err = run(capsys, *words, "-o", str(tmp_path / "o.wav"), "--host")
        assert code == 0, err
        told = json.loads(out)
        assert told["settings"]["detector"] == str(mine)
        assert "mine.onnx" in [model["name"] for model in told["provenance"]["models"]]
        mine.write_bytes(b"no model")
        own = run(capsys, *words, "-o", str(tmp_path / "p.wav"))
        assert run(capsys, *words, "-o", str(tmp_path / "p.wav"), "--host")[::2] == own[::2]

    def test_people_read_the_same_lines(
        self, real_host: Any, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["render", str(sound), "--trajectory", str(tmp_path / "path.csv"), "-o", str(tmp_path / "a.wav")]
        assert main(words) == 0
        own = capsys.readouterr().out.splitlines()
        assert main([*words, "--host"]) == 0
        hosts = capsys.readouterr().out.splitlines()
        assert hosts[:-1] == own[:-1]  # the last says how long it took
        assert hosts[-1].split()[0] == "time"

    def test_a_broken_file_is_the_same_one_line(
        self, real_host: Any, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sound.write_bytes(sound.read_bytes()[:100])
        words = ["render", str(sound), "--trajectory", str(tmp_path / "path.csv"), "-o", str(tmp_path / "a.wav")]
        own, hosts = run(capsys, *words), run(capsys, *words, "--host")
        assert own == hosts
        assert own[0] == 1
        assert not (tmp_path / "a.wav").exists()

    def test_a_timeline_goes_through_too(
        self, real_host: Any, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from tests.stand_ins import timelines as made

        edit, results = tmp_path / "edit", tmp_path / "results"
        edit.mkdir()
        results.mkdir()
        sound.rename(edit / "dry.wav")

        def placed(name: str) -> dict[str, Any]:
            marks = [made.marker("foleyspace: az=60", 0)]
            return made.clip(name, made.span(0, 12), made.media("dry.wav", made.span(0, 24)), markers=marks)

        reels = [made.timeline(made.track(placed("a"), placed("b")), name=f"Reel {n}") for n in (1, 2)]
        both = {"OTIO_SCHEMA": "SerializableCollection.1", "name": "", "metadata": {}, "children": reels}
        cut = made.write(edit / "cut.otio", both)
        words = ["timeline", str(cut), "--timeline", "Reel 2", "--clip", "b", "--handles", "0", "--format", "foa"]
        found = {}
        for name in ("own", "hosts"):
            folder = results / name
            folder.mkdir()
            more = ["-o", str(folder / "out.otio"), "--mixdown", str(folder / "mix.wav"), "--json"]
            more += ["--trajectories", str(folder / "keys"), *(["--host"] if name == "hosts" else [])]
            code, out, err = run(capsys, *words, *more)
            assert code == 0, err
            found[name] = json.loads(out)
        own, hosts = found["own"], found["hosts"]
        assert [clip["action"] for clip in hosts["clips"]] == ["skip", "render"]
        for name in ("duration_s", "rendered", "skipped", "settings", "warnings"):
            assert hosts[name] == own[name]
        assert hosts["output"] == str(results / "hosts" / "out.otio")
        assert hosts["mixdown"] == str(results / "hosts" / "mix.wav")
        assert (results / "hosts" / "mix.wav").read_bytes() == (results / "own" / "mix.wav").read_bytes()
        keys = [list((results / name / "keys").iterdir()) for name in found]
        assert [len(files) for files in keys] == [1, 1]
        assert keys[0][0].read_text() == keys[1][0].read_text()
        rendered = Path(hosts["clips"][1]["output"])
        assert rendered.read_bytes() == Path(own["clips"][1]["output"]).read_bytes()
        tracks = json.loads(Path(hosts["output"]).read_text())["children"][1]["tracks"]["children"]
        url = tracks[-1]["children"][-1]["media_references"]["DEFAULT_MEDIA"]["target_url"]
        assert results / "hosts" / url == rendered
        assert sorted(results.glob("hosts/*")) == sorted(
            [rendered, results / "hosts" / "keys", results / "hosts" / "mix.wav", results / "hosts" / "out.otio"]
        )
        code, out, _ = run(capsys, *words, "-o", str(results / "hosts" / "again.otio"), "--host")
        assert "Reel 2" not in out
        assert "0 rendered, 1 unchanged, 1 left as they are" in out  # the host has it from the first time
        for bad in (["--dry-run"], ["--device", "cpu"], ["--mixdown", "mix.mp4"]):
            assert run(capsys, *words, "-o", str(results / "x.otio"), "--host", *bad)[0] == 1

    def test_what_the_host_does_not_know_is_refused(
        self, home: Path, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = ["-o", str(tmp_path / "x.wav"), "--host"]
        code, _, err = run(capsys, "spatialize", str(sound), "--report", "r.html", *out)
        assert code == 1
        assert "--report: cannot be used together with --host" in err
        for option, words in (("--depth", "mine.onnx"), ("--open-vocabulary", "mine")):
            code, _, err = run(capsys, "spatialize", str(sound), option, words, *out)
            assert code == 1
            assert f"{option} with --host: no {option[2:]} model '{words}' was added; add it: foleyspace models" in err
        words = ["render", str(sound), "--trajectory", str(tmp_path / "path.csv"), "--room", "mine.json", *out]
        assert "--room" in run(capsys, *words)[2]
        assert not home.exists()  # nothing was started for that

    @pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal there")
    def test_control_c_cancels_the_job(self, home: Path, client: Client, sound: Path, tmp_path: Path) -> None:
        """The fake host takes the job for a broken one, so the job is one that waits behind a long one."""
        long = client.submit("generate", prompt=plan(stages=1000, step_ms=50))
        command = [
            sys.executable,
            "-m",
            "foleyspace_host",
            "render",
            str(sound),
            "--host",
            "-o",
            str(tmp_path / "x.wav"),
        ]
        process = subprocess.Popen(
            [*command, "--trajectory", str(tmp_path / "path.csv")],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + 20
        waiting: list[dict[str, Any]] = []
        while not waiting and time.monotonic() < end:
            waiting = [job for job in client.jobs(["queued"]) if job["job_id"] != long.job_id]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130, err
        assert err == "foleyspace: error: cancelled\n"
        assert client.job(waiting[0]["job_id"]).state == "cancelled"
        long.cancel()


class TestGuide:
    """What ``docs/host.md`` shows works."""

    guide = (ROOT / "docs" / "host.md").read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```", self.guide, re.MULTILINE | re.DOTALL)

    def test_a_client_of_thirty_lines(
        self, real_host: Any, sound: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = next(block for block in self.blocks("python") if "import json, pathlib" in block)
        assert 'pathlib.Path.home() / ".local/state/foleyspace/host.json"' in code
        code = code.replace('pathlib.Path.home() / ".local/state/foleyspace/host.json"', "pathlib.Path(STATE)")
        code = code.replace("/home/me/project/take.wav", str(sound))
        code = code.replace("/home/me/project/walk.trajectory.json", str(tmp_path / "path.csv"))
        code = code.replace("/home/me/project", str(tmp_path))
        scope: dict[str, Any] = {"STATE": str(home / "state" / "host.json")}
        exec(code, scope)  # noqa: S102 - our own guide
        scope["context"].destroy(linger=0)
        assert "'path': '" in capsys.readouterr().out
        assert len(list(tmp_path.glob("walk-*.wav"))) == 1

    def test_a_plug_in_s_timer(
        self, host: Any, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = next(block for block in self.blocks("python") if "on_timer" in block)
        scope: dict[str, Any] = {"Client": Client, "ClientError": Exception}
        exec(code, scope)  # noqa: S102 - our own guide
        shown: list[str] = []
        inserted: list[str] = []
        played: list[int] = []
        plug_in = scope["Plugin"]
        plug_in.show = lambda _self, *texts: shown.append(str(texts[0]))
        plug_in.insert = lambda _self, path: inserted.append(path)
        plug_in.play = lambda _self, start, samples: played.append(samples.shape[1])
        made = plug_in()
        made.on_timer()
        made.job = made.client.submit(
            "generate", prompt=plan(stages=4, step_ms=20, preview=4800), preview=True, wait=False
        )
        end = time.monotonic() + 30
        while made.job is not None and time.monotonic() < end:
            made.on_timer()
            time.sleep(0.01)
        made.client.close()
        assert len(inserted) == 1
        assert "running" in shown
        assert 0 < sum(played) <= 4 * 4800

    def test_the_settings_are_settings(self, home: Path) -> None:
        from foleyspace_host.config import load_config

        (home / "config").mkdir(parents=True)
        (home / "config" / "config.toml").write_text(self.blocks("toml")[0], encoding="utf-8")
        assert load_config().idle_exit_s == 3600


class TestDoctor:
    def check(self, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
        code, out, err = run(capsys, "doctor", "--json", *words)
        assert err == ""
        facts: dict[str, list[dict[str, Any]]] = {}
        for one in json.loads(out)["checks"]:
            facts.setdefault(one["name"], []).append(one)
        return code, facts

    def test_a_running_host_is_well(self, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
        client.submit("generate", prompt="{}").result()
        code, facts = self.check(capsys)
        assert code == 0
        assert facts["connection"][0]["level"] == "green"
        assert "serving" in facts["host"][0]["text"]
        assert "1 jobs" in facts["jobs"][0]["text"]

    def test_a_host_that_does_not_answer_is_red(
        self, client: Client, host: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        os.kill(host.pid, signal.SIGSTOP)
        try:
            code, facts = self.check(capsys)
        finally:
            os.kill(host.pid, signal.SIGCONT)
        assert code == 1
        assert str(host.pid) in facts["host"][0]["cure"]

    def test_J12_a_damaged_record_is_moved_aside_and_the_host_starts_again(
        self, client: Client, host: Any, make_host: Callable[..., Any], home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(30):
            client.submit("generate", prompt="{}").result()
        assert host.stop() == 0
        record = home / "data" / "jobs.db"
        data = bytearray(record.read_bytes())
        data[4096:8192] = os.urandom(4096)
        record.write_bytes(data)
        code, facts = self.check(capsys)
        assert code == 1
        assert "--repair" in facts["jobs"][0]["cure"]
        code, facts = self.check(capsys, "--repair")
        assert code == 0
        assert "moved" in facts["jobs"][0]["repaired"]
        kept = list(record.parent.glob("jobs.db.2*[0-9]"))
        assert [file.read_bytes() == bytes(data) for file in kept] == [True]
        make_host().start()
        with contextlib.closing(Client("after", start=False)) as after:
            assert after.connect().jobs() == []
