"""The cache gives back what was prepared, to the bit, and is never a reason to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.hrtf import cache
from foleyspace_host.hrtf.prepare import DEFAULT_SOFA, prepare
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.sofa import MeasuredHrirs
from foleyspace_host.hrtf.stored import read_arrays, write_arrays

RATE_HZ = 48_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "hrtf"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "set.sofa"
    path.write_bytes(b"the content, of which only the checksum matters here")
    return path


def small(seed: int = 0) -> Hrtf:
    rng = np.random.default_rng(seed)
    unit = rng.standard_normal((30, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    hrirs = rng.standard_normal((30, 2, 64)) * np.exp(-np.arange(64) / 8)
    return prepare(MeasuredHrirs(unit, hrirs.astype(np.float32), np.zeros((30, 2)), RATE_HZ, "small"), RATE_HZ)


class Maker:
    """Prepares, and counts how often."""

    def __init__(self, seed: int = 0) -> None:
        self.made, self.times = small(seed), 0

    def __call__(self) -> Hrtf:
        self.times += 1
        return self.made


def same(first: Hrtf, second: Hrtf) -> bool:
    a, b = first.to_arrays(), second.to_arrays()
    inverse = first.mesh.inverse.tobytes() == second.mesh.inverse.tobytes()
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a) and inverse


def test_what_comes_back_is_the_same_to_the_bit(folder: Path, source: Path) -> None:
    make = Maker()
    first = cache.load_cached(source, RATE_HZ, make)
    second = cache.load_cached(source, RATE_HZ, make)
    assert make.times == 1
    assert first is not second
    assert same(first, second)
    assert len(list(folder.iterdir())) == 1


def test_an_entry_is_of_a_content_a_rate_and_an_algorithm(
    folder: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Maker()
    cache.load_cached(source, RATE_HZ, make)
    moved = source.rename(source.with_name("moved.sofa"))
    cache.load_cached(moved, RATE_HZ, make)
    assert make.times == 1  # its name does not matter
    moved.write_bytes(b"other content")
    cache.load_cached(moved, RATE_HZ, make)
    assert make.times == 2
    monkeypatch.setattr(cache, "_algorithm", lambda: "0123456789abcdef")
    cache.load_cached(moved, RATE_HZ, make)
    assert make.times == 3
    cache.load_cached(moved, 44_100, make)
    assert make.times == 4


def test_the_algorithm_is_that_of_every_module_that_prepares() -> None:
    modules = {path.stem for path in Path(cache.__file__).parent.glob("*.py")}
    looking = {"__init__", "survey", "picture", "power", "fit"}  # at the result, or at measurements
    assert modules - set(cache._MODULES) == looking


def store(entry: Path, arrays: dict[str, np.ndarray]) -> None:
    entry.unlink()  # it may be mapped into memory
    with entry.open("wb") as file:
        write_arrays(file, arrays)


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "text", "pickle", "foreign", "indices", "types"])
def test_damaged_and_foreign_entries_are_made_anew(folder: Path, source: Path, damage: str) -> None:
    make = Maker()
    cache.load_cached(source, RATE_HZ, make)
    (entry,) = folder.iterdir()
    whole = entry.read_bytes()
    arrays = make.made.to_arrays()
    match damage:
        case "empty":
            entry.write_bytes(b"")
        case "cut":
            entry.write_bytes(whole[: len(whole) // 2])
        case "flipped":
            middle = len(whole) // 2
            entry.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        case "text":
            entry.write_text("hello")
        case "pickle":
            with entry.open("wb") as file:
                np.savez(file, **(arrays | {"name": np.array([{"an": "object"}], dtype=object)}))
        case "foreign":
            store(entry, {"something": np.ones(3)})
        case "indices":
            store(entry, arrays | {"neighbours": arrays["neighbours"] + 10_000})
        case "types":
            store(entry, arrays | {"responses": arrays["responses"].astype(np.float64)})
    again = cache.load_cached(source, RATE_HZ, make)
    assert make.times == 2
    assert same(again, make.made)
    cache.load_cached(source, RATE_HZ, make)
    assert make.times == 2  # and it was repaired


@pytest.mark.parametrize("obstacle", ["file", "read-only", "no home"])
def test_a_folder_that_cannot_be_written_is_no_error(
    folder: Path, source: Path, obstacle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle == "file":
        folder.parent.write_text("in the way")
    elif obstacle == "no home":
        monkeypatch.setattr(cache, "cache_folder", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    else:
        folder.mkdir(parents=True)
        folder.chmod(0o500)
    make = Maker()
    try:
        assert same(cache.load_cached(source, RATE_HZ, make), make.made)
    finally:
        if obstacle == "read-only":
            folder.chmod(0o700)


def test_the_least_recently_used_entries_go(folder: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    for index in range(3):
        source.write_bytes(b"content %d" % index)
        cache.load_cached(source, RATE_HZ, make)
        for age, entry in enumerate(sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)):
            os.utime(entry, (time.time() - 10 * (age + 1),) * 2)
    source.write_bytes(b"content 0")
    cache.load_cached(source, RATE_HZ, make)  # the oldest is used again
    size = max(path.stat().st_size for path in folder.iterdir())
    (folder / "mine.txt").write_text("not of the cache")
    left = folder / "interrupted.part"
    left.write_text("half")
    os.utime(left, (time.time() - 7200,) * 2)
    monkeypatch.setattr(cache, "LIMIT_BYTES", 3 * size)
    source.write_bytes(b"content 3")
    cache.load_cached(source, RATE_HZ, make)
    assert len(list(folder.glob("*.hrtf"))) == 3
    assert (folder / "mine.txt").exists()
    assert not left.exists()
    before = make.times
    for index, known in ((0, True), (2, True), (3, True), (1, False)):
        source.write_bytes(b"content %d" % index)
        cache.load_cached(source, RATE_HZ, make)
        before += not known
        assert make.times == before, index


def test_the_folder_is_the_system_s_unless_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import platformdirs

    monkeypatch.delenv(cache.CACHE_VARIABLE)
    assert cache.cache_folder() == Path(platformdirs.user_cache_dir("foleyspace", appauthor=False)) / "hrtf"
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path))
    assert cache.cache_folder() == tmp_path / "hrtf"


LOAD = """
import hashlib, sys, threading
from foleyspace_host.hrtf.prepare import load_hrtf
hrtf = load_hrtf(sys.argv[1], 44100)
digest = hashlib.sha256(hrtf.responses.tobytes() + hrtf.delay_samples.tobytes()).hexdigest()
print(digest, "netCDF4" in sys.modules)
"""


@pytest.fixture
def kemar_file(tmp_path: Path) -> Iterator[Path]:
    with as_file(files("foleyspace_host.hrtf") / "assets" / DEFAULT_SOFA) as path:
        yield Path(shutil.copy(path, tmp_path / "kemar.sofa"))


def test_processes_share_it(folder: Path, kemar_file: Path) -> None:
    """Two at once, then a third that neither reads nor prepares: the same bytes for all."""
    command = [sys.executable, "-c", LOAD, str(kemar_file)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (process.communicate()[0].split() for process in both)
    third = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert first[0] == second[0] == third[0]
    assert third[1] == "False"
    assert [path.suffix for path in folder.iterdir()] == [".hrtf"]


def test_every_damaged_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "arrays"
    rng = np.random.default_rng(0)
    arrays = {
        "words": rng.standard_normal((70, 31)),
        "bytes": rng.integers(0, 255, 4097).astype(np.uint8),
        "text": np.array("Größe"),
        "number": np.array(7),
        "none": np.zeros((0, 3), dtype=np.float32),
    }
    with path.open("wb") as file:
        write_arrays(file, arrays)
    whole = path.read_bytes()
    read = read_arrays(path)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
    del read
    found = 0
    for at in range(0, len(whole), 7):
        damaged = tmp_path / f"damaged {at}"
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            again = read_arrays(damaged)
        except (ValueError, OSError, KeyError, TypeError):
            found += 1
        else:  # then it was in the gaps between the arrays
            assert all(np.array_equal(again[name], array) for name, array in arrays.items())
            del again
        damaged.unlink()
    assert found > 0.95 * len(range(0, len(whole), 7))
    for length in (0, 10, 64, 200, len(whole) // 2):
        path.unlink()
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r".+"):
            read_arrays(path)


def test_objects_are_not_written(tmp_path: Path) -> None:
    with (tmp_path / "arrays").open("wb") as file, pytest.raises(ValueError, match="objects"):
        write_arrays(file, {"bad": np.array([{}], dtype=object)})
