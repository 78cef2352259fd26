"""The embedded network as a file: what it states about itself, and how it is asked."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import N_BANDS
from foleyspace_host.generate.embedded.condition import N_CONDITION
from foleyspace_host.generate.embedded.course import unpacked as unpacked_course
from foleyspace_host.generate.embedded.portrait import N_SHOWN, unpacked

if TYPE_CHECKING:
    from foleyspace_host.models.session import ModelSession

Floats = NDArray[np.float32]

__all__ = ["KIND", "NAME", "FoleyModel", "open_foley_model"]

NAME = "foley"
"""Name of the shipped model in the registry."""

KIND = "foleyspace.foley-flow/3"
"""What such a file says that it is, under the name ``kind`` in its metadata."""


class FoleyModel:
    """A loaded network.

    Parameters
    ----------
    session : ModelSession
        The file: ``place`` (batch, N_BANDS, frames), ``shown`` (batch, N_SHOWN, frames), ``condition`` (batch, frames,
        N_CONDITION) and ``t`` (batch,) to ``velocity`` (batch, N_BANDS, frames).
    path : Path
        Where it is, for messages.

    Attributes
    ----------
    reach : int
        Frames before and after one that change what it answers for that one.
    portraits : list of (list of Portrait, list of Portrait)
        Of each class: those of recordings, and of computed sounds.
    courses : list of (list of Course or None, list of Course or None)
        Of the same sounds: how their pitch goes, if they glide.

    Raises
    ------
    ModelUnavailable
        If it is another kind of model, or one of other classes.
    """

    def __init__(self, session: ModelSession, path: Path) -> None:
        self._session, self._path = session, path
        facts = session.metadata()
        shapes = {one.name: one.shape for one in session.get_inputs()}
        try:
            if facts["kind"] != KIND:
                raise KeyError(facts["kind"])
            if tuple(facts["classes"].split(",")) != NAMES:
                raise KeyError("the classes of this version")
            self.reach = int(facts["reach_frames"])
            self.portraits = [
                (unpacked(b64decode(recorded)), unpacked(b64decode(invented)))
                for recorded, invented in json.loads(facts["portraits"])
            ]
            self.courses = [
                ([*map(unpacked_course, recorded)], [*map(unpacked_course, invented)])
                for recorded, invented in json.loads(facts["courses"])
            ]
            fits = [[*map(len, pair)] for pair in self.portraits] == [[*map(len, pair)] for pair in self.courses]
            fits = fits and shapes["place"][1] == N_BANDS and shapes["shown"][1] == N_SHOWN
            fits = fits and shapes["condition"][2] == N_CONDITION
            fits = fits and len(self.portraits) == len(NAMES) and self.reach >= 0
        except (KeyError, TypeError, ValueError) as error:
            raise _foreign(path, f"it lacks {error}") from error
        if not fits:
            raise _foreign(path, f"its inputs are {shapes}")

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""
        return self._session.device

    def velocity(self, place: Floats, shown: Floats, condition: Floats, t: float) -> Floats:
        """Ask where the flow goes.

        Parameters
        ----------
        place : ndarray, float32, shape (batch, N_BANDS, n)
            Where it is: bands, less the portrait's mean, over its spread.
        shown : ndarray, float32, shape (batch, N_SHOWN, n)
            The portrait, see `portrait.shown`.
        condition : ndarray, float32, shape (batch, n, N_CONDITION)
            Rows of `condition.rows`.
        t : float
            Flow time, 0 to 1.

        Returns
        -------
        ndarray, float32, shape (batch, N_BANDS, n)

        Raises
        ------
        ModelUnavailable
            If the network fails.
        """
        inputs = {"place": place, "shown": shown, "condition": condition, "t": np.full(len(place), t, np.float32)}
        found = self._session.answer(inputs)["velocity"].astype(np.float32, copy=False)
        if not np.isfinite(found).all():
            raise ModelUnavailable(
                "the model answers with numbers that are not finite", where=self._path.name, cure="use another engine"
            )
        return found


def open_foley_model(
    replacement: Path | str | None = None, device: Literal["auto", "cpu", "cuda"] = "auto"
) -> tuple[FoleyModel, Path]:
    """Load the network.

    Parameters
    ----------
    replacement : path-like, optional
        ONNX file; the shipped model if not given.
    device : {"auto", "cpu", "cuda"}
        Where to compute.

    Returns
    -------
    tuple of FoleyModel and Path
        The model and its file.

    Raises
    ------
    ModelUnavailable
        If it is not there, or no foley network of this version.
    """
    from foleyspace_host.models.registry import find
    from foleyspace_host.models.session import open_session

    path = find(NAME, replacement)
    return FoleyModel(open_session(path, device=device), path), path


def _foreign(path: Path, reason: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"this is no foley model of this version ({reason})",
        where=str(path),
        cure="give one that training/foley exported",
    )
