"""Only what is free is learnt from, and what is made is what it is called."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="needs torch: make test-train")
pytest.importorskip("debian", reason="needs python-debian: make test-train")

from foleyspace_host.generate.classes import NAMES
from training.foley.corpus.collect import class_of_path, recordings
from training.foley.corpus.licences import is_free, terms_in
from training.foley.corpus.rules import RULES
from training.foley.data.bank import read_bank
from training.foley.data.prepare import CREDITS, prepare
from training.foley.invented.catalogue import INVENTORS, invented

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2001 Somebody
License: GPL-2+

Files: data/sounds/*
Copyright: 2002 A Collector
License: CC-BY-SA-3.0

Files: data/sounds/skid.ogg
       data/sounds/horn.ogg
Copyright: 2003 A Driver
License: CC-BY-3.0

Files: games/*
Copyright: 2004 Nobody
License: CC0

License: GPL-2+
 Text.

License: CC-BY-SA-3.0
 Text.

License: CC-BY-3.0
 Text.

License: CC0
 Text.
"""


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("CC0", True),
        ("CC0-1.0", True),
        ("public-domain", True),
        ("CC-BY-3.0", True),
        ("CC-BY", True),
        ("Creative Commons Attribution 3.0 Unported", True),
        ("GPL-3 or CC-BY-3.0", True),
        ("CC-BY-SA-3.0", False),
        ("CC-BY-NC-4.0", False),
        ("CC-BY-ND-4.0", False),
        ("GPL-2+", False),
        ("CC0 and GPL-2", False),
        ("Creative Commons Attribution-ShareAlike 3.0", False),
        ("Sampling Plus 1.0", False),
        ("", False),
    ],
)
def test_licences(licence: str, free: bool) -> None:
    assert is_free(licence) is free


def test_the_last_paragraph_that_surely_means_a_file_holds(tmp_path: Path) -> None:
    place = tmp_path / "usr" / "share" / "doc" / "game-data"
    place.mkdir(parents=True)
    (place / "copyright").write_text(COPYRIGHT, encoding="utf-8")
    stated = terms_in(tmp_path)

    def licence(path: str) -> str:
        terms = stated(path)
        assert terms is not None
        return terms.licence

    assert licence("usr/share/games/game/data/sounds/rain.ogg") == "CC-BY-SA-3.0"
    assert licence("usr/share/games/game/sounds/skid.ogg") == "CC-BY-3.0"
    # "games/*" may be a folder of the source; it is not surely /usr/share/games
    assert licence("usr/share/games/game/music/tune.ogg") == "GPL-2+"


def test_only_free_recordings_of_a_class_are_taken_and_named(tmp_path: Path) -> None:
    package = tmp_path / "in" / "game-data"
    doc, sounds = package / "usr/share/doc/game-data", package / "usr/share/games/game/data/sounds"
    doc.mkdir(parents=True)
    sounds.mkdir(parents=True)
    (doc / "copyright").write_text(COPYRIGHT, encoding="utf-8")
    rng = np.random.default_rng(0)
    for name in ("skid.ogg", "horn.ogg", "thunder.ogg", "title_music.ogg"):
        soundfile.write(sounds / name, 0.1 * rng.standard_normal(24_000), 24_000)
    (sounds / "copy").mkdir()
    (sounds / "copy" / "horn.ogg").write_bytes((sounds / "horn.ogg").read_bytes())
    found = recordings(tmp_path / "in")
    assert {(one.sound_class, Path(one.name).name) for one in found} == {("skid", "skid.ogg"), ("horn", "horn.ogg")}
    prepare(tmp_path / "in", tmp_path / "out", n_invented=2, say=lambda _: None)
    credits = json.loads((tmp_path / "out" / CREDITS).read_text(encoding="utf-8"))
    assert {one["holders"] for one in credits} == {"2003 A Driver"}
    bank, held_out = read_bank(tmp_path / "out"), read_bank(tmp_path / "out", held_out=True)
    assert [len(of_class) for of_class in bank.invented] == [1] * len(NAMES)
    assert [len(of_class) for of_class in held_out.invented] == [1] * len(NAMES)
    assert len(bank.recorded[NAMES.index("skid")]) == 1


def test_rules_name_classes() -> None:
    assert {sound_class for _, sound_class in RULES} <= set(NAMES)
    assert class_of_path("usr/share/sounds/skid.ogg") == "skid"
    assert class_of_path("usr/share/music/title.ogg") is None


@pytest.mark.parametrize("name", NAMES)
def test_made_sounds_are_sounds_and_always_the_same(name: str) -> None:
    sound = invented(name, 1)
    assert np.isfinite(sound).all()
    assert 0.9 <= len(sound) / 48_000 <= 4.5
    assert np.abs(sound).max() == pytest.approx(0.7)
    assert sound.tobytes() == invented(name, 1).tobytes()
    assert not np.array_equal(sound[:1000], invented(name, 2)[:1000])


def test_there_is_a_way_to_make_each_class() -> None:
    assert set(INVENTORS) == set(NAMES)


def test_a_struck_body_rings_at_its_lowest_mode_and_dies() -> None:
    from training.foley.invented.making import modes

    rung = modes(np.random.default_rng(0), np.array([440.0, 1000.0]), np.array([1.0, 0.2]), np.array([1.0, 0.5]))
    late = rung[24_000:]  # after half a second the second mode is 150 dB down, the first 30 dB
    spectrum = np.abs(np.fft.rfft(late * np.hanning(len(late))))
    assert np.fft.rfftfreq(len(late), 1 / 48_000)[spectrum.argmax()] == pytest.approx(440.0, abs=3.0)
    early, later = (np.sqrt(np.mean(rung[at : at + 2400] ** 2)) for at in (4800, 28_800))
    assert 20 * np.log10(early / later) == pytest.approx(30.0, abs=1.5)
