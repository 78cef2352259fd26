"""How loudness goes over time where nobody says how: the gesture of a class, played with a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from foleyspace_host.generate.classes import Gesture, class_named
from foleyspace_host.generate.envelope import MAX_DB, SILENCE_DB, Envelope

__all__ = ["FALL_DB", "default_envelope", "struck"]

FALL_DB = -60.0
"""Level to which an event falls in its decay time, re its own [dB]."""

_FIRST_S = 0.05  # what begins at once would begin with a click
_SWINGS_HZ = 1.5  # how quickly a lasting sound changes
_LEAST_INTERVAL = 0.25  # of the usual one


def default_envelope(names: Sequence[str], duration_s: float, seed: int, *, loop: bool = False) -> Envelope:
    """Return the usual loudness of a sound over time.

    Parameters
    ----------
    names : sequence of str
        Its classes; where there are several, the loudest of their curves counts at every time.
    duration_s : float
        How long it is [s].
    seed : int
        The same one gives the same curve.
    loop : bool
        Whether a lasting sound neither fades in nor out.

    Returns
    -------
    Envelope

    Raises
    ------
    InvalidInput
        If there is no such class.
    """
    curves = [_curve(class_named(name).gesture, name, duration_s, seed, loop=loop) for name in names]
    if len(curves) == 1:
        return curves[0]
    t_s = np.unique(np.concatenate([one.t_s for one in curves]))
    level_db = np.max([one.at(t_s) for one in curves], axis=0)
    return Envelope(t_s, level_db, np.isin(t_s, np.concatenate([one.onsets_s for one in curves])))


def _curve(gesture: Gesture, name: str, duration_s: float, seed: int, *, loop: bool) -> Envelope:
    digest = hashlib.sha256(f"{name}/{seed}".encode()).digest()
    random = np.random.default_rng(np.frombuffer(digest, dtype=np.uint64))
    if gesture.rate_hz > 0.0:
        times: list[float] = []
        t_s = min(_FIRST_S, 0.25 * duration_s)
        while t_s < duration_s:
            times.append(t_s)
            varied = max(1.0 + gesture.jitter * random.standard_normal(), _LEAST_INTERVAL)
            t_s += varied / gesture.rate_hz
        levels_db = -np.abs(gesture.swing_db * random.standard_normal(len(times)))
        return struck(np.array(times), levels_db, gesture, duration_s)
    n_points = max(round(duration_s * _SWINGS_HZ), 1) + 1
    t_s_all = np.linspace(0.0, duration_s, n_points)
    levels_db = np.clip(0.5 * gesture.swing_db * random.standard_normal(n_points), FALL_DB, MAX_DB)
    if loop:
        levels_db[-1] = levels_db[0]
        return Envelope(t_s_all, levels_db, np.zeros(n_points, dtype=np.bool_))
    rise_s, fall_s = (min(time, 0.3 * duration_s) for time in (gesture.attack_s, gesture.decay_s))
    steady = Envelope(t_s_all, levels_db, np.zeros(n_points, dtype=np.bool_))
    inner = (t_s_all > rise_s) & (t_s_all < duration_s - fall_s)
    points = [(0.0, FALL_DB, True)]
    # as the fades of mixing desks: most of the rise at once, the rest slowly
    points += [(share * rise_s, float(steady.at([rise_s])[0]) + db, False) for share, db in ((0.25, -12.0), (1.0, 0.0))]
    points += [(float(t), float(db), False) for t, db in zip(t_s_all[inner], levels_db[inner], strict=True)]
    last_db = float(steady.at([duration_s - fall_s])[0])
    points += [(duration_s - share * fall_s, last_db + db, False) for share, db in ((1.0, 0.0), (0.25, -12.0))]
    return Envelope.of([*points, (duration_s, FALL_DB, False)])


def struck(
    onsets_s: np.ndarray, levels_db: np.ndarray, gesture: Gesture, duration_s: float, *, under_db: float = SILENCE_DB
) -> Envelope:
    """Return the loudness of events that rise and fall as a gesture says.

    Parameters
    ----------
    onsets_s : ndarray, shape (n,)
        When they begin, increasing, within the duration [s].
    levels_db : ndarray, shape (n,)
        Their highest levels [dB].
    gesture : Gesture
        How they rise and fall.
    duration_s : float
        How long the whole is [s].
    under_db : float
        Level between them [dB].

    Returns
    -------
    Envelope
        Silent before the first one.
    """
    points: list[tuple[float, float, bool]] = [(0.0, under_db, False)] if not len(onsets_s) or onsets_s[0] > 0 else []
    for index, (begin_s, level_db) in enumerate(zip(onsets_s.tolist(), levels_db.tolist(), strict=True)):
        until_s = float(onsets_s[index + 1]) if index + 1 < len(onsets_s) else duration_s
        before_db = points[-1][1] if points else under_db
        points.append((begin_s, before_db, True))
        top_s = begin_s + min(gesture.attack_s, 0.5 * (until_s - begin_s))
        points.append((top_s, level_db, False))
        held_until_s = min(top_s + gesture.hold_s, 0.5 * (top_s + until_s)) if gesture.hold_s else top_s
        if held_until_s > top_s:
            points.append((held_until_s, level_db, False))
        end_db = max(level_db + FALL_DB, under_db)
        end_s = held_until_s + gesture.decay_s * (level_db - end_db) / -FALL_DB
        if end_s < until_s:
            points += [(end_s, end_db, False), (min(end_s + 0.005, until_s), under_db, False)]
            points += [(until_s, under_db, False)]
        else:
            fell_db = (until_s - held_until_s) / gesture.decay_s * FALL_DB
            points.append((until_s, max(level_db + fell_db, under_db), False))
    return Envelope.of(points or [(0.0, under_db, False)])
