"""Sessions of ONNX Runtime: one place that imports it, chooses where it computes, and words its errors."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from foleyspace_host.errors import InvalidInput, ModelUnavailable
from foleyspace_host.models.beside import weights_beside

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["DEVICES", "Device", "ModelSession", "device_expected", "fallbacks", "open_session", "signature"]

Device = Literal["auto", "cpu", "cuda"]

DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")
"""Where models may be asked to compute; "auto" is CUDA where ONNX Runtime has it, else the CPU."""

_MOST_SHOWN = 6
_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"

_fallen: dict[str, None] = {}  # in order and each once: all warnings of this process

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


class ModelSession:
    """A loaded model that computes on a GPU as long as that works, and on the CPU from then on.

    May be used from several threads at once.

    Parameters
    ----------
    path : Path
        An ONNX file.
    threads : int
        Threads within one run.
    device : {"auto", "cpu", "cuda"}
        Where to compute.

    Attributes
    ----------
    device : str
        Where it computes now: "cuda" or "cpu".
    warnings : tuple of str
        Why it does not compute where it was asked to, one line each.

    Raises
    ------
    ModelUnavailable
        If the file is not a model that ONNX Runtime can run.
    """

    def __init__(self, path: Path, threads: int, device: Device) -> None:
        import onnxruntime

        self._path, self._threads = path, threads
        self._changing = threading.Lock()
        self.device = "cpu"
        self.warnings: tuple[str, ...] = ()
        self._session: InferenceSession | None = None
        available = onnxruntime.get_available_providers()
        if device != "cpu" and _CUDA in available:
            try:
                self._session = self._load(_CUDA)
                if _CUDA not in self._session.get_providers():
                    self._warn("CUDA or one of its libraries cannot be loaded")
                else:
                    self.device = "cuda"
            except Exception as error:  # the runtime's exceptions share no public base class
                self._warn(_reason(error))
        elif device == "cuda":
            self._warn("this installation of ONNX Runtime has no CUDA")
        if self.device == "cpu":
            self._session = self._load_on_cpu()

    def get_inputs(self) -> Sequence[Any]:
        """Return the model's inputs, as ONNX Runtime describes them."""
        return self._now().get_inputs()

    def get_outputs(self) -> Sequence[Any]:
        """Return the model's outputs, as ONNX Runtime describes them."""
        return self._now().get_outputs()

    def metadata(self) -> dict[str, str]:
        """Return what the file states about itself, such as a licence."""
        return dict(self._now().get_modelmeta().custom_metadata_map)

    def run(self, outputs: Sequence[str] | None, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model; on the CPU, from now on, if the GPU fails.

        Parameters
        ----------
        outputs : sequence of str or None
            Names of the outputs wanted; None for all.
        inputs : mapping of str to ndarray
            The inputs.

        Returns
        -------
        list of ndarray
            The outputs.
        """
        session = self._now()
        try:
            return session.run(outputs, inputs)
        except Exception as error:
            with self._changing:
                if self.device == "cpu" and session is self._session:
                    raise  # no other device to try
                if session is self._session:
                    self._session = self._load_on_cpu()
                    self.device = "cpu"
                    self._warn(_reason(error))
        return self._now().run(outputs, inputs)

    def answer(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a model of the user's: inputs are given the types it asks for, and what it says comes by name.

        Parameters
        ----------
        inputs : mapping of str to ndarray
            The inputs.

        Returns
        -------
        dict of str to ndarray
            All outputs.

        Raises
        ------
        ModelUnavailable
            If it fails on them.
        """
        given = {
            one.name: inputs[one.name].astype(_TYPES.get(one.type, inputs[one.name].dtype))
            for one in self.get_inputs()
            if one.name in inputs
        }
        names = [one.name for one in self.get_outputs()]
        try:
            return dict(zip(names, self.run(names, given), strict=True))
        except Exception as error:
            shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in given.items())
            cure = "give a model with the inputs and outputs that the documentation names"
            raise ModelUnavailable(
                f"the model fails on {shapes} ({_reason(error)})", where=str(self._path), cure=cure
            ) from error

    def _now(self) -> InferenceSession:
        assert self._session is not None  # noqa: S101 - set when it was made
        return self._session

    def _load(self, provider: str, *, as_it_is: bool = False) -> InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        if as_it_is:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors come back as exceptions; nothing belongs on the user's terminal
        providers = [provider] if provider == _CPU else [provider, _CPU]
        # the runtime's own way of falling back prints, and tells nobody
        return onnxruntime.InferenceSession(str(self._path), options, providers=providers, enable_fallback=0)

    def _load_on_cpu(self) -> InferenceSession:
        try:
            return self._load(_CPU)
        except Exception as error:
            # the runtime's own rewriting breaks some graphs that are whole, half-precision ones above all
            with contextlib.suppress(Exception):
                return self._load(_CPU, as_it_is=True)
            raise ModelUnavailable(
                f"not a model that ONNX Runtime can run ({_reason(error)})",
                where=str(self._path),
                cure="give another ONNX file, with its weights beside it where they are in a file of their own",
            ) from error

    def _warn(self, reason: str) -> None:
        line = f"the model {self._path.name} runs on the CPU: {reason}"
        self.warnings += (line,)
        _fallen[line] = None


def open_session(path: str | Path, *, threads: int = 1, device: Device = "auto") -> ModelSession:
    """Load a model, or return it loaded: a process keeps the few that it used last.

    For small models many single-threaded runs side by side are faster than one after the other in many
    threads, which is why one thread is the default.

    Parameters
    ----------
    path : str or Path
        An ONNX file.
    threads : int
        Threads within one run.
    device : {"auto", "cpu", "cuda"}
        Where to compute. Where CUDA is wanted and does not work the CPU computes, with a warning; "auto" does
        not warn where there is no CUDA at all.

    Returns
    -------
    ModelSession

    Raises
    ------
    ModelUnavailable
        If ONNX Runtime is not installed, or the file is missing or not a model that it can run.
    InvalidInput
        If the device is unknown.
    """
    if device not in DEVICES:
        raise InvalidInput(f"{device!r} is unknown", where="device", cure=f"use one of: {', '.join(DEVICES)}")
    try:
        import onnxruntime  # noqa: F401 - whether it is there
    except ImportError as error:
        raise ModelUnavailable(
            f"ONNX Runtime, which runs the model, cannot be loaded ({error})",
            where=Path(path).name,
            cure='install it: pip install "foleyspace-host[cpu]"',
        ) from error
    file = Path(path).absolute()
    if not file.is_file():
        raise ModelUnavailable("there is no such model file", where=str(path), cure="check the path")
    found = [part.stat() for part in (file, *weights_beside(file))]
    stands = tuple((part.st_mtime_ns, part.st_size) for part in found)
    return _opened(file, stands, threads, device)


def signature(inputs: Sequence[Any], outputs: Sequence[Any]) -> str:
    """Return what a model takes and gives, for people.

    Parameters
    ----------
    inputs, outputs : sequence
        As ONNX Runtime describes them, with ``name`` and ``shape``.

    Returns
    -------
    str
        For example "it takes pixel_values [batch, 3, height, width] and gives depth [1, 518, 518]".
    """
    return f"it takes {_listed(inputs)} and gives {_listed(outputs)}"


def _listed(tensors: Sequence[Any]) -> str:
    shown = [
        f"{one.name} [{', '.join('?' if size is None else str(size) for size in one.shape or ())}]"
        for one in tensors[:_MOST_SHOWN]
    ]
    return ", ".join([*shown, *(["..."] if len(tensors) > _MOST_SHOWN else [])]) or "nothing"


def fallbacks() -> tuple[str, ...]:
    """Tell which models of this process do not compute where they were asked to, and why.

    Returns
    -------
    tuple of str
        One line each; none if all is as it was asked for.
    """
    return tuple(_fallen)


def device_expected(device: Device) -> str:
    """Tell, without loading ONNX Runtime, where models will compute if nothing fails.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        What is asked for.

    Returns
    -------
    {"cpu", "cuda"}
        "cuda" where it is not ruled out and the GPU build of ONNX Runtime and a driver of NVIDIA's are there.
    """
    from foleyspace_host.models.hardware import find_cuda

    return "cuda" if device != "cpu" and find_cuda().available else "cpu"


@lru_cache(maxsize=4)
def _opened(path: Path, _stands: tuple[tuple[int, int], ...], threads: int, device: Device) -> ModelSession:
    return ModelSession(path, threads, device)


def _reason(error: Exception) -> str:
    return " ".join((str(error).split(" : ")[-1].strip() or type(error).__name__).split())[:300]
