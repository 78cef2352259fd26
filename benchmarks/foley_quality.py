"""Measures generated sounds beside real ones: the rows and columns of ``docs/foley.md``.

``python benchmarks/foley_quality.py DATA [--model MODEL.onnx] [--json FILE]`` takes the folder that ``python -m
training.foley prepare`` wrote. For every held-out recording each row gives one sound of its class, as loud over time
as that recording. Rows are the held-out recordings themselves (what real sounds reach; the distance is that of every
other one from the rest), sounds that were learnt from (retrieval), noise of the class's mean spectrum, the portrait
alone (where the flow begins), and the model with 4, 8 and 16 steps.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from foley_metrics import (  # noqa: E402
    Heard,
    Listener,
    classes_heard,
    envelope_correlation,
    hear,
    kernel_interval,
    nearest,
    onset_errors_s,
)

from foleyspace_host.generate.classes import NAMES, class_named  # noqa: E402
from foleyspace_host.generate.embedded.bands import (  # noqa: E402
    FLOOR_DB,
    HOP,
    N_BANDS,
    N_FFT,
    analysed,
    bins_db,
    window,
)
from foleyspace_host.generate.embedded.engine import EmbeddedEngine, pieces_of  # noqa: E402
from foleyspace_host.generate.embedded.model import open_foley_model  # noqa: E402
from foleyspace_host.generate.embedded.voice import voices_of  # noqa: E402
from foleyspace_host.generate.envelope import SILENCE_DB, Envelope  # noqa: E402
from foleyspace_host.generate.impose import impose, measured_db  # noqa: E402
from foleyspace_host.generate.request import GenerateRequest  # noqa: E402
from training.foley.data.bank import Bank, read_bank  # noqa: E402

Sound = NDArray[np.float32]
RATE_HZ = 48_000
LEVEL_HOP = 256  # of impose.measured_db
_SHORTEST_S = 0.5
_CLICKS_S = (0.4, 0.9, 1.2, 1.9, 2.3, 3.1)


@dataclass
class Row:
    """What was measured of one way to make sounds."""

    name: str
    class_accuracy: float = 0.0
    told_apart: tuple[float, float] = (0.0, 0.0)
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
    level = measured_db(sound)
    level = np.maximum(level - level.max() + 10.0, SILENCE_DB)
    t_s = np.arange(len(level)) * LEVEL_HOP / RATE_HZ
    return Case(which, sound, Envelope(t_s, level.astype(float), np.zeros(len(level), dtype=bool)))


def coloured(bank: Bank) -> Callable[[Case, int], Sound]:
    """Return what makes noise of a class's mean spectrum, as loud over time as a case."""

    @cache
    def mean_db(which: int) -> Sound:
        found = []
        for sound in [*bank.recorded[which], *bank.invented[which]]:
            level_db, bands_db = analysed(sound)
            found.append(10.0 ** (bands_db[:, level_db > level_db.max() + FLOOR_DB] / 10.0))
        return (10.0 * np.log10(np.concatenate(found, axis=1).mean(axis=1, keepdims=True))).astype(np.float32)

    def make(case: Case, seed: int) -> Sound:
        n_samples = len(case.sound)
        n_frames = -(-n_samples // HOP)
        # without partials: the bands of a mean that stand out would ring
        size = np.sqrt(10.0 ** (bins_db(np.repeat(mean_db(case.which), n_frames, axis=1)) / 10.0)).astype(np.float32)
        noise = np.random.default_rng(seed).standard_normal(n_frames * HOP + N_FFT).astype(np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(noise, N_FFT)[::HOP][:n_frames] * window()
        shaped = np.fft.irfft(np.fft.rfft(frames, axis=1) * size.T, axis=1) * window()
        sound = np.zeros(n_frames * HOP + N_FFT, dtype=np.float32)
        for number, frame in enumerate(shaped):
            sound[number * HOP : number * HOP + N_FFT] += frame
        return impose(sound[None, N_FFT // 2 :][:, :n_samples], case.envelope)[0]

    return make


def portrayed(path: Path | None) -> Callable[[Case, int], Sound]:
    """Return what makes a sound of where the flow begins: no step of it."""
    model, _ = open_foley_model(path, "cpu")

    def make(case: Case, seed: int) -> Sound:
        rng = np.random.default_rng([seed, 1])
        (voice,) = voices_of(model, {NAMES[case.which]: 1.0}, rng)

        def begun(level_db: Sound) -> Sound:
            noise = voice.portrait.spread_db[:, None] * rng.standard_normal((N_BANDS, len(level_db)), dtype=np.float32)
            return voice.portrait.mean_db(level_db) + noise

        pieces = pieces_of(voice, case.envelope, len(case.sound), seed, begun)
        return impose(np.concatenate(list(pieces))[None], case.envelope)[0]

    return make


@dataclass
class Truth:
    """What made sounds are compared with.

    Parameters
    ----------
    cases : list of Case
        Held-out recordings.
    bank : Bank
        What was learnt from.
    """

    cases: list[Case]
    bank: Bank

    def __post_init__(self) -> None:
        self.heard = [hear(one.sound) for one in self.cases]
        self._learnt: dict[int, list[tuple[Sound, Heard]]] = {}
        known = [
            (one.embedding, which) for which in {case.which for case in self.cases} for _, one in self.learnt(which)
        ]
        self.listener = Listener(np.stack([embedding for embedding, _ in known]), [which for _, which in known])

    def learnt(self, which: int) -> list[tuple[Sound, Heard]]:
        """Return the sounds of a class that were learnt from."""
        if which not in self._learnt:
            own = [*self.bank.recorded[which], *self.bank.invented[which]]
            self._learnt[which] = [(one, hear(one)) for one in own]
        return self._learnt[which]


def measure(name: str, make: Callable[[Case, int], Sound], truth: Truth, *, half: bool = False) -> Row:
    """Make a sound for each case and measure them all; the kernel's distance of one half from the other if so asked."""
    row, cases = Row(name), truth.cases
    start = process_time()
    row.sounds = [make(case, number) for number, case in enumerate(cases)]
    spent = process_time() - start
    heard = [hear(sound) for sound in row.sounds]
    row.class_accuracy = float(np.mean([NAMES[c.which] in classes_heard(h) for h, c in zip(heard, cases, strict=True)]))
    ranked = truth.listener.ranked(np.stack([one.embedding for one in heard]))
    right = ranked == np.array([case.which for case in cases])[:, None]
    row.told_apart = (float(right[:, 0].mean()), float(right[:, :3].any(axis=1).mean()))
    size = max(2, len(truth.cases) // 3)  # the same for all rows
    row.kernel = kernel_interval(
        np.stack([one.embedding for one in (heard[0::2] if half else heard)]),
        np.stack([one.embedding for one in (truth.heard[1::2] if half else truth.heard)]),
        size,
    )
    row.envelope = float(
        np.median([envelope_correlation(s, measured_db(c.sound)) for s, c in zip(row.sounds, cases, strict=True)])
    )
    pairs = np.array(
        [
            nearest(sound, one, truth.learnt(case.which))
            for sound, one, case in zip(row.sounds, heard, cases, strict=True)
        ]
    )
    row.copied_wave, row.copied_embedding = ((float(np.median(column)), float(np.max(column))) for column in pairs.T)
    row.times_real = sum(len(sound) for sound in row.sounds) / RATE_HZ / max(spent, 1e-9)
    return row


def beyond(make: Callable[[Case, int], Sound], other: Callable[[Case, int], Sound], truth: Truth) -> list[list[float]]:
    """Return by how much more of one way's sounds than of another's are told apart, and are so among three.

    Means over four seeds, and where 95 % of 5000 draws of as many cases lie.
    """
    which = np.array([case.which for case in truth.cases])[:, None]

    def told(way: Callable[[Case, int], Sound]) -> NDArray[np.float64]:
        found = []
        for seed in range(4):
            sounds = [way(case, 1000 * seed + number) for number, case in enumerate(truth.cases)]
            right = truth.listener.ranked(np.stack([hear(sound).embedding for sound in sounds])) == which
            found.append((right[:, 0], right[:, :3].any(axis=1)))
        return np.mean(found, axis=0)

    more = told(make) - told(other)
    draws = more[:, np.random.default_rng(0).integers(len(which), size=(5000, len(which)))].mean(axis=2)
    return [[float(one.mean()), *np.percentile(drawn, [2.5, 97.5])] for one, drawn in zip(more, draws, strict=True)]


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
    truth = Truth(real, bank)
    rng = np.random.default_rng(0)

    def learnt(case: Case, _: int) -> Sound:
        own = [*bank.recorded[case.which], *bank.invented[case.which]]
        source = own[int(rng.integers(len(own)))]
        return np.resize(source, len(case.sound)) if len(source) else case.sound

    rows = [
        measure("real, held out", lambda case, _: case.sound, truth, half=True),
        measure("learnt from", learnt, truth),
    ]
    noise = coloured(bank)
    rows.append(measure("noise of the class's colour", noise, truth))
    rows[-1].onset_ms = onsets_of(
        lambda envelope, name, n: noise(Case(NAMES.index(name), np.zeros(4 * RATE_HZ, np.float32), envelope), n)
    )
    rows.append(measure("where the flow begins", portrayed(told.model), truth))
    engine = EmbeddedEngine("cpu", told.model)
    for quality, steps in (("draft", 4), ("normal", 8), ("fine", 16)):

        def make(envelope: Envelope, name: str, n: int, length: int = 4 * RATE_HZ, quality: str = quality) -> Sound:
            request = GenerateRequest(name, length / RATE_HZ, seed=n, envelope=envelope, quality=quality)  # type: ignore[arg-type]
            return engine.generate(request).samples[0]

        row = measure(
            f"model, {steps} steps",
            lambda case, n, make=make: make(case.envelope, NAMES[case.which], n, len(case.sound)),  # type: ignore[misc]
            truth,
        )
        row.onset_ms = onsets_of(make)
        again = [make(case.envelope, NAMES[case.which], 1000 + n, len(case.sound)) for n, case in enumerate(real[:12])]
        alike = [nearest(one, Heard(*[np.ones(1)] * 2), [(other, Heard(*[np.ones(1)] * 2))])[0]
                 for one, other in zip(row.sounds, again, strict=False)]  # fmt: skip
        row.seeds_differ = float(np.median(alike))
        rows.append(row)
    gained = beyond(
        lambda case, n: make(case.envelope, NAMES[case.which], n, len(case.sound), "draft"),
        portrayed(told.model),
        truth,
    )
    print(f"{len(real)} held-out recordings of {len({one.which for one in real})} classes\n")
    columns = (
        "class heard",
        "told apart / among 3",
        "kernel distance (95 %)",
        "envelope r",
        "onsets, ms",
        "likest wave learnt",
        "likest embedding learnt",
        "two seeds",
        "x real time",
    )
    print(f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for row in rows:
        mean, low, high = row.kernel
        cells = (
            f"{100 * row.class_accuracy:.0f} %",
            " / ".join(f"{100 * share:.0f} %" for share in row.told_apart),
            f"{mean:.2f} ({low:.2f} to {high:.2f})",
            f"{row.envelope:.3f}",
            "" if row.onset_ms is None else f"{row.onset_ms:.0f}",
            f"{row.copied_wave[0]:.2f}, at most {row.copied_wave[1]:.2f}",
            f"{row.copied_embedding[0]:.2f}, at most {row.copied_embedding[1]:.2f}",
            "" if row.seeds_differ is None else f"{row.seeds_differ:.2f}",
            f"{row.times_real:.1f}",
        )
        print(f"| {row.name} | {' | '.join(cells)} |")
    for what, (mean, low, high) in zip(("told apart", "among 3"), gained, strict=True):
        print(
            f"4 steps beyond where the flow begins, {what}: {100 * mean:+.0f} ({100 * low:+.0f} to {100 * high:+.0f})"
        )
    if told.json:
        plain = [{key: value for key, value in asdict(row).items() if key != "sounds"} for row in rows]
        told.json.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
