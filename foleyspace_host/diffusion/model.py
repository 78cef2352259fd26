"""A flow network as a file: what it states about itself, and how it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.condition import N_CONDITION
from foleyspace_host.diffusion.features import N_BINS, N_MAPS
from foleyspace_host.errors import ModelUnavailable

if TYPE_CHECKING:
    from foleyspace_host.models.session import ModelSession

__all__ = ["KIND", "NAME", "Device", "FlowModel", "find_flow_model", "open_flow_model", "shipped_adds"]

Device = Literal["auto", "cpu", "cuda"]

NAME = "binaural-flow"
"""Name of the shipped model in the registry."""

KIND = "foleyspace.binaural-flow/1"
"""What such a file says that it is, under the name ``kind`` in its metadata."""


class FlowModel:
    """A loaded network.

    Parameters
    ----------
    session : ModelSession
        The file: ``maps`` (1, 11, 512, frames), ``condition`` (1, frames, N_CONDITION) and ``t`` (1,) to ``residual``
        (1, 4, 512, frames).
    path : Path
        Where it is, for messages.

    Attributes
    ----------
    memory, look_ahead : int
        Frames before and after one that change what it answers for that one.
    rt60_range_s : tuple of 2 floats
        Reverberation times that it was trained with.
    adds : frozenset of {"room", "sparse", "extent"}
        What it adds better than the renderer does: rooms, the ears of listeners of whom little was measured, the
        width of sources. The rest is left to the renderer.

    Raises
    ------
    ModelUnavailable
        If it is another kind of model.
    """

    def __init__(self, session: ModelSession, path: Path) -> None:
        self._session, self._path = session, path
        facts = session.metadata()
        shapes = {one.name: one.shape for one in session.get_inputs()}
        try:
            if facts["kind"] != KIND:
                raise KeyError(facts["kind"])
            self.memory, self.look_ahead = int(facts["memory_frames"]), int(facts["look_ahead_frames"])
            low, high = (float(value) for value in facts["rt60_range_s"].split(","))
            self.rt60_range_s = low, high
            self.adds = frozenset(facts["adds"].replace(" ", "").split(","))
            fits = shapes["maps"][1:3] == [N_MAPS, N_BINS] and shapes["condition"][2] == N_CONDITION
        except (KeyError, ValueError) as error:
            raise _foreign(path, f"it lacks {error}") from error
        if not fits or self.memory < 1 or self.look_ahead < 0:
            raise _foreign(path, f"its inputs are {shapes}")

    def residual(self, maps: NDArray[np.float32], condition: NDArray[np.float32], t: float) -> NDArray[np.float32]:
        """Ask how far the end point is from the prior, in proportion to what reaches there.

        Parameters
        ----------
        maps : ndarray, float32, shape (1, N_MAPS, N_BINS, n)
            Where the flow is, the prior and the mono sound over their reach, and that; see `chunks`.
        condition : ndarray, float32, shape (1, n, N_CONDITION)
            Rows.
        t : float
            Flow time.

        Returns
        -------
        ndarray, float32, shape (4, N_BINS, n)

        Raises
        ------
        ModelUnavailable
            If the network fails.
        """
        inputs = {"maps": maps, "condition": condition, "t": np.array([t], dtype=np.float32)}
        found = self._session.answer(inputs)["residual"][0].astype(np.float32, copy=False)
        if not np.isfinite(found).all():
            raise ModelUnavailable(
                "the model answers with numbers that are not finite",
                where=self._path.name,
                cure="use --renderer hrtf, or another model",
            )
        return found


def find_flow_model(replacement: Path | str | None = None) -> Path:
    """Return the file of the flow model.

    Parameters
    ----------
    replacement : path-like, optional
        The user's ONNX file; the shipped model if not given.

    Returns
    -------
    Path
        An existing file.

    Raises
    ------
    ModelUnavailable
        If it is not there, or none ships with this version.
    """
    from foleyspace_host.models.registry import ENTRIES, find

    if replacement is None and NAME not in {entry.name for entry in ENTRIES}:
        raise ModelUnavailable(
            "this version ships no model for it",
            where="renderer diffusion",
            cure="name one with --flow-model FILE.onnx (training/README.md makes them), or use --renderer hrtf",
        )
    return find(NAME, replacement)


def shipped_adds() -> frozenset[str]:
    """Return what the shipped model adds, see `FlowModel`; nothing where there is none, or nothing to run it."""
    try:
        return open_flow_model(device="cpu").adds
    except ModelUnavailable:
        return frozenset()


def open_flow_model(replacement: Path | str | None = None, device: Device = "auto") -> FlowModel:
    """Load a network.

    Parameters
    ----------
    replacement : path-like, optional
        ONNX file; the shipped model if not given.
    device : {"auto", "cpu", "cuda"}
        Where to compute.

    Returns
    -------
    FlowModel

    Raises
    ------
    ModelUnavailable
        If it is not there, or no flow network.
    """
    from foleyspace_host.models.session import open_session

    path = find_flow_model(replacement)
    # one thread: two are not faster for a network of this size, and the bytes would depend on how many there are
    return FlowModel(open_session(path, device=device), path)


def _foreign(path: Path, reason: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"this is no binaural flow model of this version ({reason})",
        where=str(path),
        cure="give one that training/binaural_flow exported",
    )
