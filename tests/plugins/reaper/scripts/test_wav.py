"""Sound that is taken out of REAPER, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import add_item, add_track, heard_take

from .conftest import RATE_HZ, SCRIPTS

TAKE_OUT = """
package.path = "{scripts}/lib/?.lua"
local wav = require("wav")
local take = reaper.GetActiveTake(reaper.GetMediaItem(0, 0))
local told = {{}}
local ok, why = wav.from_take(take, "{path}", {shape}, function() end, function(part) told[#told + 1] = part end)
reaper.ShowConsoleMsg(("%s %s %.3f %d"):format(ok, why, told[#told] or -1, #told))
"""


def take_out(lua, path, shape):
    lua(TAKE_OUT.format(scripts=SCRIPTS, path=path, shape=shape))


@pytest.mark.parametrize(
    ("n_channels", "sounding", "n_samples"), [(1, 1, 1), (2, 2, 4096), (2, 1, 10001), (6, 6, 5000)]
)
def test_every_sample_arrives(reaper, lua, noise, tmp_path, n_channels, sounding, n_samples):
    item = add_item(add_track(reaper.active), noise(n_channels=n_channels), 0.0)
    path = tmp_path / "out.wav"
    shape = f"{{ n_channels = {n_channels}, sounding = {sounding}, rate_hz = {RATE_HZ}, n_samples = {n_samples} }}"
    take_out(lua, path, shape)
    reaper.check()
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.channels, info.samplerate, info.frames) == (
        "WAV",
        "FLOAT",
        sounding,
        RATE_HZ,
        n_samples,
    )
    wanted = heard_take(item.take, 0, n_samples, RATE_HZ)[:sounding]
    np.testing.assert_array_equal(soundfile.read(path, always_2d=True, dtype="float32")[0].T, wanted.astype(np.float32))
    assert reaper.dialogs.console.startswith("true")
    assert path.stat().st_size == 58 + 4 * sounding * n_samples


def test_silence_beyond_the_end(reaper, lua, noise, tmp_path):
    add_item(add_track(reaper.active), noise(duration_s=0.1), 0.0, 0.5, B_LOOPSRC=0.0)
    path = tmp_path / "out.wav"
    take_out(lua, path, f"{{ n_channels = 1, sounding = 1, rate_hz = {RATE_HZ}, n_samples = 24000 }}")
    sound = soundfile.read(path)[0]
    assert len(sound) == 24000
    assert sound[:4800].any()
    assert not sound[4800:].any()


def test_what_is_too_long_is_refused(reaper, lua, noise, tmp_path):
    add_item(add_track(reaper.active), noise(), 0.0)
    path = tmp_path / "out.wav"
    take_out(lua, path, f"{{ n_channels = 2, sounding = 2, rate_hz = {RATE_HZ}, n_samples = 600000000 }}")
    assert "it is too long for a WAV file" in reaper.dialogs.console
    assert list(tmp_path.glob("out*")) == []


def test_an_item_that_goes_while_it_is_read_leaves_no_file(reaper, lua, noise, tmp_path):
    add_item(add_track(reaper.active), noise(), 0.0)
    gone = "still_there = function() return false end"
    shape = f"{{ n_channels = 1, sounding = 1, rate_hz = {RATE_HZ}, n_samples = 48000, {gone} }}"
    take_out(lua, tmp_path / "out.wav", shape)
    reaper.check()
    assert "it was deleted while it was read" in reaper.dialogs.console
    assert list(tmp_path.glob("out*")) == []
