"""S1 to S10: who may speak, what may be read and written, and what is never run."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq

from foleyspace_host.client import Client, HostNotRunning
from foleyspace_host.client import read_connection as client_reads
from foleyspace_host.errors import HostError, MediaError, MediaMissing, UnauthorizedPath
from foleyspace_host.host import auth
from foleyspace_host.host.roots import allow
from foleyspace_host.host.server import Options, serve
from foleyspace_host.protocol.connection import read_connection, write_connection
from foleyspace_host.protocol.frames import encode
from foleyspace_host.protocol.messages import (
    PROTOCOL,
    AudioInput,
    GenerateJob,
    Health,
    Hello,
    JobSubmit,
    LocalizeJob,
    LocalizeSettings,
    Output,
    RenderJob,
    RenderSettings,
    SpatializeJob,
    TimelineJob,
    TrajectoryInput,
    VideoInput,
)

PACKAGE = Path(__file__).resolve().parents[2] / "foleyspace_host"
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")

SECRET = "what-is-said-here-is-for-nobody"  # noqa: S105 - not a password
TRAJECTORY = {
    "schema": "foleyspace.trajectory/1",
    "duration_s": 1.0,
    "sources": [{"id": "s", "keys": [{"t_s": 0.0, "azimuth_deg": 30.0, "elevation_deg": 0.0, "distance_m": 2.0}]}],
}


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- S1 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["no key", "wrong server key", "unknown client key", "plain password", "raw bytes"])
@pytest.mark.parametrize("where", ["work", "control"])
def test_S1_an_unauthenticated_peer_gets_nothing(host: Any, who: str, where: str) -> None:
    """No answer, no handler, no line in the log; and others are served meanwhile."""
    friend, address = host.peer(), getattr(host.connection, where)
    lines = len(host.log())
    public, secret = (key.decode() for key in zmq.curve_keypair())
    stranger = host.peer(hello=False)
    if who == "raw bytes":
        with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as raw:
            raw.sendall(os.urandom(100_000))
            raw.settimeout(0.3)
            received = b""
            try:
                while piece := raw.recv(4096):
                    received += piece
            except OSError:
                pass
        assert len(received) <= 64, "nothing but ZeroMQ's own greeting"
    else:
        if who == "wrong server key":
            door = stranger.socket(address, server_public=public)
        elif who == "unknown client key":
            door = stranger.socket(address, client_public=public, client_secret=secret)
        else:
            door = stranger._context.socket(zmq.DEALER)
            door.linger = 0
            if who == "plain password":
                door.plain_username, door.plain_password = b"foleyspace", b"foleyspace"
            door.connect(address)
        hello = Hello(client_name=SECRET, versions=(PROTOCOL, PROTOCOL))
        stranger.send(door, "hello", hello)
        assert not door.poll(400)
        door.close()
    assert friend.ask("health").pid == host.pid
    assert len(host.log()) == lines
    assert SECRET not in json.dumps(host.log())


class Eavesdropper:
    """Stands between a client and the host, and writes everything down."""

    def __init__(self, address: str) -> None:
        self.heard = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._target = ("127.0.0.1", int(address.rsplit(":", 1)[1]))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        here, _ = self._listener.accept()
        there = socket.create_connection(self._target)
        for source, target in ((here, there), (there, here)):
            threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with source:
            while piece := source.recv(65536):
                self.heard += piece
                target.sendall(piece)
        target.close()

    def close(self) -> None:
        self._listener.close()


def test_S1_who_listens_in_understands_nothing(host: Any, tmp_path: Path) -> None:
    ear = Eavesdropper(host.connection.work)
    peer = host.peer(hello=False, name="listened-to")
    peer.work.close()
    peer.work = peer.socket(ear.address)
    peer.hello(tmp_path)
    job_id = peer.submit_fake(stages=2, name=SECRET)
    assert peer.finished(job_id).state == "done"
    peer.close()
    ear.close()
    assert len(ear.heard) > 1000, "it did hear the conversation"
    for word in (SECRET, "listened-to", "generate", job_id, str(tmp_path), "FSP1", peer.client_id):
        assert word.encode() not in ear.heard


# --- S2 ----------------------------------------------------------------------------------------------------------


def test_S2_no_encryption_no_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path))
    monkeypatch.setattr(auth.zmq, "has", lambda name: name != "curve")
    with pytest.raises(HostError, match="encryption") as caught:
        serve(Options(), lambda _connection: pytest.fail("it was ready"))
    assert caught.value.cure
    assert not list(tmp_path.rglob("host.json"))


# --- S3 ----------------------------------------------------------------------------------------------------------


@posix
def test_S3_secrets_are_private(make_host: Any) -> None:
    """Whatever the umask: the file 0600, its folder 0700; no key in the log, the command line or the environment."""
    host = make_host()
    host.command = ["sh", "-c", 'umask 0; exec "$@"', "sh", *host.command]
    host.start()
    assert stat.S_IMODE((host.state / "host.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(host.state.stat().st_mode) == 0o700
    assert stat.S_IMODE(host.data.stat().st_mode) == 0o700
    peer = host.peer()
    peer.finished(peer.submit_fake(stages=1))
    secret, process = host.connection.client_secret, psutil.Process(host.pid)
    for one in (process, *process.children(recursive=True)):
        assert secret not in " ".join(one.cmdline())
        assert secret not in json.dumps(one.environ())
    connection = host.connection
    assert host.stop() == 0
    written = listing(host.home)
    assert written
    for name, data in written.items():
        for key in (connection.client_secret, connection.client_public, connection.server_public):
            assert key.encode() not in data, name
    assert secret not in repr(connection)
    assert secret not in "".join(host.output)


@posix
def test_S3_a_connection_file_that_others_could_have_made_is_refused(host: Any, monkeypatch: Any) -> None:
    """By the host's own reader and by the client's."""
    path = host.state / "host.json"
    readers = (read_connection, client_reads)
    for read in readers:
        read(host.state)
    path.chmod(0o644)
    for read in readers:
        with pytest.raises(Exception, match="open to other users"):
            read(host.state)
    path.chmod(0o600)
    path.rename(host.state / "real.json")
    path.symlink_to(host.state / "real.json")
    for read in readers:
        with pytest.raises(Exception, match="link"):
            read(host.state)
    path.unlink()
    (host.state / "real.json").rename(path)
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    if hasattr(os, "getuid"):
        monkeypatch.setattr(os, "getuid", lambda: own + 1)
    for read in readers:
        with pytest.raises(Exception, match="another user"):
            read(host.state)


# --- S4 ----------------------------------------------------------------------------------------------------------


def test_S4_loopback_only(host: Any) -> None:
    assert re.fullmatch(r"tcp://127\.0\.0\.1:\d+", host.connection.work)
    assert re.fullmatch(r"tcp://127\.0\.0\.1:\d+", host.connection.control)
    listening = [one for one in psutil.Process(host.pid).net_connections("inet") if one.status == psutil.CONN_LISTEN]
    ports = {int(address.rsplit(":", 1)[1]) for address in (host.connection.work, host.connection.control)}
    assert {(one.laddr.ip, one.laddr.port) for one in listening} == {("127.0.0.1", port) for port in ports}
    for worker in psutil.Process(host.pid).children(recursive=True):
        assert not worker.net_connections("inet")
    command = [sys.executable, "-m", "foleyspace_host", "host", "--bind", "0.0.0.0"]  # noqa: S104 - that is the point
    done = subprocess.run(command, capture_output=True, text=True, env=host.environment, check=False)
    assert done.returncode == 2
    assert "--bind" in done.stderr


# --- S5 ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project with a sound, a folder for results and links, beside what is secret."""
    project = tmp_path / "project"
    (project / "renders").mkdir(parents=True)
    (project / "steps.wav").write_bytes(b"RIFF" + bytes(100))
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "diary.wav").write_bytes(b"private")
    if sys.platform != "win32":
        (project / "link.wav").symlink_to(tmp_path / "secret" / "diary.wav")
        (project / "linked").symlink_to(tmp_path / "secret")
        (project / "passwd.wav").symlink_to("/etc/passwd")
        os.mkfifo(project / "pipe.wav")
    return tmp_path


BAD_PATHS = [
    "/etc/passwd", "/dev/zero", "/proc/self/mem", "{}/secret/diary.wav", "{}/project/../secret/diary.wav",
    "{}/project/link.wav", "{}/project/linked/diary.wav", "{}/project/passwd.wav", "{}/project/renders/../../secret",
    "{}/PROJECT/steps.wav", "{}/project2/x.wav", "{}/project/./../secret/diary.wav", "{}", "/", "{}/project//../secret",
    "steps.wav", "../secret/diary.wav", "C:\\Windows\\win.ini", "\\\\host\\share\\x.wav", "//host/share/x.wav", "CON",
    "{}/project/a\nb.wav", "file://{}/secret/diary.wav", "~/x.wav", "|id", "-i x.mp4",
]  # fmt: skip
FIELDS = [
    "audio",
    "trajectory",
    "hrtf",
    "listener",
    "flow_model",
    "video",
    "detector",
    "other detector",
    "timeline",
    "output",
]


def job_with(field: str, path: str, good: str) -> Any:
    """A job that is in order but for one path."""
    audio, inline = AudioInput(path=good), TrajectoryInput(inline=TRAJECTORY)
    if field == "audio":
        return RenderJob(audio=AudioInput(path=path), trajectory=inline)
    if field == "trajectory":
        return RenderJob(audio=audio, trajectory=TrajectoryInput(path=path))
    if field in ("hrtf", "listener", "flow_model"):
        return RenderJob(audio=audio, trajectory=inline, settings=RenderSettings(**{field: path}))
    if field == "video":
        return LocalizeJob(video=VideoInput(path=path))
    if field == "detector":
        return LocalizeJob(video=VideoInput(path=good), settings=LocalizeSettings(detector=path))
    if field == "other detector":
        return SpatializeJob(video=VideoInput(path=good), localize=LocalizeSettings(detector=path))
    if field == "timeline":
        return TimelineJob(timeline=path)
    return GenerateJob(prompt="{}", output=Output(folder=path))


@posix
def test_S5_paths_stay_in_the_roots(host: Any, place: Path, refused: Any) -> None:
    """Every bad path in every field: an error that names the field, and nothing is read, written or accepted."""
    peer = host.peer(place / "project")
    before = listing(place / "secret") | listing(place / "project" / "renders")
    good = str(place / "project" / "steps.wav")
    for field in FIELDS:
        for pattern in BAD_PATHS:
            body = JobSubmit(job=job_with(field, pattern.format(place), good))
            with pytest.raises(refused) as caught:
                peer.ask_work("job.submit", body)
            assert caught.value.code in ("unauthorized_path", "invalid"), (field, pattern)
            assert caught.value.error.where.startswith("$.job."), (field, pattern)
        with pytest.raises(refused) as caught:  # a null character does not even pass the schema
            peer.ask_work("job.submit", JobSubmit(job=job_with(field, f"{place}/project/a\0b", good)))
        assert caught.value.code == "invalid"
    for field in FIELDS[:-1]:
        for inside in ("pipe.wav", "renders", "missing.wav"):
            with pytest.raises(refused) as caught:
                peer.ask_work("job.submit", JobSubmit(job=job_with(field, f"{place}/project/{inside}", good)))
            assert caught.value.code == "media_missing"
    assert peer.ask("job.list").jobs == []
    assert listing(place / "secret") | listing(place / "project" / "renders") == before
    accepted = peer.ask_work("job.submit", JobSubmit(job=job_with("audio", good, good)))
    assert accepted.job_id


@posix
def test_S5_roots_are_the_connection_s_own(make_host: Any, place: Path, refused: Any) -> None:
    host = make_host().set(roots=[str(place / "project")]).start()
    wide = host.peer(hello=False)
    answer = wide.hello(place, Path("/"))
    assert answer.roots == [str((place / "project").resolve())], "configuration narrows"
    assert len(answer.warnings) == 2
    good = str(place / "project" / "steps.wav")
    job = JobSubmit(job=job_with("audio", good, good))
    assert wide.ask_work("job.submit", job).job_id
    none = host.peer()
    with pytest.raises(refused) as caught:
        none.ask_work("job.submit", job)
    assert caught.value.code == "unauthorized_path"
    with pytest.raises(refused) as caught:
        none.ask_work("job.submit", job, client_id=wide.client_id)
    assert caught.value.error.where == "header.client_id"
    silent = host.peer(hello=False)
    with pytest.raises(refused) as caught:
        silent.ask_work("job.submit", job)
    assert caught.value.code == "hello_required"


@posix
def test_S5_a_race_opens_nothing_outside(place: Path) -> None:
    """A folder is swapped for a link and back, again and again, while paths through it are checked."""
    project, away = place / "project", place / "away"
    (project / "in").mkdir()
    (project / "in" / "diary.wav").write_bytes(b"public")
    public = (project / "in" / "diary.wav").stat().st_ino
    ending = threading.Event()

    def swap() -> None:
        while not ending.is_set():
            (project / "in").rename(away)
            (project / "in").symlink_to(place / "secret")
            (project / "in").unlink()
            away.rename(project / "in")

    swapping = threading.Thread(target=swap)
    swapping.start()
    roots, _ = allow([str(project)])
    found: list[int] = []
    errors = 0
    deadline = time.monotonic() + 1.5
    try:
        while time.monotonic() < deadline:
            try:
                found.append(roots.input_file(str(project / "in" / "diary.wav"), "$.job.audio.path").inode)
            except (UnauthorizedPath, MediaMissing):
                errors += 1
    finally:
        ending.set()
        swapping.join()
    assert set(found) == {public}
    assert errors, "the race took place"


# --- S6 ----------------------------------------------------------------------------------------------------------


def test_S6_nothing_is_overwritten(make_host: Any, tmp_path: Path, sound_buffers: Any) -> None:
    """A real render, twice, into a folder that holds files of the wished name."""
    folder = tmp_path / "renders"
    folder.mkdir()
    for name in ("steps.wav", "steps", ".steps.wav"):
        (folder / name).write_bytes(b"mine")
    before = listing(folder)
    peer = make_host("--workers", "1", runner=None).start().peer(folder)
    specs, buffers = sound_buffers(1, 4800)
    job = RenderJob(
        audio=AudioInput(buffers=[0], rate_hz=48_000),
        trajectory=TrajectoryInput(inline=TRAJECTORY),
        output=Output(folder=str(folder), stem="steps"),
    )
    paths = []
    for _ in range(2):
        accepted = peer.ask_work("job.submit", JobSubmit(job=job, buffers=specs), buffers)
        report = peer.finished(accepted.job_id, 90)
        assert report.state == "done", report.error
        (path,) = (Path(artifact.path) for artifact in report.artifacts)
        assert path.name == f"steps-{accepted.job_id[:8]}.wav"
        paths.append(path)
    after = listing(folder)
    assert {name: after[name] for name in before} == before
    assert set(after) == set(before) | {str(path) for path in paths}


def test_S6_a_stem_is_no_path(host: Any, tmp_path: Path, refused: Any) -> None:
    peer = host.peer(tmp_path)
    for stem in ("../up", "a/b", "/etc/x", "a\\b", "a\0b", "a\nb", "C:x"):
        job = GenerateJob(prompt="{}", output=Output(folder=str(tmp_path), stem=stem))
        with pytest.raises(refused) as caught:
            peer.ask_work("job.submit", JobSubmit(job=job))
        assert (caught.value.code, caught.value.error.where) == ("invalid", "$.job.output.stem")
    for stem in ("..", ".", " ", "-", "~", "$(id)", "%s"):
        job = GenerateJob(prompt="{}", output=Output(folder=str(tmp_path), stem=stem))
        report = peer.finished(peer.ask_work("job.submit", JobSubmit(job=job)).job_id)
        for artifact in report.artifacts:
            assert Path(artifact.path).parent == tmp_path


# --- S7 ----------------------------------------------------------------------------------------------------------

RUNS_DATA = {
    "eval", "exec", "compile", "recv_pyobj", "send_pyobj", "pickle", "cPickle", "marshal", "shelve", "dill",
    "cloudpickle", "joblib", "jsonpickle", "yaml", "torch", "recv_serialized", "os.system", "os.popen",
}  # fmt: skip


def code_from_data(path: Path) -> Iterator[str]:
    """Places where a file could turn data into code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in RUNS_DATA)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in RUNS_DATA:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in RUNS_DATA or name.rsplit(".", 1)[-1] in ("recv_pyobj", "send_pyobj"):
                yield name
            for keyword in node.keywords:
                loud = not isinstance(keyword.value, ast.Constant) or keyword.value.value is not False
                if keyword.arg in ("shell", "allow_pickle") and loud:
                    yield f"{keyword.arg}={ast.unparse(keyword.value)}"


def test_S7_no_code_from_data() -> None:
    found = {f"{path.relative_to(PACKAGE)}: {what}" for path in PACKAGE.rglob("*.py") for what in code_from_data(path)}
    assert found == set()


def test_S7_the_search_can_find(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "import pickle\nfrom yaml import load\neval('1')\nnp.load(f, allow_pickle=True)\n"
        "subprocess.run('x', shell=True)\nsocket.recv_pyobj()\nnp.load(f, allow_pickle=False)\n"
    )
    assert len(list(code_from_data(tmp_path / "bad.py"))) == 6


def test_S7_a_foreign_model_is_refused(tmp_path: Path) -> None:
    """A detector whose weights are said to lie outside of its folder, one that is none, and a pickle."""
    import pickle  # what an attacker would use

    onnx = pytest.importorskip("onnx")
    from foleyspace_host.errors import ModelUnavailable
    from foleyspace_host.models.session import open_session

    (tmp_path / "secret.bin").write_bytes(bytes(4096))
    (tmp_path / "models").mkdir()
    weights = onnx.TensorProto(name="w", data_type=1, dims=[1, 3, 1, 1], data_location=1)
    for key, value in (("location", "../secret.bin"), ("offset", "0"), ("length", "12")):
        weights.external_data.add(key=key, value=value)
    shape = [1, 3, 64, 64]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Conv", ["x", "w"], ["y"])],
        "g",
        [onnx.helper.make_tensor_value_info("x", 1, shape)],
        [onnx.helper.make_tensor_value_info("y", 1, [1, 1, 64, 64])],
        [weights],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    outside, garbage, run = (tmp_path / "models" / name for name in ("outside.onnx", "garbage.onnx", "run.onnx"))
    outside.write_bytes(model.SerializeToString())
    garbage.write_bytes(b"PK\x03\x04" + bytes(1000))
    run.write_bytes(pickle.dumps(_Evil(str(tmp_path / "ran"))))
    for path in (outside, garbage, run):
        with pytest.raises(ModelUnavailable):
            open_session(path)
    assert not (tmp_path / "ran").exists()


class _Evil:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


# --- S8 ----------------------------------------------------------------------------------------------------------


def test_S8_no_shell_and_no_unbounded_command() -> None:
    """Whatever the package starts gets its arguments as a list, and never through a shell."""
    calls = 0
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess."):
                calls += 1
                assert not any(keyword.arg == "shell" for keyword in node.keywords), path
                assert not isinstance(node.args[0], ast.Constant | ast.JoinedStr), path
    assert calls, "the client starts the host"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video outside of the project."""
    import av
    import numpy as np

    path = tmp_path / "secret" / "private.ts"
    path.parent.mkdir()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(30):
            picture = np.full((64, 64, 3), number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


PLAYLISTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{}\n#EXT-X-ENDLIST\n",
    "b.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n../secret/private.ts\n#EXT-X-ENDLIST\n",
    "c.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n/etc/passwd\n#EXT-X-ENDLIST\n",
    "d.ffconcat": "ffconcat version 1.0\nfile '{}'\n",
    "e.mp4": "ffconcat version 1.0\nfile near.ts\n",
    "f.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "g.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_S8_a_playlist_leads_nowhere(tmp_path: Path, clip: Path, name: str) -> None:
    """Not to another file, even one beside it, nor to the network."""
    from foleyspace_host.media.audio import read_audio
    from foleyspace_host.media.probe import probe
    from foleyspace_host.media.video import read_frames

    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(clip, project / "near.ts")
    (project / name).write_text(PLAYLISTS[name].format(clip))
    for read in (probe, read_audio, lambda path: list(read_frames(path))):
        with pytest.raises(MediaError):
            read(project / name)
    assert probe(project / "near.ts").video is not None, "the clip itself is in order"


@posix
@pytest.mark.parametrize("name", ["-i x.ts", "pipe:0.ts", "concat:a|b.ts", "http:x.ts", "a%03d.ts", "10:30.ts"])
def test_S8_a_name_is_only_a_name(tmp_path: Path, clip: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from foleyspace_host.media.probe import probe

    shutil.copy(clip, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    video = probe(name).video
    assert video is not None
    assert video.width == 64


# --- S9 ----------------------------------------------------------------------------------------------------------


def test_S9_archives_are_not_opened(make_host: Any, tmp_path: Path) -> None:
    """A timeline bundle with files that lead out of it: refused, and nothing appears anywhere."""
    import zipfile

    project = tmp_path / "project"
    project.mkdir()
    with zipfile.ZipFile(project / "cut.otioz", "w") as bundle:
        bundle.writestr("../../slipped.txt", "outside")
        bundle.writestr("/tmp/slipped-from-a-bundle.txt", "outside")  # noqa: S108 - that is the point
        bundle.writestr("content.otio", json.dumps({"OTIO_SCHEMA": "Timeline.1", "target_url": "../x"}))
    peer = make_host("--workers", "1", runner=None).start().peer(project)
    before = listing(tmp_path / "project")
    accepted = peer.ask_work("job.submit", JobSubmit(job=TimelineJob(timeline=str(project / "cut.otioz"))))
    report = peer.finished(accepted.job_id, 60)
    assert report.state == "failed"
    assert report.error.message
    assert "\n" not in report.error.message
    assert listing(project) == before
    assert not list(tmp_path.rglob("slipped*"))
    assert not Path("/tmp/slipped-from-a-bundle.txt").exists()  # noqa: S108


# --- S10 ---------------------------------------------------------------------------------------------------------


def test_S10_a_file_left_behind_by_a_dead_host(make_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    host = make_host().start()
    host.kill()
    assert (host.state / "host.json").exists()
    monkeypatch.setenv("FOLEYSPACE_HOME", str(host.home))
    started_s = time.monotonic()
    with pytest.raises(HostNotRunning), Client("test", start=False) as client:
        client.health()
    assert time.monotonic() - started_s < 10


@posix
def test_S10_a_port_of_another_program_gets_no_word(make_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host is dead, its port belongs to somebody else and its number to another process."""
    host = make_host().start()
    left = host.connection
    host.kill()
    heard = bytearray()
    servers = []
    for address in (left.work, left.control):
        server = socket.create_server(("127.0.0.1", int(address.rsplit(":", 1)[1])))
        servers.append(server)

        def listen(server: socket.socket = server) -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                one.settimeout(0.5)
                try:
                    one.sendall(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01CURVE" + bytes(47))
                    while piece := one.recv(4096):
                        heard.extend(piece)
                except OSError:
                    pass
                one.close()

        threading.Thread(target=listen, daemon=True).start()
    fields = {name: getattr(left, name) for name in left.__struct_fields__}
    write_connection(host.state, type(left)(**(fields | {"pid": os.getpid()})))
    monkeypatch.setenv("FOLEYSPACE_HOME", str(host.home))
    with pytest.raises(Exception, match=r"(?i)host|answer"), Client(SECRET, start=False) as client:
        client.connect(timeout_s=4.0)
    for server in servers:
        server.close()
    assert SECRET.encode() not in heard
    assert b"FSP1" not in heard
    assert left.client_secret.encode() not in heard


def test_S10_a_new_host_s_port_does_not_open_with_old_keys(make_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_host().start()
    old = first.connection
    ports = [address.rsplit(":", 1)[1] for address in (old.work, old.control)]
    first.kill()
    second = make_host("--port", ports[0], "--control-port", ports[1]).start()
    assert (second.connection.work, second.connection.control) == (old.work, old.control)
    peer = second.peer(hello=False)
    door = peer.socket(
        old.control,
        server_public=old.server_public,
        client_public=old.client_public,
        client_secret=old.client_secret,
    )
    door.send_multipart(encode("health", Health(), v=PROTOCOL, client_id="c", request_id="r"))
    assert not door.poll(500)
    door.close()
    assert peer.ask("health").pid == second.pid
