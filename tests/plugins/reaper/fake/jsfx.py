"""JSFX files as REAPER's effect browser sees them: description and sliders."""

from __future__ import annotations

import re
from pathlib import Path

from .model import Fx, FxParameter

SLIDER = re.compile(r"^slider(\d+):(?:\w+=)?([-+.\d]+)\s*<([^>]*)>(.*)$")


def read_jsfx(path: Path) -> Fx | None:
    """Make a fresh instance of the effect in a file; None when the file is no JSFX (no `desc:` line).

    Parameters come in the order of the slider numbers, as REAPER counts them.
    """
    name = None
    sliders: dict[int, FxParameter] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("desc:") and name is None:
            name = line.removeprefix("desc:").strip()
        match = SLIDER.match(line)
        if match:
            minimum, maximum = (float(part) for part in match[3].split(",")[:2])
            # a leading minus hides the slider, it is no part of the name
            sliders[int(match[1])] = FxParameter(match[4].strip().removeprefix("-"), float(match[2]), minimum, maximum)
        if line.startswith("@"):
            break
    if name is None:
        return None
    parameters = [sliders[number] for number in sorted(sliders)]
    return Fx(f"JS: {name}", path.name, parameters, [one.default for one in parameters])


def installed(folders: list[Path]) -> list[tuple[Path, Fx]]:
    """List all JSFX below the effect folders."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix.lower() in ("", ".jsfx"):
                effect = read_jsfx(path)
                if effect is not None:
                    found.append((path, effect))
    return found
