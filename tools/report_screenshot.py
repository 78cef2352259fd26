"""Make the pictures of the report page in the documentation, from the demo's clip alone.

Usage: python tools/report_screenshot.py [FOLDER]
Needs Chromium and `make test-browser`'s requirements. The horse is found by the program itself; then one key
is dragged off its place and saved nowhere, so that the picture shows what an edit looks like.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from foleyspace_host.demo.scene import write_clip
from foleyspace_host.pipeline.localize import localize_file

SIZE = {"width": 1280, "height": 800}
AT_S = 3.2


def main() -> None:
    """Write report.png."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "images")
    with tempfile.TemporaryDirectory() as made, sync_playwright() as running:
        clip, page_file = Path(made, "horse.mp4"), Path(made, "report.html")
        write_clip(clip)
        localize_file(clip, Path(made, "horse.trajectory.json"), label="horse", report=page_file)
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto(page_file.as_uri())
        page.wait_for_timeout(1000)
        # the horse's muzzle is where it snorts from: nearer to the sound than the middle of its box
        page.evaluate(
            f"""() => {{
              const app = FoleyReport.app;
              app.seek({AT_S});
              const [azimuth_deg, elevation_deg] = app.camera.directionOf(0.515, 0.43);
              app.place({{ azimuth_deg, elevation_deg }});
            }}"""
        )
        page.wait_for_timeout(1000)
        page.screenshot(path=Path(made, "report.png"))
        with Image.open(Path(made, "report.png")) as picture:  # six bits a channel pack better, and look the same
            picture.convert("RGB").point(lambda value: value & 0xFC | value >> 6).save(
                folder / "report.png", optimize=True
            )
        browser.close()


if __name__ == "__main__":
    main()
