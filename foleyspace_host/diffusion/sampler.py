"""The way from a prior to its end point, in steps: Euler's method on a straight flow.

The flow begins at the prior with a little noise on it; a network tells from any place on the way how far the end
point is from the prior, which gives the velocity there (see ``training/binaural_flow/model/flow.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.diffusion.chunks import Stretch, Window
from foleyspace_host.diffusion.model import FlowModel
from foleyspace_host.diffusion.noise import checked_seed, frame_noise
from foleyspace_host.diffusion.reach import FLOOR, Reach
from foleyspace_host.errors import InvalidInput

__all__ = ["SIGMA", "Sampler", "flow_times"]

SIGMA = 0.08
"""Size of the noise on the prior, in proportion to what reaches there."""


def flow_times(n_steps: int) -> list[tuple[float, float]]:
    """Return the flow times at which the network is asked, and the steps from there.

    Parameters
    ----------
    n_steps : int
        Steps, at least 1.

    Returns
    -------
    list of (float, float)
        Even steps from 0 to 1.

    Raises
    ------
    InvalidInput
        If there is no step.
    """
    if n_steps < 1:
        raise InvalidInput(f"{n_steps} steps lead nowhere", where="steps", cure="take at least 1")
    return [(step / n_steps, 1.0 / n_steps) for step in range(n_steps)]


@dataclass(frozen=True, slots=True)
class Ended:
    """What came out of the last step.

    Parameters
    ----------
    maps : ndarray, float32, shape (4, N_BINS, n_frames)
        End points in compressed spectra.
    nyquist : ndarray, complex64, shape (2, n_frames)
        Highest bin of the prior.
    """

    maps: NDArray[np.float32]
    nyquist: NDArray[np.complex64]


class Sampler:
    """Takes a stream of frames to its end point, whatever pieces it comes in.

    Each step is a stream of its own, which keeps as much of the past as the network sees. So a piece costs one
    piece of context for each step, and pieces give what the whole gives.

    Parameters
    ----------
    model : FlowModel
        The network.
    n_steps : int
        Steps, at least 1.
    seed : int
        Seed of the noise.
    first : int
        Number of the first frame.

    Raises
    ------
    InvalidInput
        If there is no step, or the seed is out of range.
    """

    def __init__(self, model: FlowModel, n_steps: int, seed: int, first: int = 0) -> None:
        self._model, self._seed, self._next = model, checked_seed(seed), first
        self._steps = flow_times(n_steps)
        self._windows = [Window(model.memory, model.look_ahead) for _ in self._steps]
        self._reach = Reach()

    def push(self, stretch: Stretch, *, last: bool = False) -> Iterator[Ended | None]:
        """Take the next frames.

        Parameters
        ----------
        stretch : Stretch
            Frames; where the flow is, is filled in here.
        last : bool
            Whether no more will follow.

        Yields
        ------
        Ended or None
            None after each step, where the caller may cancel; then all frames that are finished, if any.
        """
        n_frames = stretch.n_frames
        noise = frame_noise(self._seed, self._next, n_frames)
        self._next += n_frames
        reach = self._reach.push(stretch.prior, stretch.mono)
        moving = stretch.at(stretch.prior + np.float32(SIGMA) * reach * noise, reach)
        for window, (t, step) in zip(self._windows, self._steps, strict=True):
            seen = window.push(moving, last=last)
            if seen is None:
                return
            end = seen.now.prior + window.kept(self._model.residual(seen.maps, seen.condition, t), seen.now)
            yield None
            moving = seen.now.at(seen.now.place + np.float32(step / (1.0 - t)) * (end - seen.now.place))
        # at the floor, but for rounding, nothing sounds and nothing has sounded
        added = np.where(moving.reach > 1.01 * FLOOR, moving.place - moving.prior, np.float32(0.0))
        yield Ended(moving.prior + added, moving.nyquist)
