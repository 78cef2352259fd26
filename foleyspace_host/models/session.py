"""Sessions of ONNX Runtime: one place that imports it, chooses where it computes, and words its errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import ModelUnavailable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["open_session"]


def open_session(path: str | Path, *, threads: int = 1) -> InferenceSession:
    """Load a model.

    CUDA computes where this installation of ONNX Runtime has it, else the CPU does. A session may run in
    several threads at once; for small models many single-threaded runs side by side are faster than one after
    the other in many threads, which is why one thread is the default.

    Parameters
    ----------
    path : str or Path
        An ONNX file.
    threads : int
        Threads within one run.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    ModelUnavailable
        If ONNX Runtime is not installed, or the file is missing or not a model that it can run.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelUnavailable(
            f"ONNX Runtime, which runs the model, cannot be loaded ({error})",
            where=Path(path).name,
            cure='install it: pip install "foleyspace-host[cpu]"',
        ) from error
    if not Path(path).is_file():
        raise ModelUnavailable("there is no such model file", where=str(path), cure="check the path")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors come back as exceptions; nothing belongs on the user's terminal
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    available = onnxruntime.get_available_providers()
    try:
        return onnxruntime.InferenceSession(
            str(path), options, providers=[provider for provider in wanted if provider in available]
        )
    except Exception as error:  # the runtime's exceptions share no public base class
        reason = str(error).split(" : ")[-1].strip() or type(error).__name__
        raise ModelUnavailable(
            f"not a model that ONNX Runtime can run ({reason})",
            where=str(path),
            cure="give an ONNX file, or leave the option out to use the shipped model",
        ) from error
