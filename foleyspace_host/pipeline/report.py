"""The stage "report": the page on which a person corrects a trajectory."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.pipeline.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foleyspace_host.geometry.boxes import BoxSizes

__all__ = ["DEFAULT_EMBED_MB", "add_report", "report_outputs"]

DEFAULT_EMBED_MB = 64.0
"""Largest video that is put into the page: 24 minutes at the lowest rate [10^6 bytes]."""


def report_outputs(report: Path | None, embed_mb: float) -> Iterable[Path]:
    """Return the files that a report may write.

    Parameters
    ----------
    report : Path or None
        The page, if one is wanted.
    embed_mb : float
        Largest video to put into it [10^6 bytes].

    Returns
    -------
    iterable of Path

    Raises
    ------
    InvalidInput
        If the limit is out of range.
    """
    if report is None:
        return ()
    from foleyspace_host.report.page import check_embed_limit
    from foleyspace_host.report.picture import beside

    check_embed_limit(embed_mb)
    return report, beside(report)


def add_report(
    files: ExitStack,
    report: Path,
    video: Path,
    trajectory: Trajectory,
    stages: Stages,
    *,
    sizes: Mapping[str, BoxSizes],
    out: Path | None,
    sound: Path | None = None,
    embed_mb: float = DEFAULT_EMBED_MB,
) -> None:
    """Run the stage "report".

    Parameters
    ----------
    files : ExitStack
        The page takes its place when this ends well.
    report : Path
        The page to write.
    video : Path
        The video.
    trajectory : Trajectory
        What it shows.
    stages : Stages
        Where progress goes.
    sizes : mapping of str to BoxSizes
        Boxes to draw, by the ids of sources.
    out : Path or None
        Trajectory file that is written as well; the page names its own after it, or after the video.
    sound : Path, optional
        Sound instead of the video's own.
    embed_mb : float
        Largest video to put into the page [10^6 bytes].
    """
    from foleyspace_host.media.atomic import atomic_output
    from foleyspace_host.report.page import save_name, write_report

    with stages.stage("report") as on_progress:
        write_report(
            files,
            files.enter_context(atomic_output(report)),
            report,
            video,
            trajectory,
            sizes=sizes,
            save_as=save_name(out or video),
            sound=sound,
            embed_mb=embed_mb,
            on_progress=on_progress,
        )
