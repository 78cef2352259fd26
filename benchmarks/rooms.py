"""Measures the rooms: their cost, and their decay, clarity and coherence between the ears against theory.

``OPENBLAS_NUM_THREADS=1 python benchmarks/rooms.py [--picture FILE.png]`` prints a table in Markdown. Nothing
here starts threads but numpy's linear algebra.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import Hrtf, load_hrtf
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.binaural import render_blocks
from foleyspace_host.render.room import OCTAVES_HZ, PRESETS, RoomModel, room_of
from foleyspace_host.render.room.density import tail_share
from foleyspace_host.render.room.diffuse import diffuse_field

RATE = 48_000
ROUNDS = 5
Response = NDArray[np.float64]


def rendered(mono: NDArray[np.float32], path: Trajectory, hrtf: Hrtf, options: RenderOptions) -> NDArray[np.float32]:
    """Render a clip in one piece."""
    return np.concatenate(list(render_blocks([mono], len(mono), RATE, path, hrtf, options)), axis=1)


def octave(response: Response, centre_hz: float) -> Response:
    """Cut one octave out of a response, with steep skirts."""
    n = 1 << int(np.ceil(np.log2(2 * response.shape[-1])))
    apart = np.abs(np.log2(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 1) / centre_hz))
    weights = np.cos(0.5 * np.pi * np.clip((apart - 0.42) / 0.16, 0, 1)) ** 2
    return np.fft.irfft(np.fft.rfft(response, n) * weights, n)[..., : response.shape[-1]]


def decay_db(response: Response) -> Response:
    """Integrate backwards (Schroeder)."""
    energy = np.cumsum((response**2)[..., ::-1], axis=-1)[..., ::-1]
    return 10 * np.log10(energy / energy[..., :1] + 1e-20)


def t30_s(response: Response) -> float:
    """Fit the decay from -5 to -35 dB (ISO 3382)."""
    level = decay_db(response)
    first, last = int((level < -5).argmax()), int((level < -35).argmax())
    return float(-60 / (np.polyfit(np.arange(first, last), level[first:last], 1)[0] * RATE))


def responses(room: RoomModel, hrtf: Hrtf, distance_m: float) -> tuple[Response, Response]:
    """Return what a click becomes at both ears, with and without the room, from its arrival on."""
    lead = 8192
    mono = np.zeros(lead + int(1.3 * RATE * max(room.rt60_s)), np.float32)
    mono[lead] = 1.0
    path = Trajectory(len(mono) / RATE, (Source("click", (Key(0.0, 25, 0, distance_m),)),))
    wet, dry = (
        rendered(mono, path, hrtf, RenderOptions("physical", air=None, room=which)).astype(np.float64)
        for which in (room, None)
    )
    return wet[:, lead - 48 :], dry[:, lead - 48 :]


def iso_distance_m(room: RoomModel) -> float:
    """Return the least distance at which ISO 3382-1 has reverberation measured: 2 sqrt(V / (c T))."""
    return float(2 * np.sqrt(room.volume_m3 / (343.2 * room.mid_rt60_s)))


def t30_ratios(room: RoomModel, rest: Response) -> str:
    """Return T30 over the time that is set, from 250 Hz to 4 kHz: the least and the greatest."""
    bands = list(zip(OCTAVES_HZ, room.rt60_s, strict=True))[1:6]
    ratios = [np.mean([t30_s(octave(ear, hz)) for ear in rest]) / time for hz, time in bands]
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def real_time_factors(hrtf: Hrtf) -> dict[str, float]:
    """Render a minute of noise on a moving path in every room, interleaved; medians of processor time."""
    rng = np.random.default_rng(0)
    mono = (0.1 * rng.standard_normal(60 * RATE)).astype(np.float32)
    keys = tuple(Key(float(t), 90 * t % 360, 25 * np.sin(t), 2 + 1.5 * np.sin(t / 3)) for t in np.arange(0, 60, 0.1))
    path = Trajectory(60.0, (Source("s", keys),))
    spent: dict[str, list[float]] = {name: [] for name in PRESETS}
    for _ in range(ROUNDS):
        for name in PRESETS:
            start = process_time()
            rendered(mono, path, hrtf, RenderOptions(room=name))
            spent[name].append(process_time() - start)
    return {name: 60 / median(times) for name, times in spent.items()}


def table(hrtf: Hrtf) -> str:
    """Measure all presets at 3 m."""
    speed = real_time_factors(hrtf)
    lines = [
        "| room | volume, m³ | T at 1 kHz, s | T30 / T at the distance of ISO 3382 | and at 3 m | C50, dB | D50 "
        "| direct / rest, dB | tail from, ms | x real time |",
        "|---|---|---|---|---|---|---|---|---|---|",
        f"| dry | | | | | | | | | {speed['dry']:.0f} |",
    ]
    for name in PRESETS:
        room = room_of(name)
        if room is None:
            continue
        wet, dry = responses(room, hrtf, 3.0)
        rest = wet - dry
        far_m = iso_distance_m(room)
        far_wet, far_dry = responses(room, hrtf, far_m)
        split = 48 + RATE // 20
        band = octave(wet, 1000.0)
        early, late = (band[:, :split] ** 2).sum(), (band[:, split:] ** 2).sum()
        direct = 10 * np.log10((dry**2).sum() / (rest**2).sum())
        lines.append(
            f"| {name} | {room.volume_m3:,.0f} | {room.rt60_s[3]:.2f} | {t30_ratios(room, far_wet - far_dry)} "
            f"({far_m:.1f} m) | {t30_ratios(room, rest)} "
            f"| {10 * np.log10(early / late):.1f} | {early / (early + late):.2f} | {direct:.1f} "
            f"| {1e3 * tail_share(room).mixing_s:.0f} | {speed[name]:.0f} |"
        )
    return "\n".join(lines)


def picture(hrtf: Hrtf, file: Path) -> None:
    """Draw the decay of a hall and a living room, and the coherence between the ears, beside theory."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from scipy import signal

    figure, axes = pyplot.subplots(1, 3, figsize=(13.5, 4.2), layout="constrained")
    for axis, name in zip(axes, ("living-room", "hall"), strict=False):
        room = room_of(name)
        assert room is not None
        wet, _ = responses(room, hrtf, 3.0)
        time_s = (np.arange(wet.shape[1]) - 48) / RATE
        field = diffuse_field(hrtf)
        for number, hz in enumerate((125.0, 1000.0, 4000.0)):
            colour = f"C{number}"
            inside = (field.frequency_hz > hz / 2**0.5) & (field.frequency_hz < hz * 2**0.5)
            head = 0.5 * (field.left + field.right)[inside].mean()
            pulse = np.zeros(1 << 15)
            pulse[1 << 14] = 1.0
            share = head * float((octave(pulse, hz) ** 2).sum())
            energy = (octave(wet, hz) ** 2).sum(axis=0) / 2
            level = 10 * np.log10(np.cumsum(energy[::-1])[::-1] / share * 9.0 + 1e-20)
            axis.plot(time_s, level, colour, lw=1.8, label=f"{hz:g} Hz, rendered")
            t60 = room.rt60_s[OCTAVES_HZ.index(hz)]
            decay = np.exp(-13.8155 * (time_s[time_s > 0] + 3 / 343.2) / t60)
            theory = 312 * t60 / room.volume_m3 * decay * 9.0
            axis.plot(
                time_s[time_s > 0], 10 * np.log10(theory), colour, ls=":", lw=2.2, label=f"{hz:g} Hz, diffuse field"
            )
        axis.set(
            title=f"{name}: energy still to come",
            xlabel="time after the direct sound, s",
            ylabel="re the direct sound at 3 m, dB",
            xlim=(-0.02, 0.6 * max(room.rt60_s)),
            ylim=(-45, 14),
        )
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7.5)
    axis, room = axes[2], room_of("shoebox:30x20x15,rt60=8,order=0")
    assert room is not None
    wet, _ = responses(room, hrtf, 3.0)
    late = wet[:, RATE // 2 :] * 10 ** (3 * np.arange(wet.shape[1] - RATE // 2) / (8 * RATE))
    late = late[:, : 7 * RATE]
    hz, cross = signal.csd(late[1], late[0], RATE, nperseg=2048)
    power = [signal.welch(ear, RATE, nperseg=2048)[1] for ear in late]
    field = diffuse_field(hrtf)
    axis.semilogx(hz, (cross / np.sqrt(power[0] * power[1])).real, lw=1.2, label="rendered tail")
    axis.semilogx(
        field.frequency_hz, field.coherence.real, "k:", lw=2.2, label="the set's own, averaged over the sphere"
    )
    waves = 2 * np.pi * hz / 343.2 * 0.15
    heads = np.sinc(2.2 * waves / np.pi) / np.sqrt(1 + (0.5 * waves) ** 4)
    axis.semilogx(hz, heads, "C1--", lw=1.4, label="heads in general (Lindevald & Benade 1986)")
    axis.set(title="coherence between the ears", xlabel="frequency, Hz", xlim=(80, 16_000), ylim=(-0.4, 1.05))
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=7.5)
    figure.savefig(file, dpi=110)


def main() -> None:
    """Print the table, and draw on demand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--no-table", action="store_true")
    arguments = parser.parse_args()
    hrtf = load_hrtf(None, RATE)
    if arguments.picture is not None:
        picture(hrtf, arguments.picture)
    if not arguments.no_table:
        print(table(hrtf))


if __name__ == "__main__":
    main()
