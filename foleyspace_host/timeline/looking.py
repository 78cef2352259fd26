"""Looking at the pictures of a timeline: each range of each video once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import Cancelled, FoleySpaceError, ModelUnavailable, OutputUnwritable
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import read_trajectory
from foleyspace_host.pipeline.localize import localize_file
from foleyspace_host.pipeline.settings import LocalizeSettings
from foleyspace_host.timeline.choose import Choice
from foleyspace_host.timeline.picture import Shown, merged
from foleyspace_host.timeline.trajectories import Look, from_pictures, look_of

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["Looking"]

_FINE = 1000


class Looking:
    """What is seen in the pictures of a timeline.

    Parameters
    ----------
    settings : LocalizeSettings
        How the source is found.
    device : {"auto", "cpu", "cuda"}
        Where models compute.
    cache : StageCache or None
        Where what was seen earlier is found.
    on_progress : callable
        Called as (stage, done, total); raises Cancelled to stop.

    Attributes
    ----------
    models : list of dict
        Names and checksums of the models that looked.
    """

    def __init__(
        self,
        settings: LocalizeSettings,
        device: Device,
        cache: StageCache | None,
        on_progress: Callable[[str, int, int], None],
    ) -> None:
        self._settings, self._device, self._cache, self._on_progress = settings, device, cache, on_progress
        self._found: list[tuple[Shown, Trajectory]] = []
        self._failed: list[tuple[Shown, str]] = []
        self.models: list[dict[str, str]] = []

    def look(self, parts: Sequence[Shown], folder: Path) -> None:
        """Look at ranges; where nothing is found, the reason is kept for the clips that need it.

        Parameters
        ----------
        parts : sequence of Shown
            The ranges; those that touch in one picture are looked at together.
        folder : Path
            Where scratch files may lie.
        """
        from foleyspace_host.media.atomic import scratch_file

        ranges = merged(parts)
        looked: dict[Look, Trajectory | str] = {}
        for done, part in enumerate(ranges):
            look = look_of(part)
            if look not in looked:
                with scratch_file(folder / "look.json", ".json") as scratch:
                    looked[look] = self._look(look, scratch, done, len(ranges))
            found = looked[look]
            if isinstance(found, str):
                self._failed.append((part, found))
            else:
                self._found.append((part, found))
            self._on_progress("look", (done + 1) * _FINE, len(ranges) * _FINE)

    def _look(self, look: Look, scratch: Path, done: int, total: int) -> Trajectory | str:
        def report(_stage: str, part: int, whole: int) -> None:
            self._on_progress("look", int((done + part / max(whole, 1)) * _FINE), total * _FINE)

        try:
            result = localize_file(
                look.path,
                scratch,
                label=self._settings.label,
                prompt=self._settings.prompt,
                hfov_deg=self._settings.hfov_deg,
                span=look.span,
                device=self._device,
                cache=self._cache,
                on_progress=report,
            )
        except (Cancelled, OutputUnwritable, ModelUnavailable):
            raise
        except FoleySpaceError as error:
            return error.problem
        for model in result.provenance.models:
            if asdict(model) not in self.models:
                self.models.append(asdict(model))
        return read_trajectory(scratch)

    def trajectory(self, choice: Choice) -> Trajectory:
        """Return the trajectory of a clip from what was seen.

        Parameters
        ----------
        choice : Choice
            A clip whose pictures were looked at.

        Returns
        -------
        Trajectory

        Raises
        ------
        NothingFound
            If nothing was found in any of them.
        """
        return from_pictures(choice, self._found, self._failed)
