"""What kind of sound is heard, over time: the 521 classes of AudioSet, by YAMNet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.localize.hear.mel import FRAME_STEP_S, PATCH_FRAMES, PATCH_STEP, patches

if TYPE_CHECKING:
    from foleyspace_host.models.session import ModelSession

__all__ = ["Tags", "class_names", "tag"]

Floats = NDArray[np.float32]

_PATCHES_AT_A_TIME = 32


@dataclass(frozen=True, slots=True)
class Tags:
    """Scores of the classes over time.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        Middle of each patch of 0.96 s [s].
    scores : ndarray, float32, shape (n, 521)
        0 to 1, each class for itself; in the order of `class_names`.
    embedding : ndarray, float32, shape (n, 1024)
        What the model saw in each patch, for comparing sounds.
    """

    time_s: NDArray[np.float64]
    scores: Floats
    embedding: Floats

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


def tag(spectrogram: Floats, session: ModelSession) -> Tags:
    """Classify a sound.

    Parameters
    ----------
    spectrogram : ndarray, float32, shape (n_frames, 64)
        As from `log_mel`.
    session : ModelSession
        YAMNet: log-mel patches [n, 96, 64, 1] to scores [n, 521] and embeddings [n, 1024].

    Returns
    -------
    Tags
    """
    cut = patches(spectrogram)[..., None]
    name = session.get_inputs()[0].name
    scores, embeddings = [], []
    for first in range(0, len(cut), _PATCHES_AT_A_TIME):
        found = session.run(None, {name: np.ascontiguousarray(cut[first : first + _PATCHES_AT_A_TIME])})
        scores.append(found[0])
        embeddings.append(found[1])
    middle_s = np.asarray((np.arange(len(cut)) * PATCH_STEP + PATCH_FRAMES / 2) * FRAME_STEP_S, dtype=np.float64)
    return Tags(middle_s, np.concatenate(scores), np.concatenate(embeddings))
