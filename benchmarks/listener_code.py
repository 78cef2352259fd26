"""Measures what a listener's code is worth, and what ears have in common: directions that were not measured.

``python benchmarks/listener_code.py DATA [--measurements 50]`` takes the folder that ``python -m training.binaural_flow
prepare`` wrote, and prints a table in Markdown: means over the heads that are held out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from foleyspace_host.hrtf.ear_prior import shipped_ears
from foleyspace_host.hrtf.expected import ear_traits, expected_traits
from foleyspace_host.hrtf.listener import BANDS_HZ, ListenerModel, Traits, shipped_model, traits_of
from foleyspace_host.hrtf.onset import best_onsets
from foleyspace_host.hrtf.refine import stencils
from training.binaural_flow.data.evaluation import few_of
from training.binaural_flow.data.heads import Head
from training.binaural_flow.data.pack import unpack_heads

LOWEST_Z = -0.7


def errors(head: Head, count: int, model: ListenerModel) -> dict[str, tuple[float, float]]:
    """Compare ways to know a head from few of its measurements; root mean squares [dB, us]."""
    everything = traits_of(head.measured)
    inside = head.measured.unit[:, 2] >= LOWEST_Z
    truth = Traits(everything.unit[inside], everything.level_db[inside], everything.itd_us[inside])
    few = few_of(head, count)
    known, code = traits_of(few), model.fit(few)
    nobody = np.zeros_like(code)
    neighbours, weights = stencils(known.unit, truth.unit)

    def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.einsum("nk,nk...->n...", weights, values[neighbours])

    onset, _ = best_onsets(few.unit, few.hrirs, few.sample_rate_hz)
    both = np.concatenate([known.unit, truth.unit])
    ears = expected_traits(shipped_ears(), both, ear_traits(few, onset), (neighbours, weights))[len(known.unit) :]
    here, there = model.traits(code, known.unit), model.traits(code, truth.unit)
    average = model.traits(nobody, truth.unit)
    ways = {
        "the average listener": (average.level_db, average.itd_us),
        "the code": (there.level_db, there.itd_us),
        "the code of all measurements": _of(model.traits(model.fit(head.measured), truth.unit)),
        "interpolation": (spread(known.level_db), spread(known.itd_us)),
        "interpolation of what the code leaves": (
            there.level_db + spread(known.level_db - here.level_db),
            there.itd_us + spread(known.itd_us - here.itd_us),
        ),
        "what ears have in common": (ears[..., : len(BANDS_HZ)], ears[:, 1, -1] - ears[:, 0, -1]),
    }
    return {
        name: (_rms(level - truth.level_db, free=True), _rms(itd - truth.itd_us)) for name, (level, itd) in ways.items()
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--measurements", type=int, default=50)
    arguments = parser.parse_args()
    heads = [head for head in unpack_heads(arguments.data / "heads.npz") if head.held_out]
    found = [errors(head, arguments.measurements, shipped_model()) for head in heads]
    print(f"| from {arguments.measurements} measurements | levels, dB | time differences, µs |\n|---|---|---|")
    for name in found[0]:
        level, itd = np.mean([one[name] for one in found], axis=0)
        print(f"| {name} | {level:.2f} | {itd:.0f} |")


def _of(traits: Traits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return traits.level_db, traits.itd_us


def _rms(apart: NDArray[np.float64], *, free: bool = False) -> float:
    """Root mean square; the level of a whole set is free."""
    return float(np.sqrt(np.mean((apart - (apart.mean() if free else 0.0)) ** 2)))


if __name__ == "__main__":
    main()
