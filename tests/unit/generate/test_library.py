"""The library: what is indexed, when it is listened to again, what is found, and how it is fitted in time."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleyspace_host.errors import Cancelled, InvalidInput, MediaMissing, NothingFound
from foleyspace_host.generate.envelope import Envelope
from foleyspace_host.generate.library.engine import LibraryEngine
from foleyspace_host.generate.library.fit import hits_in, placed, sustained
from foleyspace_host.generate.library.index import Index, Sound, count_sounds, open_index
from foleyspace_host.generate.library.scan import add_folder
from foleyspace_host.generate.library.search import search
from foleyspace_host.generate.library.told import told_by
from foleyspace_host.generate.request import GenerateRequest

RATE = 48_000


def clicks(times_s: list[float], duration_s: float, seed: int = 0) -> np.ndarray:
    """Bursts of noise that die away within 50 ms, of one pitch each."""
    sound = np.zeros(round(duration_s * RATE), "f4")
    random = np.random.default_rng(seed)
    for t_s in times_s:
        burst = 0.5 * random.standard_normal(4800) * np.exp(-np.arange(4800) / 500)
        start = round(t_s * RATE)
        sound[start : start + 4800] += burst[: len(sound) - start].astype("f4")
    return sound


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "sounds"
    (place / "Doors").mkdir(parents=True)
    soundfile.write(place / "Doors" / "OldGate-slam_01.wav", clicks([0.2], 1.0), RATE)
    soundfile.write(place / "steps.flac", clicks([0.1, 0.6, 1.1], 1.6, 1), RATE)
    soundfile.write(place / "air.wav", 0.1 * np.random.default_rng(2).standard_normal(44_100 * 2), 44_100)
    (place / "notes.txt").write_text("no sound")
    (place / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    return place


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "library.sqlite") as made:
        yield made


def test_a_folder_is_listened_to_once(folder: Path, index: Index, tmp_path: Path) -> None:
    first = add_folder(index, folder)
    assert (first.new, first.changed, first.same, first.gone) == (4, 0, 0, 0)
    assert [line.split(": ")[0] for line in first.damaged] == [str(folder / "broken.wav")]
    sounds = {Path(one.path).name: one for one in index.sounds()}
    gate = sounds["OldGate-slam_01.wav"]
    assert gate.name == "sounds doors old gate slam"
    assert gate.duration_s == 1.0
    assert np.linalg.norm(gate.embedding) == pytest.approx(1.0, abs=1e-3)
    assert all(0.0 <= score <= 1.0 for score in gate.tags.values())
    again = add_folder(index, folder)
    assert (again.new, again.changed, again.same, again.gone) == (0, 0, 4, 0)

    os.utime(folder / "air.wav", ns=(1, 1))
    (folder / "steps.flac").unlink()
    shutil.copy(folder / "air.wav", folder / "more.wav")
    third = add_folder(index, folder)
    assert (third.new, third.changed, third.same, third.gone) == (1, 1, 2, 1)
    assert count_sounds(tmp_path / "library.sqlite") == 3
    assert index.remove(str(folder)) == 4
    assert index.folders() == []


def test_what_was_stopped_goes_on_where_it_was(folder: Path, index: Index) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        add_folder(index, folder, on_progress=stop)
    rest = add_folder(index, folder)
    assert (rest.new, rest.same) == (2, 2)


def test_folders_that_cannot_be_added(folder: Path, index: Index, tmp_path: Path) -> None:
    with pytest.raises(MediaMissing):
        add_folder(index, tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="no recordings"):
        add_folder(index, tmp_path / "empty")
    add_folder(index, folder)
    with pytest.raises(InvalidInput, match="added before"):
        add_folder(index, folder / "Doors")


def test_a_damaged_index_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(InvalidInput, match="add the folders again"), open_index(path):
        pass
    assert count_sounds(path) == 0
    assert count_sounds(tmp_path / "none") == 0


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def test_what_files_say_of_themselves(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    bext = b"Heavy oak door".ljust(602, b"\0")
    ixml = b"<BWFXML><NOTE>creaks\n slowly</NOTE><FILE_UID>x</FILE_UID><USER><CATEGORY>DOOR</CATEGORY></USER></BWFXML>"
    info = b"INFO" + b"IKEY" + struct.pack("<I", 5) + b"hinge\0" + b"ISFT" + struct.pack("<I", 2) + b"no"
    path.write_bytes(riff((b"bext", bext), (b"data", b"\0" * 7), (b"iXML", ixml), (b"LIST", info)))
    assert told_by(path) == "Heavy oak door; creaks slowly; DOOR; hinge"
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><NOTE>&b;</NOTE>'
    path.write_bytes(riff((b"iXML", bomb)))
    assert told_by(path) == ""
    path.write_bytes(riff((b"iXML", b"<NOTE>")) + b"rest")
    assert told_by(path) == ""
    path.write_bytes(b"fLaC")
    assert told_by(path) == ""


def sound(path: str, name: str = "", told: str = "", **tags: float) -> Sound:
    named = {key.replace("_", " "): value for key, value in tags.items()}
    return Sound(path, "", 1, 1, 1.0, name, told, named, np.zeros(1024, "f4"))


def test_words_are_found_in_names_descriptions_and_by_ear() -> None:
    sounds = [
        sound("a", "doors old gate slam"),
        sound("b", told="a wooden gate"),
        sound("c", "take", Door=0.4),
        sound("d", "rain", Rain=0.9),
        sound("e", "take", Door=0.001),
        sound("f", "garden gate"),
    ]
    assert [hit.sound.path for hit in search(sounds, "slamming gates")] == ["a", "c", "f", "b"]
    assert [hit.sound.path for hit in search(sounds, "door")] == ["c", "a"]
    assert search(sounds, "door")[0].because == "heard as Door"
    left = [hit.sound.path for hit in search(sounds, "garden gate", negative="wooden")]
    assert left[0] == "f"
    assert "b" not in left
    assert search(sounds, "xylophone") == []
    with pytest.raises(InvalidInput):
        search(sounds, " 12 ")


def test_hits_are_cut_where_they_begin() -> None:
    hits = hits_in(clicks([0.2, 0.7, 1.0], 1.5))
    assert [hit.start / RATE for hit in hits] == pytest.approx([0.2, 0.7, 1.0], abs=0.002)
    assert all(0.03 <= (hit.stop - hit.start) / RATE <= 0.5 for hit in hits)
    assert hits_in(0.1 * np.random.default_rng(0).standard_normal(RATE * 3).astype("f4")) == []
    assert hits_in(np.zeros(RATE, "f4")) == []


def test_hits_come_when_they_should_and_none_follows_itself() -> None:
    recording = clicks([0.2, 0.7, 1.2], 1.8)
    hits = hits_in(recording)
    times_s = [0.05, 0.31, 0.9, 1.3, 1.77, 2.4, 2.9]
    made, used = placed([recording], hits, times_s, RATE * 3, 5)
    found = [hit.start / RATE for hit in hits_in(made[:])]
    assert found == pytest.approx(times_s, abs=0.004)
    assert all(one != after for one, after in pairwise(used))
    assert set(used) == set(hits)
    assert (placed([recording], hits, times_s, RATE * 3, 5)[0][:] == made[:]).all()
    assert (placed([recording], hits, times_s, RATE * 3, 6)[0][:] != made[:]).any()


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("seconds", [0.06, 1.0, 7.3])
def test_what_lasts_has_any_length_and_no_holes(seconds: float, loop: bool) -> None:
    recording = (0.1 * np.random.default_rng(1).standard_normal(RATE * 2)).astype("f4")
    n_samples = round(seconds * RATE)
    made = sustained([recording], n_samples, 3, loop=loop)[0][:]
    assert made.shape == (n_samples,)
    inner = made[1600:-1600] if n_samples > 4000 and not loop else made
    level = np.sqrt(np.convolve(inner**2, np.ones(960) / 960, "valid")) if len(inner) > 960 else np.ones(1)
    if seconds >= 1.0:
        assert 20 * np.log10(level.max() / level.min()) < 4.0


def test_the_engine_keeps_time_without_changing_pitch(folder: Path, tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(4800) / RATE) * np.exp(-np.arange(4800) / 900)
    soundfile.write(folder / "ping.wav", np.concatenate([np.zeros(3000), 0.5 * tone, np.zeros(9000)]), RATE)
    path = tmp_path / "library.sqlite"
    with open_index(path) as index:
        add_folder(index, folder)
    times_s = [0.4, 1.0, 1.9]
    points = [p for t in times_s for p in ((t, -90.0, True), (t + 0.002, 0.0, False), (t + 0.2, -60.0, False))]
    request = GenerateRequest("ping", 2.5, 1, envelope=Envelope.of(points))
    made = LibraryEngine(path).generate(request)
    assert made.samples.shape == (1, 120_000)
    assert [weight.name for weight in made.weights] == ["ping.wav"]
    assert len(made.weights[0].sha256) == 64
    loud = np.abs(made.samples[0]) > 0.1 * np.abs(made.samples).max()
    begins = [first / RATE for first in np.flatnonzero(loud) if not loud[max(first - 4800, 0) : first].any()]
    assert begins == pytest.approx(times_s, abs=0.005)
    part = made.samples[0, round(1.0 * RATE) : round(1.1 * RATE)]
    assert np.argmax(np.abs(np.fft.rfft(part))) * 10 == pytest.approx(1000, abs=20)
    with pytest.raises(NothingFound, match="zither"):
        LibraryEngine(path).generate(GenerateRequest("zither", 1.0))


def test_what_is_gone_since_is_left_out(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    soundfile.write(folder / "gate.wav", clicks([0.3], 1.0, 7), RATE)
    with open_index(path) as index:
        add_folder(index, folder)
    (folder / "gate.wav").unlink()
    made = LibraryEngine(path).generate(GenerateRequest("gate", 1.0))
    assert [weight.name for weight in made.weights] == ["OldGate-slam_01.wav"]
    assert "gate.wav" in made.warnings[0]
