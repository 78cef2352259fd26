"""From a valid request for a job to one that is also allowed: its files inside the roots, its buffers on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foleyspace_host.host.roots import Roots
from foleyspace_host.jobs.model import InputFile

__all__ = ["allowed_inputs", "allowed_output", "named_files"]


def named_files(job: Any) -> Iterator[tuple[str, str]]:
    """Give the files that a job would read: where the request names each, and its path.

    Parameters
    ----------
    job : LocalizeJob, RenderJob, SpatializeJob, GenerateJob or TimelineJob
        The job.

    Yields
    ------
    tuple of str
        Such as ``("$.job.audio.path", "/home/me/steps.wav")``.
    """
    for name in ("video", "audio", "trajectory", "envelope"):
        path = getattr(getattr(job, name, None), "path", None)
        if path is not None:
            yield f"$.job.{name}.path", path
    named = [("settings", name) for name in ("hrtf", "listener", "flow_model", "detector")]
    for part, name in (*named, ("localize", "detector")):
        if (path := getattr(getattr(job, part, None), name, None)) is not None:
            yield f"$.job.{part}.{name}", path
    if (timeline := getattr(job, "timeline", None)) is not None:
        yield "$.job.timeline", timeline


def allowed_inputs(job: Any, roots: Roots) -> tuple[InputFile, ...]:
    """Return the identities of the files that a job would read.

    Raises
    ------
    UnauthorizedPath, MediaMissing, InvalidInput
        One of them may not, or cannot, be read.
    """
    return tuple(roots.input_file(path, field) for field, path in named_files(job))


def allowed_output(job: Any, roots: Roots) -> Path | None:
    """Return the folder that a job wants its results in, or None for the host's own.

    Raises
    ------
    UnauthorizedPath, OutputUnwritable, InvalidInput
        The folder may not, or cannot, be written in.
    """
    folder = job.output.folder
    return None if folder is None else roots.output_folder(folder, "$.job.output.folder")
