"""Entry point of the renderer for a race against other binaural renderers.

``factory(sofa_path)`` returns ``render(mono, sample_rate_hz, trajectory)`` with mono float32 (n,), the
trajectory float64 (n_points, 4) as time [s], azimuth [deg, left positive], elevation [deg], distance [m],
and the result (n, 2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import load_hrtf
from foleyspace_host.render import RenderOptions
from foleyspace_host.render.binaural import render_blocks

OPTIONS = RenderOptions(distance_gain="none", propagation="none")


def factory(sofa_path: str) -> Callable[[NDArray[np.float32], int, NDArray[np.float64]], NDArray[np.float32]]:
    """Return a renderer that uses a SOFA file, prepared at the file's own rate."""
    import sofar

    rate = round(float(np.ravel(sofar.read_sofa(sofa_path, verify=False, verbose=False).Data_SamplingRate)[0]))
    hrtf = load_hrtf(sofa_path, rate)

    def render(mono: NDArray[np.float32], sample_rate_hz: int, trajectory: NDArray[np.float64]) -> NDArray[np.float32]:
        keys = tuple(Key(*row) for row in trajectory.tolist())
        path = Trajectory(max(len(mono) / sample_rate_hz, 1e-3), (Source("source", keys),))
        out = np.empty((2, len(mono)), dtype=np.float32)
        done = 0
        for block in render_blocks([mono], len(mono), sample_rate_hz, path, hrtf, OPTIONS):
            out[:, done : done + block.shape[1]] = block
            done += block.shape[1]
        return out.T

    return render
