"""The sources that the user chooses among those that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from foleyspace_host.errors import NothingFound
from foleyspace_host.geometry.trajectory import Trajectory

__all__ = ["with_chosen"]


def with_chosen(trajectory: Trajectory, ids: Sequence[str], where: str) -> Trajectory:
    """Return a trajectory of which other sources are selected.

    Parameters
    ----------
    trajectory : Trajectory
        What was found.
    ids : sequence of str
        Sources that shall sound, all others not; as it is if there are none.
    where : str
        The clip, for the message.

    Returns
    -------
    Trajectory

    Raises
    ------
    NothingFound
        If there is no source of a name; the message lists those there are.
    """
    if not ids:
        return trajectory
    known = [source.id for source in trajectory.sources]
    for wanted in ids:
        if wanted not in known:
            cure = f"choose among: {', '.join(known)}"
            raise NothingFound(f"there is no source {wanted!r}", where=where, cure=cure)
    return replace(
        trajectory, sources=tuple(replace(source, selected=source.id in ids) for source in trajectory.sources)
    )
