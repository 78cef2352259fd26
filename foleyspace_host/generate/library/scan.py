"""Listens to the recordings of a folder, once each, and again to those that were changed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foleyspace_host.errors import InvalidInput, MediaError, MediaMissing
from foleyspace_host.generate.library.index import Index, Sound
from foleyspace_host.generate.library.told import told_by

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device, ModelSession

__all__ = ["SUFFIXES", "Added", "add_folder", "listened"]

SUFFIXES = frozenset(
    (".aif", ".aifc", ".aiff", ".caf", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".rf64", ".w64", ".wav")
)
"""What is taken for a recording, by its name."""

_HEARD_S = 60  # of a long one: what it is has been heard by then
_KEPT_TAGS = 12
_N_EMBEDDING = 1024
_PATCHES_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding a folder.

    Parameters
    ----------
    folder : str
        The folder.
    new, changed, same, gone : int
        Sounds that were not known before, were listened to again, were as before, are no longer there.
    damaged : tuple of str
        Files that cannot be used, each with the reason, one line each.
    """

    folder: str
    new: int
    changed: int
    same: int
    gone: int
    damaged: tuple[str, ...]


def add_folder(
    index: Index,
    folder: str | Path,
    *,
    device: Device = "auto",
    on_progress: Callable[[int, int], None] | None = None,
) -> Added:
    """Listen to all recordings in a folder and the folders in it, and keep what they are.

    Every sound is kept as soon as it was heard: what was stopped goes on where it was.

    Parameters
    ----------
    index : Index
        Where it is kept.
    folder : str or Path
        The folder.
    device : {"auto", "cpu", "cuda"}
        Where the model computes that listens.
    on_progress : callable, optional
        Called as on_progress(done, total) with files; raises Cancelled to stop.

    Returns
    -------
    Added

    Raises
    ------
    MediaMissing
        If there is no such folder.
    InvalidInput
        If it holds no recordings, or lies in a folder that was added before, or around one.
    ModelUnavailable
        If the model or ONNX Runtime is missing or broken.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise MediaMissing("there is no such folder", where=str(folder), cure="check the path")
    root = str(place.resolve())
    for other in index.folders():
        if other != root and (Path(other) in Path(root).parents or Path(root) in Path(other).parents):
            cure = f"leave it, or forget that one first: foleyspace library remove {other}"
            raise InvalidInput(f"shares files with {other}, which was added before", where=root, cure=cure)
    files = sorted(_recordings(root))
    before = index.stands(root)
    if not files and not before:
        cure = f"name a folder with files such as {', '.join(sorted(SUFFIXES)[:6])}"
        raise InvalidInput("there are no recordings in this folder", where=root, cure=cure)
    index.add_folder(root)
    waiting = [(path, n_bytes, time) for path, n_bytes, time in files if before.get(path) != (n_bytes, time)]
    session = _session(device) if waiting else None
    for done, (path, n_bytes, mtime_ns) in enumerate(waiting):
        if on_progress is not None:
            on_progress(done, len(waiting))
        assert session is not None  # noqa: S101 - opened above
        sound = listened(Path(path), session)
        index.put(replace(sound, folder=root, n_bytes=n_bytes, mtime_ns=mtime_ns, name=_words_of(path, root)))
    gone = set(before) - {path for path, _, _ in files}
    for path in gone:
        index.remove(path)
    if on_progress is not None:
        on_progress(max(len(waiting), 1), max(len(waiting), 1))
    damaged = tuple(f"{one.path}: {one.damage}" for one in index.sounds(damaged=True) if one.folder == root)
    changed = sum(path in before for path, _, _ in waiting)
    return Added(root, len(waiting) - changed, changed, len(files) - len(waiting), len(gone), damaged)


def listened(path: Path, session: ModelSession) -> Sound:
    """Listen to one recording.

    Parameters
    ----------
    path : Path
        Its file.
    session : ModelSession
        YAMNet, which tells scores and an embedding.

    Returns
    -------
    Sound
        Without folder, size and name.
    """
    nothing = np.zeros(_N_EMBEDDING, np.float32)
    try:
        heard, duration_s = _heard(path)
    except MediaError as error:
        return Sound(str(path), "", 0, 0, 0.0, "", "", {}, nothing, error.problem)
    from foleyspace_host.localize.hear.mel import log_mel, patches
    from foleyspace_host.localize.hear.tag import class_names

    cut = patches(log_mel(heard))
    outputs = [one.name for one in session.get_outputs()[:2]]
    scores, embeddings = [], []
    for first in range(0, len(cut), _PATCHES_AT_A_TIME):
        some = np.ascontiguousarray(cut[first : first + _PATCHES_AT_A_TIME, ..., None])
        score, embedding = session.run(outputs, {session.get_inputs()[0].name: some})
        scores.append(score)
        embeddings.append(embedding)
    mean = np.concatenate(scores).mean(axis=0)
    order = np.argsort(-mean, kind="stable")[:_KEPT_TAGS]
    tags = {class_names()[k]: round(float(mean[k]), 4) for k in order}
    middle = np.concatenate(embeddings).mean(axis=0)
    middle = (middle / max(float(np.linalg.norm(middle)), 1e-9)).astype(np.float32)
    return Sound(str(path), "", 0, 0, duration_s, "", told_by(path), tags, middle)


def _heard(path: Path) -> tuple[np.ndarray, float]:
    """Return the first minute at YAMNet's rate as one channel, and how long the whole is [s]."""
    from foleyspace_host.localize.hear.mel import RATE_HZ
    from foleyspace_host.media.audio import open_audio
    from foleyspace_host.media.resample import resampled

    n_samples = 0
    start: list[np.ndarray] = []
    with open_audio(path) as source:
        for block in source.blocks():
            if n_samples < _HEARD_S * source.sample_rate_hz:
                start.append(block.mean(axis=0, dtype=np.float32))
            n_samples += block.shape[1]
        pieces = list(resampled(iter(start), source.sample_rate_hz, RATE_HZ))
        return np.concatenate(pieces), n_samples / source.sample_rate_hz


def _recordings(root: str) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of the last change of each recording."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith("."):
                path = os.path.join(folder, name)
                try:
                    found = os.stat(path)
                    path.encode("utf-8")
                except (OSError, UnicodeEncodeError):
                    continue
                yield path, found.st_size, found.st_mtime_ns


def _words_of(path: str, root: str) -> str:
    """Return the words of a path within the added folder, which counts with its own name."""
    inside = os.path.join(os.path.basename(root), os.path.relpath(os.path.splitext(path)[0], root))
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", inside)
    return " ".join(re.findall(r"[^\W\d_]+", parted)).lower()


def _session(device: Device) -> ModelSession:
    from foleyspace_host.models.registry import find
    from foleyspace_host.models.session import open_session

    return open_session(find("yamnet"), device=device)
