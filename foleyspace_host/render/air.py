"""What the air takes from high frequencies on the way (ISO 9613-1)."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput

__all__ = ["Air", "AirAbsorption"]


@dataclass(frozen=True, slots=True)
class Air:
    """The state of the air.

    Parameters
    ----------
    temperature_c : float
        Temperature, -20 to 50 [degrees Celsius].
    humidity_percent : float
        Relative humidity, 10 to 100 [%].

    Raises
    ------
    InvalidInput
        If a value is outside the standard's range.
    """

    temperature_c: float = 20.0
    humidity_percent: float = 50.0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("temperature", self.temperature_c, -20.0, 50.0),
            ("humidity", self.humidity_percent, 10.0, 100.0),
        ):
            if not (isfinite(value) and low <= value <= high):
                raise InvalidInput(f"{value:g} is outside {low:g} to {high:g}", where=f"air {name}")

    def attenuation_db_m(self, frequency_hz: ArrayLike) -> NDArray[np.float64]:
        """Attenuation of pure tones at sea level, ISO 9613-1 equations (3) to (5) and annex B.

        Parameters
        ----------
        frequency_hz : array_like
            Frequencies [Hz].

        Returns
        -------
        ndarray, float64
            Attenuation [dB/m].
        """
        square = np.asarray(frequency_hz, dtype=np.float64) ** 2
        kelvin = self.temperature_c + 273.15
        warmth = kelvin / 293.15
        saturation = 10.0 ** (4.6151 - 6.8346 * (273.16 / kelvin) ** 1.261)
        vapour = self.humidity_percent * saturation  # molar concentration [%]
        oxygen_hz = 24.0 + 4.04e4 * vapour * (0.02 + vapour) / (0.391 + vapour)
        nitrogen_hz = warmth**-0.5 * (9.0 + 280.0 * vapour * np.exp(-4.170 * (warmth ** (-1.0 / 3.0) - 1.0)))
        classical = 1.84e-11 * warmth**0.5
        oxygen = 0.01275 * np.exp(-2239.1 / kelvin) / (oxygen_hz + square / oxygen_hz)
        nitrogen = 0.1068 * np.exp(-3352.0 / kelvin) / (nitrogen_hz + square / nitrogen_hz)
        attenuation: NDArray[np.float64] = 8.686 * square * (classical + warmth**-2.5 * (oxygen + nitrogen))
        return attenuation


class AirAbsorption:
    """The air's filter between a distance and a reference distance; a `Tone`.

    Parameters
    ----------
    air : Air
        State of the air.
    reference_m : float
        Distance at which the filter is flat: where the clip was, or is taken to have been, recorded [m].
    limit_db : float
        Most that the highs come back nearer than that [dB].
    """

    def __init__(self, air: Air, reference_m: float, limit_db: float) -> None:
        self._air = air
        self._reference_m = reference_m
        self._limit = np.float32(limit_db * np.log(10.0) / 20.0)
        self._known: tuple[NDArray[np.float64], NDArray[np.float32]] | None = None

    def __call__(
        self,
        _unit: NDArray[np.float64],
        distance_m: NDArray[np.float64],
        frequency_hz: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """Return gains, shape (1, 1 or n, n_frequencies); see `Tone`."""
        if self._known is None or self._known[0] is not frequency_hz:
            nepers = -self._air.attenuation_db_m(frequency_hz) * (np.log(10.0) / 20.0)
            self._known = frequency_hz, nepers.astype(np.float32)
        farther_m = (distance_m - self._reference_m).astype(np.float32)
        if (farther_m == farther_m[0]).all():
            farther_m = farther_m[:1]
        return np.exp(np.minimum(farther_m[:, None] * self._known[1], self._limit))[None]
