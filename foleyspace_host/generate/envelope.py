"""Loudness over time as a curve: a file that people can see, edit and pass back.

A CSV file with the columns ``t_s``, ``level_db`` and, if wanted, ``onset`` (1 where something begins). Levels are
straight lines between the points, and stay before the first and after the last one. 0 dB is the usual level of a
generated sound, `NOMINAL_DB` below full scale, as the mean square in a window of 21 ms.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.diffusion.features import HOP, SAMPLE_RATE_HZ
from foleyspace_host.diffusion.features import window as own_window
from foleyspace_host.errors import InvalidInput, MediaMissing
from foleyspace_host.generate.onsets import rises

__all__ = ["MAX_DB", "NOMINAL_DB", "SILENCE_DB", "Envelope", "frame_levels_db", "read_envelope", "rows_of"]

NOMINAL_DB = -20.0
"""What 0 dB of an envelope is [dB re full scale, rms]."""

SILENCE_DB = -100.0
"""Level at and below which there is nothing [dB]."""

MAX_DB = 20.0
"""Highest level: full scale [dB]."""

_COLUMNS = ("t_s", "level_db", "onset")
_MAX_POINTS = 1_000_000
_FINE = 64  # samples between the places at which a frame's level is looked up
_FRAMES_AT_A_TIME = 8192

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """Loudness over time.

    Parameters
    ----------
    t_s : ndarray, shape (n,)
        Times of the points, not falling, 0 or more [s].
    level_db : ndarray, shape (n,)
        Levels at the points, `SILENCE_DB` to `MAX_DB`, 0 is `NOMINAL_DB` re full scale [dB].
    onset : ndarray of bool, shape (n,)
        Whether something begins at the point.

    Raises
    ------
    InvalidInput
        If there is no point, or a value is not finite, out of order or out of range.
    """

    t_s: Floats
    level_db: Floats
    onset: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if not len(self.t_s):
            raise InvalidInput("an envelope needs a point at least", where="envelope", cure="give t_s,level_db")
        if not len(self.t_s) == len(self.level_db) == len(self.onset):
            raise InvalidInput("times, levels and onsets differ in number", where="envelope")
        for name, values in (("t_s", self.t_s), ("level_db", self.level_db)):
            if not np.isfinite(values).all():
                at = int(np.argmin(np.isfinite(values)))
                raise InvalidInput(f"{name} of point {at + 1} is {values[at]}", where="envelope", cure="give a number")
        if self.t_s[0] < 0.0:
            raise InvalidInput(f"begins at {self.t_s[0]:g} s", where="envelope", cure="begin at 0 s or later")
        if (falls := np.diff(self.t_s) < 0.0).any():
            at = int(np.argmax(falls)) + 1
            raise InvalidInput(
                f"point {at + 1} at {self.t_s[at]:g} s comes after one at {self.t_s[at - 1]:g} s",
                where="envelope",
                cure="sort the points by time",
            )
        if self.level_db.min() < SILENCE_DB or self.level_db.max() > MAX_DB:
            at = int(np.argmax((self.level_db < SILENCE_DB) | (self.level_db > MAX_DB)))
            raise InvalidInput(
                f"level_db of point {at + 1} is {self.level_db[at]:g}",
                where="envelope",
                cure=f"give {SILENCE_DB:g} (silence) to {MAX_DB:g} dB",
            )

    @property
    def onsets_s(self) -> Floats:
        """Times at which something begins [s]."""
        return self.t_s[self.onset]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is to be heard at all."""
        return bool((self.level_db <= SILENCE_DB).all())

    def at(self, t_s: ArrayLike) -> Floats:
        """Return the levels at times.

        Parameters
        ----------
        t_s : array_like, shape (n,)
            Times [s].

        Returns
        -------
        ndarray, float64, shape (n,)
            Levels [dB], straight between the points.
        """
        return np.interp(np.asarray(t_s, dtype=np.float64), self.t_s, self.level_db)

    def part(self, start_s: float, stop_s: float) -> Envelope:
        """Return what lies between two times, counted from the first.

        Parameters
        ----------
        start_s, stop_s : float
            Times, the second one later [s].

        Returns
        -------
        Envelope
            With points at both ends.
        """
        within = (self.t_s > start_s) & (self.t_s < stop_s)
        at_start = self.onset[self.t_s == start_s].any()
        first, last = self.at([start_s, stop_s])
        if (ends := np.flatnonzero(self.t_s == stop_s)).size:  # where it jumps there, the level before that
            last = self.level_db[ends[0]]
        return Envelope(
            np.concatenate([[0.0], self.t_s[within] - start_s, [stop_s - start_s]]),
            np.concatenate([[first], self.level_db[within], [last]]),
            np.concatenate([[at_start], self.onset[within], [False]]).astype(np.bool_),
        )

    @classmethod
    def of(cls, points: list[tuple[float, float, bool]]) -> Envelope:
        """Return the envelope through points of time, level and whether something begins."""
        table = np.array(points, dtype=np.float64).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], table[:, 2] > 0.0)


def read_envelope(path: str | Path) -> Envelope:
    """Read an envelope.

    Parameters
    ----------
    path : str or Path
        CSV file with the columns t_s, level_db and, if wanted, onset (0 or 1). A level may be "-inf". Without the
        last column something begins wherever the curve rises quickly, as `onsets.rises` has it.

    Returns
    -------
    Envelope

    Raises
    ------
    MediaMissing
        If there is no such file, or it may not be read.
    InvalidInput
        If it is no such table, or a value cannot be used; the message names the line.
    """
    where = str(path)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            return _read(csv.reader(file), where)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MediaMissing(f"the envelope cannot be read ({reason})", where=where, cure="check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"is no CSV file ({error})", where=where, cure="give t_s,level_db[,onset]") from error


def _read(lines: Iterator[list[str]], where: str) -> Envelope:
    header = tuple(cell.strip().lower() for cell in next(lines, []))
    if header not in (_COLUMNS, _COLUMNS[:2]):
        raise InvalidInput(
            f"the first line names the columns {','.join(header)[:60]!r}",
            where=where,
            cure="name them t_s,level_db or t_s,level_db,onset",
        )
    points: list[tuple[float, float, bool]] = []
    for number, line in enumerate(lines, 2):
        if not "".join(line).strip():
            continue
        if len(line) != len(header):
            raise InvalidInput(f"line {number} has {len(line)} values, not {len(header)}", where=where)
        if len(points) >= _MAX_POINTS:
            raise InvalidInput(f"has more than {_MAX_POINTS} points", where=where, cure="thin the curve out")
        points.append(_point(line, points[-1][0] if points else 0.0, f"line {number}", where))
    if not points:
        raise InvalidInput("has no points", where=where, cure="give one line at least below the names of the columns")
    drawn = Envelope.of(points)
    return drawn if header == _COLUMNS else replace(drawn, onset=rises(drawn.t_s, drawn.level_db))


def _point(line: list[str], before_s: float, number: str, where: str) -> tuple[float, float, bool]:
    values = []
    for name, text in zip(_COLUMNS, line, strict=False):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if name == "level_db" and value == -math.inf:
            value = SILENCE_DB
        if not math.isfinite(value):
            raise InvalidInput(f"{name} in {number} is {text.strip()[:30]!r}", where=where, cure="give a number")
        values.append(value)
    t_s, level_db = values[:2]
    if t_s < before_s:
        problem = f"{number} is at {t_s:g} s, before the one above it" if t_s >= 0.0 else f"{number} is at {t_s:g} s"
        raise InvalidInput(problem, where=where, cure="sort the lines by time, from 0 s on")
    if level_db > MAX_DB:
        raise InvalidInput(f"level_db in {number} is {level_db:g}", where=where, cure=f"give {MAX_DB:g} dB at most")
    if len(values) == 3 and values[2] not in (0.0, 1.0):
        raise InvalidInput(f"onset in {number} is {values[2]:g}", where=where, cure="give 0 or 1")
    return t_s, max(level_db, SILENCE_DB), len(values) == 3 and values[2] == 1.0


def rows_of(envelope: Envelope) -> Iterator[str]:
    """Yield the lines of an envelope's file, each with its line feed.

    Parameters
    ----------
    envelope : Envelope
        The curve.

    Yields
    ------
    str
    """
    yield ",".join(_COLUMNS) + "\n"
    for t_s, level_db, onset in zip(envelope.t_s, envelope.level_db, envelope.onset, strict=True):
        yield f"{t_s:.6f},{level_db:.2f},{int(onset)}\n"


def frame_levels_db(
    envelope: Envelope, n_frames: int, *, hop: int = HOP, window: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return the level of each frame of a sound that has exactly this loudness.

    Parameters
    ----------
    envelope : Envelope
        Loudness over time.
    n_frames : int
        Frames, each centred at its number times `hop`.
    hop : int
        Distance of frames [samples], a multiple of 64.
    window : ndarray, float32, shape (n,), optional
        Analysis window, n a multiple of 128; that of `diffusion.features` if not given.

    Returns
    -------
    ndarray, float32, shape (n_frames,)
        Mean square [dB re 1].
    """
    amplitude = own_window() if window is None else window
    offsets = np.arange(_FINE // 2, len(amplitude), _FINE)
    weight = amplitude[offsets].astype(np.float64) ** 2
    weight /= weight.sum()
    offsets -= len(amplitude) // 2
    found = np.empty(n_frames, dtype=np.float32)
    step = hop // _FINE
    for first in range(0, n_frames, _FRAMES_AT_A_TIME):
        count = min(_FRAMES_AT_A_TIME, n_frames - first)
        places = (first * hop + offsets[0] + np.arange((count - 1) * step + len(offsets)) * _FINE) / SAMPLE_RATE_HZ
        level_db = envelope.at(places)
        power = np.where(level_db <= SILENCE_DB, 0.0, 10.0 ** ((level_db + NOMINAL_DB) / 10.0))
        framed = np.lib.stride_tricks.sliding_window_view(power, len(offsets))[::step]
        found[first : first + count] = 10.0 * np.log10(np.maximum(framed @ weight, 1e-20))
    return found
