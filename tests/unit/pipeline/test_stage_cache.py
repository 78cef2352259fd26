"""The cache of finished stages: an entry is right or it is not there."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from foleyspace_host.errors import Cancelled, MediaMissing
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.pipeline import cache_index, stage_cache
from foleyspace_host.pipeline.stage_cache import StageCache, file_digest
from foleyspace_host.pipeline.stage_key import stage_key

KEY = "render-" + "0" * 48
OTHER = "localize-" + "1" * 48


@pytest.fixture
def cache(tmp_path: Path) -> StageCache:
    return StageCache(tmp_path / "cache", 1000)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    (tmp_path / "result.wav").write_bytes(b"sound")
    return tmp_path / "result.wav"


def test_what_was_stored_is_found(cache: StageCache, result: Path) -> None:
    assert cache.fetch(KEY) is None
    cache.store(KEY, result)
    result.unlink()
    found = cache.fetch(KEY)
    assert found is not None
    assert (found.read_bytes(), found.suffix) == (b"sound", ".wav")
    assert cache.fetch(OTHER) is None
    cache.store_text(OTHER, "è\n")
    assert cache.fetch_text(OTHER) == "è\n"
    assert cache.usage() == {"render": (1, 5), "localize": (1, 3)}


def test_a_damaged_entry_is_as_good_as_absent(cache: StageCache, result: Path) -> None:
    cache.store(KEY, result)
    (entry,) = cache.folder.iterdir()
    entry.write_bytes(b"noise")
    assert cache.fetch(KEY) is None
    assert list(cache.folder.iterdir()) == []
    cache.store(KEY, result)
    assert cache.fetch(KEY) is not None


def test_a_copy_outlives_its_entry(cache: StageCache, result: Path, tmp_path: Path) -> None:
    cache.store(KEY, result)
    copy = tmp_path / "copy.wav"
    copy.write_bytes(b"something that was there before")
    assert cache.fetch(KEY, copy) == copy
    cache.clear()
    assert cache.usage() == {}
    assert copy.read_bytes() == b"sound"


def test_a_result_and_its_entry_are_one_file(cache: StageCache, result: Path) -> None:
    os.utime(result, (1e9, 1e9))
    cache.store(KEY, result)
    (entry,) = cache.folder.iterdir()
    assert entry.samefile(result)
    assert cache.fetch(KEY) == entry
    assert result.stat().st_mtime == 1e9  # that it was used is no change to it
    result.write_bytes(b"noise")  # in its place
    assert cache.fetch(KEY) is None
    assert result.read_bytes() == b"noise"


def test_two_who_fetch_do_not_share_a_file(cache: StageCache, result: Path, tmp_path: Path) -> None:
    cache.store(KEY, result)
    copies = [tmp_path / "b.wav", tmp_path / "c.wav"]
    for copy in copies:
        assert cache.fetch(KEY, copy) == copy
    assert len({path.stat().st_ino for path in (result, *copies)}) == 3
    for path in (result, *copies):
        path.unlink()
    assert cache.fetch(KEY, copies[0]) == copies[0]
    (entry,) = cache.folder.iterdir()
    assert entry.samefile(copies[0])  # nobody else has it


def test_a_copy_of_a_damaged_entry_is_not_left(cache: StageCache, result: Path, tmp_path: Path) -> None:
    cache.store(KEY, result)
    result.write_bytes(b"noise")
    assert cache.fetch(KEY, tmp_path / "copy.wav") is None
    assert not (tmp_path / "copy.wav").exists()


def test_where_files_have_one_name_only_they_are_copied(
    cache: StageCache, result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refused)
    cache.store(KEY, result)
    result.write_bytes(b"noise")
    assert cache.fetch(KEY, tmp_path / "copy.wav") == tmp_path / "copy.wav"
    assert (tmp_path / "copy.wav").read_bytes() == b"sound"


def test_a_folder_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: calls.append(path) or scandir(path))
    cache = StageCache(tmp_path / "cache", 1 << 20)
    for number in range(50):
        assert cache.fetch_text(f"localize-{number}") is None
        cache.store_text(f"localize-{number}", "text")
        assert cache.fetch_text(f"localize-{number}") == "text"
    assert len(calls) == 1
    again = StageCache(tmp_path / "cache", 1 << 20)
    assert [again.fetch_text(f"localize-{number}") for number in range(50)] == ["text"] * 50
    assert len(calls) == 2


def test_a_full_folder_is_not_looked_through_for_each_new_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: calls.append(path) or scandir(path))
    cache = StageCache(tmp_path / "cache", 320_000)
    for number in range(1000):
        cache.store_text(f"localize-{number}", "x" * 1000)
    assert len(calls) < 1000 // 15
    assert 290_000 < sum(size for _, size in cache.usage().values()) <= 320_000
    assert cache.fetch_text("localize-999") is not None


def test_what_another_process_stores_or_removes(cache: StageCache, monkeypatch: pytest.MonkeyPatch) -> None:
    other = StageCache(cache.folder, 1000)
    assert cache.fetch_text(KEY) is None
    other.store_text(KEY, "text")
    monkeypatch.setattr(cache_index, "_BELIEVED_S", 0.0)
    assert cache.fetch_text(KEY) == "text"
    other.clear()
    assert cache.fetch_text(KEY) is None
    cache.store_text(KEY, "more")
    assert other.fetch_text(KEY) == "more"


def test_the_least_recently_used_go_first(cache: StageCache, tmp_path: Path) -> None:
    def store(name: str) -> None:
        (tmp_path / name).write_bytes(name.encode() * 400)
        cache.store(f"render-{name}", tmp_path / name)
        time.sleep(0.01)

    store("a")
    store("b")
    assert cache.fetch("render-a") is not None  # used now
    time.sleep(0.01)
    store("c")
    assert [cache.fetch(f"render-{name}") is not None for name in "abc"] == [True, False, True]


def test_nothing_is_kept_beyond_the_limit_or_without_one(tmp_path: Path) -> None:
    (tmp_path / "big.wav").write_bytes(bytes(1001))
    cache = StageCache(tmp_path / "cache", 1000)
    cache.store(KEY, tmp_path / "big.wav")
    cache.store_text(KEY, "x" * 1001)
    assert cache.fetch(KEY) is None
    assert not StageCache(tmp_path, 0).keeps("render")


def test_only_the_named_stages_are_kept(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, 1000, ("localize",))
    assert cache.keeps("localize")
    assert not cache.keeps("render")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such folders")
def test_a_folder_that_cannot_be_used_is_no_error(tmp_path: Path, result: Path) -> None:
    (tmp_path / "file").touch()
    cache = StageCache(tmp_path / "file", 1000)
    cache.store(KEY, result)
    assert cache.fetch(KEY) is None
    assert cache.usage() == {}
    cache.clear()


def test_interrupted_writes_are_removed_after_a_while(cache: StageCache, result: Path) -> None:
    cache.folder.mkdir()
    old, new = cache.folder / "render-x.abc.part", cache.folder / "render-y.abc.part"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    cache.store(KEY, result)
    assert not old.exists()
    assert new.exists()
    assert cache.usage() == {"render": (1, 5)}


def test_many_may_use_it_at_once(tmp_path: Path) -> None:
    wrong: list[Any] = []

    def work(number: int) -> None:
        cache = StageCache(tmp_path / "cache", 3000)
        for turn in range(30):
            name = f"{(number + turn) % 5}"
            path = tmp_path / f"{number}.wav"
            path.write_bytes(name.encode() * 900)
            cache.store(f"render-{name}", path)
            found = cache.fetch(f"render-{name}", tmp_path / f"copy-{number}.wav")
            if found is not None and found.read_bytes() != name.encode() * 900:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sum(size for _, size in StageCache(tmp_path / "cache", 1).usage().values()) <= 3000 + 4 * 900


def test_digests_follow_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert file_digest(path) == sha256(b"abc").hexdigest()
    # the same size at the same time: a file this young is read again
    changed = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(changed.st_atime_ns, changed.st_mtime_ns))
    assert file_digest(path) == sha256(b"abd").hexdigest()


def test_digests_of_older_files_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    os.utime(path, (1e9, 1e9))
    first = file_digest(path)
    monkeypatch.setattr(stage_cache, "_digest_of", lambda *_: pytest.fail("was read again"))
    assert file_digest(path) == first
    os.utime(path, (1e9 + 1, 1e9 + 1))
    with pytest.raises(pytest.fail.Exception):
        file_digest(path)


def test_digesting_can_be_cancelled_and_names_what_is_missing(tmp_path: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise Cancelled("stopped")

    (tmp_path / "a").write_bytes(b"abc")
    with pytest.raises(Cancelled):
        file_digest(tmp_path / "a", stop)
    with pytest.raises(MediaMissing, match="gone"):
        file_digest(tmp_path / "gone")


@dataclass(frozen=True)
class Choice:
    spread: float
    room: str | None = None


def test_keys_differ_in_every_part() -> None:
    parts: dict[str, Any] = {
        "sound": "abc",
        "span": Span(Fraction(1, 3), Fraction(1)),
        "settings": Choice(1.0),
        "n": 5,
    }
    keys = {
        stage_key("render", **parts),
        stage_key("localize", **parts),
        stage_key("render", **parts | {"sound": "abd"}),
        stage_key("render", **parts | {"span": Span(Fraction(1, 3) + Fraction(1, 10**12), Fraction(1))}),
        stage_key("render", **parts | {"span": None}),
        stage_key("render", **parts | {"settings": Choice(1.0000000000000002)}),
        stage_key("render", **parts | {"settings": Choice(1.0, "")}),
        stage_key("render", **parts | {"n": 6}),
    }
    assert len(keys) == 8
    assert stage_key("render", **parts) == stage_key("render", **dict(reversed(parts.items())))
    with pytest.raises(TypeError, match="Path"):
        stage_key("render", sound=Path("a.wav"))


def test_a_text_in_pieces_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, 12)
    cache.store_pieces("localize-a", iter(["h\u00e9", "llo", ""]))
    assert cache.fetch_text("localize-a") == "h\u00e9llo"
    cache.store_pieces("localize-b", iter(["0123456789", "abc"]))
    assert cache.fetch_text("localize-b") is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
