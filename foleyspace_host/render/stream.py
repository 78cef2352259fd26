"""One way into every renderer: the format decides which one runs, and only that one is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.render.formats import find_format
from foleyspace_host.render.options import RenderOptions

if TYPE_CHECKING:
    from foleyspace_host.hrtf.prepare import Hrtf

__all__ = ["render_stream"]


def render_stream(
    blocks: Iterable[NDArray[np.float32]],
    n_samples: int,
    sample_rate_hz: int,
    trajectory: Trajectory,
    hrtf: Hrtf | None,
    options: RenderOptions,
) -> Iterator[NDArray[np.float32]]:
    """Render a stream of blocks in the format of the options.

    Parameters
    ----------
    blocks, n_samples, sample_rate_hz, trajectory, options
        As for `render_blocks`.
    hrtf : Hrtf or None
        Prepared set, needed for binaural.

    Returns
    -------
    iterator of ndarray, float32, shape (n_channels, m)
        n_samples in all.

    Raises
    ------
    InvalidInput, NonFinite
        As for `render_blocks`.
    """
    if options.format == "binaural":
        from foleyspace_host.render.binaural import render_blocks

        if hrtf is None:
            raise InvalidInput("binaural rendering needs a set of responses", where="hrtf")
        return render_blocks(blocks, n_samples, sample_rate_hz, trajectory, hrtf, options)

    from foleyspace_host.render.panned import render_panned_blocks

    output = find_format(options.format)
    return render_panned_blocks(blocks, n_samples, sample_rate_hz, trajectory, output, options)
