r"""Make the pictures of the Blender extension in the documentation, in a real Blender window on a screen of its own.

    python tools/blender_screenshot.py [FOLDER] [--blender PROGRAM] [--root CHROOT] [--all] [--keep FOLDER]

Needs Xvfb with xauth, ImageMagick's `import`, and a Blender of 4.2 or newer with a user interface; a built extension
(`make wheel`) and FoleySpace installed here. Where the system's Blender is older, one of another Debian can run from
a folder, as root:

    debootstrap --variant=minbase sid CHROOT
    mount --bind /proc CHROOT/proc; mount --bind /dev CHROOT/dev
    chroot CHROOT apt-get install -y --no-install-recommends blender xvfb xauth imagemagick libgl1-mesa-dri libegl1 \
        python3-numpy python3-cattr python3-requests

The extension is installed with `foleyspace blender install`, the host is the real one, and what the pictures show was
rendered by it. What Blender does meanwhile is in `blender_stage.py`; it also notes how long the user interface was
kept waiting, which is printed in the end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from foleyspace_host.bridges.blender.package import archive_for, this_platform
from foleyspace_host.client import Client
from foleyspace_host.demo import scene as demo

HERE = Path(__file__).resolve().parent
SIZE = (1600, 1000)
WIDTH = 1280  # of the pictures in the documentation
DOCUMENTED = ("spatialize", "localize", "scene")
RATE_HZ = 48_000


def write_sounds(folder: Path) -> None:
    """Write the demo's clip and two sounds that a film would have: a drone, and something small that rattles."""
    demo.write_clip(folder / "horse.mp4")
    rng = np.random.default_rng(1)
    t_s = np.arange(10 * RATE_HZ) / RATE_HZ
    drone = sum(np.sin(2 * np.pi * n * (95 * t_s + 0.4 * np.sin(2 * np.pi * 0.6 * t_s))) / n for n in (1, 2, 3, 5, 8))
    soundfile.write(folder / "drone.wav", 0.15 * drone * (1 + 0.3 * np.sin(2 * np.pi * 17 * t_s)), RATE_HZ)
    rattle = rng.standard_normal(6 * RATE_HZ) * np.exp(-18 * (t_s[: 6 * RATE_HZ] * 3 % 1))
    soundfile.write(folder / "robot.wav", 0.2 * rattle, RATE_HZ)


@contextmanager
def seen_from(root: Path | None, folder: Path) -> Iterator[None]:
    """Let a folder be seen under the same name by programs of another root, while the block runs."""
    if root is None:
        yield
        return
    inside = root / folder.relative_to("/")
    inside.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", folder, inside], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", inside], check=True)
        with suppress(OSError):
            inside.rmdir()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parent / "docs" / "images")
    parser.add_argument("--blender", default="blender", help="the program, as it is called in its root")
    parser.add_argument("--root", type=Path, help="folder of another Linux that has it")
    parser.add_argument("--all", action="store_true", help="also of what is not in the documentation")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work in this folder and leave all there")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    foleyspace = Path(sys.executable).with_name("foleyspace")
    with tempfile.TemporaryDirectory() as made:
        work = (args.keep or Path(made)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        (work / "home").mkdir(exist_ok=True)
        write_sounds(work)
        (work / "stage.py").write_bytes((HERE / "blender_stage.py").read_bytes())
        home = {"HOME": str(work / "home"), "FOLEYSPACE_HOME": str(work / "host"), "LIBGL_ALWAYS_SOFTWARE": "1"}
        chroot = ["chroot", str(args.root)] if args.root else []
        settings = ["env", *(f"{name}={value}" for name, value in home.items())]
        archive = archive_for(this_platform())
        with seen_from(args.root, work), seen_from(args.root, archive.parent):
            # the installer is given a program that stands for the one in the other root
            program = work / "blender"
            program.write_text(f'#!/bin/sh\nexec {" ".join([*chroot, *settings, args.blender])} "$@"\n')
            program.chmod(0o755)
            os.environ["FOLEYSPACE_HOME"] = home["FOLEYSPACE_HOME"]
            with Client("screenshot", command=[str(foleyspace)]) as client:  # starts the host, on this side
                words = [str(foleyspace), "blender", "install", "--blender", str(program)]
                subprocess.run(words, check=True)
                screen = ["xvfb-run", "-a", "-s", f"-screen 0 {SIZE[0]}x{SIZE[1]}x24"]
                all_of_it = ["--all"] if args.all else []
                window = ["--window-geometry", "0", "0", *map(str, SIZE), "--python-exit-code", "3"]
                command = [*chroot, *settings, *screen, args.blender, *window]
                subprocess.run(
                    [*command, "--python", str(work / "stage.py"), "--", str(work), *all_of_it], check=True, timeout=300
                )
                client.shutdown(now=True)
        for shot in sorted((work / "shots").glob("*.png")):
            if not args.all and shot.stem not in DOCUMENTED:
                continue
            with Image.open(shot) as picture:
                picture = picture.convert("RGB")
                if picture.width > WIDTH:
                    picture = picture.resize(
                        (WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS
                    )
                # six bits a channel pack better, and look the same
                picture.point(lambda value: value & 0xFC | value >> 6).save(
                    args.folder / f"blender-{shot.stem}.png", optimize=True
                )
        sys.stdout.write((work / "ticks.json").read_text() + "\n")


if __name__ == "__main__":
    main()
