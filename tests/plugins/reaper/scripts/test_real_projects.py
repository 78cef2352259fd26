"""Projects that REAPER itself saved, in the hands of the scripts."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import add_item, load_project, render_timeline

from .conftest import PASS


@pytest.fixture
def opened(reaper, bridge, shared_dir, tmp_path):
    """A function that opens a copy of one of the projects; the media it names are noise."""

    def open_copy(name):
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        path = folder / name
        shutil.copyfile(shared_dir / "data" / "reaper" / "rpp" / name, path)
        project = load_project(path, reaper.active)
        for item in project.items:
            item.values["B_UISEL"] = 1.0
            source = item.take.source if item.take else None
            if source is not None and source.kind in ("WAVE", "MP3"):
                media = folder / source.path.rpartition("/")[2]
                rng = np.random.default_rng(7)
                n_samples = round((item.length_s + 0.1) * 44100)
                soundfile.write(media, rng.uniform(-0.5, 0.5, n_samples), 44100, format=source.kind[:3])
                source.path = str(media)
        return project

    return open_copy


def test_four_kicks(reaper, act, opened):
    project = opened("rppp__rpp-examples_audio-file-x4.RPP")
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    track, child = project.tracks
    assert (track.name, child.name) == ("kick", "kick - FoleySpace")
    assert [item.start_s for item in child.items] == [0.0, 0.5, 1.0, 1.5]
    # a saved project keeps its recordings beside itself
    assert all(item.take.source.path.startswith(str(project.path.parent)) for item in child.items)
    assert sorted(source.path for source in reaper.peaks_built) == sorted(item.take.source.path for item in child.items)
    end = reaper.calls.index("Undo_EndBlock2")
    assert {"UpdateArrange", "TrackList_AdjustWindows"} <= set(reaper.calls[end:])
    heard = render_timeline(project, 0.0, 2.0, 48000)
    assert np.abs(heard[0, 1000:4000]).max() > 0.3
    assert not heard[:, 5000:24000].any()
    assert reaper.dialogs.texts == []


def test_effects_on_a_take_are_told_to_be_left_out(reaper, act, opened):
    opened("rppp__rpp-examples_audio-file-with-take-fx.RPP")
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    assert "TEqualiser" in reaper.dialogs.console


def test_what_an_instrument_would_play_is_refused_item_by_item(reaper, bridge, act, opened):
    project = opened("Perlence_rpp__tests_data_vst.RPP")
    before = len(project.tracks)
    act("spatialize")
    reaper.check()
    assert len(project.tracks) == before
    (text,) = reaper.dialogs.texts
    assert "MIDI" in text
    assert "empty" in text
    assert bridge.requests == []


def test_a_plug_ins_automation_is_not_taken_for_a_position(reaper, bridge, act, opened):
    opened("iplug2_hist__IPlugSwiftUI_parmenv.RPP")
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    assert len(reaper.dialogs.shown) == 1  # it was asked where the sound comes from
    assert len(bridge.items) == 1


def test_names_full_of_quotation_marks(reaper, bridge, act, opened, noise):
    project = opened("rppp__rpp-examples_tricky-strings.RPP")
    names = [track.name for track in project.tracks]
    for track in project.tracks:
        track.items.clear()
        add_item(track, noise(duration_s=0.05), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    assert len(names) == 17
    for track, name in zip(project.tracks[::2], names, strict=True):
        assert track.name == name
    for child, name in zip(project.tracks[1::2], names, strict=True):
        assert child.name.endswith(f"{name} - FoleySpace")
