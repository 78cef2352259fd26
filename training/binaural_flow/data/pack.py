"""Heads in one file that is small enough to carry to another machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from foleyspace_host.errors import InvalidInput
from foleyspace_host.hrtf.sofa import MeasuredHrirs
from training.binaural_flow.data.heads import Head

__all__ = ["pack_heads", "unpack_heads"]


def pack_heads(path: Path, heads: Sequence[Head]) -> None:
    """Write heads: responses as 16-bit numbers, each head scaled by itself.

    Parameters
    ----------
    path : Path
        ``.npz`` to write.
    heads : sequence of Head
        Heads of any grids and rates.
    """
    arrays: dict[str, np.ndarray] = {
        "name": np.array([head.name for head in heads]),
        "held_out": np.array([head.held_out for head in heads]),
        "sampling_rate_hz": np.array([head.measured.sample_rate_hz for head in heads]),
    }
    grids: list[np.ndarray] = []
    numbers = []
    for index, head in enumerate(heads):
        measured = head.measured
        scale = float(np.abs(measured.hrirs).max()) / 32_767.0
        arrays[f"hrirs_{index}"] = np.round(measured.hrirs / scale).astype(np.int16)
        arrays[f"scale_{index}"] = np.array(scale, np.float32)
        if measured.delay_samples.any():
            arrays[f"delay_{index}"] = measured.delay_samples
        same = [number for number, grid in enumerate(grids) if np.array_equal(grid, measured.unit)]
        numbers.append(same[0] if same else len(grids))
        if not same:
            grids.append(measured.unit)
    arrays["grid"] = np.array(numbers)
    arrays |= {f"unit_{number}": grid for number, grid in enumerate(grids)}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def unpack_heads(path: Path) -> list[Head]:
    """Read what `pack_heads` wrote.

    Raises
    ------
    InvalidInput
        If it is something else.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            heads = []
            for index, name in enumerate(stored["name"].tolist()):
                hrirs = stored[f"hrirs_{index}"].astype(np.float32) * stored[f"scale_{index}"]
                delay = stored[f"delay_{index}"] if f"delay_{index}" in stored else np.zeros(hrirs.shape[:2])
                unit = stored[f"unit_{int(stored['grid'][index])}"]
                rate = int(stored["sampling_rate_hz"][index])
                heads.append(Head(name, MeasuredHrirs(unit, hrirs, delay, rate, name), bool(stored["held_out"][index])))
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise InvalidInput(f"holds no heads ({error})", where=str(path), cure="write it with prepare") from None
    return heads
