"""The work of a job of the kind ``timeline``: the same as the command's, its files put where results go."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from foleyspace_host.errors import InvalidInput
from foleyspace_host.jobs.artifacts import place, result_name
from foleyspace_host.jobs.model import Assignment, Outcome
from foleyspace_host.protocol import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from foleyspace_host.jobs.inputs import Inputs
    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["run_timeline"]


# what a job chooses under the names that the function has
_CHOICES = (
    *("timeline_name", "rate_hz", "track", "clip", "marked", "with_metadata", "keep_sources", "handles_s"),
    *("label", "hfov_deg", "engine", "negative"),
)


def run_timeline(
    job: messages.TimelineJob,
    assignment: Assignment,
    inputs: Inputs,
    work: Path,
    rendering: dict[str, Any],
    cache: StageCache,
    progress: Callable[[str, int, int], None],
) -> Outcome:
    """Place the sounds of a timeline.

    Parameters
    ----------
    job : TimelineJob
        The job.
    assignment : Assignment
        What the host gave with it.
    inputs : Inputs
        Its files.
    work : Path
        Folder of the job's own.
    rendering : dict
        How to render, as keywords.
    cache : StageCache
        Where finished stages are kept: what an attempt that died had rendered is not rendered again.
    progress : callable
        Called as (stage, done, total).

    Returns
    -------
    Outcome
        The timeline first, then the sounds that it names, which lie beside it, and what else was wished for.

    Raises
    ------
    FoleySpaceError
        As `spatialize_timeline` does. Media outside of the timeline's own folder are not read: what a client may
        read is decided by folders, and a file that it wrote must not name more.
    """
    from foleyspace_host.models.session import fallbacks
    from foleyspace_host.timeline.document import as_text, objects
    from foleyspace_host.timeline.media import url_of_file
    from foleyspace_host.timeline.run import renders_folder, spatialize_timeline

    if (suffix := job.output.suffix) not in (None, ".otio"):
        raise InvalidInput(f"a timeline is no {suffix} file", where="$.job.output.suffix", cure="leave it out")
    source = inputs.file("$.job.timeline")
    out = work / result_name(assignment, ".otio")
    given = {name: value for name in _CHOICES if (value := getattr(job, name)) is not None}
    more: dict[str, Any] = {
        name: work / result_name(assignment, suffix)
        for name, suffix in (("mixdown", f"-mix{job.mixdown}"), ("adm", "-adm.wav"), ("trajectories", ".trajectories"))
        if getattr(job, name)
    }
    result = spatialize_timeline(
        source,
        out,
        **given,
        **more,
        roots=[source.parent],
        device=cast("Device", assignment.device),
        cache=cache,
        on_progress=progress,
        **rendering,
    )
    inputs.check("while it was read")
    folder = renders_folder(out)
    beside = [("audio" if path.parent == folder else "media", path) for path in _files(folder)]
    beside += [("trajectory", path) for path in _files(more.get("trajectories"))]
    beside += [(role, more[name]) for name, role in (("mixdown", "mix"), ("adm", "adm")) if name in more]
    artifacts = []
    final: dict[str, str] = {}
    urls: dict[str, str] = {}
    for number, (role, path) in enumerate(beside):
        progress("place", number, len(beside) + 1)
        named = path if path.parent == work else work / result_name(assignment, f"-{path.name}")
        url = url_of_file(path, work)
        path.rename(named)
        artifact = place(named, role, assignment, lambda _done, _total: None)
        artifacts.append(artifact)
        final[str(path)] = artifact.path
        urls[url] = url_of_file(Path(artifact.path), assignment.output_folder)
    document = json.loads(out.read_text(encoding="utf-8"))
    for item in objects(document):
        if item.get("target_url") in urls:
            item["target_url"] = urls[item["target_url"]]
    out.write_text(as_text(document), encoding="utf-8", newline="\n")
    timeline = place(out, "timeline", assignment, lambda _done, _total: None)
    progress("place", 1, 1)
    final[str(out)] = timeline.path
    said = json.loads(json.dumps(asdict(result), allow_nan=False))
    for one in (said, *said["clips"]):
        one["output"] = final.get(one["output"], one["output"])
    for one in said["clips"]:  # media that were unpacked or made lie where results lie
        one["media"] = final.get(one["media"], one["media"])
    for name in ("mixdown", "adm"):
        said[name] = final.get(said[name])
    return Outcome((timeline, *artifacts), said, result.warnings, fallbacks())


def _files(folder: Path | None) -> list[Path]:
    """Return the files in a folder and below it, without those that say what was made earlier."""
    if folder is None:
        return []
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in (".json", ".jsonl")]
