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
from foleyspace_host.generate.embedded.waveform import CHUNK_FRAMES, waveform
from foleyspace_host.generate.envelope import frame_levels_db
from foleyspace_host.generate.impose import impose_in_place
from foleyspace_host.generate.request import Generated, GenerateRequest, Weights
from foleyspace_host.media.tape import Tape

__all__ = ["EmbeddedEngine", "pictured"]

_STEPS = {"draft": 4, "normal": 8, "fine": 16}
_GUIDANCE = 2.0
_LOOP_S = 0.5  # of the end that is led into the beginning
_SEEDS = 1 << 53

Floats = NDArray[np.float32]
OnProgress = Callable[[int, int], None]


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
            Told (done, total) after each piece of each step; may raise to cancel.

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
        n_chunks = -(-n_frames // CHUNK_FRAMES)
        total = n_chunks * (n_steps + 2)  # the waveform, and then its loudness, take about as long as a step each
        bands_db = sample(
            self._model,
            wanted,
            levels_db - levels_db.max(),
            seed=seed,
            n_steps=n_steps,
            on_progress=_share(on_progress, 0, n_chunks * n_steps, total),
        )
        tell = _share(on_progress, n_chunks * n_steps, n_chunks, total)
        sound = Tape(n_samples, request.scratch)
        filled = 0
        for piece in waveform(bands_db, levels_db, seed):
            part = piece[: n_samples - filled]
            sound[filled : filled + len(part)] = part
            filled += len(part)
            tell(filled, n_samples)
        del bands_db
        if tail:
            _loop(sound, tail)
        impose_in_place(sound, envelope, on_progress=_share(on_progress, total - n_chunks, n_chunks, total))
        return Generated(
            sound,
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


def _share(on_progress: OnProgress | None, first: int, count: int, total: int) -> OnProgress:
    """Return what tells a part of the work, `count` units of all from the first on."""

    def tell(done: int, of: int) -> None:
        if on_progress is not None:
            on_progress(first + count * done // of, total)

    return tell


def _loop(sound: Tape, tail: int) -> None:
    """Lead what comes after the end into the beginning, at equal power, and cut it off."""
    part = np.linspace(0.0, 0.5 * np.pi, tail, dtype=np.float32)
    sound[:tail] = sound[:tail] * np.sin(part) + sound[-tail:] * np.cos(part)
    sound.cut(len(sound) - tail)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
