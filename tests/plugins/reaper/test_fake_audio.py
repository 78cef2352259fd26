"""What the fake REAPER plays is what the arithmetic of its settings says."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import (
    add_envelope,
    add_item,
    add_take,
    add_track,
    fades,
    file_source,
    heard_take,
    render_timeline,
    section,
    track_signal,
)
from fake.playing import take_samples

RATE = 48000


@pytest.fixture
def write(tmp_path):
    def to_file(samples, name="sound.wav", rate=RATE):
        path = tmp_path / name
        soundfile.write(path, np.asarray(samples, np.float64).T, rate, subtype="DOUBLE")
        return path

    return to_file


@pytest.fixture
def track(reaper):
    return add_track(reaper.active, "Track")


def ramp(n=RATE):
    """Every sample says where it stands in the file."""
    return np.arange(n) / n


def sine(frequency_hz, seconds=1.0, rate=RATE):
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate)) / rate)


def test_start_offset_and_length(track, write):
    item = add_item(track, write(ramp()), 2.0, 0.25, take={"D_STARTOFFS": 0.5})
    heard = take_samples(item.take, 0.0, 24000, RATE)
    assert heard.shape == (1, 24000)
    assert np.array_equal(heard[0, :12000], ramp()[24000:36000])
    assert not heard[0, 12000:].any()


def test_a_negative_start_offset_is_silence_first(track, write):
    item = add_item(track, write(ramp()), 0.0, 1.0, take={"D_STARTOFFS": -0.25})
    heard = take_samples(item.take, 0.0, RATE, RATE)[0]
    assert not heard[:12000].any()
    assert np.array_equal(heard[12000:], ramp()[:36000])


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_a_rate_without_pitch_preserved_moves_the_pitch(track, write, rate):
    item = add_item(track, write(sine(1000.0)), 0.0, 0.4, take={"D_PLAYRATE": rate, "B_PPITCH": 0.0})
    heard = take_samples(item.take, 0.0, 19200, RATE)[0]
    expected = sine(1000.0 * rate, 0.4)
    assert np.max(np.abs(heard - expected)[200:-200]) < 1e-3


def test_a_rate_with_pitch_preserved_keeps_pitch_and_moves_time(track, write):
    sound = np.zeros(RATE)
    sound[24000:] = sine(1000.0, 0.5)
    item = add_item(track, write(sound), 0.0, 0.5, take={"D_PLAYRATE": 2.0, "B_PPITCH": 1.0})
    heard = take_samples(item.take, 0.0, 24000, RATE)[0]
    begin = np.flatnonzero(np.abs(heard) > 0.2)[0] / RATE
    assert begin == pytest.approx(0.25, abs=0.03)
    spectrum = np.abs(np.fft.rfft(heard[14000:23000] * np.hanning(9000)))
    assert np.argmax(spectrum) * RATE / 9000 == pytest.approx(1000.0, abs=40.0)


def test_a_pitch_shift_keeps_time(track, write):
    item = add_item(track, write(sine(1000.0)), 0.0, 1.0, take={"D_PITCH": 12.0})
    heard = take_samples(item.take, 0.0, RATE, RATE)[0]
    spectrum = np.abs(np.fft.rfft(heard[4800:43200] * np.hanning(38400)))
    assert np.argmax(spectrum) * RATE / 38400 == pytest.approx(2000.0, abs=40.0)


def test_another_sample_rate(track, write):
    item = add_item(track, write(sine(1000.0, 1.0, 44100), rate=44100), 0.0)
    assert item.length_s == 1.0
    assert np.max(np.abs(take_samples(item.take, 0.0, RATE, RATE)[0] - sine(1000.0))[400:-400]) < 1e-3


def test_sections_and_reversal(track, write):
    source = file_source(write(ramp()))
    part = add_item(track, section(source, 0.25, 0.5), 0.0)
    assert part.length_s == 0.5
    assert np.array_equal(take_samples(part.take, 0.0, 24000, RATE)[0], ramp()[12000:36000])
    backwards = add_item(track, section(source, reverse=True), 0.0)
    assert np.array_equal(take_samples(backwards.take, 0.0, RATE, RATE)[0], ramp()[::-1])
    both = add_item(track, section(source, 0.25, 0.5, reverse=True), 0.0, take={"D_STARTOFFS": 0.125})
    assert np.array_equal(take_samples(both.take, 0.0, 18000, RATE)[0], ramp()[12000:36000][::-1][6000:])


def test_a_looped_source_starts_again_and_one_that_is_not_falls_silent(track, write):
    path = write(ramp(12000))
    looped = add_item(track, path, 0.0, 0.6, B_LOOPSRC=1.0, take={"D_STARTOFFS": 0.1})
    expected = np.tile(ramp(12000), 4)[4800 : 4800 + 28800]
    assert np.array_equal(take_samples(looped.take, 0.0, 28800, RATE)[0], expected)
    once = add_item(track, path, 0.0, 0.6)
    assert not take_samples(once.take, 0.0, 28800, RATE)[0, 12000:].any()


def test_stretch_markers_bend_time(track, write):
    click = np.zeros(RATE)
    click[12000], click[36000] = 1.0, -1.0
    item = add_item(track, write(click), 0.0, 1.0, take={"D_STARTOFFS": 0.0})
    item.take.stretch_markers = [(0.0, 0.0), (0.5, 0.25), (1.0, 1.0)]
    heard = take_samples(item.take, 0.0, RATE, RATE)[0]
    assert np.argmax(heard) / RATE == pytest.approx(0.5, abs=0.02)
    assert np.argmin(heard) / RATE == pytest.approx(0.5 + 0.5 * (0.75 - 0.25) / 0.75, abs=0.02)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        (1, [0.2, 0.1, 0.3, 0.4, 0.5, 0.6]),
        (2, [0.15]),
        (3, [0.1]),
        (4, [0.2]),
        (7, [0.5]),
        (67, [0.1, 0.2]),
        (70, [0.4, 0.5]),
    ],
)
def test_channel_modes(track, write, mode, expected):
    item = add_item(track, write(np.outer(np.arange(1, 7) / 10, np.ones(480))), 0.0, take={"I_CHANMODE": float(mode)})
    heard = take_samples(item.take, 0.0, 480, RATE)[:, 100]
    assert heard.shape == (6,)
    assert heard == pytest.approx([*expected, *[0.0] * (6 - len(expected))])


def test_the_accessor_gives_lua_the_samples_interleaved_and_leaves_silence_to_the_script(reaper, track, write, lua):
    add_item(track, write([ramp(480), -ramp(480)]), 3.0, 0.02, D_VOL=0.5, D_FADEINLEN=0.01)
    lua("""
        local take = reaper.GetActiveTake(reaper.GetMediaItem(0, 0))
        local accessor, buffer = reaper.CreateTakeAudioAccessor(take), reaper.new_array(2 * 300)
        assert(reaper.GetAudioAccessorStartTime(accessor) == 0 and reaper.GetAudioAccessorEndTime(accessor) == 0.02)
        assert(reaper.GetAudioAccessorSamples(accessor, 48000, 2, 100 / 48000, 300, buffer) == 1)
        local got = buffer.table(1, 4)
        assert(#got == 4 and got[1] == 100 / 480 and got[2] == -100 / 480 and got[3] == 101 / 480)
        assert(buffer[600] == -399 / 480)
        assert(reaper.GetAudioAccessorSamples(accessor, 48000, 2, 0.02, 300, buffer) == 0 and buffer[600] == -399 / 480)
        buffer.clear() assert(buffer[600] == 0 and #buffer.table() == 600)
        assert(not pcall(reaper.GetAudioAccessorSamples, accessor, 48000, 2, 0, 301, buffer))
        reaper.DestroyAudioAccessor(accessor)
        assert(not pcall(reaper.GetAudioAccessorSamples, accessor, 48000, 2, 0, 1, buffer))
    """)
    assert [text for text in reaper.violations if "do not fit" in text]


# -- the timeline ------------------------------------------------------------------------------------------------------


def test_position_volumes_and_mutes(reaper, track, write):
    path = write(np.ones(4800))
    add_item(track, path, 0.5, D_VOL=0.5, take={"D_VOL": -0.5})
    add_item(track, path, 0.7, B_MUTE=1.0)
    track.values["D_VOL"] = 0.5
    heard = render_timeline(reaper.active, 0.4, 0.4)
    assert heard.shape == (2, 19200)
    assert np.allclose(heard[:, 4800:9600], -0.125)
    assert not heard[:, :4800].any()
    assert not heard[:, 9600:].any()
    track.values["B_MUTE"] = 1.0
    assert not render_timeline(reaper.active, 0.4, 0.4).any()


def test_children_pass_through_their_folder(reaper, write):
    parent = add_track(reaper.active, "Parent", I_FOLDERDEPTH=1.0, D_VOL=0.5)
    child = add_track(reaper.active, "Child", I_FOLDERDEPTH=-1.0, D_PAN=-1.0)
    other = add_track(reaper.active, "Other")
    add_item(child, write(np.ones(4800)), 0.0)
    add_item(other, write(np.full(4800, 0.25), "other.wav"), 0.0)
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.1), [[0.75], [0.25]])
    parent.values["B_MUTE"] = 1.0
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.1), 0.25)
    parent.values["B_MUTE"] = 0.0
    child.values["I_SOLO"] = 1.0
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.1), [[0.5], [0.0]])


def test_width_and_dual_pan_fold_a_stereo_sound(reaper, track, write):
    add_item(track, write([np.ones(480), np.zeros(480)]), 0.0)
    track.values.update({"I_PANMODE": 5.0, "D_WIDTH": 0.0})
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.01), 0.5)
    track.values["D_WIDTH"] = -1.0
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.01), [[0.0], [1.0]])
    track.values.update({"I_PANMODE": 6.0, "D_DUALPANL": -1.0, "D_DUALPANR": 1.0})
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.01), [[1.0], [0.0]])


def test_channels_beyond_the_second_stay_on_their_track(reaper, track, write):
    add_item(track, write(np.outer([0.1, 0.2, 0.3, 0.4], np.ones(480))), 0.0)
    assert render_timeline(reaper.active, 0.0, 0.01)[:, 0] == pytest.approx([0.1, 0.2])
    track.values["I_NCHAN"] = 4.0
    assert track_signal(track, 0.0, 480, RATE)[:, 0] == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_only_the_active_take_sounds_unless_all_do(reaper, track, write):
    item = add_item(track, write(np.full(480, 0.25)), 0.0)
    add_take(item, file_source(write(np.full(480, 0.5), "second.wav")))
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.01), 0.25)
    item.active = 1
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.01), 0.5)
    item.values["B_ALLTAKESPLAY"] = 1.0
    assert np.allclose(render_timeline(reaper.active, 0.0, 0.01), 0.75)


def test_linear_fades_and_the_automatic_length_before_the_set_one(track, write):
    item = add_item(track, write(np.ones(RATE)), 0.0, D_FADEINLEN=0.2, D_FADEOUTLEN=0.5)
    times = np.array([0.0, 0.1, 0.3, 0.75, 1.0])
    assert fades(item, times) == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0], abs=1e-9)
    item.values["D_FADEINLEN_AUTO"] = 0.4
    assert fades(item, times)[1] == pytest.approx(0.25, abs=1e-9)


@pytest.mark.parametrize("shape", range(8))
@pytest.mark.parametrize("curve", [-1.0, -0.3, 0.0, 0.6, 1.0])
def test_fades_of_every_shape_rise_from_nothing_to_all_and_fall_back(track, write, shape, curve):
    values = {"C_FADEINSHAPE": shape, "C_FADEOUTSHAPE": shape, "D_FADEINDIR": curve, "D_FADEOUTDIR": curve}
    item = add_item(track, write(np.ones(RATE)), 0.0, D_FADEINLEN=0.5, D_FADEOUTLEN=0.5, **values)
    gain = fades(item, np.linspace(0.0, 1.0, 1001))
    assert gain[[0, 500, 1000]] == pytest.approx([0.0, 1.0, 0.0], abs=1e-6)
    assert np.all(np.diff(gain[:501]) >= -1e-9)
    assert np.all(np.diff(gain[500:]) <= 1e-9)


def test_take_envelopes_count_at_the_takes_rate(track, write):
    item = add_item(track, write(np.ones(RATE)), 0.0, 0.5, take={"D_PLAYRATE": 2.0, "B_PPITCH": 0.0})
    add_envelope(item.take, "Volume", [(0.0, 1.0), (1.0, 0.0)])
    heard = heard_take(item.take, 0.0, 24000, RATE)[0]
    assert heard[12000] == pytest.approx(0.5, abs=1e-3)
    envelope = add_envelope(item.take, "Mute", [(0.0, 0.0, 1), (0.5, 1.0, 1)])
    heard = heard_take(item.take, 0.0, 24000, RATE)[0]
    assert not heard[:11900].any()
    assert heard[12100] == pytest.approx(0.5, abs=0.01)
    envelope.active = False
    assert heard_take(item.take, 0.0, 24000, RATE)[0, 100] == pytest.approx(1.0, abs=0.01)
