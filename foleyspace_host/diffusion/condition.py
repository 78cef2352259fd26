"""What a flow model is told about each frame: where the source is, what the head does there, which room, whose ears.

A condition is one row of `N_CONDITION` float32 numbers per frame, in the order of `NAMES` and scaled to about
+-3. The flow time is not among them: it belongs to a step, not to a frame. Training and rendering both fill rows
with the functions below, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput

__all__ = [
    "LISTENER_CODE",
    "NAMES",
    "N_CONDITION",
    "N_LISTENER",
    "N_ROOM",
    "SLICES",
    "condition_rows",
    "extent_number",
    "radial_velocity_m_s",
    "room_numbers",
    "source_numbers",
]

N_LISTENER = 16
"""Length of a listener code."""

_LARGEST = 8.0  # numbers beyond this were never seen in training; a render goes on with the bound
_JUMP_M_S = 172.0

_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("direction", ("direction_x", "direction_y", "direction_z")),
    ("distance", ("log_distance",)),
    ("velocity", ("radial_velocity",)),
    ("ear_delay", ("ear_delay_left", "ear_delay_right")),
    ("ear_gain", ("ear_gain_left", "ear_gain_right")),
    (
        "room",
        ("rt60_125_250", "rt60_500_1k", "rt60_2k_4k", "rt60_8k_16k", "log_volume", "direct_to_reverberant", "in_room"),
    ),
    ("extent", ("extent",)),
    ("listener", tuple(f"listener_{number}" for number in range(N_LISTENER))),
    ("sparse", ("sparse",)),
)

NAMES: tuple[str, ...] = tuple(name for _, names in _PARTS for name in names)
"""Names of the numbers of a row, in order."""

N_CONDITION = len(NAMES)
"""Length of a row."""


def _slices() -> dict[str, slice]:
    found, first = {}, 0
    for part, names in _PARTS:
        found[part] = slice(first, first + len(names))
        first += len(names)
    return found


SLICES: dict[str, slice] = _slices()
"""Where the parts of a row are: direction, distance, velocity, ear_delay, ear_gain, room, extent, listener, sparse."""

N_ROOM = len(NAMES[SLICES["room"]])
"""Length of a room's description."""

LISTENER_CODE = np.zeros(N_LISTENER, dtype=np.float32)
"""Code of the average listener, which stands for an unknown one."""


def source_numbers(
    unit: ArrayLike,
    distance_m: ArrayLike,
    radial_velocity_m_s: ArrayLike,
    ear_delay_s: ArrayLike,
    ear_gain: ArrayLike,
    speed_of_sound_m_s: float = 343.2,
) -> NDArray[np.float32]:
    """Describe a source at each frame: the first nine numbers of a row.

    Parameters
    ----------
    unit : array_like, shape (n, 3)
        Unit directions, x front, y left, z up.
    distance_m : array_like, shape (n,)
        Distances, positive [m].
    radial_velocity_m_s : array_like, shape (n,)
        Speed away from the listener [m/s]; 0 where the source jumps.
    ear_delay_s : array_like, shape (n, 2)
        Travel time to the left and the right ear re the mean over all directions, without that of the distance [s].
    ear_gain : array_like, shape (n, 2)
        Broadband gain of the head's response at both ears, positive, 1 for the diffuse field's mean; the
        distance is left out [linear].
    speed_of_sound_m_s : float
        Speed of sound [m/s].

    Returns
    -------
    ndarray, float32, shape (n, 9)
        Direction, ln(r / 2 m), 20 v / c, delays in units of 0.3 ms, ln of the gains.
    """
    head = np.maximum(np.asarray(ear_gain, dtype=np.float64), 1e-3)
    columns = [
        np.asarray(unit, dtype=np.float64),
        np.log(np.asarray(distance_m, dtype=np.float64) / 2.0)[:, None],
        20.0 * np.asarray(radial_velocity_m_s, dtype=np.float64)[:, None] / speed_of_sound_m_s,
        np.asarray(ear_delay_s, dtype=np.float64) / 0.3e-3,
        np.log(head),
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def radial_velocity_m_s(
    unit: NDArray[np.float64], distance_m: NDArray[np.float64], rate_hz: float
) -> NDArray[np.float64]:
    """Return how fast a source goes away from the listener.

    Parameters
    ----------
    unit : ndarray, shape (n + 1, 3)
        Directions at evenly spaced times.
    distance_m : ndarray, shape (n + 1,)
        Distances [m].
    rate_hz : float
        Times in a second [Hz].

    Returns
    -------
    ndarray, float64, shape (n,)
        Speed from each time to the next [m/s]; 0 where the source jumps, which is what is faster than half the
        speed of sound.
    """
    speed = np.diff(distance_m) * rate_hz
    across = np.linalg.norm(np.diff(unit, axis=0), axis=1) * rate_hz * distance_m[1:]
    return np.where(np.hypot(speed, across) > _JUMP_M_S, 0.0, speed)


def room_numbers(
    rt60_s: Sequence[float] | None = None, volume_m3: float = 1.0, direct_to_reverberant_db: float = 0.0
) -> NDArray[np.float32]:
    """Describe a room.

    Parameters
    ----------
    rt60_s : sequence of 8 floats, optional
        Reverberation time in the octaves from 125 Hz to 16 kHz [s]; free field if not given.
    volume_m3 : float
        Volume [m^3].
    direct_to_reverberant_db : float
        Level of the direct sound at 1 m re that of all that the room adds, at 1 kHz [dB].

    Returns
    -------
    ndarray, float32, shape (7,)
        ln(T / 0.4 s) of the mean time in each pair of octaves, ln(V / 60 m^3) / 2, the level in units of 10 dB, 1;
        zeros for the free field.

    Raises
    ------
    InvalidInput
        If there are not 8 times, or a number is not positive.
    """
    if rt60_s is None:
        return np.zeros(N_ROOM, dtype=np.float32)
    times = np.asarray(rt60_s, dtype=np.float64)
    if times.shape != (8,) or not (times > 0.0).all() or volume_m3 <= 0.0:
        raise InvalidInput("a room is described by 8 reverberation times and a volume, all positive", where="room")
    pairs = np.log(times.reshape(4, 2).mean(axis=1) / 0.4)
    rest = [0.5 * np.log(volume_m3 / 60.0), direct_to_reverberant_db / 10.0, 1.0]
    return np.concatenate([pairs, rest]).astype(np.float32)


def extent_number(extent_deg: float) -> float:
    """Describe the width of a source, 0 to 180 [deg], as a number from 0 to 2."""
    return float(extent_deg) / 90.0


def condition_rows(
    source: NDArray[np.float32],
    room: ArrayLike | None = None,
    extent_deg: float = 0.0,
    listener: ArrayLike | None = None,
    sparse: bool = False,
) -> NDArray[np.float32]:
    """Put rows together.

    Parameters
    ----------
    source : ndarray, float32, shape (n, 9)
        From `source_numbers`.
    room : array_like, shape (7,), optional
        From `room_numbers`; free field if not given.
    extent_deg : float
        Width of the source [deg].
    listener : array_like, shape (16,), optional
        Listener code; that of the average listener, zeros, if not given.
    sparse : bool
        Whether the prior's responses were interpolated from few measurements.

    Returns
    -------
    ndarray, float32, shape (n, N_CONDITION)
        Within +-8.

    Raises
    ------
    InvalidInput
        If a part has another length, or a number is not finite.
    """
    parts = {
        "room": np.zeros(N_ROOM) if room is None else np.asarray(room, dtype=np.float32),
        "extent": np.array([extent_number(extent_deg)]),
        "listener": LISTENER_CODE if listener is None else np.asarray(listener, dtype=np.float32),
        "sparse": np.array([float(sparse)]),
    }
    n_source = SLICES["room"].start
    if source.ndim != 2 or source.shape[1] != n_source:
        raise InvalidInput(f"rows of shape {source.shape} describe no source", where="condition")
    rows = np.empty((len(source), N_CONDITION), dtype=np.float32)
    rows[:, :n_source] = source
    for name, values in parts.items():
        wanted = SLICES[name]
        if values.shape != (wanted.stop - wanted.start,):
            raise InvalidInput(f"{values.shape} numbers where {wanted.stop - wanted.start} are needed", where=name)
        rows[:, wanted] = values
    if not np.isfinite(rows).all():
        raise InvalidInput("a number is not finite", where="condition")
    return np.clip(rows, -_LARGEST, _LARGEST)
