"""What the timeline lets hear after "Spatialize selected items", case by case.

The truth comes from the project alone: what the stand-in for REAPER plays of an item, with its volume and fades, is
placed by the renderer directly. Where a fixed direction is heard, its differences between the ears are measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import foleyspace_host as foleyspace

RATE_HZ = 48_000
LEFT = ["60", "60", "0", "0", "2", "2"]  # azimuth from and to, elevation, distance


def itd_s(sound: np.ndarray, rate_hz: int = RATE_HZ) -> float:
    """How much earlier the left ear hears it, from the correlation below 1.5 kHz [s]."""
    n = 2 * sound.shape[1]
    spectra = np.fft.rfft(sound, n)
    spectra[:, np.fft.rfftfreq(n, 1 / rate_hz) > 1500.0] = 0.0
    reach = round(0.001 * rate_hz)
    fine = 16  # samples of the correlation between two of the sound
    cross = np.fft.irfft(spectra[1] * np.conj(spectra[0]), fine * n)
    lags = np.arange(-fine * reach, fine * reach + 1)
    return float(lags[np.argmax(cross[lags])]) / fine / rate_hz


def ild_db(sound: np.ndarray) -> float:
    """How much louder the left ear hears it [dB]."""
    power = np.mean(sound**2, axis=1)
    return float(10 * np.log10(power[0] / power[1]))


def placed(mono: np.ndarray, rate_hz: int, *keys: tuple[float, float]) -> np.ndarray:
    """What the renderer makes of a sound on a path of (time, azimuth), two metres away."""
    path = tuple(foleyspace.Key(t_s=t, azimuth_deg=azimuth, distance_m=2.0) for t, azimuth in keys)
    trajectory = foleyspace.Trajectory(len(mono) / rate_hz, (foleyspace.Source("item", path),))
    return np.asarray(foleyspace.render(mono.astype(np.float32), rate_hz, trajectory), np.float64)


def summed(channels: np.ndarray) -> np.ndarray:
    """One channel with the power of all, but not more than 6 dB above their mean."""
    mean = channels.mean(axis=0)
    return mean * min(10 ** (6 / 20), np.sqrt(np.mean(channels**2) / np.mean(mean**2))) if len(channels) > 1 else mean


def truth_of(item: Any, rate_hz: int = RATE_HZ) -> np.ndarray:
    """What the item itself lets hear, as one channel, over exactly the samples that it covers."""
    from fake import heard_take

    n_samples = int(np.floor(item.end_s * rate_hz + 0.5)) - int(np.floor(item.start_s * rate_hz + 0.5))
    # in pieces as scripts read it: what stands in for a stretcher begins anew with each
    starts = range(0, n_samples, 4096)
    pieces = [heard_take(item.take, start / rate_hz, min(4096, n_samples - start), rate_hz) for start in starts]
    channels = np.concatenate(pieces, axis=1)
    is_single = int(item.take.values["I_CHANMODE"]) >= 2
    return channels[0] if is_single else summed(channels)


def lay_out(studio: Any) -> dict[str, Any]:
    """Put one item for each case on a track; return them by name."""
    from fake import add_envelope, add_item, add_take, add_track, file_source, section

    track = add_track(studio.project, "Steps")
    mono, stereo, six = (studio.noise(f"{n} « Ünï ».wav", n, seed=n) for n in (1, 2, 6))
    slow = studio.noise("forty-four.wav", 1, rate_hz=44_100, seed=8)
    other = studio.noise('it\'s "another" `take`.wav', 1, seed=9)
    items: dict[str, Any] = {}

    def put(name: str, source: Any = mono, length_s: float = 0.75, **values: Any) -> Any:
        items[name] = add_item(track, source, len(items) * 2.0, length_s, **values)
        return items[name]

    put("plain")
    put("between samples", take={"D_STARTOFFS": 0.5}).values.update(
        D_POSITION=2.0 + 0.3 / RATE_HZ, D_LENGTH=0.75 + 0.1 / RATE_HZ
    )
    put("start offset", take={"D_STARTOFFS": 0.371})
    put("half speed", take={"D_PLAYRATE": 0.5, "B_PPITCH": 0.0, "D_STARTOFFS": 0.25})
    put("double speed", take={"D_PLAYRATE": 2.0, "B_PPITCH": 0.0})
    put("half speed, same pitch", take={"D_PLAYRATE": 0.5, "B_PPITCH": 1.0})
    put("double speed, same pitch", take={"D_PLAYRATE": 2.0, "B_PPITCH": 1.0})
    put("an octave up", take={"D_PITCH": 12.0})
    put("volumes", take={"D_VOL": 0.5}, D_VOL=1.5)
    put("polarity", take={"D_VOL": -1.0})
    for shape in range(7):
        fades = {
            "C_FADEINSHAPE": float(shape),
            "C_FADEOUTSHAPE": float(shape),
            "D_FADEINDIR": 0.4,
            "D_FADEOUTDIR": -0.7,
        }
        put(f"fades of shape {shape}", **fades, D_FADEINLEN=0.3, D_FADEOUTLEN=0.2)
    put("automatic fades", D_FADEINLEN=0.01, D_FADEINLEN_AUTO=0.25, D_FADEOUTLEN_AUTO=0.4, D_FADEOUTLEN=0.5)
    add_envelope(put("volume envelope").take, "Volume", [(0.0, 1.0), (0.25, 0.25), (0.5, 1.5)])
    add_envelope(
        put("envelope at double speed", take={"D_PLAYRATE": 2.0, "B_PPITCH": 0.0}).take,
        "Volume",
        [(0.0, 0.0), (1.0, 1.0)],
    )
    add_take(put("second of two takes"), file_source(other), D_STARTOFFS=0.2)
    items["second of two takes"].active = 1
    put("stereo", stereo)
    put("six channels", six)
    put("left channel", stereo, take={"I_CHANMODE": 3.0})
    put("right channel, faster", stereo, take={"I_CHANMODE": 4.0, "D_PLAYRATE": 1.25, "B_PPITCH": 0.0})
    put("mixed to mono", stereo, take={"I_CHANMODE": 2.0})
    put("44.1 kHz", slow, take={"D_STARTOFFS": 0.2})
    put("44.1 kHz, all of it", slow, length_s=1.9)
    put("reversed", section(file_source(mono), 0.5, 1.5, reverse=True))
    put("section", section(file_source(mono), 0.5, 0.5), B_LOOPSRC=1.0)
    put("looped", mono, length_s=1.5, take={"D_STARTOFFS": 2.5}, B_LOOPSRC=1.0)
    put("past its end", mono, length_s=1.5, take={"D_STARTOFFS": 2.25})
    put("before its start", mono, take={"D_STARTOFFS": -0.25})
    return items


@pytest.fixture(scope="module", params=["5.3", "5.4"])
def heard(request: Any, tmp_path_factory: Any, shared_home: Any) -> Any:
    """A studio in which all cases were rendered at once; the studio, the items by name, and what they are."""
    from fake import FakeReaper

    from_conftest = request.getfixturevalue("studio_class")
    folder = tmp_path_factory.mktemp("studio")
    (folder / "REAPER").mkdir()
    reaper = FakeReaper(folder / "REAPER")
    studio = from_conftest(reaper, shared_home, folder / 'Zoë\'s "Média" `x`')
    items = lay_out(studio)
    reaper.dialogs.inputs.append(LEFT)
    studio.run("Spatialize selected items", lua=request.param)
    yield studio, items, {name: truth_of(item) for name, item in items.items()}
    reaper.close()


CASES = {
    # how near what is heard comes to the truth, of its largest sample; the stand-in converts rates with 64 taps
    "44.1 kHz": 5e-3,
    "44.1 kHz, all of it": 5e-3,
}


def test_every_item_has_a_result_of_its_length(heard: Any) -> None:
    studio, items, truths = heard
    results = studio.results()
    assert len(results) == len(items)
    for name, item in items.items():
        sound = studio.sound_of(results[item.start_s])
        assert sound.shape == (2, len(truths[name])), name


def test_every_item_is_heard_as_it_was_but_placed(heard: Any) -> None:
    studio, items, truths = heard
    results, wrong = studio.results(), {}
    for name, item in items.items():
        expected = placed(truths[name], RATE_HZ, (0.0, 60.0))
        sound = studio.sound_of(results[item.start_s])
        off = np.abs(sound - expected).max() / np.abs(expected).max()
        if off > CASES.get(name, 1e-3):
            wrong[name] = float(off)
    assert not wrong


def test_the_timeline_plays_the_results_alone_where_the_items_were(heard: Any) -> None:
    from fake import render_timeline

    studio, items, _ = heard
    results = studio.results()
    for name in ("plain", "between samples", "fades of shape 3", "stereo", "half speed"):
        item = items[name]
        sound = studio.sound_of(results[item.start_s])
        played = render_timeline(studio.project, item.start_s, item.length_s, RATE_HZ)
        n = min(played.shape[1], sound.shape[1])
        np.testing.assert_allclose(played[:, :n], sound[:, :n], atol=1e-6, err_msg=name)


def test_the_ears_hear_it_from_the_left(heard: Any) -> None:
    studio, items, _ = heard
    results = studio.results()
    for name, item in items.items():
        sound = studio.sound_of(results[item.start_s])
        # a sphere of 8.75 cm: 0.49 ms at 60 degrees for high frequencies (Woodworth), 0.66 ms for low ones (Kuhn)
        assert 0.49e-3 < itd_s(sound) < 0.66e-3, name
        assert ild_db(sound) > 5.0, name


def test_the_level_is_that_of_the_item(heard: Any) -> None:
    """0 dB on average over all directions; from the left, below 8 kHz, the near ear makes both together louder."""
    studio, items, truths = heard
    results = studio.results()
    for name, item in items.items():
        if item.take.values["D_PLAYRATE"] != 1.0 or item.take.values["D_PITCH"]:
            continue  # of another colour, to which a head is not as loud
        power = np.mean(studio.sound_of(results[item.start_s]) ** 2)
        assert 10 * np.log10(power / np.mean(truths[name] ** 2)) == pytest.approx(3.2, abs=0.6), name


def test_it_was_one_step_and_can_be_taken_back(heard: Any) -> None:
    studio, items, _ = heard
    assert [point.label for point in studio.project.undo] == [f"FoleySpace: Spatialize {len(items)} items"]
    assert all(item.values["B_MUTE"] for item in items.values())
    assert not studio.reaper.processes.running[-1].wait(20)
    assert not [path for path in studio.jobs.rglob("*") if path.is_file()]


@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_results_have_the_rate_of_the_project(studio: Any, rate_hz: int) -> None:
    from fake import add_item, add_track

    studio.project.values |= {"PROJECT_SRATE": float(rate_hz), "PROJECT_SRATE_USE": 1.0}
    item = add_item(add_track(studio.project, "Steps"), studio.noise("a.wav"), 1.2345678, 0.7654321)
    studio.reaper.dialogs.inputs.append(LEFT)
    studio.run("Spatialize selected items")
    sound = studio.sound_of(studio.results()[item.start_s])
    truth = truth_of(item, rate_hz)
    assert sound.shape == (2, len(truth))
    expected = placed(truth, rate_hz, (0.0, 60.0))
    assert np.abs(sound - expected).max() < 4e-3 * np.abs(expected).max()


def test_a_pass_goes_from_left_to_right(studio: Any) -> None:
    from fake import add_item, add_track

    item = add_item(add_track(studio.project, "Steps"), studio.noise("a.wav"), 1.0, 2.0)
    studio.reaper.dialogs.inputs.append(["90", "-90", "0", "0", "2", "2"])
    studio.run("Spatialize selected items")
    sound = studio.sound_of(studio.results()[1.0])
    parts = [sound[:, start : start + RATE_HZ // 8] for start in (0, 15 * RATE_HZ // 16, 15 * RATE_HZ // 8)]
    first, middle, last = parts
    assert itd_s(first) > 0.5e-3
    assert abs(itd_s(middle)) < 0.1e-3
    assert itd_s(last) < -0.5e-3
    assert ild_db(first) > 6.0
    assert abs(ild_db(middle)) < 2.0
    assert ild_db(last) < -6.0
    np.testing.assert_allclose(
        sound, placed(truth_of(item), RATE_HZ, *((t, 90 - 90 * t) for t in np.arange(0, 2.01, 0.05))), atol=2e-3
    )


def test_what_was_drawn_behind_stays_behind(studio: Any) -> None:
    """From 150 to 210 degrees the way leads behind the listener, never through the front."""
    from fake import add_effect, add_item, add_track
    from fake.jsfx import read_jsfx

    track = add_track(studio.project, "Steps")
    item = add_item(track, studio.noise("a.wav"), 3.0, 2.0)
    effect = read_jsfx(next((studio.reaper.resource / "Effects").rglob("*Position.jsfx")))
    add_effect(track, effect, {0: [(3.0, 150.0), (5.0, 210.0)], 2: [(0.0, 2.0)]})
    studio.run("Spatialize selected items")
    assert not studio.reaper.dialogs.shown  # nothing was asked
    keys = [(t, ((150.0 + 30.0 * t) + 180.0) % 360.0 - 180.0) for t in np.arange(0.0, 2.01, 0.05)]
    sound = studio.sound_of(studio.results()[3.0])
    expected = placed(truth_of(item), RATE_HZ, *keys)
    assert np.abs(sound - expected).max() < 0.02 * np.abs(expected).max()
    front = placed(truth_of(item), RATE_HZ, *((t, 150.0 - 165.0 * t) for t in np.arange(0.0, 2.01, 0.05)))
    assert np.abs(sound - front).max() > 0.2 * np.abs(front).max()


@pytest.mark.parametrize(("name", "n_channels"), [("foa", 4), ("hoa3", 16), ("stereo", 2)])
def test_other_formats_come_on_tracks_with_their_channels(studio: Any, name: str, n_channels: int) -> None:
    from fake import add_item, add_track

    studio.set(format=name, tail_s=0.5)
    add_item(add_track(studio.project, "Steps"), studio.noise("a.wav"), 1.0, 1.0)
    studio.reaper.dialogs.inputs.append(LEFT)
    studio.run("Spatialize selected items")
    result = studio.results()[1.0]
    assert studio.sound_of(result).shape == (n_channels, round(1.5 * RATE_HZ))
    assert result.length_s == pytest.approx(1.5)
    assert result.track.values["I_NCHAN"] == n_channels


def test_channels_can_be_placed_side_by_side(studio: Any) -> None:
    from fake import add_item, add_track, heard_take

    studio.set(channels="each")
    path = studio.noise("two.wav", 2, seed=4)
    item = add_item(add_track(studio.project, "Steps"), path, 1.0, 1.0)
    studio.reaper.dialogs.inputs.append(["0", "0", "0", "0", "2", "2"])
    studio.run("Spatialize selected items")
    left, right = heard_take(item.take, 0.0, RATE_HZ, RATE_HZ)
    # both together as loud as one of them, as when they are summed
    expected = (placed(left, RATE_HZ, (0.0, 30.0)) + placed(right, RATE_HZ, (0.0, -30.0))) / np.sqrt(2.0)
    sound = studio.sound_of(studio.results()[1.0])
    assert np.abs(sound - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.timeout(600)
def test_two_hundred_items_at_once(studio: Any) -> None:
    from fake import add_item, add_track

    path = studio.noise("a.wav", duration_s=30.0)
    tracks = [add_track(studio.project, f"Track {number}") for number in range(4)]
    for number in range(200):
        add_item(tracks[number % 4], path, number * 0.3, 0.25, take={"D_STARTOFFS": number * 0.1})
    studio.reaper.dialogs.inputs.append(LEFT)
    studio.run("Spatialize selected items", timeout_s=500.0)
    results = studio.results()
    assert len(results) == 200
    assert len([track for track in studio.project.tracks if track.name.endswith("- FoleySpace")]) == 4
    for item in (tracks[0].items[0], tracks[1].items[20], tracks[3].items[-1]):
        expected = placed(truth_of(item), RATE_HZ, (0.0, 60.0))
        assert np.abs(studio.sound_of(results[item.start_s]) - expected).max() < 1e-3 * np.abs(expected).max()
