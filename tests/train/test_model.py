"""The network, its spectra and losses; the same numbers as the package's own where there are two of a thing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")

from foleyspace_host.diffusion import features  # noqa: E402
from foleyspace_host.diffusion.chunks import Stretch, Window  # noqa: E402
from foleyspace_host.diffusion.condition import N_CONDITION, SLICES  # noqa: E402
from foleyspace_host.diffusion.reach import Reach  # noqa: E402
from foleyspace_host.diffusion.sampler import SIGMA  # noqa: E402
from training.binaural_flow.model.losses import coherence_error, end_point_weight, multi_resolution, total_loss  # noqa: E402
from training.binaural_flow.model.net import FlowNet, NetSize, known_share  # noqa: E402
from training.binaural_flow.model.spectra import compressed, expanded, reach, shown, spectra, waveforms  # noqa: E402

SIZE = NetSize(8, (8, 12, 16), (1, 2, 3, 1, 1), 2, 16)
N = 30
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def sound(n_frames: int = N, seed: int = 0) -> torch.Tensor:
    return torch.randn(2, n_frames * features.HOP, generator=torch.Generator().manual_seed(seed))


def padded(samples: torch.Tensor) -> np.ndarray:
    half = features.N_FFT // 2
    return np.pad(samples.numpy(), ((0, 0), (half, half - features.HOP)))


def awake(net: FlowNet) -> FlowNet:
    """A network that adds something."""
    torch.manual_seed(3)
    torch.nn.init.normal_(net.leave.weight, std=0.1)
    torch.nn.init.normal_(net.shape.weight, std=0.1)
    return net.eval()


def rows(n_frames: int, *, in_room: bool = True) -> torch.Tensor:
    told = torch.randn(1, n_frames, N_CONDITION, generator=torch.Generator().manual_seed(1))
    for part in ("room", "extent", "sparse"):
        told[..., SLICES[part]] = 0.0
    told[..., SLICES["room"].stop - 1] = float(in_room)
    return told


def test_spectra_are_the_package_s() -> None:
    given = sound()
    ours, theirs = spectra(given), features.spectra(padded(given))
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)
    maps = compressed(ours[None])[0].numpy()
    np.testing.assert_allclose(maps, features.compressed(theirs), atol=1e-4)
    back = expanded(torch.from_numpy(maps)[None], ours[None, :, -1:])[0]
    np.testing.assert_allclose(back.numpy(), theirs, atol=1e-4)


def test_sound_comes_back() -> None:
    given = sound()
    inside = slice(512, -1024)
    np.testing.assert_allclose(waveforms(spectra(given))[:, inside], given[:, inside], atol=1e-5)


def test_what_the_network_is_shown_is_what_the_package_shows() -> None:
    fade = torch.rand(1, 1, 1, N, generator=torch.Generator().manual_seed(7)) ** 6
    maps = compressed(spectra(sound())[None]) * fade
    mono = compressed(spectra(sound(seed=1))[None, :1]) * fade
    place = maps * 0.5
    ours = shown(place, maps, mono, reach(maps, mono))[0].numpy()
    prior, alone = maps[0].numpy(), mono[0].numpy()
    stretch = Stretch.of(prior, alone, rows(N)[0].numpy(), np.zeros((2, N), np.complex64))
    seen = Window(4, 2).push(stretch.at(place[0].numpy(), Reach().push(prior, alone)), last=True)
    assert seen is not None
    np.testing.assert_allclose(seen.maps[0, :, :, 4 : 4 + N], ours, rtol=1e-3, atol=1e-3)


def test_an_untrained_network_adds_nothing_and_a_trained_one_nothing_where_nothing_lacks() -> None:
    maps = torch.randn(1, 11, 512, N)
    net = FlowNet(SIZE).eval()
    with torch.no_grad():
        for t in (0.0, 0.75):
            assert not net(maps, rows(N), torch.tensor([t])).any()
        awake(net)
        torch.nn.init.constant_(net.trust, 1.0)
        assert net(maps, rows(N), torch.zeros(1)).any()
        assert not net(maps, rows(N, in_room=False), torch.tensor([0.5])).any()


def test_what_is_known_on_the_way_is_the_estimate_with_the_least_error() -> None:
    generator = torch.Generator().manual_seed(0)
    residual = 0.05**0.5 * torch.randn(200_000, generator=generator)
    noise = SIGMA * 0.5**0.5 * torch.randn(200_000, generator=generator)
    for t in (0.25, 0.5, 0.75):
        away = t * residual + (1.0 - t) * noise
        best = float((away * residual).mean() / away.square().mean())
        assert abs(float(known_share(torch.tensor([t]))) / best - 1.0) < 0.01
    assert float(known_share(torch.zeros(1))) == 0.0


def test_noise_is_led_past_the_network_from_each_ear_to_each() -> None:
    """With gains that are constants, the residual at the start is a mixture of what the flow begins with."""
    net = FlowNet(SIZE).eval()
    gains = torch.tensor([[0.5, 0.25], [-1.0, 2.0]])
    with torch.no_grad():
        net.shape.bias.copy_(gains.flatten())
        prior, noise = torch.randn(1, 4, 512, N), SIGMA * 0.5**0.5 * torch.randn(1, 4, 512, N)
        maps = torch.cat([prior + noise, prior, torch.randn(1, 3, 512, N)], dim=1)
        found = net(maps, rows(N), torch.zeros(1))
    ears = noise.reshape(1, 2, 2, 512, N)  # ear, part
    wanted = torch.einsum("ef,bfpkn->bepkn", gains, ears).reshape(noise.shape)
    # as loud as a residual is: 0.05 of the squared reach in each part
    scale = (0.05 / (0.5 * SIGMA**2)) ** 0.5
    torch.testing.assert_close(found, scale * wanted, atol=1e-4, rtol=1e-4)
    assert abs(float(found[:, :2].square().mean()) / (0.05 * (0.5**2 + 0.25**2)) - 1.0) < 0.05


def test_it_sees_as_far_as_it_says() -> None:
    net = awake(FlowNet(SIZE))
    n, at = net.size.memory + 40, 25
    maps = torch.randn(1, 11, 512, n)
    other = maps.clone()
    other[..., at] += 1.0
    with torch.no_grad():
        changed = (net(maps, rows(n), torch.zeros(1)) - net(other, rows(n), torch.zeros(1))).abs().amax(dim=(0, 1, 2))
    frames = changed.nonzero()[:, 0] - at
    assert int(frames.min()) == -net.size.look_ahead
    assert int(frames.max()) == net.size.memory
    assert net.size.memory * features.HOP / features.SAMPLE_RATE_HZ > 0.6  # the longest room


def test_time_is_told() -> None:
    net = awake(FlowNet(SIZE))
    maps = torch.randn(1, 11, 512, N)
    with torch.no_grad():
        one, two = (net(maps, rows(N), torch.tensor([t])) for t in (0.0, 0.5))
    assert (one - two).abs().max() > 1e-3


def test_losses_are_nothing_for_the_truth_and_grow_away_from_it() -> None:
    spectrum = spectra(sound(60))[None]
    maps = compressed(spectrum)
    at_start = torch.zeros(1)
    none = total_loss(maps, maps, spectrum, spectrum, at_start)
    assert float(none.total) < 1e-4
    worse = [float(total_loss(maps * g, maps, spectrum, spectrum * g * g, at_start).total) for g in (0.95, 0.8, 0.5)]
    assert worse == sorted(worse)
    louder = spectrum.clone()
    louder[:, 0] *= 10.0**0.5
    # 10 dB more on one side is 1 in units of 10 dB
    assert abs(float(total_loss(maps, maps, spectrum, louder, at_start).level) - 1.0) < 1e-3
    turned = spectrum.clone()
    turned[:, 0] *= 1j
    assert abs(float(total_loss(maps, maps, spectrum, turned, at_start).phase) - 1.0) < 1e-3


def test_correlation_between_the_ears_is_that_of_the_benchmark() -> None:
    """On white noise, part of which is the same at both ears and a few samples late at one."""
    spec = importlib.util.spec_from_file_location("binaural_metrics", ROOT / "benchmarks" / "binaural_metrics.py")
    assert spec is not None
    assert spec.loader is not None
    metrics = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(metrics)
    generator = torch.Generator().manual_seed(5)
    own, common = torch.randn(2, 2, 48_000, generator=generator)
    pairs = [torch.stack([g * common[0] + own[0], g * common[0].roll(20) + own[1]]) for g in (0.0, 0.7, 3.0)]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        found = float(coherence_error(pairs[one][None], pairs[other][None]))
        wanted = metrics.iacc_error(pairs[other].numpy().astype(np.float64), pairs[one].numpy().astype(np.float64))
        assert found == pytest.approx(wanted, rel=0.1)
    assert float(coherence_error(pairs[1][None], pairs[1][None])) == 0.0
    # it leads there: a step along its gradient makes it smaller
    start = pairs[2][None].clone().requires_grad_()
    coherence_error(start, pairs[0][None]).backward()
    gradient = start.grad
    assert gradient is not None
    with torch.no_grad():
        after = start - 0.3 * gradient / gradient.square().mean().sqrt()
    assert float(coherence_error(after, pairs[0][None])) < 0.98 * float(coherence_error(start, pairs[0][None]).detach())


def test_the_spectral_loss_is_that_of_its_definition() -> None:
    given, true = sound(60)[:1], sound(60, 1)[:1]
    wanted = 0.0
    for n_fft, hop, length in ((1024, 256, 600), (2048, 512, 1200), (512, 128, 240)):
        window = np.zeros(n_fft)
        first = (n_fft - length) // 2
        window[first : first + length] = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
        sizes = []
        for one in (given, true):
            around = np.pad(one.numpy()[0].astype(np.float64), n_fft // 2, mode="reflect")
            frames = np.lib.stride_tricks.sliding_window_view(around, n_fft)[::hop] * window
            sizes.append(np.abs(np.fft.rfft(frames)))
        wanted += np.linalg.norm(sizes[0] - sizes[1]) / np.linalg.norm(sizes[1])
        wanted += np.abs(np.log(sizes[0]) - np.log(sizes[1])).mean()
    assert abs(float(multi_resolution(given, true)) - wanted / 3.0) < 1e-3


def test_weights_of_end_points_are_those_of_velocities_up_to_a_bound() -> None:
    weights = end_point_weight(torch.tensor([0.0, 0.5, 0.75, 0.9, 1.0]))
    np.testing.assert_allclose(weights, [1.0, 4.0, 16.0, 25.0, 25.0], rtol=1e-5)
