"""The engine that takes the user's own recordings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import SAMPLE_RATE_HZ
from foleyspace_host.errors import InvalidInput, MediaError, NothingFound
from foleyspace_host.generate.classes import class_named, classes_in
from foleyspace_host.generate.envelope import Envelope
from foleyspace_host.generate.impose import impose_in_place
from foleyspace_host.generate.library.fit import Piece, hits_in, placed, sustained
from foleyspace_host.generate.library.index import open_index
from foleyspace_host.generate.library.search import Hit, akin, search
from foleyspace_host.generate.request import Generated, GenerateRequest, Weights

__all__ = ["LibraryEngine"]

Floats = NDArray[np.float32]

_LOOKED_AT = 24
_MOST = 4  # recordings in one sound
_NEAR_SCORE = 0.7  # of the best one's
_LONGEST_READ_S = 120  # of one recording


class LibraryEngine:
    """Finds recordings and fits them in time.

    Parameters
    ----------
    index : Path
        The library's index.
    """

    name = "library"
    device = "cpu"

    def __init__(self, index: Path) -> None:
        self._index = index

    def generate(self, request: GenerateRequest, *, on_progress: Callable[[int, int], None] | None = None) -> Generated:
        """Make a sound of recordings; see `Engine`.

        Parameters
        ----------
        request : GenerateRequest
            What is wanted. Its words may be any; those that name a class of sounds also find by ear.
        on_progress : callable, optional
            Called as on_progress(done, total).

        Returns
        -------
        Generated

        Raises
        ------
        NothingFound
            If no recording fits.
        """
        with open_index(self._index) as index:
            found = search(index.sounds(), request.prompt, negative=request.negative, count=_LOOKED_AT)
        warnings: list[str] = []
        kept, sounds = self._read(found, warnings)
        if not kept:
            raise NothingFound(
                f"no recording in the library fits {request.prompt!r}",
                where="prompt",
                cure="use other words: see foleyspace library list; or add more: foleyspace library add DIR",
            )
        tell = on_progress or (lambda _done, _total: None)
        tell(1, 4)
        curve = self._curve(request)
        hits = [hit for number, sound in enumerate(sounds) for hit in hits_in(sound, number)]
        if curve is not None and len(curve.onsets_s) and hits and not _lasts(request.prompt):
            within = curve.onsets_s[curve.onsets_s < float(request.duration_s)]
            made, used = placed(sounds, hits, within.tolist(), request.n_samples, request.seed, request.scratch)
        else:
            made, used = sustained(sounds, request.n_samples, request.seed, request.scratch, loop=request.loop)
        tell(2, 4)
        if request.envelope is not None:
            impose_in_place(made, request.envelope)
        tell(4, 4)
        taken = sorted({piece.source for piece in used})
        return Generated(
            made,
            tuple(Weights(Path(kept[number].sound.path).name, _digest(kept[number].sound.path)) for number in taken),
            {"recordings": [_told(kept[number], number, used) for number in taken]},
            tuple(warnings),
        )

    @staticmethod
    def _curve(request: GenerateRequest) -> Envelope | None:
        try:
            return request.shaped()
        except InvalidInput:  # words that name no class have no usual course
            return None

    @staticmethod
    def _read(found: list[Hit], warnings: list[str]) -> tuple[list[Hit], list[Floats]]:
        """Return the recordings to use, and their sound: the best one, and those near it that sound alike."""
        kept: list[Hit] = []
        sounds: list[Floats] = []
        for hit in found:
            if len(kept) == _MOST:
                break
            if kept and (hit.score < _NEAR_SCORE * kept[0].score or not akin(hit.sound, kept[0].sound)):
                continue
            try:
                sound = _sound(Path(hit.sound.path))
            except MediaError as error:
                warnings.append(f"left out: {error}")
                continue
            if np.abs(sound).max(initial=0.0) > 0.0:
                kept.append(hit)
                sounds.append(sound)
        return kept, sounds


def _lasts(prompt: str) -> bool:
    """Say whether the prompt names only what lasts."""
    try:
        return all(class_named(name).gesture.rate_hz == 0.0 for name in classes_in(prompt))
    except InvalidInput:
        return False


def _sound(path: Path) -> Floats:
    """Return a recording, at most its first two minutes, as one channel at 48 kHz."""
    from fractions import Fraction

    from foleyspace_host.geometry.timebase import Span
    from foleyspace_host.media.audio import open_audio
    from foleyspace_host.media.resample import resampled

    with open_audio(path, Span(Fraction(0), Fraction(_LONGEST_READ_S))) as source:
        blocks = (block.reshape(-1) for block in source.blocks(channels="mono"))
        return np.concatenate(list(resampled(blocks, source.sample_rate_hz, SAMPLE_RATE_HZ))).astype(np.float32)


def _digest(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _told(hit: Hit, number: int, used: list[Piece]) -> dict[str, object]:
    own = [piece for piece in used if piece.source == number]
    return {
        "path": hit.sound.path,
        "score": hit.score,
        "because": hit.because,
        "parts": [[piece.start / SAMPLE_RATE_HZ, piece.stop / SAMPLE_RATE_HZ] for piece in own[:100]],
    }
