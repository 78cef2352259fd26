"""What is asked of an engine, and what it gives back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import SAMPLE_RATE_HZ
from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.envelope import Envelope
from foleyspace_host.geometry.timebase import sample_at
from foleyspace_host.media.tape import Tape

if TYPE_CHECKING:
    from foleyspace_host.geometry.timebase import Span

__all__ = ["MAX_DURATION_S", "MAX_SEED", "MIN_DURATION_S", "GenerateRequest", "Generated", "Quality", "Weights"]

Quality = Literal["draft", "normal", "fine"]

MIN_DURATION_S = 0.05
MAX_DURATION_S = 3600.0
"""Longest sound that is made in one piece [s]."""

MAX_SEED = (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class GenerateRequest:
    """A sound that is wanted.

    Parameters
    ----------
    prompt : str
        What it should sound like.
    duration_s : Fraction or float
        How long it is, `MIN_DURATION_S` to `MAX_DURATION_S` [s].
    seed : int
        The same one gives the same sound, 0 to 2^63 - 1.
    envelope : Envelope, optional
        Loudness over time; what is usual for such a sound if not given, see `shaped`.
    negative : str
        What it should not sound like.
    loop : bool
        Whether its end leads into its beginning.
    quality : {"draft", "normal", "fine"}
        How much work is put into it.
    video : Path, optional
        What it should fit, for engines that look themselves.
    span : Span, optional
        The part of the video that is meant.
    scratch : Path, optional
        Folder for what would fill the memory; the system's if not given.

    Raises
    ------
    InvalidInput
        If the prompt is empty, or a number out of range.
    """

    prompt: str
    duration_s: Fraction | float
    seed: int = 0
    envelope: Envelope | None = None
    negative: str = ""
    loop: bool = False
    quality: Quality = "normal"
    video: Path | None = None
    span: Span | None = None
    scratch: Path | None = None

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise InvalidInput(
                "the prompt is empty", where="prompt", cure="say what sounds, for example: footsteps on gravel"
            )
        if not math.isfinite(self.duration_s) or not MIN_DURATION_S <= self.duration_s <= MAX_DURATION_S:
            raise InvalidInput(
                f"{float(self.duration_s):g} s is out of range",
                where="duration",
                cure=f"give {MIN_DURATION_S:g} to {MAX_DURATION_S:g} s",
            )
        if not 0 <= self.seed <= MAX_SEED:
            raise InvalidInput(f"{self.seed} is out of range", where="seed", cure="give 0 to 2^63 - 1")
        if self.quality not in get_args(Quality):
            wanted = ", ".join(get_args(Quality))
            raise InvalidInput(f"{self.quality!r} is unknown", where="quality", cure=f"use one of: {wanted}")

    @property
    def n_samples(self) -> int:
        """Length at 48 kHz."""
        return sample_at(self.duration_s, SAMPLE_RATE_HZ)

    def shaped(self) -> Envelope:
        """Return the loudness over time: what was given, or what the prompt's classes do by themselves.

        Returns
        -------
        Envelope

        Raises
        ------
        InvalidInput
            If none was given, and the prompt names no class.
        """
        if self.envelope is not None:
            return self.envelope
        from foleyspace_host.generate.classes import classes_in
        from foleyspace_host.generate.gestures import default_envelope

        return default_envelope(tuple(classes_in(self.prompt)), float(self.duration_s), self.seed, loop=self.loop)


@dataclass(frozen=True, slots=True)
class Weights:
    """A file that took part: the weights of a model, or a recording.

    Parameters
    ----------
    name : str
        Name in the registry, or of the file.
    sha256 : str
        Checksum of the file; empty where it is a folder that was not read through.
    """

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """A sound that was made.

    Parameters
    ----------
    sound : Tape
        The sound at 48 kHz, finite.
    weights : tuple of Weights
        What it was made with.
    details : dict
        What else the engine tells of it; plain values.
    warnings : tuple of str
        What the user should know, one line each.
    """

    sound: Tape
    weights: tuple[Weights, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def samples(self) -> NDArray[np.float32]:
        """The whole sound in memory, float32, shape (1, n_samples)."""
        return self.sound[:][None]
