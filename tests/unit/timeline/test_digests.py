from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from foleyspace_host.errors import Cancelled, MediaMissing
from foleyspace_host.timeline import digests
from foleyspace_host.timeline.digests import MediaDigests


def nothing() -> None:
    """Go on."""


def files(folder: Path, n: int, age_s: float = 3600) -> list[Path]:
    made = []
    for number in range(n):
        path = folder / f"{number}.wav"
        path.write_bytes(os.urandom(1000))
        os.utime(path, (time.time() - age_s, time.time() - age_s))
        made.append(path)
    return made


def test_digests_are_those_of_the_content_and_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = files(tmp_path, 3)
    made: list[Path] = []
    real = digests.file_digest
    monkeypatch.setattr(digests, "file_digest", lambda path, stop: made.append(path) or real(path, stop))
    with MediaDigests([*paths, *paths]) as known:
        for path in reversed(paths * 3):
            assert known.of(path, nothing) == hashlib.sha256(path.read_bytes()).hexdigest()
        assert known.changed() == []
    assert made == paths


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with MediaDigests([tmp_path / "none.wav"]) as known:
        with pytest.raises(MediaMissing, match=r"none\.wav"):
            known.of(tmp_path / "none.wav", nothing)
        assert known.changed() == []


@pytest.mark.parametrize("age_s", [0, 3600])
def test_what_has_changed_is_told(tmp_path: Path, age_s: float) -> None:
    paths = files(tmp_path, 4, age_s)
    with MediaDigests(paths) as known:
        for path in paths:
            known.of(path, nothing)
        paths[1].write_bytes(b"shorter")
        paths[2].unlink()
        if not age_s:  # a file just written to may change and keep its time
            kept = paths[3].stat()
            paths[3].write_bytes(bytes(1000))
            os.utime(paths[3], ns=(kept.st_atime_ns, kept.st_mtime_ns))
        assert known.changed() == paths[1 : 3 if age_s else 4]


def test_waiting_for_a_digest_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that would take for ever ends when the run does."""
    (path,) = files(tmp_path, 1)

    def endless(_path: Path, on_progress: Callable[[int, int], None]) -> str:
        while True:
            on_progress(0, 0)
            time.sleep(0.01)

    def stop() -> None:
        raise Cancelled("stopped by the user")

    monkeypatch.setattr(digests, "file_digest", endless)
    with pytest.raises(Cancelled, match="by the user"), MediaDigests([path]) as known:
        known.of(path, stop)
