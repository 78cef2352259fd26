"""Keys of finished stages: digests of all that a stage's result depends on."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from foleyspace_host import __version__
from foleyspace_host.versions import installed_version

__all__ = ["stage_key"]

_PACKAGE = Path(__file__).resolve().parents[1]
_FRONT = ("geometry", "media", "pipeline")
# the code and the libraries that make the result of each stage
_MADE_BY = {
    "decode": (_FRONT, ("av", "numpy", "soundfile")),
    "localize": (
        (*_FRONT, "localize", "models"),
        ("av", "numpy", "onnxruntime", "onnxruntime-gpu", "opencv-python-headless", "scipy"),
    ),
    "generate": (
        (*_FRONT, "diffusion", "generate", "kernels", "localize", "models"),
        ("av", "numpy", "onnxruntime", "onnxruntime-gpu", "opencv-python-headless", "scipy", "soundfile", "soxr"),
    ),
    "render": (
        (*_FRONT, "diffusion", "hrtf", "kernels", "render"),
        ("av", "numpy", "onnxruntime", "onnxruntime-gpu", "scipy", "soundfile", "soxr"),
    ),
}


def stage_key(stage: str, **parts: object) -> str:
    """Return the key of a stage's result.

    The version of this program, its code for the stage and the libraries that it uses are part of the key
    too: nobody has to think of it when they change.

    Parameters
    ----------
    stage : {"decode", "localize", "generate", "render"}
        The stage.
    **parts
        All that its result depends on: digests of input files and models, and settings. Plain values,
        fractions and dataclasses of them.

    Returns
    -------
    str
        The stage's name, a dash and 48 hexadecimal digits.
    """
    text = json.dumps({"by": _maker(stage), **parts}, sort_keys=True, default=_plain, ensure_ascii=True)
    return f"{stage}-{hashlib.sha256(text.encode()).hexdigest()[:48]}"


def _plain(value: object) -> Any:
    if isinstance(value, Fraction):
        return [value.numerator, value.denominator]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} cannot be part of a key")


@cache
def _maker(stage: str) -> Mapping[str, str]:
    """Return what makes the result of a stage: program, code, libraries."""
    folders, libraries = _MADE_BY[stage]
    digest = hashlib.sha256()
    for folder in folders:
        for source in sorted((_PACKAGE / folder).rglob("*")):
            if source.suffix in (".py", ".c", ".h"):
                # without sources (a frozen program) the version alone must do
                with contextlib.suppress(OSError):
                    digest.update(source.read_bytes())
    made = {"foleyspace": __version__, "code": digest.hexdigest()}
    for name in libraries:
        if (version := installed_version(name)) is not None:
            made[name] = version
    return made
