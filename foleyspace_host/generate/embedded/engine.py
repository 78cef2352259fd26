"""The engine that ships: classes of sounds from a flow model, as loud over time as it was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import NAMES, classes_in
from foleyspace_host.generate.embedded.bands import HOP, SAMPLE_RATE_HZ, window
from foleyspace_host.generate.embedded.condition import N_LIKENESS, RECORDED
from foleyspace_host.generate.embedded.model import NAME, FoleyModel, open_foley_model
from foleyspace_host.generate.embedded.portrait import Portrait, mixed, varied
from foleyspace_host.generate.embedded.sampler import Wanted, sample
from foleyspace_host.generate.embedded.waveform import waveform
from foleyspace_host.generate.envelope import frame_levels_db
from foleyspace_host.generate.impose import impose
from foleyspace_host.generate.request import Generated, GenerateRequest, Weights

__all__ = ["EmbeddedEngine", "pictured"]

_STEPS = {"draft": 4, "normal": 8, "fine": 16}
_GUIDANCE = 2.0
_LOOP_S = 0.5  # of the end that is led into the beginning
_SEEDS = 1 << 53

Floats = NDArray[np.float32]


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
        levels_db = frame_levels_db(envelope, n_frames, hop=HOP, window=window())
        seed = request.seed % _SEEDS
        portrait, likeness = pictured(self._model, classes, np.random.default_rng([seed, 1]))
        wanted = Wanted(portrait, likeness, _GUIDANCE, _shares(unwanted) if unwanted else None)
        bands_db = sample(
            self._model,
            wanted,
            levels_db - levels_db.max(),
            seed=seed,
            n_steps=n_steps,
            on_progress=on_progress,
        )
        sound = np.empty(n_frames * HOP, dtype=np.float32)
        filled = 0
        for piece in waveform(bands_db, levels_db, seed):
            sound[filled : filled + len(piece)] = piece
            filled += len(piece)
        del bands_db
        sound = sound[:n_samples]
        if tail:
            sound = _looped(sound, tail)
        return Generated(
            impose(sound[None], envelope, in_place=True),
            (Weights(self._path.name if self._path.name != f"{NAME}.onnx" else NAME, _sha256(self._path)),),
            {"classes": classes, "steps": n_steps, "guidance": _GUIDANCE},
        )


def pictured(model: FoleyModel, classes: dict[str, float], rng: np.random.Generator) -> tuple[Portrait, Floats]:
    """Draw a sound of each class, and vary its portrait.

    Parameters
    ----------
    model : FoleyModel
        What knows the portraits.
    classes : dict of str to float
        Shares, together 1.
    rng : Generator
        Draws.

    Returns
    -------
    tuple of Portrait and ndarray, float32, shape (N_LIKENESS,)
        The portrait of all together, and what they are like.

    Raises
    ------
    InvalidInput
        If the model learnt no sound of a class.
    """
    likeness = _shares(classes)
    drawn = []
    for name, share in classes.items():
        recorded, invented = model.portraits[NAMES.index(name)]
        if not (known := [*recorded, *invented]):
            raise InvalidInput(f"the model never learnt {name}", where="prompt", cure="use another class, or model")
        which = int(rng.integers(len(known)))
        drawn.append((varied(known[which], rng), share))
        likeness[RECORDED] += share * (which < len(recorded))
    return mixed(drawn), likeness


def _shares(classes: dict[str, float]) -> Floats:
    found = np.zeros(N_LIKENESS, dtype=np.float32)
    for name, share in classes.items():
        found[NAMES.index(name)] = share
    return found


def _looped(sound: NDArray[np.float32], tail: int) -> NDArray[np.float32]:
    """Lead what comes after the end into the beginning, at equal power."""
    part = np.linspace(0.0, 0.5 * np.pi, tail, dtype=np.float32)
    made = sound[:-tail].copy()
    made[:tail] = made[:tail] * np.sin(part) + sound[-tail:] * np.cos(part)
    return made


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
