"""How near an Ambisonic rendering, decoded to two ears, comes to the direct binaural rendering.

Run as ``python benchmarks/formats.py``; prints the table of docs/formats.md.

The decoder is the plainest one: for every order, the responses from each Ambisonic channel to the ears that
reproduce the *measured* responses of the shipped set best in the sense of least squares, over all measured
directions at once. It shares nothing with the renderers: they use prepared responses, time-aligned and
delayed, and polynomials.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 44_100
BANDS_HZ = ((100.0, 400.0), (400.0, 800.0), (800.0, 1600.0), (1600.0, 3200.0))
ORDERS = {"foa": 1, "hoa2": 2, "hoa3": 3}
PLACES = [(az, el) for el in (-30.0, 0.0, 30.0) for az in np.arange(-180.0, 180.0, 15.0)]
_N = 4096

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Deviation:
    """What decoding changes in a band, over all places: magnitudes of differences.

    Parameters
    ----------
    itd_us, itd_max_us : float
        Mean and largest deviation of the interaural time difference [us].
    ild_db, ild_max_db : float
        The same of the interaural level difference [dB].
    level_db, level_max_db : float
        The same of the power at both ears [dB].
    """

    itd_us: float
    itd_max_us: float
    ild_db: float
    ild_max_db: float
    level_db: float
    level_max_db: float


def harmonics(unit: Floats, order: int) -> Floats:
    """Real spherical harmonics in ACN order with SN3D weights, by SciPy."""
    from scipy.special import sph_harm_y

    azimuth, colatitude = np.arctan2(unit[:, 1], unit[:, 0]), np.arccos(np.clip(unit[:, 2], -1.0, 1.0))
    columns = []
    for n in range(order + 1):
        for m in range(-n, n + 1):
            value = sph_harm_y(n, abs(m), colatitude, azimuth) * (-1) ** m
            part = (value.real if m >= 0 else value.imag) * (np.sqrt(2.0) if m else 1.0)
            columns.append(part * np.sqrt(4.0 * np.pi / (2 * n + 1)))
    return np.stack(columns, axis=1)


def decoder(unit: Floats, hrirs: Floats, order: int) -> Floats:
    """Responses from channels to ears, shape (n_channels, 2, n_taps), by least squares over the directions."""
    flat = np.asarray(hrirs, dtype=np.float64).reshape(len(unit), -1)
    solved = np.linalg.lstsq(harmonics(unit, order), flat, rcond=None)[0]
    return np.asarray(solved.reshape(-1, *hrirs.shape[1:]))


def cues(ears: Floats, band_hz: tuple[float, float]) -> tuple[float, float, float]:
    """Interaural time difference [us], level difference and level [dB] of two responses in a band."""
    hz = np.fft.rfftfreq(_N, 1.0 / RATE_HZ)
    inside = (hz >= band_hz[0]) & (hz < band_hz[1])
    left, right = np.fft.rfft(ears, _N)
    # the phase difference as a line through the origin; unwrapped from the bottom, where it is small
    phase = np.unwrap(np.angle(left * right.conj())[hz < band_hz[1]])
    phase -= 2.0 * np.pi * np.round(phase[1] / (2.0 * np.pi))
    cross = np.abs(left * right)[inside]
    omega = 2.0 * np.pi * hz[inside]
    itd_s = (cross * omega * phase[inside[: len(phase)]]).sum() / (cross * omega**2).sum()
    power = np.array([(np.abs(ear[inside]) ** 2).sum() for ear in (left, right)])
    return itd_s * 1e6, float(10.0 * np.log10(power[0] / power[1])), float(10.0 * np.log10(power.sum()))


def responses(places: list[tuple[float, float]], name: str) -> Floats:
    """Responses of the project's renderer to an impulse at places, shape (n_places, n_channels, n)."""
    from foleyspace_host import render
    from foleyspace_host.geometry.trajectory import Key, Source, Trajectory

    impulse = np.zeros(_N // 2, dtype=np.float32)
    impulse[512] = 1.0
    out = []
    for azimuth, elevation in places:
        path = Trajectory(1.0, (Source("s", (Key(0.0, float(azimuth), float(elevation), 1.4),)),))
        out.append(render(impulse, RATE_HZ, path, distance_gain="none", format=name))  # type: ignore[arg-type]
    return np.asarray(out, dtype=np.float64)


def measure(places: list[tuple[float, float]] = PLACES) -> dict[str, list[Deviation]]:
    """Deviations of each order in each of `BANDS_HZ`."""
    from foleyspace_host.hrtf.prepare import DEFAULT_SOFA, load_hrtf
    from foleyspace_host.hrtf.sofa import read_sofa

    with as_file(files("foleyspace_host.hrtf") / "assets" / DEFAULT_SOFA) as path:
        measured = read_sofa(path)
    gain = 10.0 ** (load_hrtf(None, RATE_HZ).gain_db / 20.0)
    direct = responses(places, "binaural")
    found = {}
    for name, order in ORDERS.items():
        decode = decoder(measured.unit, measured.hrirs, order) * gain
        mixes = responses(places, name)
        n_fft = 2 * _N
        spectra = np.einsum("pcf,cef->pef", np.fft.rfft(mixes, n_fft), np.fft.rfft(decode, n_fft))
        decoded = np.fft.irfft(spectra, n_fft)[..., :_N]
        found[name] = [_deviation(decoded, direct, band) for band in BANDS_HZ]
    return found


def _deviation(decoded: Floats, direct: Floats, band_hz: tuple[float, float]) -> Deviation:
    pairs = zip(decoded, direct, strict=True)
    off = np.abs([np.subtract(cues(a, band_hz), cues(b, band_hz)) for a, b in pairs])
    mean, most = off.mean(axis=0), off.max(axis=0)
    return Deviation(*(float(value) for pair in zip(mean, most, strict=True) for value in pair))


def main() -> None:
    """Print the table."""
    print("| order | band | ITD mean (max) | ILD mean (max) | level mean (max) |")
    print("|---|---|---|---|---|")
    for name, deviations in measure().items():
        for (low, high), d in zip(BANDS_HZ, deviations, strict=True):
            print(
                f"| {name} | {low:.0f}-{high:.0f} Hz | {d.itd_us:.0f} ({d.itd_max_us:.0f}) µs "
                f"| {d.ild_db:.1f} ({d.ild_max_db:.1f}) dB | {d.level_db:.1f} ({d.level_max_db:.1f}) dB |"
            )


if __name__ == "__main__":
    main()
