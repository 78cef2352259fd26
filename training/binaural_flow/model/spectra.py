"""The spectra that the network works on, in torch; `foleyspace_host.diffusion.features` computes the same in numpy.

Frame k is centred at sample k * HOP of the clip, so that where a clip was cut does not matter. Magnitudes are
compressed to their square root, which brings quiet reverberation near to loud attacks (S. Braun, I. Tashev: "Data
augmentation and loss normalization for deep noise suppression", SPECOM 2020, for the exponent and its use).
"""

from __future__ import annotations

import torch
from torch import Tensor

from foleyspace_host.diffusion.features import HOP, N_BINS, N_FFT, SCALE
from foleyspace_host.diffusion.reach import FALL, FLOOR

__all__ = ["compressed", "expanded", "reach", "shown", "spectra", "waveforms"]

_TINY = 1e-12


def _window(device: torch.device) -> Tensor:
    return torch.hann_window(N_FFT, periodic=True, device=device).sqrt()


def spectra(sound: Tensor) -> Tensor:
    """Return the short-time spectra of sounds.

    Parameters
    ----------
    sound : Tensor, shape (..., n_frames * HOP)
        Samples; silence before and after.

    Returns
    -------
    Tensor, complex64, shape (..., N_FFT / 2 + 1, n_frames)
        Scaled so that white noise of rms 1 has power 1 in every bin.
    """
    flat = torch.nn.functional.pad(sound.reshape(-1, sound.shape[-1]), (N_FFT // 2, N_FFT // 2 - HOP))
    found = torch.stft(flat, N_FFT, HOP, window=_window(sound.device), center=False, return_complex=True) * SCALE
    return found.reshape(*sound.shape[:-1], *found.shape[-2:])


def waveforms(spectrum: Tensor) -> Tensor:
    """Return the sounds of short-time spectra; the inverse of `spectra`, but for the last 512 samples.

    Parameters
    ----------
    spectrum : Tensor, complex64, shape (..., N_FFT / 2 + 1, n_frames)

    Returns
    -------
    Tensor, shape (..., n_frames * HOP)
        The first and the last 512 samples lack what frames before and after would add.
    """
    flat = spectrum.reshape(-1, *spectrum.shape[-2:])
    frames = torch.fft.irfft(flat / SCALE, n=N_FFT, dim=1) * _window(spectrum.device)[:, None]
    n_frames = flat.shape[-1]
    length = N_FFT + (n_frames - 1) * HOP
    sound = torch.nn.functional.fold(frames, (1, length), (1, N_FFT), stride=(1, HOP)).reshape(len(flat), length)
    # four windows overlap everywhere, whose squares add up to 2
    cut = 0.5 * sound[:, N_FFT // 2 : N_FFT // 2 + n_frames * HOP]
    cut = torch.nn.functional.pad(cut, (0, n_frames * HOP - cut.shape[-1]))
    return cut.reshape(*spectrum.shape[:-2], n_frames * HOP)


def compressed(spectrum: Tensor) -> Tensor:
    """Take the square root of the magnitudes and keep the phases, as maps of the modelled bins.

    Parameters
    ----------
    spectrum : Tensor, complex64, shape (batch, n_channels, at least N_BINS, n_frames)

    Returns
    -------
    Tensor, float32, shape (batch, 2 n_channels, N_BINS, n_frames)
        Real and imaginary part of each channel in turn.
    """
    part = spectrum[..., :N_BINS, :]
    root = part * (part.real.square() + part.imag.square() + _TINY).pow(-0.25)
    return torch.view_as_real(root).permute(0, 1, 4, 2, 3).flatten(1, 2)


def expanded(maps: Tensor, nyquist: Tensor) -> Tensor:
    """Undo `compressed`.

    Parameters
    ----------
    maps : Tensor, shape (batch, 2 n_channels, N_BINS, n_frames)
        As from `compressed`.
    nyquist : Tensor, complex64, shape (batch, n_channels, 1, n_frames)
        The highest bin, which is not modelled.

    Returns
    -------
    Tensor, complex64, shape (batch, n_channels, N_BINS + 1, n_frames)
    """
    real, imag = maps[:, 0::2].float(), maps[:, 1::2].float()
    size = (real.square() + imag.square() + _TINY).sqrt()
    return torch.cat([torch.complex(real * size, imag * size), nyquist], dim=2)


def reach(prior: Tensor, mono: Tensor) -> Tensor:
    """Return the level in proportion to which everything is seen, as `foleyspace_host.diffusion.reach` does.

    Parameters
    ----------
    prior : Tensor, shape (batch, 4, N_BINS, frames)
        Compressed spectra.
    mono : Tensor, shape (batch, 2, N_BINS, frames)
        The same of the mono sound.

    Returns
    -------
    Tensor, shape (batch, 1, N_BINS, frames)
    """
    maps = torch.cat([prior, mono], dim=1)
    size = (maps[:, 0::2].square() + maps[:, 1::2].square()).amax(dim=1, keepdim=True).sqrt()
    size = torch.nn.functional.max_pool2d(size, (3, 1), stride=1, padding=(1, 0)).clamp_min(FLOOR).log()
    rise = FALL * torch.arange(size.shape[-1], device=size.device)
    return ((size + rise).cummax(dim=-1).values - rise).exp().clamp_min(FLOOR)


def shown(place: Tensor, prior: Tensor, mono: Tensor, level: Tensor) -> Tensor:
    """Return the maps that a network is shown.

    Parameters
    ----------
    place, prior : Tensor, shape (batch, 4, N_BINS, frames)
        Where the flow is, and the prior.
    mono : Tensor, shape (batch, 2, N_BINS, frames)
        Mono sound.
    level : Tensor, shape (batch, 1, N_BINS, frames)
        From `reach`.

    Returns
    -------
    Tensor, shape (batch, N_MAPS, N_BINS, frames)
    """
    return torch.cat([place / level, prior / level, mono / level, (level.log() + 1.5) / 2.0], dim=1)
