"""The renderer of panned formats against closed forms: gains, travel times, directions, lengths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from foleyspace_host.errors import InvalidInput, NonFinite
from foleyspace_host.geometry.frames import angles_to_unit
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.formats import FORMAT_NAMES, find_format
from foleyspace_host.render.panned import render_panned_blocks
from foleyspace_host.render.panning.law import law_of

RATE = 48_000
HOP = 256
PLAIN = RenderOptions(distance_gain="none", air=None)
PANNED = [name for name in FORMAT_NAMES if name != "binaural"]


def along(*keys: Key, duration_s: float = 1.0) -> Trajectory:
    return Trajectory(duration_s, (Source("s", keys),))


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, n).astype(np.float32)


def rendered(
    mono: np.ndarray, trajectory: Trajectory, name: str, options: RenderOptions = PLAIN, rate: int = RATE
) -> np.ndarray:
    blocks = render_panned_blocks([mono], mono.shape[-1], rate, trajectory, find_format(name), options)
    return np.concatenate(list(blocks), axis=1)


@pytest.mark.parametrize("name", PANNED)
def test_a_still_source_is_the_clip_times_the_law_to_the_bit_of_a_float(name: str) -> None:
    mono = noise(30_001)
    out = rendered(mono, along(Key(0, 40, 20, 3.0)), name)
    gains = law_of(find_format(name)).gains(angles_to_unit([40], [20]))[0]
    assert out.shape == (find_format(name).n_channels, 30_001)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, gains[:, None] * mono, atol=1e-7)


@pytest.mark.parametrize("name", PANNED)
def test_silence_stays_silence_and_the_lfe_is_silent(name: str) -> None:
    path = along(Key(0, 0), Key(0.5, 180), Key(0.6, -90, cut=True))
    assert not rendered(np.zeros(RATE, np.float32), path, name, RenderOptions("physical", "doppler")).any()
    if "LFE" in find_format(name).channels:
        assert not rendered(noise(RATE), path, name)[3].any()


@settings(max_examples=25)
@given(
    n=st.integers(0, 70_000),
    name=st.sampled_from(PANNED),
    propagation=st.sampled_from(["none", "doppler", "physical"]),
    cuts=st.lists(st.integers(0, 70_000), max_size=6),
)
def test_the_length_is_exact_and_blocks_do_not_matter(n: int, name: str, propagation: str, cuts: list[int]) -> None:
    mono = noise(n)
    path = along(Key(0.0, 80, 0, 3.0), Key(0.7, -60, 20, 0.5), Key(0.9, 100, -20, 40.0, cut=True), duration_s=1.4)
    options = RenderOptions("physical", propagation)  # type: ignore[arg-type]
    form = find_format(name)
    whole = list(render_panned_blocks([mono], n, RATE, path, form, options))
    parts = list(
        render_panned_blocks(np.split(mono, sorted(min(cut, n) for cut in cuts)), n, RATE, path, form, options)
    )
    assert sum(block.shape[1] for block in whole) == n
    if n:
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), np.concatenate(whole, axis=1))


@pytest.mark.parametrize("propagation", ["none", "physical"])
def test_where_chunks_fall_does_not_matter(propagation: str) -> None:
    mono, shift = noise(60_000), 40 * HOP
    late = np.concatenate([np.zeros(shift, np.float32), mono])
    keys = [(0.1, 60, 2.0, False), (0.8, -60, 5.0, False), (0.9, 20, 30.0, True)]

    def path(start_s: float) -> Trajectory:
        return along(*(Key(start_s + t, az, 0, r, cut=cut) for t, az, r, cut in keys), duration_s=2)

    # physical laws, because the others count from the median distance, which depends on the clip's length
    options = RenderOptions("physical", propagation)  # type: ignore[arg-type]
    first, second = rendered(mono, path(0), "hoa3", options), rendered(late, path(shift / RATE), "hoa3", options)
    start = 2 * 8192  # before it, sound from before the first key differs
    np.testing.assert_allclose(second[:, shift + start :], first[:, start:], atol=2e-5)


def test_foa_intensity_points_along_the_trajectory() -> None:
    n = 4 * RATE
    path = along(Key(0, -170, -40), Key(2, 0, 60), Key(4, 150, 0), duration_s=4)
    w, y, z, x = rendered(noise(n), path, "foa").astype(float)
    from foleyspace_host.geometry.path import SourcePath

    frame = 960
    for start in range(0, n - frame, 7 * frame):
        part = slice(start, start + frame)
        spectra = np.fft.rfft(np.stack([x, y, z, w])[:, part])
        intensity = (spectra[3].conj() * spectra[:3]).real.sum(axis=1)
        middle = np.array([(start + frame / 2) / RATE])
        truth = SourcePath.from_source(path.sources[0]).sample(middle)[0][0]
        angle = np.arctan2(np.linalg.norm(np.cross(intensity, truth)), intensity @ truth)
        assert np.degrees(angle) < 1.0


def test_a_moving_source_has_the_gains_of_the_law_at_every_sample() -> None:
    # a constant clip shows the gains: 90 degrees a second
    n = RATE
    out = rendered(np.ones(n, np.float32), along(Key(0, 0), Key(1, 90)), "hoa3")
    angle = np.arange(n) / RATE * 90
    gains = law_of(find_format("hoa3")).gains(angles_to_unit(angle, np.zeros(n)))
    assert np.abs(out.T - gains)[: -2 * HOP].max() < 1.5e-4  # the path ends within the last hops


def test_a_moving_tone_has_no_noise_beside_it() -> None:
    n = 4 * RATE
    tone = (0.25 * np.sin(2 * np.pi * 1000 * np.arange(n) / RATE)).astype(np.float32)
    keys = tuple(Key(float(t), 90 * float(t), 25 * np.sin(2 * np.pi * t / 7.3)) for t in np.arange(0, 4.01, 0.01))
    for channel in rendered(tone, along(*keys, duration_s=4), "hoa3"):
        if not channel.any():
            continue
        hz, _, spectra = signal.stft(channel, RATE, "blackmanharris", 4096, 3072, boundary=None, padded=False)
        power = np.abs(spectra) ** 2
        inside = np.abs(hz - 1000) < 200
        outside = ~inside & (hz > 30) & (hz < 20_000)
        assert 10 * np.log10(power[outside].sum() / power[inside].sum()) < -85


@pytest.mark.parametrize("speed_m_s", [-30.0, 30.0])
def test_doppler_shift_is_the_same_in_all_channels(speed_m_s: float) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    start = 40.0 if speed_m_s < 0 else 5.0
    keys = tuple(Key(float(t), 30, 30, start + speed_m_s * float(t)) for t in np.arange(0, 1.001, 0.01))
    out = rendered(tone, along(*keys), "foa", RenderOptions("none", "physical")).astype(float)
    gains = law_of(find_format("foa")).gains(angles_to_unit([30], [30]))[0]
    np.testing.assert_allclose(out, gains[:, None] * out[0], atol=1e-6)
    phase = np.unwrap(np.angle(signal.hilbert(out[0])))[RATE // 2 : RATE // 2 + 10_000]
    measured_hz = np.polyfit(np.arange(10_000) / RATE, phase, 1)[0] / (2 * np.pi)
    assert measured_hz == pytest.approx(1000 / (1 + speed_m_s / 343.2), rel=2e-4)


def test_physical_propagation_delays_by_the_distance() -> None:
    click = np.zeros(RATE, np.float32)
    click[10_000] = 1.0
    out = rendered(click, along(Key(0, 30, 0, 34.32)), "5.1", RenderOptions("none", "physical"))
    assert int(out[0].argmax()) == 10_000 + 4800  # 0.1 s
    assert out[0].max() == pytest.approx(1, abs=1e-4)
    assert np.abs(out[1:]).max() < 1e-6


@pytest.mark.parametrize(("law", "expected_db"), [("none", 0.0), ("physical", -6.02 - 6.02), ("relative", -6.02)])
def test_distance_gain(law: str, expected_db: float) -> None:
    mono = noise(2 * RATE)
    path = along(Key(0, 0, 0, 2.0), Key(1.05, 0, 0, 2.0), Key(1.1, 0, 0, 4.0), duration_s=2)
    out = rendered(mono, path, "foa", RenderOptions(law, air=None))[0]  # type: ignore[arg-type]
    late = slice(RATE * 3 // 2, 2 * RATE)
    gain_db = 20 * np.log10(np.linalg.norm(out[late]) / np.linalg.norm(mono[late]))
    assert gain_db == pytest.approx(expected_db, abs=0.01)


def test_air_dulls_far_sources_by_its_own_attenuation() -> None:
    from foleyspace_host.render.air import Air

    mono = noise(4 * RATE)
    air = Air(20, 50)
    dull, clear = (
        rendered(mono, along(Key(0, 20, 0, 50.0), duration_s=4), "foa", RenderOptions("physical", air=kind))
        for kind in (air, None)
    )
    hz, before = signal.welch(clear[0].astype(float), RATE, nperseg=1024)
    after = signal.welch(dull[0].astype(float), RATE, nperseg=1024)[1]
    heard_db = 10 * np.log10(after / before)
    for at_hz in (1000, 4000, 10_000, 16_000):
        index = int(np.abs(hz - at_hz).argmin())
        assert heard_db[index] == pytest.approx(-49 * float(air.attenuation_db_m(hz[index])), abs=0.25)
    lag = int(signal.correlate(dull[0], clear[0]).argmax()) - (len(mono) - 1)
    assert lag == 0


def test_cuts_cross_fade_within_one_hop_and_without_a_click() -> None:
    cut_s = 0.5003
    out = rendered(np.ones(RATE, np.float32), along(Key(0, 90), Key(cut_s, -90, cut=True)), "foa")[1]
    at = cut_s * RATE
    np.testing.assert_allclose(out[: int(at) - HOP], 1, atol=1e-6)
    np.testing.assert_allclose(out[int(at) + HOP :], -1, atol=1e-6)
    assert np.abs(np.diff(out)).max() < 2 * np.pi / 2 / HOP * 1.01  # the slope of a raised cosine of height 2


def test_a_cut_in_distance_does_not_sweep_the_pitch() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    path = along(Key(0, 0, 0, 2.0), Key(0.5, 0, 0, 45.0, cut=True))
    out = rendered(tone, path, "foa", RenderOptions("none", "physical"))[0].astype(float)
    assert np.abs(out).max() < 1.01
    phase = np.unwrap(np.angle(signal.hilbert(out)))
    instant_hz = np.diff(phase) * RATE / (2 * np.pi)
    crossing = slice(24_000, 32_000)
    assert (np.abs(instant_hz[crossing] - 1000) > 20).sum() < 2 * HOP


def test_sources_add_up_with_their_gains() -> None:
    mono = noise(20_000)
    keys = ((Key(0, 30),), (Key(0, -110),))
    both = Trajectory(
        1.0, (Source("a", keys[0], gain_db=-6.0), Source("b", keys[1]), Source("c", keys[0], selected=False))
    )
    out = rendered(mono, both, "5.1")
    np.testing.assert_allclose(out[0], mono * 10 ** (-6 / 20), atol=1e-7)
    np.testing.assert_allclose(out[5], mono, atol=1e-7)
    assert not out[[2, 3]].any()


@pytest.mark.parametrize("propagation", ["none", "doppler", "physical"])
def test_many_sources_in_one_pass_are_the_sum_of_each_alone(propagation: str) -> None:
    # they differ in how far ahead and behind their sound is needed: approach and departure, with and without air
    mono = noise(90_000)
    paths = [
        (Key(0, 30, 0, 50.0), Key(1.2, 30, 0, 50.0), Key(1.6, -30, 0, 0.5)),
        (Key(0, -110, 40, 1.0),),
        (Key(0, 150, 0, 0.4), Key(0.7, 100, 10, 45.0, cut=True), Key(1.8, 90, 10, 2.0)),
    ]
    options = RenderOptions("physical", propagation)  # type: ignore[arg-type]
    together = Trajectory(2.0, tuple(Source(f"s{i}", keys) for i, keys in enumerate(paths)))
    alone = sum(rendered(mono, along(*keys, duration_s=2), "hoa2", options).astype(float) for keys in paths)
    np.testing.assert_allclose(rendered(mono, together, "hoa2", options), alone, atol=2e-6)


def test_the_ears_near_field_is_left_to_the_listener() -> None:
    # at 0.4 m the tone of the near field differs between the ears; without a head only 1/r is left
    mono = noise(20_000)
    out = rendered(mono, along(Key(0, 90, 0, 0.4)), "foa", RenderOptions("physical", air=None))
    np.testing.assert_allclose(out[0], mono / 0.4, atol=2e-6)


@pytest.mark.parametrize("name", PANNED)
@pytest.mark.parametrize("elevation", [-90, 90])
def test_poles_and_the_nearest_point_are_finite(name: str, elevation: float) -> None:
    path = along(Key(0, 10, elevation, 0.0), Key(0.5, -170, elevation, 0.0))
    out = rendered(noise(RATE), path, name, RenderOptions("physical", "physical"))
    assert np.isfinite(out).all()
    assert out.any()


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000, 192_000])
def test_other_rates(rate: int) -> None:
    mono = noise(5000)
    np.testing.assert_allclose(rendered(mono, along(Key(0, 90)), "foa", rate=rate)[1], mono, atol=1e-7)


def test_one_sample_and_none() -> None:
    one = np.ones(1, np.float32)
    np.testing.assert_allclose(rendered(one, along(Key(0, 0)), "foa")[:, 0], [1, 0, 0, 1], atol=1e-7)
    assert list(render_panned_blocks([], 0, RATE, along(Key(0, 0)), find_format("foa"), PLAIN)) == []


def test_bad_input_is_refused() -> None:
    bad = noise(1000)
    bad[500] = np.nan
    with pytest.raises(NonFinite):
        rendered(bad, along(Key(0, 0)), "foa")
    silent = Trajectory(1.0, (Source("s", (Key(0, 0),), selected=False),))
    with pytest.raises(InvalidInput, match="no source is selected"):
        rendered(noise(10), silent, "foa")
