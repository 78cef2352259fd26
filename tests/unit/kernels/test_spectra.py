"""Transforms and filters against numpy and against convolution, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foleyspace_host.kernels.spectra import Fourier, Responses, analyse, synthesise

LENGTHS = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 8192]
# the fixture chooses a library for all examples alike
alike = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("n", LENGTHS)
def test_transforms_are_numpy_s(n: int) -> None:
    rng = np.random.default_rng(n)
    re, im = rng.standard_normal((2, n)).astype(np.float32)
    truth = np.fft.fft(re.astype(np.float64) + 1j * im)
    back_re, back_im = re.copy(), im.copy()
    Fourier(n).transform(re, im)
    assert np.abs(re + 1j * im - truth).max() < 1e-6 * np.abs(truth).max()
    kept = back_re.copy(), back_im.copy()
    Fourier(n).transform(back_re, back_im)
    Fourier(n).transform(back_im, back_re)
    np.testing.assert_allclose(back_re / n, kept[0], atol=2e-6)
    np.testing.assert_allclose(back_im / n, kept[1], atol=2e-6)


@pytest.mark.parametrize("n", [-8, 0, 1, 8, 12, 17, 40, 80, 100, 144, 1 << 25])
def test_other_lengths_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match="length"):
        Fourier(n)


@given(n=st.integers(1, 100_000))
@alike
def test_the_fast_length_is_the_shortest_known(n: int) -> None:
    known = sorted({1 << k for k in range(4, 19)} | {3 << k for k in range(3, 18)})
    assert Fourier.fast_length(n) == next(length for length in known if length >= n)


def moving(
    sound: np.ndarray, fade: np.ndarray, taps: np.ndarray, vertex: np.ndarray, weight: np.ndarray, n_out: int
) -> np.ndarray:
    """Filter by definition: each sample strikes the response of its own moment."""
    n_hops, hop = sound.shape
    out = np.zeros((2, n_out))
    blended = (weight.astype(float)[..., None, None] * taps.astype(float)[vertex]).sum(axis=1)
    for index in range(n_hops):
        for k in range(hop):
            response = (1 - fade[index, k]) * blended[index] + fade[index, k] * blended[index + 1]
            out[:, index * hop + k : index * hop + k + taps.shape[2]] += float(sound[index, k]) * response
    return out


def case(seed: int, n_hops: int, hop: int, n_taps: int, n_vertices: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    line = np.arange(hop) / hop
    return {
        "sound": rng.standard_normal((n_hops, hop)).astype(np.float32),
        "jump": rng.random(n_hops) < 0.3,
        "fades": np.stack([line, 0.5 - 0.5 * np.cos(np.pi * line)]).astype(np.float32),
        "taps": rng.standard_normal((n_vertices, 2, n_taps)).astype(np.float32),
        "vertex": rng.integers(0, n_vertices, (n_hops + 1, 3)).astype(np.int32),
        "weight": rng.random((n_hops + 1, 3)).astype(np.float32),
    }


def filtered(made: dict[str, Any], lead: int, tone: np.ndarray | None = None, room: int = 0) -> np.ndarray:
    n_hops, hop = made["sound"].shape
    fourier = Fourier.of(Fourier.fast_length(lead + hop + made["taps"].shape[2] - 1 + room))
    spectra = np.empty((n_hops, 4, fourier.n // 2), dtype=np.float32)
    analyse(made["sound"], made["jump"], made["fades"], lead, fourier, spectra)
    # rows with a margin: the result may be a part of a larger array
    out = np.zeros((2, (n_hops - 1) * hop + fourier.n + 7), dtype=np.float32)
    synthesise(spectra, hop, Responses(made["taps"], fourier), made["vertex"], made["weight"], tone, out[:, 3:])
    assert not out[:, :3].any()
    assert not out[:, -4:].any()
    return out[:, 3 + lead :]


@given(
    seed=st.integers(0, 1000),
    n_hops=st.integers(1, 5),
    hop=st.sampled_from([16, 32, 48]),
    n_taps=st.integers(1, 90),
    n_vertices=st.integers(1, 6),
    lead=st.integers(0, 20),
)
@alike
def test_a_moving_filter_is_convolution(
    seed: int, n_hops: int, hop: int, n_taps: int, n_vertices: int, lead: int
) -> None:
    made = case(seed, n_hops, hop, n_taps, n_vertices)
    out = filtered(made, lead)
    fade = made["fades"][made["jump"].astype(int)].astype(float)
    truth = moving(made["sound"], fade, made["taps"], made["vertex"], made["weight"], out.shape[1] + n_taps)
    n = n_hops * hop + n_taps - 1
    np.testing.assert_allclose(out[:, :n], truth[:, :n], atol=3e-6 * np.abs(truth).max())
    assert np.abs(out[:, n:]).max(initial=0.0) < 3e-6 * np.abs(truth).max()


@pytest.mark.parametrize("ears", [1, 2])
@pytest.mark.parametrize("moves", [True, False])
def test_tones_multiply_the_spectra(ears: int, moves: bool) -> None:
    made = case(1, 4, 32, 50, 5)
    n = Fourier.fast_length(32 + 49)
    tone = np.random.default_rng(2).random((ears, 5 if moves else 1, n // 2 + 1)).astype(np.float32)
    out = filtered(made, 0, tone)
    truth = np.zeros((2, 3 * 32 + n))
    blended = (made["weight"][..., None, None].astype(float) * made["taps"][made["vertex"]]).sum(axis=1)
    spectra = np.fft.rfft(blended, n) * np.moveaxis(np.broadcast_to(tone, (2, 5, n // 2 + 1)), 0, 1)
    for index in range(4):
        sound, fade = made["sound"][index].astype(float), made["fades"][int(made["jump"][index])].astype(float)
        whole = np.fft.rfft(sound, n) * spectra[index]
        whole += np.fft.rfft(fade * sound, n) * (spectra[index + 1] - spectra[index])
        truth[:, index * 32 : index * 32 + n] += np.fft.irfft(whole, n)
    np.testing.assert_allclose(out[:, : truth.shape[1]], truth, atol=3e-6 * np.abs(truth).max())


def wrong(change: str) -> None:
    made = case(3, 2, 32, 40, 4)
    fourier = Fourier.of(128)
    spectra = np.empty((2, 4, 64), dtype=np.float32)
    out = np.zeros((2, 32 + 128), dtype=np.float32)
    responses, tone, lead, hop = Responses(made["taps"], fourier), None, 0, 32
    match change:
        case "sound of float64":
            made["sound"] = made["sound"].astype(np.float64)
        case "strided sound":
            made["sound"] = np.zeros((2, 64), np.float32)[:, ::2]
        case "jumps of int64":
            made["jump"] = made["jump"].astype(np.int64)
        case "too few jumps":
            made["jump"] = made["jump"][:1].copy()
        case "fades of another hop":
            made["fades"] = made["fades"][:, :16].copy()
        case "too much lead":
            lead = 100
        case "negative lead":
            lead = -1
        case "spectra of another length":
            spectra = np.empty((2, 4, 32), dtype=np.float32)
        case "spectra that are read-only":
            spectra.flags.writeable = False
        case "too little room":
            out = out[:, :-1]
        case "out of float64":
            out = out.astype(np.float64)
        case "out across":
            out = np.zeros((160, 2), np.float32).T
        case "overlapping rows":
            out = np.lib.stride_tricks.as_strided(np.zeros(400, np.float32), (2, 160), (4, 4))
        case "read-only out":
            out.flags.writeable = False
        case "one ear":
            out = out[:1]
        case "vertex too high":
            made["vertex"][2, 1] = 4
        case "vertex below 0":
            made["vertex"][0, 0] = -1
        case "too few vertices":
            made["vertex"] = made["vertex"][:2].copy()
        case "weights of float64":
            made["weight"] = made["weight"].astype(np.float64)
        case "tone for three ears":
            tone = np.ones((3, 1, 65), np.float32)
        case "tone of other bins":
            tone = np.ones((1, 1, 64), np.float32)
        case "tone of other points":
            tone = np.ones((1, 2, 65), np.float32)
        case "hop of 0":
            hop = 0
    analyse(made["sound"], made["jump"], made["fades"], lead, fourier, spectra)
    synthesise(spectra, hop, responses, made["vertex"], made["weight"], tone, out)


WRONG = """sound of float64, strided sound, jumps of int64, too few jumps, fades of another hop, too much lead,
negative lead, spectra of another length, spectra that are read-only, too little room, out of float64, out across,
overlapping rows, read-only out, one ear, vertex too high, vertex below 0, too few vertices, weights of float64,
tone for three ears, tone of other bins, tone of other points, hop of 0"""


@pytest.mark.parametrize("change", [" ".join(change.split()) for change in WRONG.split(",")])
def test_wrong_arrays_raise(change: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        wrong(change)


def test_the_right_ones_do_not() -> None:
    wrong("nothing")


def test_responses_must_fit() -> None:
    with pytest.raises(ValueError, match="transforms"):
        Responses(np.zeros((3, 2, 129), np.float32), Fourier.of(128))
    with pytest.raises(ValueError, match="transforms"):
        Responses(np.zeros((3, 1, 20), np.float32), Fourier.of(128))
    with pytest.raises(TypeError):
        Responses(np.zeros((3, 2, 20)), Fourier.of(128))
