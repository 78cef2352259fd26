"""What the network is trained to make small."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from foleyspace_host.diffusion.features import N_BINS, N_FFT, SAMPLE_RATE_HZ
from training.binaural_flow.model.spectra import waveforms

__all__ = ["Losses", "coherence_error", "end_point_weight", "multi_resolution", "total_loss"]

_RESOLUTIONS = ((1024, 256, 600), (2048, 512, 1200), (512, 128, 240))  # n_fft, hop, window
_LARGEST_WEIGHT = 25.0
_GATE = 1e-5  # of the loudest band: 50 dB
_PHASE_BELOW_HZ = 1500.0
_N_BANDS = 32
_SPECTRAL = 0.3
_COHERENCE = 1.0
_OCTAVES_HZ = (500.0, 1000.0, 2000.0, 4000.0)
_FRAME = 4096  # in which ears are correlated: 85 ms
_LARGEST_ITD = SAMPLE_RATE_HZ // 1000  # 1 ms
_BAND_GATE = 1e-4  # of the loudest frame of an octave: 40 dB


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses of a batch.

    Parameters
    ----------
    end_point, spectral, level, phase, coherence, total : Tensor, shape ()
        Error of the end point in compressed spectra, in proportion to the target; multi-resolution error; error of
        the level difference between the ears in units of 10 dB; 1 - cos of the error of the phase difference; error
        of the greatest correlation between the ears; their weighted sum.
    """

    end_point: Tensor
    spectral: Tensor
    level: Tensor
    phase: Tensor
    coherence: Tensor
    total: Tensor

    def numbers(self) -> dict[str, float]:
        """Return all of them as plain numbers."""
        return {name: float(getattr(self, name).detach()) for name in self.__slots__}


def end_point_weight(t: Tensor) -> Tensor:
    """Weight of an end point's error at flow time t.

    An error e of the end point is an error e / (1 - t) of the velocity, whose square flow matching minimises (Y.
    Lipman and others: "Flow matching for generative modeling", ICLR 2023). The weight is bounded, for there is no
    evaluation after t = 0.75, where it is 16, and the end is near anyway.

    Parameters
    ----------
    t : Tensor
        Flow times, 0 to 1.

    Returns
    -------
    Tensor
        1 / (1 - t)^2, at most 25.
    """
    return (1.0 - t).clamp_min(1e-3).pow(-2).clamp_max(_LARGEST_WEIGHT)


def total_loss(predicted: Tensor, target: Tensor, true_spectrum: Tensor, found_spectrum: Tensor, t: Tensor) -> Losses:
    """Compare a batch with its targets.

    Parameters
    ----------
    predicted, target : Tensor, shape (batch, 4, N_BINS, frames)
        End points in compressed spectra, without the frames of context.
    true_spectrum, found_spectrum : Tensor, complex64, shape (batch, 2, N_BINS + 1, frames)
        The same, not compressed.
    t : Tensor, shape (batch,)
        Flow times.

    Returns
    -------
    Losses
        In the total, spectral errors count 0.3, level and phase between the ears 0.05 each, and their correlation 1.
        By the error of the end point alone, one evaluation gives the mean of all that could be there, and
        reverberation comes out too quiet, and too much the same at both ears.
    """
    # in proportion to the target, which far away in a room is much louder than the prior
    error = (predicted - target).square().mean(dim=(1, 2, 3)) / target.square().mean(dim=(1, 2, 3)).clamp_min(1e-4)
    end_point = (end_point_weight(t) * error).mean()
    # frames at the edges lack their neighbours
    true, found = (waveforms(one)[..., N_FFT:-N_FFT] for one in (true_spectrum, found_spectrum))
    spectral = multi_resolution(found.flatten(0, 1), true.flatten(0, 1))
    level, phase = _between_the_ears(found_spectrum, true_spectrum)
    coherence = coherence_error(found, true)
    total = end_point + _SPECTRAL * spectral + 0.05 * level + 0.05 * phase + _COHERENCE * coherence
    return Losses(end_point, spectral, level, phase, coherence, total)


def multi_resolution(found: Tensor, true: Tensor) -> Tensor:
    """Multi-resolution error of short-time magnitudes (R. Yamamoto and others: "Parallel WaveGAN", ICASSP 2020).

    Parameters
    ----------
    found, true : Tensor, shape (n, n_samples)
        Sounds.

    Returns
    -------
    Tensor, shape ()
        Mean over three resolutions of spectral convergence and error of log magnitudes.
    """
    errors = []
    for n_fft, hop, length in _RESOLUTIONS:
        window = torch.hann_window(length, device=true.device)
        sizes = [
            torch.stft(one, n_fft, hop, length, window, return_complex=True).abs().square().clamp_min(1e-8).sqrt()
            for one in (found, true)
        ]
        away = (sizes[0] - sizes[1]).flatten(1).norm(dim=1)
        errors.append((away / sizes[1].flatten(1).norm(dim=1).clamp_min(1e-4)).mean())
        errors.append((sizes[0].log() - sizes[1].log()).abs().mean())
    return torch.stack(errors).sum() / len(_RESOLUTIONS)


def coherence_error(found: Tensor, true: Tensor) -> Tensor:
    """Error of the greatest correlation between the ears within 1 ms, in octaves from 500 Hz to 4 kHz.

    Parameters
    ----------
    found, true : Tensor, shape (n, 2, n_samples)
        Sounds of at least 85 ms.

    Returns
    -------
    Tensor, shape ()
        Mean over octaves and frames of 85 ms where the truth is within 40 dB of the octave's loudest frame.
    """
    (given, _), (wanted, energy) = _correlation(found), _correlation(true)
    loud = energy > _BAND_GATE * energy.amax(dim=-1, keepdim=True)
    error: Tensor = ((given - wanted).abs() * loud).sum() / loud.sum().clamp_min(1)
    return error


def _correlation(sound: Tensor) -> tuple[Tensor, Tensor]:
    """Return the greatest correlation and the energy of both ears, shape (n, octaves, frames) each."""
    frames = sound.unfold(-1, _FRAME, _FRAME // 2) * torch.hann_window(_FRAME, device=sound.device)
    spectrum = torch.fft.rfft(frames)
    lags = torch.arange(-_LARGEST_ITD, _LARGEST_ITD + 1, device=sound.device)
    greatest, energies = [], []
    for centre_hz in _OCTAVES_HZ:
        first, stop = (round(centre_hz * 2.0**side * _FRAME / SAMPLE_RATE_HZ) for side in (-0.5, 0.5))
        band = spectrum[..., first:stop]
        energy = band.real.square() + band.imag.square()
        both = energy.sum(dim=-1)
        cross = band[:, 0] * band[:, 1].conj()
        # the correlation at the lags that a head can make; longer transforms would be thrown away
        angle = (2.0 * torch.pi / _FRAME) * torch.arange(first, stop, device=sound.device)[:, None] * lags
        at_lags = cross.real @ angle.cos() - cross.imag @ angle.sin()
        greatest.append(at_lags.abs().amax(dim=-1) / (both[:, 0] * both[:, 1]).clamp_min(1e-12).sqrt())
        energies.append(both.sum(dim=1))
    return torch.stack(greatest, dim=1), torch.stack(energies, dim=1)


def _bands(device: torch.device) -> Tensor:
    """Return the share of each bin in bands that are equally wide on the ERB scale, shape (_N_BANDS, N_BINS)."""
    frequency = torch.arange(N_BINS, device=device) * (SAMPLE_RATE_HZ / N_FFT)
    rate = 21.4 * torch.log10(1.0 + 0.00437 * frequency)  # B. Glasberg, B. Moore, Hear. Res. 47, 1990
    number = (rate / rate[-1] * (_N_BANDS - 1e-3)).long()
    return torch.nn.functional.one_hot(number, _N_BANDS).T.float()


def _between_the_ears(found: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Return errors of level and phase differences, where there is something to hear."""
    bands = _bands(true.device)

    def power(spectrum: Tensor) -> Tensor:
        size = spectrum[..., :N_BINS, :]
        return bands @ (size.real.square() + size.imag.square())

    def across(spectrum: Tensor) -> Tensor:
        low = spectrum[:, :, : int(_PHASE_BELOW_HZ * N_FFT / SAMPLE_RATE_HZ)]
        return low[:, 0] * low[:, 1].conj()

    true_power, found_power = power(true), power(found)
    loud = true_power.sum(dim=1) > _GATE * true_power.sum(dim=1).amax(dim=(1, 2), keepdim=True)
    floor = 1e-3 * _GATE * true_power.amax(dim=(1, 2, 3), keepdim=True) + 1e-9
    ratios = [((one + floor)[:, 0] / (one + floor)[:, 1]).log10() for one in (found_power, true_power)]
    level = ((ratios[0] - ratios[1]).abs() * loud).sum() / loud.sum().clamp_min(1)
    wanted, given = across(true), across(found)
    weight = wanted.abs()
    agree = (given * wanted.conj()).real / (given.abs() * weight + 1e-9)
    return level, (weight * (1.0 - agree)).sum() / weight.sum().clamp_min(1e-9)
