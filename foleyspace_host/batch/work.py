"""The work of one stage, in a worker process: from paths and settings to a finished file, through the pipeline.

This is a runner of jobs (`jobs.model.Runner`), the same for every engine. Unlike the host's own it writes to the
very path that it is told, in one step, so that doing a stage twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from foleyspace_host.errors import Conflict
from foleyspace_host.jobs.model import Assignment, OnProgress, Outcome
from foleyspace_host.pipeline.stage_cache import StageCache
from foleyspace_host.protocol.messages import Artifact

if TYPE_CHECKING:
    from foleyspace_host.models.session import Device

__all__ = ["RUNNER", "Kind", "Request", "run"]

RUNNER = __name__
"""What engines are told to run."""

_LONGEST = 64 << 10

Kind = Literal["localize", "spatialize", "make", "render", "timeline"]
"""``make`` is to spatialize with a sound that is generated first."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage is to do.

    Parameters
    ----------
    kind : str
        See `Kind`.
    inputs : dict of str to str
        Files by the keyword of the pipeline's function: ``video``, ``audio``, ``keys``, ``timeline``...
    out : str
        The file to write.
    settings : dict
        Keywords of the pipeline's function; plain values.
    """

    kind: Kind
    inputs: dict[str, str]
    out: str
    settings: dict[str, Any]


def run(assignment: Assignment, on_progress: OnProgress) -> Outcome:
    """Do a stage.

    Parameters
    ----------
    assignment : Assignment
        Its body is a `Request` as JSON.
    on_progress : callable
        See `jobs.model.OnProgress`.

    Returns
    -------
    Outcome

    Raises
    ------
    FoleySpaceError
        As the pipeline does; Conflict if an input is not what it was when the batch was planned.
    """
    from foleyspace_host.media.atomic import clear_partials, write_error
    from foleyspace_host.models.session import fallbacks

    request = msgspec.json.decode(assignment.body, type=Request)
    _check(assignment)
    out = Path(request.out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, out) from error
    clear_partials(out)  # of an attempt that was killed
    keywords = request.inputs | _settings(request.settings)
    keywords |= {
        "device": cast("Device", assignment.device),
        "cache": StageCache(assignment.cache_folder, assignment.cache_limit_bytes, ("localize",)),
        "on_progress": lambda stage, done, total: on_progress(stage, done, total, done / max(total, 1)),
    }
    result = _WORK[request.kind](out, keywords)
    _check(assignment)
    found = out.stat()
    artifact = Artifact(role=request.kind, path=str(out), n_bytes=found.st_size, sha256=_digest(out))
    said = {"mtime_ns": found.st_mtime_ns, "result": _short(asdict(result))}
    return Outcome((artifact,), said, tuple(result.warnings), fallbacks())


def _short(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result as plain data; of a long timeline without its clips, which stand in the timeline itself."""
    text = json.dumps(result, allow_nan=False)
    if len(text) > _LONGEST:
        text = json.dumps({name: value for name, value in result.items() if not isinstance(value, list | tuple)})
    return dict(json.loads(text))


def _check(assignment: Assignment) -> None:
    """Refuse files that were changed; other than on one machine, numbers of files may differ."""
    for file in assignment.inputs:
        try:
            found = os.stat(file.path)
            same = (found.st_size, found.st_mtime_ns) == (file.n_bytes, file.mtime_ns)
        except OSError:
            same = False
        if not same:
            problem = "the file was changed or removed since the batch was planned, or is not the same here"
            raise Conflict(problem, where=file.path, cure="run the batch again")


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return settings as the pipeline takes them."""
    settings = dict(given)
    if (air := settings.get("air")) is not None:
        from foleyspace_host.render.air import Air

        settings["air"] = Air(**air)
    return settings


def _localize(out: Path, keywords: dict[str, Any]) -> Any:
    from foleyspace_host.pipeline.localize import localize_file

    return localize_file(keywords.pop("video"), out, **keywords)


def _spatialize(out: Path, keywords: dict[str, Any]) -> Any:
    from foleyspace_host.pipeline.spatialize import spatialize

    return spatialize(keywords.pop("video"), out, **keywords)


def _make(out: Path, keywords: dict[str, Any]) -> Any:
    from foleyspace_host.pipeline.spatialize_made import Wish, spatialize_made

    wish = Wish(**keywords.pop("wish"))
    return spatialize_made(keywords.pop("video"), out, wish=wish, **keywords)


def _render(out: Path, keywords: dict[str, Any]) -> Any:
    from foleyspace_host.pipeline.render import render_file

    return render_file(keywords.pop("audio"), keywords.pop("keys"), out, **keywords)


def _timeline(out: Path, keywords: dict[str, Any]) -> Any:
    from foleyspace_host.timeline.run import spatialize_timeline

    return spatialize_timeline(keywords.pop("timeline"), out, **keywords)


_WORK: dict[Kind, Callable[[Path, dict[str, Any]], Any]] = {
    "localize": _localize,
    "spatialize": _spatialize,
    "make": _make,
    "render": _render,
    "timeline": _timeline,
}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
