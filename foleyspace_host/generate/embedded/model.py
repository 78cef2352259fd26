"""The embedded network as a file: what it states about itself, and how it is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.features import N_BINS
from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.condition import N_BANDS, N_CONDITION, N_FOLEY_MAPS

if TYPE_CHECKING:
    from foleyspace_host.models.session import ModelSession

__all__ = ["KIND", "NAME", "FoleyModel", "open_foley_model"]

NAME = "foley"
"""Name of the shipped model in the registry."""

KIND = "foleyspace.foley-flow/1"
"""What such a file says that it is, under the name ``kind`` in its metadata."""


class FoleyModel:
    """A loaded network.

    Parameters
    ----------
    session : ModelSession
        The file: ``maps`` (1, 3, 512, frames), ``condition`` (1, frames, N_CONDITION) and ``t`` (1,) to ``end``
        (1, 2, 512, frames).
    path : Path
        Where it is, for messages.

    Attributes
    ----------
    memory, look_ahead : int
        Frames before and after one that change what it answers for that one.
    mean_db : ndarray, float32, shape (n_classes, N_BANDS)
        Mean spectrum of each class, see `condition.begin`.

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
            self.memory, self.look_ahead = int(facts["memory_frames"]), int(facts["look_ahead_frames"])
            self.mean_db = np.array(json.loads(facts["mean_db"]), dtype=np.float32)
            fits = shapes["maps"][1:3] == [N_FOLEY_MAPS, N_BINS] and shapes["condition"][2] == N_CONDITION
            fits = fits and self.mean_db.shape == (len(NAMES), N_BANDS)
        except (KeyError, ValueError) as error:
            raise _foreign(path, f"it lacks {error}") from error
        if not fits or self.memory < 1 or self.look_ahead < 0:
            raise _foreign(path, f"its inputs are {shapes}")

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""
        return self._session.device

    def end(self, maps: NDArray[np.float32], condition: NDArray[np.float32], t: float) -> NDArray[np.float32]:
        """Ask where the flow ends.

        Parameters
        ----------
        maps : ndarray, float32, shape (1, N_FOLEY_MAPS, N_BINS, n)
            Where the flow is, over the level, and that level.
        condition : ndarray, float32, shape (1, n, N_CONDITION)
            Rows of `condition.rows`.
        t : float
            Flow time.

        Returns
        -------
        ndarray, float32, shape (2, N_BINS, n)
            Over the level.

        Raises
        ------
        ModelUnavailable
            If the network fails.
        """
        inputs = {"maps": maps, "condition": condition, "t": np.array([t], dtype=np.float32)}
        found = self._session.answer(inputs)["end"][0].astype(np.float32, copy=False)
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
    from foleyspace_host.models.registry import ENTRIES, find
    from foleyspace_host.models.session import open_session

    if replacement is None and NAME not in {one.name for one in ENTRIES}:
        raise ModelUnavailable(
            "this version ships no model for it",
            where="engine foley",
            cure="train one (training/README.md), or use another engine: foleyspace models list",
        )
    path = find(NAME, replacement)
    return FoleyModel(open_session(path, device=device), path), path


def _foreign(path: Path, reason: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"this is no foley model of this version ({reason})",
        where=str(path),
        cure="give one that training/foley exported",
    )
