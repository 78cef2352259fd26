"""Real project files in the fake REAPER."""

from __future__ import annotations

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import Project, load_project
from fake.rpp import cut, parse


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("NAME 'a \"b\" c' x", ["NAME", 'a "b" c', "x"]),
        ("NAME `''''''\"\"\"`", ["NAME", "''''''\"\"\""]),
        ('NAME hel"lo', ["NAME", 'hel"lo']),
        ('NAME ""', ["NAME", ""]),
        ("POSITION 1.5", ["POSITION", "1.5"]),
    ],
)
def test_words_of_a_line(line, words):
    assert cut(line) == words


def test_what_is_no_project_is_told():
    for text in ("", "hello", "<REAPER_PROJECT 0.1\n", "<TRACK\n>\n"):
        with pytest.raises(ValueError, match=r"REAPER|began"):
            parse(text)


SYNTHETIC = """<REAPER_PROJECT 0.1 "7.08/synthetic" 1
  SAMPLERATE 44100 1 0
  TEMPO 100 4 4
  SELECTION 1 2.5
  MARKER 1 2 "cue" 0 0 1 R
  MARKER 2 4 "part" 1 0 1 R
  MARKER 2 6 "" 1 0 1 R
  <TRACK {0E4D1D7F-D039-674D-87E6-719376DE95EC}
    NAME 'a "quoted" name'
    VOLPAN 0.5 -0.25 -1 -1 1
    MUTESOLO 0 0 0
    ISBUS 1 1
    NCHAN 4
    <VOLENV2
      ACT 1 -1
      PT 0 1 0
      PT 2 0.5 5 0 0 0 0.3
    >
    <FXCHAIN
      <JS "FoleySpace Position" ""
        45 - -
      >
      <PARMENV 0:azimuth -1080 1080 0 "Azimuth"
        ACT 1 -1
        PT 0 90 0
      >
    >
    <ITEM
      POSITION 1.5
      LENGTH 2
      LOOP 1
      FADEIN 2 0.1 0 2 0 0.5
      FADEOUT 1 0.2 0.3 1 0 0
      MUTE 1 0
      SEL 1
      IGUID {D9B96704-9281-7A4A-9CA1-9E71CAA027ED}
      NAME first
      VOLPAN 0.7 0.1 -0.9 -1
      SOFFS 0.25
      PLAYRATE 2 0 3 -1 0 0.0025
      CHANMODE 3
      GUID {4DA91027-F908-FE46-98A0-950A8D5A4661}
      <SOURCE SECTION
        LENGTH 1.5
        MODE 2
        STARTPOS 0.5
        OVERLAP 0.01
        <SOURCE WAVE
          FILE "media/a.wav"
        >
      >
      SM 0 0.25 + 1.5 2 + 2 3
      TAKE SEL
      NAME second
      TAKEVOLPAN 0.2 0.8 -1
      SOFFS 0
      PLAYRATE 1 1 0 -1 0 0.0025
      GUID {4DA91027-F908-FE46-98A0-950A8D5A4662}
      <SOURCE _OFFLINE_WAVE
        FILE "C:\\\\sounds\\\\b.wav"
      >
    >
  >
  <TRACK
    NAME child
    ISBUS 2 -1
  >
  <EXTSTATE
    <FOLEYSPACE
      settings {"a":1}
    >
  >
>
"""


def test_a_hand_made_project_arrives_with_all_it_says(tmp_path):
    path = tmp_path / "synthetic.rpp"
    path.write_text(SYNTHETIC, encoding="utf-8")
    project = load_project(path, Project())
    assert (project.values["PROJECT_SRATE"], project.values["PROJECT_SRATE_USE"], project.tempo) == (44100, 1, 100)
    assert [(one.name, one.start_s, one.end_s) for one in project.content.markers] == [
        ("cue", 2.0, None),
        ("part", 4.0, 6.0),
    ]
    track, child = project.tracks
    assert (track.name, track.values["D_VOL"], track.values["D_PAN"], track.values["I_NCHAN"]) == (
        'a "quoted" name',
        0.5,
        -0.25,
        4,
    )
    assert child.parent is track
    assert [(p.time_s, p.value, p.shape, p.tension) for p in track.envelopes[0].points] == [
        (0, 1, 0, 0),
        (2, 0.5, 5, 0.3),
    ]
    azimuth = track.fx[0].envelopes[0]
    assert (track.fx[0].name, azimuth.minimum, azimuth.points[0].value) == ("JS: FoleySpace Position", -1080, 90)
    (item,) = track.items
    assert (item.start_s, item.length_s, item.values["B_LOOPSRC"], item.values["B_MUTE"], item.values["D_VOL"]) == (
        1.5,
        2,
        1,
        1,
        0.7,
    )
    assert (item.values["C_FADEINSHAPE"], item.values["D_FADEINLEN"], item.values["D_FADEINDIR"]) == (2, 0.1, 0.5)
    assert (item.values["D_FADEOUTLEN_AUTO"], item.values["D_FADEINLEN_AUTO"]) == (0.3, -1)
    first, second = item.takes
    assert item.take is second
    assert (first.name, first.values["D_VOL"], first.values["D_PAN"], first.values["D_PITCH"]) == (
        "first",
        -0.9,
        0.1,
        3,
    )
    assert (
        first.values["D_STARTOFFS"],
        first.values["D_PLAYRATE"],
        first.values["B_PPITCH"],
        first.values["I_CHANMODE"],
    ) == (0.25, 2, 0, 3)
    assert (first.source.kind, first.source.start_s, first.source.length_s, first.source.reverse) == (
        "SECTION",
        0.5,
        1.5,
        True,
    )
    assert first.source.root().path == str(tmp_path / "media" / "a.wav")
    assert first.stretch_markers == [(0.0, 0.25), (1.5, 2.0), (2.0, 3.0)]
    assert (second.values["D_VOL"], second.values["D_PAN"], second.source.kind) == (0.8, 0.2, "_OFFLINE_WAVE")
    assert project.ext_state["FOLEYSPACE", "settings"] == '{"a":1}'


EXPECTED = {
    "Perlence_rpp__tests_data_vst.RPP": (10, 3),
    "iplug2_hist__IPlugSwiftUI_parmenv.RPP": (1, 1),
    "iplug2_hist__MetaParamTest_parmenv.RPP": (1, 0),
    "rppp__rpp-examples_audio-file-with-take-fx.RPP": (1, 1),
    "rppp__rpp-examples_audio-file-x4.RPP": (1, 4),
    "rppp__rpp-examples_tricky-strings.RPP": (17, 3),
    "ultraschall_hist__test_7.27_win64.rpp": (1, 1),
}


def test_real_projects_load(shared_dir):
    for name, (tracks, items) in EXPECTED.items():
        project = load_project(shared_dir / "data" / "reaper" / "rpp" / name, Project())
        assert (name, len(project.tracks), len(project.items)) == (name, tracks, items)


def test_real_projects_hold_what_stands_in_them(shared_dir):
    folder = shared_dir / "data" / "reaper" / "rpp"
    kicks = load_project(folder / "rppp__rpp-examples_audio-file-x4.RPP", Project())
    assert [item.start_s for item in kicks.items] == [0.0, 0.5, 1.0, 1.5]
    assert all(item.take.source.path == str(folder / "media" / "909-kick.wav") for item in kicks.items)
    parameters = load_project(folder / "iplug2_hist__MetaParamTest_parmenv.RPP", Project())
    envelopes = parameters.tracks[0].fx[0].envelopes
    assert [(one.minimum, one.maximum, one.active) for one in envelopes.values()] == [(0.0, 1.0, False)] * 2
    fx = load_project(folder / "rppp__rpp-examples_audio-file-with-take-fx.RPP", Project())
    assert [effect.name for effect in fx.items[0].take.fx] == ["VST3: #TEqualiser (Tracktion) (mono)"]
    voice = load_project(folder / "ultraschall_hist__test_7.27_win64.rpp", Project())
    assert voice.items[0].take.source.path.endswith("Recordings/trss-mr-death.mp3")
    assert "Alles Ohne Irgendwas" in [marker.name for marker in voice.content.markers]
