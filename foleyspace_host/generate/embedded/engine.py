"""The engine that ships: classes of sounds from a flow model, as loud over time as it was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import classes_in
from foleyspace_host.generate.embedded.bands import HOP, SAMPLE_RATE_HZ, window
from foleyspace_host.generate.embedded.course import drawn
from foleyspace_host.generate.embedded.model import NAME, open_foley_model
from foleyspace_host.generate.embedded.sampler import Wanted, sample
from foleyspace_host.generate.embedded.varispeed import STEP, Varispeed
from foleyspace_host.generate.embedded.voice import Voice, likeness_of, voices_of
from foleyspace_host.generate.embedded.waveform import CHUNK_FRAMES, waveform
from foleyspace_host.generate.envelope import Envelope, frame_levels_db
from foleyspace_host.generate.gestures import default_envelope
from foleyspace_host.generate.impose import impose_in_place
from foleyspace_host.generate.request import Generated, GenerateRequest, Weights
from foleyspace_host.media.tape import Tape

__all__ = ["EmbeddedEngine", "pieces_of"]

_STEPS = {"draft": 4, "normal": 8, "fine": 16}
_GUIDANCE = 2.0
_LOOP_S = 0.5  # of the end that is led into the beginning
_SEEDS = 1 << 53
_BLOCK = 1 << 18  # samples that are added at once

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
        n_chunks = -(-(request.n_samples + tail) // (HOP * CHUNK_FRAMES))
        seed = request.seed % _SEEDS
        voices = voices_of(self._model, classes, np.random.default_rng([seed, 1]))
        whole = n_chunks * (n_steps + 2)  # of a voice: its waveform, and then its loudness, take about a step each
        total = whole * len(voices) + (n_chunks if len(voices) > 1 else 0)
        unlike = likeness_of(unwanted) if unwanted else None
        made = []
        for number, voice in enumerate(voices):
            first = number * whole
            on_step = _share(on_progress, first, n_chunks * n_steps, total)
            wanted = Wanted(voice.portrait, voice.likeness, _GUIDANCE, unlike)
            flow = partial(sample, self._model, wanted, seed=seed + number, n_steps=n_steps, on_progress=on_step)
            curve = envelope
            if request.envelope is None and len(voices) > 1:  # birds go on singing in their way while the wind blows
                curve = default_envelope(voice.names, float(request.duration_s), request.seed, loop=request.loop)
            own = Tape(request.n_samples + tail, request.scratch)
            filled, on_sample = 0, _share(on_progress, first + n_chunks * n_steps, n_chunks, total)
            for piece in pieces_of(voice, curve, len(own), seed + number, flow):
                own[filled : filled + len(piece)] = piece
                filled += len(piece)
                on_sample(filled, len(own))
            if tail:
                _loop(own, tail)
            impose_in_place(own, curve, on_progress=_share(on_progress, first + whole - n_chunks, n_chunks, total))
            made.append(own)
        sound = made[0]
        if len(made) > 1:
            _mix(made, [voice.share for voice in voices])
            impose_in_place(sound, envelope, on_progress=_share(on_progress, total - n_chunks, n_chunks, total))
        return Generated(
            sound,
            (Weights(self._path.name if self._path.name != f"{NAME}.onnx" else NAME, _sha256(self._path)),),
            {"classes": classes, "steps": n_steps, "guidance": _GUIDANCE},
        )


def pieces_of(
    voice: Voice, envelope: Envelope, n_samples: int, seed: int, flow: Callable[[Floats], Floats]
) -> Iterator[Floats]:
    """Make a voice, piece by piece.

    Parameters
    ----------
    voice : Voice
        What is to be made.
    envelope : Envelope
        How loud it is.
    n_samples : int
        How long.
    seed : int
        Seed of its noise and its course, not negative.
    flow : callable
        Takes the levels of frames re the loudest [dB] and returns their bands, as `sampler.sample` does.

    Yields
    ------
    ndarray, float32, shape (n,)
        The next samples, `n_samples` in all.
    """
    levels_db = frame_levels_db(envelope, -(-n_samples // HOP), hop=HOP, window=window())
    way: Varispeed | None = None
    if voice.course is not None:
        steps_db = frame_levels_db(envelope, -(-n_samples // STEP), hop=STEP)
        way = Varispeed(drawn(voice.course, steps_db, np.random.default_rng([seed, 2])), n_samples)
        heard_at = way.heard_at(np.arange(-(-way.n_read // HOP)) * HOP)
        levels_db = np.interp(heard_at, np.arange(len(levels_db)) * HOP, levels_db).astype(np.float32)
    pieces = waveform(flow(levels_db - levels_db.max()), levels_db, seed)
    left = n_samples
    for piece in pieces if way is None else way.play(pieces):
        yield piece[:left]
        left -= len(piece[:left])


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


def _mix(voices: list[Tape], shares: list[float]) -> None:
    """Add all to the first, each with its share of the power."""
    for first in range(0, len(voices[0]), _BLOCK):
        place = slice(first, first + _BLOCK)
        parts = [np.float32(share**0.5) * voice[place] for voice, share in zip(voices, shares, strict=True)]
        voices[0][place] = np.sum(parts, axis=0)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
