"""Prepared sets of responses on the training device: every head's own, and some made from few of its measurements."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from foleyspace_host.diffusion.condition import LISTENER_CODE
from foleyspace_host.hrtf.ear_prior import learn_ears
from foleyspace_host.hrtf.expected import ears_on_grid
from foleyspace_host.hrtf.mesh import DirectionMesh, locate
from foleyspace_host.hrtf.power import ear_powers
from foleyspace_host.hrtf.prepare import prepare
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.sofa import MeasuredHrirs
from foleyspace_host.render.room.diffuse import diffuse_field
from training.binaural_flow.data.heads import Head, thinned
from training.binaural_flow.data.parallel import mapped
from training.binaural_flow.data.presets import SAMPLE_RATE_HZ

__all__ = ["TAPS", "EarSet", "ListenerBank", "Located"]

TAPS = 320
"""Length of the responses; longer ones are cut here."""

_FADE = 32
_FEWEST_EARS = 8  # listeners from whom on it can be said what ears have in common

Floats = NDArray[np.float64]
Code = Callable[[MeasuredHrirs], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Located:
    """Directions, as an `EarSet` knows them.

    Parameters
    ----------
    vertex : ndarray, int64, shape (n, 3)
        Rows of `ListenerBank.responses`.
    weight : ndarray, float32, shape (n, 3)
        Their weights.
    delay_samples : ndarray, float64, shape (n, 2)
        Travel time to both ears re the mean over all directions [samples].
    power : ndarray, float64, shape (n, 2)
        Power of the responses, octaves alike.
    """

    vertex: NDArray[np.int64]
    weight: NDArray[np.float32]
    delay_samples: Floats
    power: Floats


@dataclass(slots=True)
class EarSet:
    """One prepared set; its responses lie in the bank.

    Parameters
    ----------
    head : int
        Number of the head in the bank.
    first : int
        Its first row in the bank.
    mesh : DirectionMesh
        Directions.
    delay_samples, power : ndarray, float64, shape (n_vertices, 2)
        Of every direction; see `Located`.
    pre_roll_samples : int
        Delay inside the responses [samples].
    mixing : ndarray, float32, shape (2, 2, n_taps)
        Filters that make a diffuse field of two noises; empty for thinned sets, which no room is heard with.
    code : ndarray, float32, shape (16,)
        Listener code that follows from the same measurements.
    sparse : bool
        Whether the set is made of few measurements.
    """

    head: int
    first: int
    mesh: DirectionMesh
    delay_samples: Floats
    power: Floats
    pre_roll_samples: int
    mixing: NDArray[np.float32]
    code: NDArray[np.float32]
    sparse: bool
    triangle: int = field(default=0)  # where the walk over the mesh left off

    def locate(self, unit: Floats) -> Located:
        """Find the triangles of directions, shape (n, 3)."""
        triangle, weight = np.empty(len(unit), dtype=np.int32), np.empty((len(unit), 3), dtype=np.float32)
        mesh = self.mesh
        self.triangle = locate(
            np.ascontiguousarray(unit), self.triangle, mesh.triangles, mesh.neighbours, mesh.inverse, triangle, weight
        )
        corner = mesh.triangles[triangle].astype(np.int64)
        delay, power = (np.einsum("nk,nke->ne", weight, values[corner]) for values in (self.delay_samples, self.power))
        return Located(corner + self.first, weight, delay, power)


class ListenerBank:
    """All sets that examples are rendered with.

    Parameters
    ----------
    heads : sequence of Head
        Measured heads.
    n_sparse : int
        Thinned sets of each head.
    sparse_directions : (int, int)
        Bounds of how many directions they keep.
    code : callable, optional
        Finds the listener code of measurements; codes are zero if not given.
    device : torch.device or str
        Where the responses shall lie.
    workers : int
        Processes that prepare the sets; this one alone if 0.
    on_progress : callable, optional
        Called as on_progress(done_heads, n_heads).

    Attributes
    ----------
    own : list of EarSet
        The dense set of each head.
    thin : list of list of EarSet
        The thinned sets of each head.
    responses : torch.Tensor, float16, shape (n_rows, 2, TAPS)
        Responses of all sets: half precision keeps them within -70 dB at half the memory.
    """

    def __init__(
        self,
        heads: Sequence[Head],
        *,
        n_sparse: int = 2,
        sparse_directions: tuple[int, int] = (50, 50),
        code: Code | None = None,
        device: torch.device | str = "cpu",
        workers: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.heads = list(heads)
        known = _known(self.heads, workers) if n_sparse else {}

        def sets_of(head: Head) -> list[_Made]:
            rng = np.random.default_rng(zlib.crc32(head.name.encode()))
            low, high = sparse_directions
            counts = rng.integers(low, high + 1, n_sparse).tolist()
            few = [thinned(head.measured, count, rng) for count in counts]
            # a listener who is met later took no part in what is known of ears: nor must this one
            others = [fields for name, fields in known.items() if name != head.name]
            ears = learn_ears(others) if n_sparse and len(others) >= _FEWEST_EARS else None
            made = [_made(head.measured, prepare(head.measured, SAMPLE_RATE_HZ), code, sparse=False)]
            return made + [_made(one, prepare(one, SAMPLE_RATE_HZ, ears), code, sparse=True) for one in few]

        made = mapped(sets_of, self.heads, workers, on_progress)
        self.own: list[EarSet] = []
        self.thin: list[list[EarSet]] = []
        rows: list[NDArray[np.float16]] = []
        n_rows = 0
        for number, sets in enumerate(made):
            placed = []
            for one in sets:
                placed.append(EarSet(head=number, first=n_rows, **one.told))
                rows.append(one.rows)
                n_rows += len(one.rows)
            self.own.append(placed[0])
            self.thin.append(placed[1:])
        self.responses = torch.from_numpy(np.concatenate(rows)).to(device)
        self.device = self.responses.device

    def heads_that(self, *, held_out: bool) -> list[int]:
        """Return the numbers of the heads that are, or are not, held out."""
        return [number for number, head in enumerate(self.heads) if head.held_out == held_out]


@dataclass(frozen=True, slots=True)
class _Made:
    """A set that has no place in the bank yet.

    Parameters
    ----------
    rows : ndarray, float16, shape (n_vertices, 2, TAPS)
        Its responses.
    told : dict
        The rest of its `EarSet`.
    """

    rows: NDArray[np.float16]
    told: dict[str, Any]


def _made(measured: MeasuredHrirs, hrtf: Hrtf, code: Code | None, *, sparse: bool) -> _Made:
    cut = np.zeros((len(hrtf.responses), 2, TAPS), dtype=np.float32)
    kept = min(hrtf.n_taps, TAPS)
    cut[..., :kept] = hrtf.responses[..., :kept]
    if hrtf.n_taps > TAPS:
        cut[..., -_FADE:] *= np.cos(0.5 * np.pi * (np.arange(_FADE) + 1) / (_FADE + 1)).astype(np.float32) ** 2
    told = {
        "mesh": hrtf.mesh,
        "delay_samples": hrtf.delay_samples,
        "power": ear_powers(hrtf),
        "pre_roll_samples": hrtf.pre_roll_samples,
        "mixing": _mixing(hrtf, sparse),
        "code": LISTENER_CODE if code is None else code(measured),
        "sparse": sparse,
    }
    return _Made(cut.astype(np.float16), told)


def _known(heads: Sequence[Head], workers: int) -> dict[str, Floats]:
    """Return what the ears are like of those heads that are learnt from, by their names."""
    learnt = [head for head in heads if not head.held_out]
    found = mapped(lambda head: ears_on_grid(head.measured), learnt, workers)
    return {head.name: fields for head, fields in zip(learnt, found, strict=True)}


def _mixing(hrtf: Hrtf, sparse: bool) -> NDArray[np.float32]:
    if sparse:
        return np.empty((2, 2, 0), dtype=np.float32)
    return diffuse_field(hrtf).mixing_responses().astype(np.float32)
