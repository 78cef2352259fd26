"""Models of other people that the user's own interpreter runs, through a script: JSON in, WAV out.

Their libraries in the versions that they need would break the program's own, so they stay in a process of theirs. The
script is called as ``PYTHON SCRIPT REQUEST.json`` and writes the WAV file that the request names. The contract, which
any model can adopt, is in ``docs/foley.md``:

- the request holds ``schema`` ("foleyspace.runner/1"), ``output``, ``prompt``, ``negative``, ``duration_s``, ``seed``,
  ``steps``, ``device``, ``weights``, and ``video``, ``video_start_s`` where there is one;
- lines on standard output that are JSON objects tell progress: ``{"done": 3, "total": 25}``, or at the end
  ``{"model": "...", "licence": "...", "peak_memory_mb": 5120, "sha256": "..."}``; other lines count for nothing;
- exit code 0 and a WAV file of any rate mean success; another code is an error whose last line on standard error tells
  why; SIGTERM asks to stop.
"""

from __future__ import annotations

import hashlib
import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import SAMPLE_RATE_HZ
from foleyspace_host.errors import FoleySpaceError, MediaError, ModelUnavailable, TimedOut
from foleyspace_host.generate.external.pieces import joined, spans
from foleyspace_host.generate.impose import impose_in_place
from foleyspace_host.generate.request import Generated, GenerateRequest, Weights
from foleyspace_host.media.tape import Tape

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device

__all__ = ["SCHEMA", "RunnerEngine"]

SCHEMA = "foleyspace.runner/1"

_STEPS = {"draft": 10, "normal": 25, "fine": 50}
_LONGEST_S = 8.0  # what MMAudio was trained on
_OVERLAP_S = 1.0
_SEEDS = 1 << 32  # what most generators of random numbers take
_SILENT_S = 900.0  # without a word: longer than loading weights takes
_STEP_S = 0.1
_PATIENCE_S = 5.0
_MAX_LINE = 10_000
_UNITS = 1000


class RunnerEngine:
    """Lets a script make sounds.

    Parameters
    ----------
    name : str
        The engine's name.
    python : Path
        Interpreter.
    script : Path
        What it runs.
    device : {"auto", "cpu", "cuda"}
        Where it is asked to compute.
    weights : str
        Folder of its weights, told to it; empty if it knows.
    """

    def __init__(self, name: str, python: Path, script: Path, device: Device = "auto", *, weights: str = "") -> None:
        self.name = name
        self.device = "cuda" if device == "cuda" else "cpu"
        self._python, self._script, self._wanted, self._weights = python, script, device, weights

    def generate(self, request: GenerateRequest, *, on_progress: Callable[[int, int], None] | None = None) -> Generated:
        """Make a sound; see `Engine`.

        Parameters
        ----------
        request : GenerateRequest
            What is wanted; its video is looked at by the script.
        on_progress : callable, optional
            Called as on_progress(done, total), several times a second; raises Cancelled to stop the script.

        Returns
        -------
        Generated

        Raises
        ------
        ModelUnavailable
            If the script cannot be started, fails, or writes no sound.
        TimedOut
            If it says nothing for a quarter of an hour.
        """
        overlap = round(_OVERLAP_S * SAMPLE_RATE_HZ)
        parts = list(spans(request.n_samples, round(_LONGEST_S * SAMPLE_RATE_HZ), overlap))
        whole = Tape(request.n_samples, request.scratch)
        told: dict[str, Any] = {}
        with tempfile.TemporaryDirectory(prefix="foleyspace-") as folder:
            for number, (first, stop) in enumerate(parts):

                def tell(done: int, total: int, at: int = number) -> None:
                    if on_progress is not None:
                        on_progress(at * _UNITS + _UNITS * min(done, total) // max(total, 1), len(parts) * _UNITS)

                asked = self._asked(request, Path(folder) / f"{number}.wav", first, stop, number)
                told |= self._run(asked, Path(folder) / f"{number}.json", tell)
                joined(whole, self._sound(Path(asked["output"]), stop - first), first, overlap)
        if request.envelope is not None:
            impose_in_place(whole, request.envelope)
        digest = told.get("sha256") or hashlib.sha256(self._script.read_bytes()).hexdigest()
        kept = {key: told[key] for key in ("model", "licence", "peak_memory_mb") if key in told}
        warnings = ("loops are not made by this engine: the ends do not meet",) if request.loop else ()
        weights = Weights(str(told.get("model") or self._script.name)[:200], str(digest)[:64])
        return Generated(whole, (weights,), {"pieces": len(parts), "steps": _STEPS[request.quality]} | kept, warnings)

    def _asked(self, request: GenerateRequest, output: Path, first: int, stop: int, number: int) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "schema": SCHEMA,
            "output": str(output),
            "prompt": request.prompt,
            "negative": request.negative,
            "duration_s": (stop - first) / SAMPLE_RATE_HZ,
            "seed": (request.seed + number) % _SEEDS,
            "steps": _STEPS[request.quality],
            "device": self._wanted,
            "weights": self._weights,
        }
        if request.video is not None:
            start_s = Fraction(0) if request.span is None else request.span.start_s
            asked |= {"video": str(request.video.absolute())}
            asked |= {"video_start_s": float(start_s + Fraction(first, SAMPLE_RATE_HZ))}
        return asked

    def _run(self, asked: dict[str, Any], place: Path, tell: Callable[[int, int], None]) -> dict[str, Any]:
        """Run the script once, and return what it said of itself."""
        place.write_text(json.dumps(asked), encoding="utf-8")
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own interpreter and script
                [str(self._python), str(self._script), str(place)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            cure = f"foleyspace models engine {self.name} --python PYTHON"
            raise ModelUnavailable(
                f"the runner cannot be started ({error.strerror})", where=str(self._python), cure=cure
            ) from error
        try:
            return _followed(process, str(self._script), tell)
        finally:
            _ended(process)

    def _sound(self, path: Path, n_samples: int) -> NDArray[np.float32]:
        from foleyspace_host.media.audio import open_audio
        from foleyspace_host.media.resample import resampled

        try:
            with open_audio(path) as source:
                blocks = (block.reshape(-1) for block in source.blocks(channels="mono"))
                sound = np.concatenate(list(resampled(blocks, source.sample_rate_hz, SAMPLE_RATE_HZ)))[:n_samples]
        except MediaError as error:
            problem = f"the runner ended well but its sound cannot be used: {error.problem}"
            raise ModelUnavailable(
                problem, where=str(self._script), cure="see docs/foley.md for what it must do"
            ) from error
        return np.pad(sound, (0, n_samples - len(sound))).astype(np.float32)


def _followed(process: subprocess.Popen[str], where: str, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """Read what a running script says until it ends; cancelling is asked for several times a second."""
    said: queue.Queue[str] = queue.Queue()
    errors: list[str] = []
    readers = [
        threading.Thread(target=_read, args=(process.stdout, said.put), daemon=True),
        threading.Thread(target=_read, args=(process.stderr, lambda line: _keep(errors, line)), daemon=True),
    ]
    for reader in readers:
        reader.start()
    told: dict[str, Any] = {}
    done, total, silent_s = 0, 1, 0.0
    while process.poll() is None or readers[0].is_alive() or not said.empty():
        try:
            line = said.get(timeout=_STEP_S)
            silent_s = 0.0
        except queue.Empty:
            line = ""
            silent_s += _STEP_S
        heard = _heard(line)
        if isinstance(heard.get("done"), int) and isinstance(heard.get("total"), int):
            done, total = heard["done"], heard["total"]
        told |= {key: value for key, value in heard.items() if key not in ("done", "total")}
        tell(max(done, 0), max(total, 1))
        if silent_s > _SILENT_S:
            raise TimedOut("the runner says nothing any more", where=where, cure="try it by hand")
    readers[1].join(_PATIENCE_S)
    if process.returncode:
        why = errors[-1] if errors else f"it ended with code {process.returncode}"
        raise ModelUnavailable(f"the runner failed: {why[:300]}", where=where, cure="try it by hand")
    return told


def _heard(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        heard = json.loads(line) if line.lstrip().startswith("{") else {}
        return heard if isinstance(heard, dict) else {}
    return {}


def _read(stream: IO[str] | None, take: Callable[[str], object]) -> None:
    with suppress(ValueError, OSError):
        for line in stream or ():
            take(line[:_MAX_LINE])


def _keep(lines: list[str], line: str) -> None:
    if line.strip():
        lines[:] = [*lines[-20:], " ".join(line.split())]


def _ended(process: subprocess.Popen[str]) -> None:
    """End a script that still runs: politely, then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError, FoleySpaceError):
                stream.close()
