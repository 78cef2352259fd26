"""What localization leaves: the trajectory, and what is only worth drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from foleyspace_host.geometry.boxes import BoxSizes
from foleyspace_host.geometry.trajectory import Trajectory

__all__ = ["Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """A trajectory, and how large its sources look.

    Parameters
    ----------
    trajectory : Trajectory
        Where everything is.
    sizes : mapping of str to BoxSizes
        Boxes of the sources that were seen, by the ids of the sources.
    heard : tuple of str
        The clearest sounds by name, as far as they tell of their source.
    warnings : tuple of str
        What the user should know, one line each.
    why : str
        Why the selected source is it, in a few words; empty if nothing was seen.
    listened : bool
        Whether there was sound to listen to.
    """

    trajectory: Trajectory
    sizes: Mapping[str, BoxSizes] = field(default_factory=dict)
    heard: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    why: str = ""
    listened: bool = False
