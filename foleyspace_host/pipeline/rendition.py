"""A rendered sound as it comes into being: what it depends on, its samples, and who else hears them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.pipeline.bed import mixed
from foleyspace_host.pipeline.dry import DryClip
from foleyspace_host.pipeline.settings import RenderSettings
from foleyspace_host.pipeline.stages import OnProgress
from foleyspace_host.render.formats import find_format

if TYPE_CHECKING:
    from foleyspace_host.hrtf.prepare import Hrtf
    from foleyspace_host.media.audio import AudioSource
    from foleyspace_host.models.session import Device

__all__ = ["Rendition", "Tee"]

_OF_THE_FILE = ("bit_depth", "time_reference")


class Tee(Protocol):
    """Something that gets what is rendered too, such as a preview."""

    def begin(self, sample_rate_hz: int, n_channels: int, n_samples: int) -> None:
        """Say what will come."""

    def write(self, block: NDArray[np.float32]) -> None:
        """Take the next piece, shape (n_channels, n)."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """All that a rendered sound depends on.

    Parameters
    ----------
    clip : DryClip
        The sound to place.
    trajectory : Trajectory
        Where its selected sources are.
    hrtf : Hrtf or None
        Set at the clip's sampling rate; None where the format is not binaural.
    settings : RenderSettings
        How to render.
    original : AudioSource or None
        Sound of the bed, where `settings` has one.
    device : {"auto", "cpu", "cuda"}
        Where a flow model computes.
    """

    clip: DryClip
    trajectory: Trajectory
    hrtf: Hrtf | None
    settings: RenderSettings
    original: AudioSource | None
    device: Device = "auto"

    def key(self) -> str:
        """Return the key under which the rendered sound is kept; reads the sound to the end."""
        import hashlib

        from foleyspace_host.pipeline.provenance import flow_used, hrtf_used
        from foleyspace_host.pipeline.stage_cache import file_digest
        from foleyspace_host.pipeline.stage_key import stage_key

        settings = asdict(self.settings)
        del settings["hrtf"], settings["flow_model"]  # paths; their content counts
        for name in _OF_THE_FILE:
            del settings[name]
        source = self.clip.source
        bed = self.original if self.settings.bed_db is not None else None
        return stage_key(
            "render",
            sound=file_digest(source.path),
            span=source.span,
            n_samples=self.clip.n_samples,
            bed=None if bed is None else file_digest(bed.path),
            bed_span=None if bed is None else bed.span,
            trajectory=hashlib.sha256(repr(self.trajectory).encode()).hexdigest(),
            hrtf=None if self.hrtf is None else hrtf_used(self.settings.hrtf).sha256,
            flow=[used.sha256 for used in flow_used(self.settings)],
            settings=settings,
        )

    def blocks(self, report: OnProgress, tee: Tee | None = None) -> Iterator[NDArray[np.float32]]:
        """Render, block by block.

        Parameters
        ----------
        report : callable
            Called as (samples done, samples in all).
        tee : Tee, optional
            Gets each block before the caller does.

        Yields
        ------
        ndarray, float32, shape (n_channels, n)
            Together `clip.n_samples` samples.
        """
        from foleyspace_host.render.stream import render_stream

        clip, settings = self.clip, self.settings
        rate = clip.source.sample_rate_hz
        done = 0
        blocks: Iterable[NDArray[np.float32]] = render_stream(
            _Anew(clip),
            clip.n_samples,
            rate,
            self.trajectory,
            self.hrtf,
            settings,
            on_step=lambda: report(done, clip.n_samples),
            device=self.device,
        )
        if settings.bed_db is not None and self.original is not None:
            from foleyspace_host.render.panning.law import stereo_weights

            weights = stereo_weights(find_format(settings.format))
            blocks = mixed(blocks, self.original, settings.bed_db, rate, clip.n_samples, weights)
        for block in blocks:
            if tee is not None:
                tee.write(block)
            yield block
            done += block.shape[1]
            report(done, clip.n_samples)


@dataclass(frozen=True, slots=True)
class _Anew:
    """A clip that can be gone through several times."""

    clip: DryClip

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return self.clip.blocks()
