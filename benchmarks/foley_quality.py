"""Measures generated sounds beside real ones: the rows and columns of ``docs/foley.md``.

``python benchmarks/foley_quality.py DATA [--model MODEL.onnx] [--json FILE]`` takes the folder that ``python -m
training.foley prepare`` wrote. For every held-out recording each row gives one sound of its class, as loud over time
as that recording. Rows are the other half of the held-out recordings (what real sounds reach), sounds that were learnt
from (retrieval), noise of the class's mean spectrum (where the flow begins), and the model with 4, 8 and 16 steps.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from foley_metrics import (  # noqa: E402
    Heard,
    class_heard,
    envelope_correlation,
    hear,
    kernel_interval,
    nearest,
    onset_errors_s,
)

from foleyspace_host.diffusion.features import HOP, N_BINS, N_FFT, expanded, overlapped  # noqa: E402
from foleyspace_host.diffusion.noise import frame_noise  # noqa: E402
from foleyspace_host.generate.classes import NAMES, class_named  # noqa: E402
from foleyspace_host.generate.embedded.condition import begin, levels_db  # noqa: E402
from foleyspace_host.generate.embedded.engine import EmbeddedEngine  # noqa: E402
from foleyspace_host.generate.envelope import SILENCE_DB, Envelope  # noqa: E402
from foleyspace_host.generate.impose import impose  # noqa: E402
from foleyspace_host.generate.request import GenerateRequest  # noqa: E402
from training.foley.data.bank import Bank, read_bank  # noqa: E402

Sound = NDArray[np.float32]
RATE_HZ = 48_000
_SHORTEST_S = 0.5
_CLICKS_S = (0.4, 0.9, 1.2, 1.9, 2.3, 3.1)


@dataclass
class Row:
    """What was measured of one way to make sounds."""

    name: str
    class_accuracy: float = 0.0
    kernel: tuple[float, float, float] = (0.0, 0.0, 0.0)
    envelope: float = 0.0
    onset_ms: float | None = None
    copied_wave: tuple[float, float] = (0.0, 0.0)
    copied_embedding: tuple[float, float] = (0.0, 0.0)
    seeds_differ: float | None = None
    times_real: float | None = None
    sounds: list[Sound] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class Case:
    """A held-out recording, and the curve of its loudness."""

    which: int
    sound: Sound
    envelope: Envelope


def case_of(which: int, sound: Sound) -> Case:
    """Return a case; short recordings are followed by silence."""
    sound = np.pad(sound, (0, max(0, round(_SHORTEST_S * RATE_HZ) - len(sound))))
    level = levels_db(sound)
    level = np.maximum(level - level.max() + 10.0, SILENCE_DB)
    t_s = np.arange(len(level)) * HOP / RATE_HZ
    return Case(which, sound, Envelope(t_s, level.astype(float), np.zeros(len(level), dtype=bool)))


def coloured(bank: Bank, case: Case, seed: int) -> Sound:
    """Return noise of the class's mean spectrum, as loud over time as the case: no step of the flow."""
    n_frames = -(-len(case.sound) // HOP) + 2
    level = begin(bank.mean_db[case.which], np.zeros(n_frames, dtype=np.float32))
    maps = frame_noise(seed, 0, n_frames, n_channels=1) * level
    past = np.zeros((1, N_FFT - HOP), dtype=np.float32)
    sound = overlapped(expanded(maps.reshape(2, N_BINS, -1), np.zeros((1, n_frames), np.complex64)), past)
    return impose(sound[:, N_FFT // 2 :][:, : len(case.sound)], case.envelope)[0]


def measure(name: str, make: Callable[[Case, int], Sound], cases: list[Case], truth: list[Heard], bank: Bank) -> Row:
    """Make a sound for each case and measure them all."""
    row = Row(name)
    start = process_time()
    row.sounds = [make(case, number) for number, case in enumerate(cases)]
    spent = process_time() - start
    heard = [hear(sound) for sound in row.sounds]
    row.class_accuracy = float(np.mean([class_heard(h) == NAMES[c.which] for h, c in zip(heard, cases, strict=True)]))
    size = max(2, min(len(heard), len(truth)) * 2 // 3)
    row.kernel = kernel_interval(
        np.stack([one.embedding for one in heard]), np.stack([one.embedding for one in truth]), size
    )
    row.envelope = float(
        np.median([envelope_correlation(s, levels_db(c.sound)) for s, c in zip(row.sounds, cases, strict=True)])
    )
    pairs = []
    for sound, one, case in zip(row.sounds, heard, cases, strict=True):
        learnt = [*bank.recorded[case.which], *bank.invented[case.which]]
        pairs.append(nearest(sound, one, [(other, one) for other in learnt])[0])
    row.copied_wave = (float(np.median(pairs)), float(np.max(pairs)))
    row.times_real = sum(len(sound) for sound in row.sounds) / RATE_HZ / max(spent, 1e-9)
    return row


def onsets_of(make: Callable[[Envelope, str, int], Sound]) -> float:
    """Return the median error of onsets of a drawn track of clicks [ms], over all classes that strike."""
    errors = []
    for number, name in enumerate(NAMES):
        gesture = class_named(name).gesture
        if gesture.rate_hz == 0.0 or gesture.attack_s > 0.02:
            continue
        t_s, level = [0.0], [SILENCE_DB]
        for when in _CLICKS_S:
            t_s += [when, when, when + 0.25]
            level += [SILENCE_DB, 10.0, -30.0]
        envelope = Envelope(np.array(t_s), np.array(level), np.zeros(len(t_s), dtype=bool))
        errors += [*np.abs(onset_errors_s(make(envelope, name, number), _CLICKS_S))]
    return float(np.median(errors)) * 1000.0


def main() -> int:
    """Measure all rows and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, help="model that training/foley exported; the shipped one if not given")
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    bank, held_out = read_bank(told.data), read_bank(told.data, held_out=True)
    real = [case_of(which, sound) for which, sounds in enumerate(held_out.recorded) for sound in sounds]
    truth = [hear(one.sound) for one in real]
    halves = real[0::2], real[1::2]
    rng = np.random.default_rng(0)

    def learnt(case: Case, _: int) -> Sound:
        own = [*bank.recorded[case.which], *bank.invented[case.which]]
        source = own[int(rng.integers(len(own)))]
        return np.resize(source, len(case.sound)) if len(source) else case.sound

    floor = measure("real, held out", lambda case, _: case.sound, halves[0], truth[1::2], bank)
    rows = [floor, measure("learnt from", learnt, real, truth, bank)]
    rows.append(measure("noise of the class's colour", lambda case, n: coloured(bank, case, n), real, truth, bank))
    rows[-1].onset_ms = onsets_of(
        lambda envelope, name, n: coloured(
            bank, Case(NAMES.index(name), np.zeros(4 * RATE_HZ, np.float32), envelope), n
        )
    )
    engine = EmbeddedEngine("cpu", told.model)
    for quality, steps in (("draft", 4), ("normal", 8), ("fine", 16)):

        def make(envelope: Envelope, name: str, n: int, length: int = 4 * RATE_HZ, quality: str = quality) -> Sound:
            request = GenerateRequest(name, length / RATE_HZ, seed=n, envelope=envelope, quality=quality)  # type: ignore[arg-type]
            return engine.generate(request).samples[0]

        row = measure(
            f"model, {steps} steps",
            lambda case, n, make=make: make(case.envelope, NAMES[case.which], n, len(case.sound)),  # type: ignore[misc]
            real,
            truth,
            bank,
        )
        row.onset_ms = onsets_of(make)
        again = [make(case.envelope, NAMES[case.which], 1000 + n, len(case.sound)) for n, case in enumerate(real[:12])]
        alike = [nearest(one, Heard(*[np.ones(1)] * 2), [(other, Heard(*[np.ones(1)] * 2))])[0]
                 for one, other in zip(row.sounds, again, strict=False)]  # fmt: skip
        row.seeds_differ = float(np.median(alike))
        rows.append(row)
    print(f"{len(real)} held-out recordings of {len({one.which for one in real})} classes\n")
    columns = (
        "class heard",
        "kernel distance (95 %)",
        "envelope r",
        "onsets, ms",
        "likest learnt",
        "two seeds",
        "x real time",
    )
    print(f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for row in rows:
        mean, low, high = row.kernel
        cells = (
            f"{100 * row.class_accuracy:.0f} %",
            f"{mean:.2f} ({low:.2f} to {high:.2f})",
            f"{row.envelope:.3f}",
            "" if row.onset_ms is None else f"{row.onset_ms:.0f}",
            f"{row.copied_wave[0]:.2f}, at most {row.copied_wave[1]:.2f}",
            "" if row.seeds_differ is None else f"{row.seeds_differ:.2f}",
            f"{row.times_real:.1f}",
        )
        print(f"| {row.name} | {' | '.join(cells)} |")
    if told.json:
        plain = [{key: value for key, value in asdict(row).items() if key != "sounds"} for row in rows]
        told.json.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
