"""The engine that ships: classes of sounds from a flow model, as loud over time as it was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import HOP, SAMPLE_RATE_HZ
from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import NAMES, classes_in
from foleyspace_host.generate.embedded.model import NAME, open_foley_model
from foleyspace_host.generate.embedded.sampler import CHUNK_FRAMES, Wanted, sample
from foleyspace_host.generate.envelope import frame_levels_db
from foleyspace_host.generate.impose import impose
from foleyspace_host.generate.request import Generated, GenerateRequest, Weights

__all__ = ["EmbeddedEngine"]

_STEPS = {"draft": 4, "normal": 8, "fine": 16}
_GUIDANCE = 2.0
_LOOP_S = 0.5  # of the end that is led into the beginning
_SEEDS = 1 << 53


class EmbeddedEngine:
    """Makes sounds with the shipped model.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Where to compute.
    model : Path, optional
        Another model of the same kind.

    Attributes
    ----------
    device : str
        Where it computes.

    Raises
    ------
    ModelUnavailable
        If there is no model.
    """

    name = NAME

    def __init__(self, device: Literal["auto", "cpu", "cuda"] = "auto", model: Path | None = None) -> None:
        self._model, self._path = open_foley_model(model, device)
        self.device = self._model.device

    def generate(self, request: GenerateRequest, *, on_progress: Callable[[int, int], None] | None = None) -> Generated:
        """Make a sound.

        Parameters
        ----------
        request : GenerateRequest
            What is wanted.
        on_progress : callable, optional
            Told (done, total) after each evaluation; may raise to cancel.

        Returns
        -------
        Generated

        Raises
        ------
        InvalidInput
            If the prompt, or what it shall not be like, names no class.
        """
        classes = classes_in(request.prompt)
        unwanted = classes_in(request.negative) if request.negative.strip() else {}
        if both := set(classes) & set(unwanted):
            raise InvalidInput(
                f"wanted and unwanted: {', '.join(sorted(both))}", where="negative", cure="leave it out of one of them"
            )
        envelope = request.shaped()
        n_steps = _STEPS[request.quality]
        tail = round(min(_LOOP_S, 0.5 * float(request.duration_s)) * SAMPLE_RATE_HZ) if request.loop else 0
        n_samples = request.n_samples + tail
        n_frames = -(-n_samples // HOP)
        levels_db = frame_levels_db(envelope, n_frames)
        wanted = Wanted(_shares(classes), _GUIDANCE, _shares(unwanted) if unwanted else None)
        total = -(-n_frames // CHUNK_FRAMES) * n_steps
        pieces, done = [], 0
        for piece in sample(self._model, wanted, levels_db, seed=request.seed % _SEEDS, n_steps=n_steps):
            if piece is None:
                done += 1
                if on_progress is not None:
                    on_progress(done, total)
            else:
                pieces.append(piece)
        sound = np.concatenate(pieces)[:n_samples]
        if tail:
            sound = _looped(sound, tail)
        return Generated(
            impose(sound[None].astype(np.float32), envelope),
            (Weights(self._path.name if self._path.name != f"{NAME}.onnx" else NAME, _sha256(self._path)),),
            {"classes": classes, "steps": n_steps, "guidance": _GUIDANCE},
        )


def _shares(classes: dict[str, float]) -> NDArray[np.float32]:
    return np.array([classes.get(name, 0.0) for name in NAMES], dtype=np.float32)


def _looped(sound: NDArray[np.float32], tail: int) -> NDArray[np.float32]:
    """Lead what comes after the end into the beginning, at equal power."""
    part = np.linspace(0.0, 0.5 * np.pi, tail, dtype=np.float32)
    made = sound[:-tail].copy()
    made[:tail] = made[:tail] * np.sin(part) + sound[-tail:] * np.cos(part)
    return made


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
