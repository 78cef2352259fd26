"""A real browser, without a window, and pages made for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from foleyspace_host.geometry.boxes import BoxSizes
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.report.page import write_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_VARIABLE = "FOLEYSPACE_CHROMIUM"

_PLAYS = """() => new Promise((resolve, reject) => {
  const { video } = FoleyReport.app;
  if (video.readyState >= 2) resolve();
  video.addEventListener("loadeddata", () => resolve());
  video.addEventListener("error", () => reject(new Error("the video does not play")));
})"""

OpenPage = Callable[..., "Page"]
MakePage = Callable[..., Path]


def chromium() -> str | None:
    named = os.environ.get(CHROMIUM_VARIABLE)
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="`make test-browser` installs what this needs")
    path = chromium()
    if path is None:
        pytest.skip(f"there is no Chromium; install one or name it in {CHROMIUM_VARIABLE}")
    with playwright.sync_playwright() as running:
        # without a user of its own (in containers) Chromium starts only without its sandbox; the pages are ours
        started = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open a page from disk; the test fails if it says anything on the console or asks the network."""
    said: list[str] = []
    contexts = []

    def open_it(path: Path, width: int = 1366, height: int = 768) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
        page.goto(path.as_uri())
        page.evaluate(_PLAYS)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A short clip of a plain picture with a tone, made once for each size."""
    made: dict[tuple[int, int], Path] = {}

    def make(width: int = 320, height: int = 180, seconds: int = 4) -> Path:
        if (width, height) in made:
            return made[width, height]
        path = tmp_path_factory.mktemp("clips") / "clip.mp4"
        with av.open(str(path), "w") as output:
            picture = output.add_stream("libx264", rate=25)
            picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
            picture.options = {"preset": "ultrafast"}
            sound = output.add_stream("aac", rate=48_000)
            sound.codec_context.layout = "mono"
            for index in range(25 * seconds):
                image = np.full((height, width, 3), 90, np.uint8)
                image[:, : width * index // (25 * seconds)] = (40, 60, 90)
                output.mux(picture.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            tone = 0.2 * np.sin(np.arange(48_000 * seconds) * 2 * np.pi * 440 / 48_000)
            for start in range(0, len(tone), 1024):
                frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024].astype(np.float32), "fltp", "mono")
                frame.sample_rate, frame.pts = 48_000, start
                output.mux(sound.encode(frame))
            output.mux(picture.encode(None))
            output.mux(sound.encode(None))
        made[width, height] = path
        return path

    return make


@pytest.fixture
def make_page(tmp_path: Path, clip: Callable[..., Path]) -> MakePage:
    """Write the page of a trajectory."""

    def make(
        trajectory: Trajectory,
        *,
        video: Path | None = None,
        sizes: dict[str, BoxSizes] | None = None,
        embed_mb: float = 64.0,
        **size: Any,
    ) -> Path:
        page = tmp_path / "report.html"
        with ExitStack() as files:
            write_report(
                files,
                page,
                page,
                video or clip(**size),
                trajectory,
                sizes=sizes or {},
                save_as="clip.edited.trajectory.json",
                embed_mb=embed_mb,
            )
        return page

    return make
