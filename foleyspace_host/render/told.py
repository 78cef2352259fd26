"""What the flow model is told of a source while it renders it: see `diffusion.condition`."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.condition import condition_rows, radial_velocity_m_s, room_numbers, source_numbers
from foleyspace_host.diffusion.features import HOP, SAMPLE_RATE_HZ
from foleyspace_host.diffusion.listener import Listener
from foleyspace_host.diffusion.model import FlowModel
from foleyspace_host.errors import InvalidInput
from foleyspace_host.hrtf.mesh import locate
from foleyspace_host.hrtf.power import ear_powers
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.render.extent import parts_of
from foleyspace_host.render.points import Path
from foleyspace_host.render.room.model import RoomModel

__all__ = ["SourceConditions", "check_room", "direct_to_reverberant_db"]

_AT_1_KHZ = 3
_BEYOND = 1.25  # how far outside of the times it was trained with a model is asked


def direct_to_reverberant_db(room: RoomModel) -> float:
    """Return the level of the direct sound at 1 m re a room's diffuse field, at 1 kHz [dB].

    Parameters
    ----------
    room : RoomModel
        The room.

    Returns
    -------
    float
    """
    per_second = float(room.diffuse_energy_per_s(np.zeros(1))[_AT_1_KHZ, 0])
    energy = per_second * room.rt60_s[_AT_1_KHZ] / (6.0 * np.log(10.0))
    return float(-10.0 * np.log10(energy) - room.tail_db)


def check_room(room: RoomModel, model: FlowModel) -> None:
    """Refuse a room of a kind that a model has never heard.

    Parameters
    ----------
    room : RoomModel
        The room.
    model : FlowModel
        The model.

    Raises
    ------
    InvalidInput
        If the model adds no rooms, or the times from 250 Hz to 4 kHz lie outside of its own by more than a quarter.
    """
    if "room" not in model.adds:
        raise InvalidInput("this model adds no rooms", where=f"room {room.name}", cure="use --renderer hrtf")
    low, high = model.rt60_range_s
    times = room.rt60_s[1:6]
    if min(times) < low / _BEYOND or max(times) > high * _BEYOND:
        raise InvalidInput(
            f"the diffusion renderer knows rooms of {low:g} to {high:g} s, and this one takes {min(times):.2g} to "
            f"{max(times):.2g} s",
            where=f"room {room.name}",
            cure="use --renderer hrtf",
        )


class SourceConditions:
    """Rows for one source.

    Parameters
    ----------
    path : Path
        Where it is.
    hrtf : Hrtf
        Set that the prior is rendered with.
    room : RoomModel or None
        What surrounds it.
    extent_deg : float
        Its width [deg].
    listener : Listener or None
        Whose ears.
    adds : set of str
        What the model adds, see `FlowModel`.
    """

    def __init__(
        self,
        path: Path,
        hrtf: Hrtf,
        room: RoomModel | None,
        extent_deg: float,
        listener: Listener | None,
        adds: Set[str],
    ) -> None:
        self._path, self._hrtf, self._listener = path, hrtf, listener
        self._sparse = listener is not None and listener.sparse and "sparse" in adds
        self._extent_deg = extent_deg if "extent" in adds and len(parts_of(extent_deg)) > 1 else 0.0
        self._room = None
        if room is not None:
            self._room = room_numbers(room.rt60_s, room.volume_m3, direct_to_reverberant_db(room))
        self._triangle = 0  # where the walk over the mesh left off

    @property
    def nothing_lacks(self) -> bool:
        """Whether the prior is all there is: in free field, a point, with a set that was measured densely.

        What the model does not add better than the renderer counts as not lacking.
        """
        return self._room is None and self._extent_deg == 0.0 and not self._sparse

    def rows(self, first: int, count: int) -> NDArray[np.float32]:
        """Return the rows of frames first ... first + count - 1, shape (count, N_CONDITION)."""
        times = np.arange(first, first + count + 1) * (HOP / SAMPLE_RATE_HZ)
        unit, distance_m = self._path.sample(times)
        velocity = radial_velocity_m_s(unit, distance_m, SAMPLE_RATE_HZ / HOP)
        delay, power = self._ears(unit[:-1])
        source = source_numbers(unit[:-1], distance_m[:-1], velocity, delay / SAMPLE_RATE_HZ, np.sqrt(power))
        code = None if self._listener is None else np.asarray(self._listener.code, dtype=np.float32)
        return condition_rows(source, self._room, self._extent_deg, code, self._sparse)

    def _ears(self, unit: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mesh = self._hrtf.mesh
        triangle, weight = np.empty(len(unit), dtype=np.int32), np.empty((len(unit), 3), dtype=np.float32)
        self._triangle = locate(
            np.ascontiguousarray(unit), self._triangle, mesh.triangles, mesh.neighbours, mesh.inverse, triangle, weight
        )
        corner = mesh.triangles[triangle]
        delay = np.einsum("nk,nke->ne", weight, self._hrtf.delay_samples[corner])
        return delay, np.einsum("nk,nke->ne", weight, ear_powers(self._hrtf)[corner])
