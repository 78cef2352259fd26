"""What this machine has for models to run on, found out without loading anything that runs them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["Finding", "find_cuda", "find_runtime"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something is there.

    Parameters
    ----------
    available : bool
        Whether it is.
    reason : str, optional
        Why not.
    cure : str, optional
        What the user can do about it.
    """

    available: bool
    reason: str | None = None
    cure: str | None = None


def find_runtime() -> Finding:
    """Return whether ONNX Runtime is installed, in any of its builds.

    Returns
    -------
    Finding
    """
    if find_spec("onnxruntime") is not None:
        return Finding(True)
    return Finding(False, "ONNX Runtime is not installed", 'pip install "foleyspace-host[cpu]"')


def find_cuda() -> Finding:
    """Return whether models can be expected to run on CUDA.

    Returns
    -------
    Finding
        Available where the GPU build of ONNX Runtime and a driver of NVIDIA's are there; whether they work
        together shows when the first model is loaded.
    """
    if not _has_driver():
        return Finding(False, "no NVIDIA driver is loaded on this machine", "install it, if there is such a GPU")
    try:
        version("onnxruntime-gpu")
    except PackageNotFoundError:
        return Finding(
            False,
            "the GPU build of ONNX Runtime is not installed",
            'pip uninstall onnxruntime, then pip install "foleyspace-host[gpu]"',
        )
    return Finding(True)


def _has_driver() -> bool:
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "nvcuda.dll").is_file()
    return any(Path(place).exists() for place in ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg"))
