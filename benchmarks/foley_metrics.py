"""Measures of generated sounds, each with a formula and a source; tests hold them to answers that are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.generate.classes import CLASSES
from foleyspace_host.generate.impose import measured_db
from foleyspace_host.localize.hear.mel import log_mel, patches
from foleyspace_host.localize.hear.tag import class_names
from foleyspace_host.models.registry import find
from foleyspace_host.models.session import open_session

__all__ = [
    "Heard",
    "Listener",
    "classes_heard",
    "envelope_correlation",
    "hear",
    "kernel_distance",
    "kernel_interval",
    "nearest",
    "onset_errors_s",
]

_LISTENER_HZ = 16_000
_HOP_S = 256 / 48_000
_FLOOR_DB = -50.0
_GENERAL = {"Animal", "Aircraft", "Engine", "Liquid", "Motor vehicle (road)", "Vehicle", "Water"}

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """What YAMNet makes of a sound.

    Parameters
    ----------
    scores : ndarray, shape (521,)
        Greatest score of each class over time.
    embedding : ndarray, shape (1024,)
        Mean over time.
    """

    scores: NDArray[np.float32]
    embedding: NDArray[np.float32]


def hear(sound: Sound, sample_rate_hz: int = 48_000) -> Heard:
    """Let YAMNet hear a sound, which is padded to a second."""
    import soxr

    session = open_session(find("yamnet"))
    slow = soxr.resample(sound, sample_rate_hz, _LISTENER_HZ).astype(np.float32)
    slow = np.pad(slow, (0, max(0, _LISTENER_HZ - len(slow))))
    scores, embedding = (one.name for one in session.get_outputs())
    answer = session.answer({session.get_inputs()[0].name: patches(log_mel(slow))[..., None]})
    return Heard(answer[scores].max(axis=0), answer[embedding].mean(axis=0))


def classes_heard(heard: Heard) -> frozenset[str]:
    """Return the foley classes whose sounds a sound is taken for.

    Parameters
    ----------
    heard : Heard
        The sound.

    Returns
    -------
    frozenset of str
        All classes that have the name with the highest score among their names in AudioSet's ontology. Names that
        stand above those of several classes there do not count: a train heard as a vehicle is heard neither rightly
        nor wrongly.
    """
    place = {name: number for number, name in enumerate(class_names())}
    names = {name for one in CLASSES for name in one.audioset} - _GENERAL
    best = max(sorted(names), key=lambda name: heard.scores[place[name]])
    return frozenset(one.name for one in CLASSES if best in one.audioset)


class Listener:
    """Who has heard sounds of some classes and tells of another one which it is like.

    Least squares with a penalty on the square roots of embeddings, brought to length 1; each class weighs the same
    (R. Rifkin and others: "Regularized least-squares classification", 2003).

    Parameters
    ----------
    embeddings : ndarray, shape (n, d)
        What was heard.
    classes : sequence of int, length n
        Class of each.
    penalty : float
        On the weights, for classes that weigh 1 each.
    """

    def __init__(self, embeddings: NDArray[np.floating], classes: Sequence[int], penalty: float = 0.02) -> None:
        self.classes, which, counts = np.unique(classes, return_inverse=True, return_counts=True)
        heard = _evened(embeddings)
        self._mean = heard.mean(axis=0)
        wanted = np.eye(len(counts))[which]
        wanted -= wanted.mean(axis=0)
        off, share = heard - self._mean, 1.0 / counts[which]
        within = (off * share[:, None]).T @ off + penalty * np.eye(off.shape[1])
        self._weights = np.linalg.solve(within, (off * share[:, None]).T @ wanted)

    def ranked(self, embeddings: NDArray[np.floating]) -> NDArray[np.intp]:
        """Return the classes of sounds, the likeliest first, shape (n, n_classes)."""
        likely = (_evened(embeddings) - self._mean) @ self._weights
        found: NDArray[np.intp] = self.classes[np.argsort(-likely, axis=1, kind="stable")]
        return found


def _evened(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    root = np.sqrt(np.maximum(np.asarray(embeddings, dtype=float), 0.0))
    even: NDArray[np.float64] = root / np.maximum(np.linalg.norm(root, axis=1, keepdims=True), 1e-9)
    return even


def kernel_distance(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Kernel distance of two sets of embeddings (M. Binkowski and others: "Demystifying MMD GANs", ICLR 2018).

    Parameters
    ----------
    one, other : ndarray, shape (n, d)
        As many of each, at least 2.

    Returns
    -------
    float
        Unbiased squared maximum mean discrepancy with the kernel (x y / d + 1)^3; about 0, of either sign, for sets of
        one distribution.
    """
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    n, size = len(a), a.shape[1]

    def kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = (x @ y.T / size + 1.0) ** 3
        return found

    within = sum((kernel(x, x).sum() - np.trace(kernel(x, x))) / (n * (n - 1)) for x in (a, b))
    return float(within - 2.0 * kernel(a, b).mean())


def kernel_interval(
    one: NDArray[np.floating], other: NDArray[np.floating], size: int, rounds: int = 200, seed: int = 0
) -> tuple[float, float, float]:
    """Return the mean kernel distance of random subsets of equal size, and where 95 % of them lie."""
    rng = np.random.default_rng(seed)
    found = [
        kernel_distance(
            one[rng.choice(len(one), size, replace=False)], other[rng.choice(len(other), size, replace=False)]
        )
        for _ in range(rounds)
    ]
    low, high = np.percentile(found, [2.5, 97.5])
    return float(np.mean(found)), float(low), float(high)


def envelope_correlation(sound: Sound, wanted_db: NDArray[np.floating]) -> float:
    """Correlation of levels in dB, frame by frame, not further down than 50 dB below the loudest.

    Parameters
    ----------
    sound : ndarray, shape (n,)
        At 48 kHz.
    wanted_db : ndarray, shape (n_frames,)
        Levels that were asked for, every 256 samples [dB].

    Returns
    -------
    float
        1 where the sound follows; 0 where either is constant.
    """
    found = measured_db(sound)
    n = min(len(found), len(wanted_db))
    pair = [np.maximum(one[:n] - one[:n].max(), _FLOOR_DB) for one in (found, np.asarray(wanted_db, dtype=float))]
    if min(one.std() for one in pair) < 1e-6:
        return 0.0
    return float(np.corrcoef(pair[0], pair[1])[0, 1])


def onset_errors_s(sound: Sound, wanted_s: Sequence[float], window_s: float = 0.15) -> NDArray[np.float64]:
    """Return how far from each wanted onset the steepest rise of the level near it is.

    Parameters
    ----------
    sound : ndarray, shape (n,)
        At 48 kHz.
    wanted_s : sequence of float
        Where something should begin [s].
    window_s : float
        How far around each it is looked for [s].

    Returns
    -------
    ndarray, shape (n_onsets,)
        Differences [s], at most `window_s`.
    """
    energy = np.convolve(np.asarray(sound, dtype=float) ** 2, np.ones(240) / 240, mode="same")[::48]
    level = 10.0 * np.log10(np.maximum(energy, 1e-10))
    rise = level[10:] - level[:-10]  # over 10 ms, in steps of 1 ms
    errors = []
    for when in wanted_s:
        first = max(0, round((when - window_s) * 1000) - 5)
        part = rise[first : round((when + window_s) * 1000) - 5]
        errors.append((first + int(part.argmax()) + 5) / 1000 - when if len(part) else window_s)
    return np.array(errors)


def nearest(
    sound: Sound, heard: Heard, others: Sequence[tuple[Sound, Heard]], each: Callable[[int, int], None] | None = None
) -> tuple[float, float]:
    """Return how like the likest of other sounds is: by waveform and by embedding.

    Parameters
    ----------
    sound, heard : ndarray and Heard
        A sound.
    others : sequence of (ndarray, Heard)
        What it may be a copy of.
    each : callable, optional
        Told (done, total).

    Returns
    -------
    tuple of 2 floats
        Greatest normalised cross-correlation at any shift, and greatest cosine of embeddings; 1 for a copy.
    """
    from scipy.signal import fftconvolve

    wave, likeness = 0.0, 0.0
    a = np.asarray(sound, dtype=float)
    for number, (other, its) in enumerate(others):
        b = np.asarray(other, dtype=float)
        if len(b) > len(a):
            short, long = a, b
        else:
            short, long = b, a
        across = np.abs(fftconvolve(long, short[::-1], mode="valid"))
        energy = np.convolve(long**2, np.ones(len(short)), mode="valid") if len(short) < 4096 else None
        if energy is None:
            total = np.concatenate([[0.0], np.cumsum(long**2)])
            energy = total[len(short) :] - total[: -len(short)]
        wave = max(wave, float((across / np.sqrt(np.maximum(energy, 1e-9) * np.sum(short**2) + 1e-12)).max()))
        cosine = heard.embedding @ its.embedding
        cosine /= np.linalg.norm(heard.embedding) * np.linalg.norm(its.embedding) + 1e-9
        likeness = max(likeness, float(cosine))
        if each is not None:
            each(number + 1, len(others))
    return wave, likeness
