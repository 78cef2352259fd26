"""What a user hands over without asking whether it may be: no clicks, no drift, no end of memory."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.geometry.frames import great_circle_deg
from foleyspace_host.geometry.path import SourcePath
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.binaural import render_blocks
from foleyspace_host.render.options import RenderKeywords
from foleyspace_host.render.scene import points_of
from foleyspace_host.render.stream import render
from foleyspace_host.render.travel import Travel

RATE = 48_000


def along(*keys: Key, **settings: float) -> Trajectory:
    return Trajectory(2.0, (Source("s", keys, **settings),))


@pytest.fixture(scope="module")
def hum() -> np.ndarray:
    """Tones below 300 Hz that swell and fade: they bend so slowly that any click stands out."""
    t = np.arange(2 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * hz * t + hz) for hz in (97.0, 140.0, 211.0, 290.0))
    return (0.1 * tones * np.sin(np.pi * t / 2.0) ** 2).astype(np.float32)


def bend(ears: np.ndarray) -> float:
    """Largest second difference re the largest sample: 1/1300 for the hum itself, h for a click of height h."""
    return float(np.abs(np.diff(ears.astype(float), 2, axis=1)).max() / np.abs(ears).max())


def turning(deg_s: float) -> tuple[Key, ...]:
    return tuple(Key(k / 40, deg_s / 40 * k, 0.0, 1.4) for k in range(80))


STEADY, JUMPING = 1.6, 10.0  # bend allowed, re that of the hum at rest
PATHS = {
    "through the head": (Key(0.0, 90, 0, 2.0), Key(0.9999, 90, 0, 0.0), Key(1.0001, -90, 0, 0.0), Key(2.0, -90, 0, 2)),
    "at 0 m": (Key(0.0, 0, 0, 0.0), Key(1.0, 40, 0, 0.0), Key(2.0, -40, 0, 0.0)),
    "over the top": (Key(0.0, 0, 60, 1.4), Key(1.0, 0, 90, 1.4), Key(2.0, 180, 60, 1.4)),
    "spinning at the top": (Key(0.0, 0, 89.99), *(Key(k / 50, 100.0 * k, 89.99) for k in range(1, 99))),
    "below": (Key(0.0, 0, -80, 1.4), Key(1.0, 90, -90, 1.4), Key(2.0, 180, -80, 1.4)),
    "two turns a second": turning(720.0),
    "twenty turns a second": turning(7200.0),
    "one key": (Key(0.7, 33, 12, 3.0),),
    "cuts": tuple(Key(k / 7 + 0.01, 80.0 * (-1) ** k, 0, 1.0 + k, cut=True) for k in range(14)),
    "a cut of direction at one distance": (Key(0.0, 80, 0, 2), Key(1.0, -80, 0, 2, cut=True)),
    "straight behind": (Key(0.0, 170, 0, 1.0), Key(2.0, -170, 0, 1.0)),
}
CHOICES: dict[str, RenderKeywords] = {
    "plain": {"distance_gain": "none"},
    "distance": {},
    "physical": {"distance_gain": "physical", "propagation": "physical"},
    "wide": {"distance_gain": "none", "extent_deg": 90.0},
}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("path", PATHS)
def test_nothing_clicks(hum: np.ndarray, path: str, choice: str) -> None:
    moving = render(hum, RATE, along(*PATHS[path]), **CHOICES[choice])
    assert np.isfinite(moving).all()
    still = bend(render(hum, RATE, along(Key(0.0, 30.0)), distance_gain="none"))
    jumps = path in ("cuts", "a cut of direction at one distance", "through the head", "twenty turns a second")
    # a wide source over the top turns about itself there, and its sides change places
    jumps |= choice == "wide" and path in ("over the top", "spinning at the top", "below")
    assert bend(moving) < still * (JUMPING if jumps else STEADY)


def test_the_measure_hears_clicks(hum: np.ndarray) -> None:
    ears = render(hum, RATE, along(Key(0, 30)), distance_gain="none")
    still = bend(ears)
    ears[:, np.abs(ears[0]).argmax() :] *= 0.98  # a step of 0.17 dB
    assert bend(ears) > JUMPING * still


def test_borders_of_blocks_are_like_any_other_place(hum: np.ndarray) -> None:
    ears = render(hum, RATE, along(*turning(720.0)), distance_gain="none").astype(float)
    curve = np.abs(np.diff(ears, 2, axis=1)).max(axis=0)
    for period in (256, 16_384):
        border = np.zeros(len(curve), dtype=bool)
        for shift in (-2, -1, 0):
            border[period + shift :: period] = True
        assert curve[border].max() < 1.2 * curve[~border].max()
        assert curve[border].mean() < 1.2 * curve[~border].mean()


@pytest.mark.parametrize("choice", CHOICES)
def test_silence_before_and_after(choice: str) -> None:
    sound = np.zeros(RATE, np.float32)
    sound[20_000:28_000] = np.hanning(8000) * 0.5
    ears = render(sound, RATE, along(Key(0, 60), Key(1, -60)), **CHOICES[choice])
    assert np.abs(ears[:, :19_000]).max() < 1e-6
    assert np.abs(ears[:, 30_000:]).max() < 2e-4 * np.abs(ears).max()


@pytest.mark.parametrize("n", [0, 1, 2, 15, 255, 256, 257, 16_383, 16_385])
@pytest.mark.parametrize("choice", CHOICES)
def test_a_sample_and_a_few(n: int, choice: str) -> None:
    ears = render(np.ones(n, np.float32), RATE, along(Key(5.0, 120, -20, 0.0)), **CHOICES[choice])
    assert ears.shape == (2, n)
    assert np.isfinite(ears).all()


def test_ten_thousand_keys_a_second_are_the_same_path() -> None:
    sound = (0.1 * np.random.default_rng(1).standard_normal(2 * RATE)).astype(np.float32)
    few = along(Key(0.0, -60, 0, 1.0), Key(1.0, 0, 0, 2.0), Key(2.0, 60, 0, 4.0))
    times = np.arange(20_001) / 10_000
    many = along(
        *(Key(float(t), float(60 * (t - 1)), 0.0, float(2**t)) for t in times),
    )
    options: RenderKeywords = {"propagation": "doppler"}
    np.testing.assert_allclose(render(sound, RATE, many, **options), render(sound, RATE, few, **options), atol=2e-4)


def test_ten_thousand_wild_keys_a_second_stay_finite() -> None:
    rng = np.random.default_rng(2)
    table = rng.uniform((-720, -90, 0, -60), (720, 90, 60, 6), (5000, 4))
    keys = [Key(k / 10_000, a, e, r, cut=k % 11 == 0, gain_db=g) for k, (a, e, r, g) in enumerate(table.tolist())]
    sound = (0.1 * rng.standard_normal(RATE // 2)).astype(np.float32)
    for choice in CHOICES.values():
        ears = render(sound, RATE, along(*keys), **choice)
        assert np.isfinite(ears).all()
        assert np.abs(ears).max() < 50


@settings(max_examples=20)
@given(st.floats(0, 1e6), st.floats(0, 0.9))
def test_twelve_hours_and_more_are_as_exact_as_the_start(origin_s: float, part: float) -> None:
    """Directions late in a long path against the same path at its start: off by less than one sample's motion."""
    keys = [(0.0, 0.0), (0.25, 170.0), (0.5, 10.0), (1.0, -120.0)]  # up to 680 degrees a second
    path, late = (
        SourcePath.from_source(Source("s", (*before, *(Key(origin + t, a, 0.0, 2.0) for t, a in keys))))
        for origin, before in ((0.0, ()), (origin_s + 1.0, (Key(0.0, 0.0, 0.0, 2.0),)))
    )
    now, then = path.sample([part])[0], late.sample([origin_s + 1.0 + part])[0]
    assert great_circle_deg(now, then)[0] < 680.0 / 192_000


@pytest.mark.parametrize("rate", [44_100, 48_000, 192_000])
def test_control_points_of_the_twelfth_hour(rate: int) -> None:
    hop, hour = 256, 3600.0
    frame = int(12 * hour * rate) // hop
    exact_s = [(frame + k) * hop for k in range(64)]  # in samples, as integers
    cut_s = exact_s[40] / rate - 0.25 / rate
    keys = (
        Key(0.0, 0.0, 0.0, 2.0),
        Key(12 * hour - 5.0, 10.0, 0.0, 2.0),
        Key(12 * hour + 5.0, 100.0, 0.0, 30.0),
    )
    trajectory = Trajectory(13 * hour, (Source("s", keys),))
    options = RenderOptions("none", "physical")
    point = points_of(trajectory, options, 13 * hour)[0]
    heard = Travel(point, options, rate, hop).heard(frame, 64)
    # its distance at the time of leaving, by plain arithmetic: ln r rises evenly from ln 2 to ln 30 in 10 s
    left_s = np.array(exact_s) / rate - heard.delay_samples / rate
    distance_m = 2.0 * 15.0 ** ((left_s - (12 * hour - 5.0)) / 10.0)
    np.testing.assert_allclose(heard.delay_samples, distance_m / 343.2 * rate, atol=0.01)
    jumping = Trajectory(13 * hour, (Source("s", (Key(0.0, 0.0), Key(cut_s, 50.0, cut=True))),))
    point = points_of(jumping, RenderOptions("none"), 13 * hour)[0]
    there = Travel(point, RenderOptions("none"), rate, hop).heard(frame, 64)
    assert list(np.flatnonzero(there.jump)) == [39]
    assert great_circle_deg(there.unit[39], there.unit[40]) == pytest.approx(50.0)


def test_median_distance_of_a_long_path_is_quick() -> None:
    keys = tuple(Key(float(t), 0.0, 0.0, 1.0 + t / 4320) for t in range(0, 43_200, 10))
    path = SourcePath.from_source(Source("s", keys))
    assert path.median_distance_m(43_200.0) == pytest.approx(6.0, rel=0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read as Unix tells it")
def test_ten_minutes_need_no_more_memory_than_one() -> None:
    program = """
        import resource, sys
        import numpy as np
        from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
        from foleyspace_host.hrtf.prepare import load_hrtf
        from foleyspace_host.render import RenderOptions
        from foleyspace_host.render.binaural import render_blocks

        minutes = int(sys.argv[1])
        noise = (0.1 * np.random.default_rng(1).standard_normal(1 << 16)).astype(np.float32)
        n_samples = minutes * 60 * 48_000
        path = Trajectory(600.0, (Source("s", tuple(Key(float(t), 37.0 * t, 0.0, 2.0) for t in range(600))),))
        blocks = (noise for _ in range(n_samples // len(noise) + 1))
        done = 0
        for block in render_blocks(blocks, n_samples, 48_000, path, load_hrtf(None, 48_000), RenderOptions()):
            done += block.shape[1]
        assert done == n_samples
        if sys.platform == "linux":  # whose getrusage starts with the peak of the process before
            status = dict(line.split(":", 1) for line in open("/proc/self/status"))
            print(int(status["VmHWM"].split()[0]) / 1024)
        else:
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2)
    """
    peaks_mib = []
    for minutes in ("1", "10"):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), minutes],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        peaks_mib.append(float(done.stdout))
    assert peaks_mib[1] < 500
    assert peaks_mib[1] < peaks_mib[0] + 20


def test_sources_side_by_side_take_turns_without_drift(kemar_44k) -> None:
    # what is rendered does not depend on how the clip is cut, however odd the pieces
    sound = (0.1 * np.random.default_rng(5).standard_normal(60_000)).astype(np.float32)
    path = along(Key(0.0, -90, 0, 0.5), Key(1.2, 90, 30, 8.0), extent_deg=40.0)
    options = RenderOptions(propagation="doppler")

    def rendered(pieces: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(list(render_blocks(pieces, len(sound), 44_100, path, kemar_44k, options)), axis=1)

    whole = rendered([sound])
    for cuts in ([1, 2, 3, 70, 59_999], list(range(333, 60_000, 333))):
        np.testing.assert_array_equal(rendered(np.split(sound, cuts)), whole)
