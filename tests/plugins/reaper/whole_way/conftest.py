"""The whole way, with nothing but REAPER itself standing in: Lua, bridge, sockets, host and sound are the real ones.

A `Studio` is a user at work: a REAPER into which the scripts were installed, a folder for media, and actions to run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")

from foleyspace_host.bridges.reaper.install import install

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
RATE_HZ = 48_000


class Studio:
    """See above.

    Attributes
    ----------
    reaper : FakeReaper
        Its programs run with `home` as the folder of the host.
    media : Path
        Where the user keeps sounds; its name is what users call folders.
    """

    def __init__(self, reaper: Any, home: Path, media: Path) -> None:
        self.reaper, self.home, self.media = reaper, home, media
        self.environment = os.environ | {
            "FOLEYSPACE_HOME": str(home),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(HERE))),
        }
        reaper.processes.environment = self.environment
        self.installed = install(reaper.resource)
        self.hosts: list[subprocess.Popen[Any]] = []

    @property
    def project(self) -> Any:
        return self.reaper.active

    @property
    def jobs(self) -> Path:
        """Where the folders of jobs are."""
        return Path(self.reaper.resource) / "Data" / "FoleySpace" / "jobs"

    def noise(
        self, name: str, n_channels: int = 1, duration_s: float = 3.0, rate_hz: int = RATE_HZ, seed: int = 1
    ) -> Path:
        """Write noise without anything above 8 kHz, so that no conversion of its rate takes from it."""
        spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0.0, 0.2, (n_channels, round(duration_s * rate_hz))))
        spectrum[:, np.fft.rfftfreq(round(duration_s * rate_hz), 1 / rate_hz) > 8000.0] = 0.0
        samples = np.fft.irfft(spectrum, round(duration_s * rate_hz))
        self.media.mkdir(parents=True, exist_ok=True)
        soundfile.write(self.media / name, samples.T, rate_hz, subtype="FLOAT")
        return self.media / name

    def set(self, **settings: Any) -> None:
        """Choose settings for the project, as the window of "Settings" keeps them."""
        self.project.ext_state["FOLEYSPACE", "SETTINGS"] = json.dumps({"mute_source": True, **settings})

    def script(self, action: str) -> Path:
        return Path(self.installed.scripts) / f"FoleySpace_{action}.lua"

    def run(self, action: str, **options: Any) -> Any:
        """Run an action to its end; no tick of it may take long, and nothing may be wrong afterwards."""
        from fake import run_script

        done = run_script(self.reaper, self.script(action), **{"timeout_s": 150.0, **options})
        self.reaper.check()
        return done

    def results(self) -> dict[float, Any]:
        """The items that actions have placed, by their positions."""
        tracks = [track for track in self.project.tracks if track.name.endswith("- FoleySpace")]
        return {item.start_s: item for track in tracks for item in track.items}

    def sound_of(self, result: Any) -> np.ndarray:
        """Samples of a result's file, (n_channels, n_samples); it must be float and at the project's rate."""
        about = soundfile.info(result.take.source.path)
        assert about.samplerate == self.project.values["PROJECT_SRATE"]
        assert about.subtype == "FLOAT"
        return soundfile.read(result.take.source.path, always_2d=True, dtype="float64")[0].T

    def files_left(self) -> list[str]:
        """Names of files that came to be beside the user's own: none, after something that came to nothing."""
        places = [Path(self.reaper.resource).parent / "REAPER Media", self.jobs, self.media / "FoleySpace"]
        return [path.name for place in places if place.exists() for path in place.rglob("*") if path.is_file()]

    def start_host(self, *, pause_s: float = 0.0, generates: bool | str = False) -> subprocess.Popen[Any]:
        """Start a host that takes its time; on wish it can make sounds of words, or says why it cannot."""
        code = "import sys; from foleyspace_host.jobs import capabilities as c; from foleyspace_host.cli import main\n"
        if isinstance(generates, str):
            code += f"c.engine_available = lambda _name: c.Finding(False, {generates!r})\n"
        elif generates:
            code += "c.engine_available = lambda _name: c.Finding(True)\n"
        words = [sys.executable, "-c", code + "sys.exit(main())", "host", "--json", "--runner", "stand_in_runner"]
        host = subprocess.Popen(
            words, env=self.environment | {"FOLEYSPACE_TEST_PAUSE_S": str(pause_s)}, stdout=subprocess.PIPE, text=True
        )
        self.hosts.append(host)
        assert host.stdout is not None
        assert '"ready"' in host.stdout.readline()
        return host

    def host_jobs(self) -> list[dict[str, Any]]:
        """What the host knows of its jobs."""
        code = "from foleyspace_host import Client\nimport json\n"
        code += "with Client('test') as c: print(json.dumps({'jobs': c.jobs(limit=500)}))"
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=True)
        jobs: list[dict[str, Any]] = json.loads(done.stdout)["jobs"]
        return jobs

    def close(self) -> None:
        words = [sys.executable, "-m", "foleyspace_host", "host", "--stop"]
        subprocess.run(words, env=self.environment, capture_output=True, check=False, timeout=60)
        for host in self.hosts:
            host.kill()
            host.communicate()


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Home of a host that the first bridge starts, and the others find."""
    home = tmp_path_factory.mktemp("home")
    yield home
    words = [sys.executable, "-m", "foleyspace_host", "host", "--stop"]
    subprocess.run(words, env=os.environ | {"FOLEYSPACE_HOME": str(home)}, capture_output=True, check=False, timeout=60)


@pytest.fixture
def studio(reaper: Any, shared_home: Path, tmp_path: Path) -> Studio:
    """A studio with the host that all tests share."""
    return Studio(reaper, shared_home, tmp_path / 'Zoë\'s "Média" `x`')


@pytest.fixture
def lonely_studio(reaper: Any, tmp_path: Path) -> Iterator[Studio]:
    """A studio whose host is nobody else's, so that it can be ill-treated."""
    studio = Studio(reaper, tmp_path / "home", tmp_path / 'Zoë\'s "Média" `x`')
    yield studio
    studio.close()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait until something is so."""

    def wait(ask: Callable[[], Any], timeout_s: float = 30.0) -> None:
        end = time.monotonic() + timeout_s
        while not ask():
            assert time.monotonic() < end, "it did not become true"
            time.sleep(0.05)

    return wait


@pytest.fixture(scope="session")
def studio_class() -> type[Studio]:
    """For studios that live longer than a test."""
    return Studio
