"""What a command does with ``--host``: hand its job to the host, follow it, and put the result in its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.errors import FoleySpaceError, HostError, HostNotRunning, InvalidInput

if TYPE_CHECKING:
    from foleyspace_host.client import Client, ClientError, Progress, Result
    from foleyspace_host.models.slots import Slot

__all__ = ["host_client", "refuse", "run_in_host", "run_timeline_in_host"]

_LOCALIZE = ("label", "prompt", "source", "hfov_deg", "detector", "open_vocabulary", "depth", "depth_kind")
_TIMELINE = (
    *("timeline_name", "rate_hz", "track", "clip", "marked", "with_metadata", "keep_sources", "handles_s"),
    *("label", "hfov_deg", "engine", "negative"),
)
_SLOTS: dict[str, Slot] = {"depth": "depth", "open_vocabulary": "open-vocabulary"}


@contextmanager
def host_client(profile: str, *, start: bool) -> Iterator[Client]:
    """Connect to the host, and turn the client's errors into those of the command line.

    Parameters
    ----------
    profile : str
        Profile of the host.
    start : bool
        Whether to start one where none runs.

    Yields
    ------
    Client

    Raises
    ------
    FoleySpaceError
        With the code that the host gave; HostNotRunning if there is none.
    """
    from foleyspace_host.client import Client, ClientError

    try:
        with Client("cli", profile=profile, start=start) as client:
            yield client
    except ClientError as error:
        raise _as_ours(error, profile) from error


def _as_ours(error: ClientError, profile: str) -> FoleySpaceError:
    kinds: dict[str, type[FoleySpaceError]] = {}
    waiting: list[type[FoleySpaceError]] = [FoleySpaceError]
    while waiting:
        kind = waiting.pop()
        kinds.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    known = kinds.get(error.code, HostError)
    cure = error.cure
    if cure is not None and known is HostNotRunning and profile != "default":
        cure = cure.replace("foleyspace host", f"foleyspace host --profile {profile}")
    return known(error.message, where=error.where, cure=cure)


def run_in_host(
    kind: str, out: Path, *, profile: str, settings: Mapping[str, Any], **files: Path | None
) -> dict[str, Any]:
    """Let the host do a job, showing its progress; Ctrl-C cancels it.

    Parameters
    ----------
    kind : {"localize", "render", "spatialize", "generate"}
        What to do.
    out : Path
        File to write; what stands there is replaced when the job is done.
    profile : str
        Profile of the host.
    settings : mapping of str to object
        The command's options, by the names of the pipeline's parameters.
    **files : Path, optional
        ``video``, ``audio``, ``trajectory``, ``envelope`` to work on; ``trajectory_out`` and ``envelope_out`` to write
        the trajectory and the loudness over time to.

    Returns
    -------
    dict
        What ``--json`` prints.

    Raises
    ------
    FoleySpaceError
        As the pipeline's; nothing is written then.
    """
    from foleyspace_host.pipeline.outputs import check_outputs

    wanted = {role: files.pop(f"{role}_out", None) for role in ("trajectory", "envelope")}
    given = {name: value for name, value in settings.items() if value is not None and value != ()}
    named = [given.get(name) for name in ("hrtf", "listener", "flow_model", "detector")]
    check_outputs([out, *wanted.values()], [*files.values(), *named])
    _check_models(given)
    fields: dict[str, Any] = {name: path for name, path in files.items() if path is not None}
    if kind == "localize":
        fields["settings"] = given
    elif kind == "generate":
        fields |= given
    else:
        if kind == "spatialize":
            if (generate := given.pop("generate", None)) is not None:
                fields["generate"] = generate
            fields["localize"] = {name: given.pop(name) for name in _LOCALIZE if name in given}
            if (bed_db := given.pop("bed_db", None)) is not None:
                fields["bed_db"] = bed_db
        fields["settings"] = _rendering(given, air=settings.get("air"))
    suffix = None if kind == "localize" else out.suffix.lower()
    return _put_in_place(_done(kind, out, profile, suffix, fields), out, wanted)


def run_timeline_in_host(timeline: Path, out: Path, *, profile: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Let the host spatialize a timeline, showing its progress; Ctrl-C cancels it.

    Parameters
    ----------
    timeline : Path
        The timeline; its media must lie in its folder or below.
    out : Path
        Timeline to write. The sounds that it names lie beside it under the names that the host chose.
    profile : str
        Profile of the host.
    settings : mapping of str to object
        The command's options, by the names of the parameters of `spatialize_timeline`.

    Returns
    -------
    dict
        What ``--json`` prints.

    Raises
    ------
    FoleySpaceError
        As `spatialize_timeline`'s; no timeline is written then.
    """
    from foleyspace_host.pipeline.outputs import check_outputs

    given = {name: value for name, value in settings.items() if value is not None and value != ()}
    mixdown, adm, folder = (given.pop(name, None) for name in ("mixdown", "adm", "trajectories"))
    fields: dict[str, Any] = {name: given.pop(name) for name in _TIMELINE if name in given}
    if out.suffix.lower() != ".otio":
        raise InvalidInput(f"cannot write timelines of type {out.suffix!r}", where=str(out), cure="end it with .otio")
    if mixdown is not None and mixdown.suffix.lower() not in (".wav", ".flac"):
        raise InvalidInput("a mix is a sound", where=str(mixdown), cure="end its name with .wav or .flac")
    named = [given.get(name) for name in ("hrtf", "listener", "flow_model")]
    check_outputs([out, mixdown, adm], [timeline, *named])
    if folder is not None:
        _make(folder)
    fields |= {"timeline": os.path.abspath(timeline), "settings": _rendering(given, air=settings.get("air"))}
    fields |= {"mixdown": mixdown.suffix.lower()} if mixdown is not None else {}
    fields |= {name: True for name, place in (("adm", adm), ("trajectories", folder)) if place is not None}
    result = _done("timeline", out, profile, ".otio", fields, folders=[timeline.absolute().parent])
    details = dict(result.details) | {"output": str(out)}
    for file in result.artifacts:
        place = {"timeline": out, "mix": mixdown, "adm": adm}.get(file.role)
        if file.role == "trajectory" and folder is not None:
            place = folder / Path(file.path).name
        if place is not None:
            _move(file.path, place)
    return details | {name: str(place) for name, place in (("mixdown", mixdown), ("adm", adm)) if place is not None}


def _done(
    kind: str, out: Path, profile: str, suffix: str | None, fields: dict[str, Any], folders: Sequence[Path] = ()
) -> Result:
    """Hand a job to the host and follow it to its end."""
    with host_client(profile, start=True) as client, _bars() as show:
        client.allow(*folders)
        job = client.submit(kind, folder=out.absolute().parent, stem=_stem(out), suffix=suffix, **fields)
        result = job.result(on_progress=show)
    for warning in result.warnings:
        click.echo(f"foleyspace: warning: {warning}", err=True)
    return result


def _make(folder: Path) -> None:
    from foleyspace_host.media.atomic import write_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error


def _check_models(given: Mapping[str, Any]) -> None:
    """Refuse models by file: the host uses those that were added, which lie where nobody else writes."""
    from foleyspace_host.models.slots import named_model

    for name, slot in _SLOTS.items():
        if name in given:
            named_model(slot, given[name], f"--{slot} with --host")


def _stem(out: Path) -> str:
    return re.sub(r'[\x00-\x1f/\\:*?"<>|]', "-", out.stem)[:100] or "result"


def refuse(**options: object) -> None:
    """Refuse options that the host knows nothing of.

    Parameters
    ----------
    **options : object
        By name; None where not given.

    Raises
    ------
    InvalidInput
        If one of them is given.
    """
    for name, value in options.items():
        if value is not None:
            raise InvalidInput(
                "cannot be used together with --host", where=f"--{name.replace('_', '-')}", cure="leave one of them out"
            )


def _rendering(given: dict[str, Any], *, air: Any) -> dict[str, Any]:
    """Return the settings of rendering as the protocol words them."""
    room = given.get("room")
    if isinstance(room, str) and room.lower().endswith(".json"):
        refuse(room=room)
    described = f"{air.temperature_c:g},{air.humidity_percent:g}" if air is not None else False
    return {**given, "air": described}


@contextmanager
def _bars() -> Iterator[Any]:
    """Show the host's progress as the pipeline's own is shown."""
    with stage_bars() as show:
        if show is None:
            yield None
            return
        before: list[Progress] = []

        def tell(progress: Progress) -> None:
            if before and before[0].stage != progress.stage:  # its last report may have been left out
                show(before[0].stage, before[0].total, before[0].total)
            before[:] = [progress]
            show(progress.stage, progress.done, progress.total)

        yield tell


def _move(path: str, place: Path | None) -> None:
    """Give a result the name that was asked for, or remove it where none was."""
    try:
        if place is None:
            with suppress(FileNotFoundError):
                os.unlink(path)
        else:
            os.replace(path, place)
    except OSError as error:
        raise HostError(
            f"the result cannot be given its name {place} ({error.strerror})", where=path, cure="rename it"
        ) from error


def _put_in_place(result: Result, out: Path, wanted: Mapping[str, Path | None]) -> dict[str, Any]:
    """Give the results the names that were asked for, instead of those that the host chose."""
    details = dict(result.details)
    main = next((file for file in result.artifacts if file.role not in wanted), result.artifacts[0])
    for file in result.artifacts:
        place = out if file is main else wanted.get(file.role)
        _move(file.path, place)
    details["output"] = str(out)
    for role, place in wanted.items():
        if role in details:
            details[role] = None if place is None else str(place)
    return details
