"""How loud each direction of a set is at each ear."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.hrtf.prepared import Hrtf

__all__ = ["ear_powers"]

_BAND_HZ = (100.0, 16_000.0)
_BLOCK = 256


@lru_cache(maxsize=2)
def ear_powers(hrtf: Hrtf) -> NDArray[np.float64]:
    """Return the power of a set's responses, with all octaves from 100 Hz to 16 kHz counting alike.

    Parameters
    ----------
    hrtf : Hrtf
        Set of responses.

    Returns
    -------
    ndarray, float64, shape (n_vertices, 2)
        Power at the left and the right ear; its mean over both ears and all directions is near 1, since sets are
        scaled so.
    """
    from scipy import fft

    n_fft = 2 * hrtf.n_taps
    hz = np.fft.rfftfreq(n_fft, 1.0 / hrtf.sample_rate_hz)
    inside = (hz >= _BAND_HZ[0]) & (hz <= min(_BAND_HZ[1], 0.45 * hrtf.sample_rate_hz))
    weights = np.divide(inside, hz, out=np.zeros_like(hz), where=hz > 0.0)
    weights /= weights.sum()
    power = np.empty(hrtf.responses.shape[:2])
    for start in range(0, len(power), _BLOCK):
        spectra = fft.rfft(hrtf.responses[start : start + _BLOCK], n_fft)
        # no `@`: its rounding depends on the number of threads
        power[start : start + _BLOCK] = np.einsum("nef,f->ne", np.square(np.abs(spectra)), weights)
    return power
