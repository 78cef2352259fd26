"""What kind of sound is heard, over time: the 521 classes of AudioSet, by YAMNet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.hear.mel import FRAME_STEP_S, N_BANDS, PATCH_FRAMES, PATCH_STEP, patches

if TYPE_CHECKING:
    from foleyspace_host.models.session import ModelSession

__all__ = ["Tagger", "Tags", "class_names", "tag"]

Floats = NDArray[np.float32]

_PATCHES_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Tags:
    """Scores of the classes over time.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        Middle of each patch of 0.96 s [s].
    scores : ndarray, float32, shape (n, 521)
        0 to 1, each class for itself; in the order of `class_names`.
    """

    time_s: NDArray[np.float64]
    scores: Floats

    def strongest(self, count: int) -> list[tuple[str, float]]:
        """Return the classes of the highest mean score and that score, highest first."""
        mean = self.scores.mean(axis=0)
        return [(class_names()[k], float(mean[k])) for k in np.argsort(-mean, kind="stable")[:count]]


@cache
def class_names() -> tuple[str, ...]:
    """Return the names of the 521 classes in the order of the scores."""
    from foleyspace_host.models.registry import find

    file = find("yamnet").with_name("yamnet_classes.txt")
    return tuple(file.read_text(encoding="utf-8").splitlines())


class Tagger:
    """Classifies a sound of which the spectrogram comes in pieces; it keeps none of them.

    Parameters
    ----------
    session : ModelSession
        YAMNet: log-mel patches [n, 96, 64, 1] to scores [n, 521], and embeddings that nobody asks for.
    """

    def __init__(self, session: ModelSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name
        self._waiting = np.zeros((0, N_BANDS), np.float32)
        self._scores: list[Floats] = []

    def add(self, spectrogram: Floats) -> None:
        """Take in the next piece, shape (n_frames, 64), as from `log_mel`."""
        self._waiting = np.concatenate([self._waiting, spectrogram])
        whole = (len(self._waiting) - PATCH_FRAMES) // PATCH_STEP + 1
        whole -= max(whole, 0) % _PATCHES_AT_A_TIME
        if whole > 0:
            end = whole * PATCH_STEP
            self._classify(patches(self._waiting[: end + PATCH_FRAMES - PATCH_STEP]))
            self._waiting = self._waiting[end:].copy()

    def finish(self) -> Tags:
        """Return the tags of all that was taken in; of nothing, those of silence."""
        # what the last whole patch took in already needs no other
        if not self._scores or len(self._waiting) > PATCH_FRAMES - PATCH_STEP:
            self._classify(patches(self._waiting))
        scores = np.concatenate(self._scores)
        middle_s = (np.arange(len(scores)) * PATCH_STEP + PATCH_FRAMES / 2) * FRAME_STEP_S
        return Tags(np.asarray(middle_s, dtype=np.float64), scores)

    def _classify(self, cut: Floats) -> None:
        for first in range(0, len(cut), _PATCHES_AT_A_TIME):
            some = np.ascontiguousarray(cut[first : first + _PATCHES_AT_A_TIME, ..., None])
            self._scores.append(self._session.run([self._output], {self._input: some})[0])


def tag(spectrogram: Floats, session: ModelSession) -> Tags:
    """Classify a sound at once.

    Parameters
    ----------
    spectrogram : ndarray, float32, shape (n_frames, 64)
        As from `log_mel`.
    session : ModelSession
        See `Tagger`.

    Returns
    -------
    Tags
    """
    tagger = Tagger(session)
    tagger.add(spectrogram)
    return tagger.finish()
