"""One way into every renderer: the format decides which one runs, and only that one is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.render.formats import check_ears, find_format
from foleyspace_host.render.options import RenderKeywords, RenderOptions, checked_rate

if TYPE_CHECKING:
    from foleyspace_host.diffusion.model import Device
    from foleyspace_host.hrtf.prepared import Hrtf

__all__ = ["render", "render_stream"]


def render(
    mono: ArrayLike,
    sample_rate_hz: int,
    trajectory: Trajectory,
    *,
    hrtf: Path | str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    **options: Unpack[RenderKeywords],
) -> NDArray[np.float32]:
    """Render a mono clip along a trajectory, binaurally if no other format is asked for.

    Parameters
    ----------
    mono : array_like, shape (n_samples,) or (n_clip_channels, n_samples)
        Clip, nominally within +-1; every selected source plays it. Several channels need
        ``channel_angles_deg``.
    sample_rate_hz : int
        Its sampling rate, 8 to 192 kHz [Hz].
    trajectory : Trajectory
        Positions; time 0 is the first sample.
    hrtf : path-like, optional
        SOFA file; the KEMAR that ships by default. For ``format="binaural"`` alone.
    on_progress : callable, optional
        Called as on_progress(done_samples, n_samples); may raise `Cancelled`.
    **options
        ``distance_gain``, ``propagation``, ``spread`` and so on: see `RenderOptions`.

    Returns
    -------
    ndarray, float32, shape (n_channels, n_samples)
        Left and right ear, or the channels of the format (see `OutputFormat`), as long as the clip: its first
        sample is heard at the first sample, give or take the travel time across the head. Not limited: a near
        source may pass +-1.

    Raises
    ------
    InvalidInput
        If the clip has another number of channels, the rate is out of range, no source is selected, or an
        option is unknown.
    NonFinite
        If the clip holds NaN or infinite samples.
    HrtfInvalid
        If the SOFA file cannot be used.
    ModelUnavailable
        If the flow model that ``renderer="diffusion"`` needs is not there or cannot be used.
    """
    choices = RenderOptions(**options)
    clip = np.ascontiguousarray(mono, dtype=np.float32)
    angles = choices.channel_angles_deg
    if angles is None and clip.ndim != 1:
        raise InvalidInput(
            f"audio of shape {clip.shape} is not one channel",
            where="mono",
            cure="pass shape (n,), or channel_angles_deg with one angle for each channel",
        )
    if angles is not None and (clip.ndim != 2 or len(clip) != len(angles)):
        raise InvalidInput(f"audio of shape {clip.shape} for {len(angles)} channel angles", where="mono")
    n_samples = clip.shape[-1]
    check_ears(choices.format, hrtf)
    out = np.zeros((find_format(choices.format).n_channels, n_samples), dtype=np.float32)
    prepared: Hrtf | None = None
    checked_rate(sample_rate_hz)
    if choices.format == "binaural":
        from foleyspace_host.hrtf.prepare import load_hrtf

        prepared = load_hrtf(hrtf, choices.hrtf_rate_hz(sample_rate_hz))
    done = 0

    def report() -> None:
        if on_progress is not None:
            on_progress(done, n_samples)

    for block in render_stream([clip], n_samples, sample_rate_hz, trajectory, prepared, choices, on_step=report):
        out[:, done : done + block.shape[1]] = block
        done += block.shape[1]
        report()
    return out


def render_stream(
    blocks: Iterable[NDArray[np.float32]],
    n_samples: int,
    sample_rate_hz: int,
    trajectory: Trajectory,
    hrtf: Hrtf | None,
    options: RenderOptions,
    *,
    on_step: Callable[[], None] | None = None,
    device: Device = "auto",
) -> Iterator[NDArray[np.float32]]:
    """Render a stream of blocks in the format of the options.

    Parameters
    ----------
    blocks, n_samples, sample_rate_hz, trajectory, options
        As for `render_blocks`; for the diffusion renderer, `blocks` begin anew with each `iter`.
    hrtf : Hrtf or None
        Prepared set at the rate that `RenderOptions.hrtf_rate_hz` tells, needed for binaural.
    on_step : callable, optional
        Called within long blocks, where the caller may raise `Cancelled`.
    device : {"auto", "cpu", "cuda"}
        Where a flow model computes.

    Returns
    -------
    iterator of ndarray, float32, shape (n_channels, m)
        n_samples in all.

    Raises
    ------
    InvalidInput, NonFinite
        As for `render_blocks`.
    ModelUnavailable
        If the flow model is not there or cannot be used.
    """
    if options.format == "binaural":
        from foleyspace_host.render.binaural import render_blocks

        if hrtf is None:
            raise InvalidInput("binaural rendering needs a set of responses", where="hrtf")
        if options.n_steps:
            from foleyspace_host.diffusion.model import open_flow_model
            from foleyspace_host.render.flow import render_flow_blocks

            model = open_flow_model(options.flow_model, device)
            return render_flow_blocks(
                blocks, n_samples, sample_rate_hz, trajectory, hrtf, options, model, on_step=on_step
            )
        return render_blocks(blocks, n_samples, sample_rate_hz, trajectory, hrtf, options)

    from foleyspace_host.render.panned import render_panned_blocks

    output = find_format(options.format)
    return render_panned_blocks(blocks, n_samples, sample_rate_hz, trajectory, output, options)
