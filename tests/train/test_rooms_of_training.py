"""Rooms made on the training device have the reverberation times, levels and coherence of the project's rooms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.geometry.path import SourcePath  # noqa: E402
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory  # noqa: E402
from foleyspace_host.hrtf import prepare as hrtf_prepare  # noqa: E402
from foleyspace_host.hrtf.prepare import DEFAULT_SOFA, load_hrtf  # noqa: E402
from foleyspace_host.hrtf.prepared import Hrtf  # noqa: E402
from foleyspace_host.hrtf.sofa import read_sofa  # noqa: E402
from foleyspace_host.render.binaural import render_blocks  # noqa: E402
from foleyspace_host.render.options import RenderOptions  # noqa: E402
from foleyspace_host.render.room import OCTAVES_HZ, RoomModel  # noqa: E402
from foleyspace_host.render.room.diffuse import diffuse_field  # noqa: E402
from foleyspace_host.render.room.tail import tail_response  # noqa: E402
from training.binaural_flow.data.heads import Head  # noqa: E402
from training.binaural_flow.data.listeners import ListenerBank  # noqa: E402
from training.binaural_flow.data.reflected import RoomSound, Surroundings  # noqa: E402
from training.binaural_flow.data.rooms import LONGEST_RT60_S, SHORTEST_RT60_S, invent_room  # noqa: E402
from training.binaural_flow.data.tail import tail_noise  # noqa: E402

RATE = 48_000
N = 256 * 200


@pytest.fixture(scope="module")
def kemar() -> Hrtf:
    return load_hrtf(None, RATE)


@pytest.fixture(scope="module")
def surroundings() -> Surroundings:
    file = Path(hrtf_prepare.__file__).parent / "assets" / DEFAULT_SOFA
    return Surroundings(ListenerBank([Head("KEMAR", read_sofa(file))], n_sparse=0))


def room(seed: int) -> RoomModel:
    return invent_room(np.random.default_rng(seed))


def octave_db(sound: np.ndarray) -> np.ndarray:
    power, hz = np.abs(np.fft.rfft(sound)) ** 2, np.fft.rfftfreq(sound.shape[-1], 1 / RATE)
    inside = [
        (hz > centre / 2**0.5) & (hz < centre * 2**0.5) for centre in OCTAVES_HZ[1:7]
    ]  # the cut responses lack lows
    return np.stack([10 * np.log10(power[:, band].sum(axis=1)) for band in inside], axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_the_tail_is_the_renderers_sample_for_sample(kemar: Hrtf, seed: int) -> None:
    field = diffuse_field(kemar)
    wanted = tail_response(room(seed), field)
    found = tail_noise(room(seed), torch.from_numpy(field.mixing_responses().astype(np.float32))).numpy()
    assert found.shape == wanted.shape
    assert 10 * np.log10(((found - wanted) ** 2).sum() / (wanted**2).sum()) < -35.0


def responses(
    surroundings: Surroundings, model: RoomModel, source: Source, kemar: Hrtf
) -> tuple[np.ndarray, np.ndarray]:
    """What a click becomes, without the direct sound: by the renderer, and on the training device."""
    click = np.zeros(N, dtype=np.float32)
    click[512] = 1.0
    path = Trajectory(N / RATE, (source,))
    wet, dry = (
        np.concatenate(
            list(render_blocks([click], N, RATE, path, kemar, RenderOptions("physical", room=which))), axis=1
        )
        for which in (model, None)
    )
    heard = RoomSound(torch.from_numpy(click), SourcePath.from_source(source), model, surroundings.bank.own[0])
    return wet - dry, surroundings.render(heard).numpy()


def test_levels_are_the_renderers(surroundings: Surroundings, kemar: Hrtf) -> None:
    places = [Source("s", (Key(0.0, azimuth, 10.0, 1.5),)) for azimuth in (40.0, -75.0, 160.0)]
    apart = []
    for seed in range(4):
        for source in places:
            wanted, found = responses(surroundings, room(seed), source, kemar)
            apart.append((octave_db(found) - octave_db(wanted)).mean(axis=0))
    # at one place few strong reflections interfere, and their directions are rounded
    assert np.abs(apart).max() < 4.0
    assert np.mean(apart, axis=0) == pytest.approx(np.zeros(6), abs=0.7)


@pytest.mark.parametrize("seed", range(4))
def test_times_are_the_renderers(surroundings: Surroundings, kemar: Hrtf, seed: int) -> None:
    wanted, found = responses(surroundings, room(seed), Source("s", (Key(0.0, 40.0, 10.0, 1.5),)), kemar)
    early, late = slice(512, 512 + RATE // 20), slice(512 + RATE // 20, None)
    for part in (early, late):
        level = [10 * np.log10((sound[:, part] ** 2).sum()) for sound in (wanted, found)]
        assert level[1] == pytest.approx(level[0], abs=1.0)
    # decay of what the room adds, from 10 to 30 dB down, over all frequencies
    decays = []
    for sound in (wanted, found):
        energy = np.cumsum((sound**2).sum(axis=0)[::-1])[::-1]
        level = 10 * np.log10(energy / energy[512] + 1e-12)
        decays.append(np.flatnonzero(level < -30)[0] - np.flatnonzero(level < -10)[0])
    assert decays[1] == pytest.approx(decays[0], rel=0.1)


def test_coherence_is_that_of_the_head(surroundings: Surroundings, kemar: Hrtf) -> None:
    model = replace(room(1), rt60_s=(0.6,) * 8)
    field = diffuse_field(kemar)
    tails = [
        tail_noise(replace(model, seed=seed), torch.from_numpy(surroundings.bank.own[0].mixing)).numpy()
        for seed in range(12)
    ]
    spectra = np.stack([np.fft.rfft(tail[:, 2400:], 32_768) for tail in tails])
    hz = np.fft.rfftfreq(32_768, 1 / RATE)
    for low, high in ((150, 250), (400, 600), (900, 1300), (3000, 5000)):
        band = (hz > low) & (hz < high)
        cross = (spectra[:, 0, band] * spectra[:, 1, band].conj()).sum()
        power = np.sqrt((np.abs(spectra[:, 0, band]) ** 2).sum() * (np.abs(spectra[:, 1, band]) ** 2).sum())
        inside = (field.frequency_hz > low) & (field.frequency_hz < high)
        assert cross.real / power == pytest.approx(float(field.coherence.real[inside].mean()), abs=0.12)


def test_reflections_arrive_when_the_images_do(surroundings: Surroundings, kemar: Hrtf) -> None:
    model = replace(room(2), tail=False, scattering=(0.0,) * 6)
    source = Source("s", (Key(0.0, 60.0, 0.0, 1.2),))
    click = np.zeros(N, dtype=np.float32)
    click[512] = 1.0
    options = RenderOptions("physical", room=model)
    wet = np.concatenate(list(render_blocks([click], N, RATE, Trajectory(N / RATE, (source,)), kemar, options)), axis=1)
    dry = np.concatenate(
        list(render_blocks([click], N, RATE, Trajectory(N / RATE, (source,)), kemar, RenderOptions("physical"))), axis=1
    )
    heard = RoomSound(torch.from_numpy(click), SourcePath.from_source(source), model, surroundings.bank.own[0])
    found = surroundings.reflections(heard).numpy()
    # energy over time in millisecond steps: directions are rounded to one of 200, times are not
    smooth = np.hanning(49) / np.hanning(49).sum()
    one, other = (np.convolve((sound**2).sum(axis=0), smooth, "same")[:6000] for sound in (wet - dry, found))
    assert np.corrcoef(one, other)[0, 1] > 0.9


def test_a_jump_is_no_click(surroundings: Surroundings) -> None:
    source = Source("s", (Key(0.0, 60.0, 0.0, 1.2), Key(0.5, -80.0, 0.0, 3.0, cut=True)))
    tone = np.sin(2 * np.pi * 300.0 * np.arange(N) / RATE).astype(np.float32)
    heard = RoomSound(torch.from_numpy(tone), SourcePath.from_source(source), room(0), surroundings.bank.own[0])
    found = surroundings.reflections(heard).numpy()
    spectrum = np.abs(np.fft.rfft(found * np.hanning(N)))
    hz = np.fft.rfftfreq(N, 1 / RATE)
    assert (spectrum[:, hz > 3000] ** 2).sum() < 1e-6 * (spectrum**2).sum()


def test_invented_rooms_keep_to_their_times() -> None:
    for seed in range(200):
        model = room(seed)
        assert min(model.rt60_s) >= SHORTEST_RT60_S
        assert max(model.rt60_s) <= LONGEST_RT60_S
        assert all(0.01 <= value <= 0.99 for wall in model.absorption for value in wall)
