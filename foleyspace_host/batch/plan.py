"""What is to be done for an item: its stages, each named by the contents of all that it depends on.

A stage's name is the digest of its inputs' contents, its settings and the place of its result; so the same work has
the same name on any day and machine, and a changed input makes another name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from foleyspace_host import __version__
from foleyspace_host.batch.items import Item
from foleyspace_host.batch.ledger import Ledger, record_folder
from foleyspace_host.batch.settings import BatchSettings
from foleyspace_host.batch.work import Kind, Request
from foleyspace_host.errors import FoleySpaceError
from foleyspace_host.jobs.model import InputFile

__all__ = ["Stage", "stages_of"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One piece of work.

    Parameters
    ----------
    key : str
        Its name.
    request : Request
        What is to be done.
    inputs : tuple of InputFile
        The files it depends on that were there before the batch, as they were when it was planned.
    needs : str, optional
        The stage that has to be done before.
    """

    key: str
    request: Request
    inputs: tuple[InputFile, ...]
    needs: str | None = None

    @property
    def out(self) -> Path:
        """The file that it makes."""
        return Path(self.request.out)

    @property
    def kind_of_job(self) -> str:
        """What engines are told that it is: ``render`` where it needs no models, and so no GPU."""
        plain = self.request.kind in ("render", "spatialize") and self.request.settings.get("renderer") != "diffusion"
        return "render" if plain else self.request.kind

    @property
    def body(self) -> bytes:
        """The request as JSON."""
        return msgspec.json.encode(self.request)


def stages_of(item: Item, settings: BatchSettings, ledger: Ledger, folder: Path) -> tuple[Stage, ...]:
    """Return the stages of an item, in order.

    Parameters
    ----------
    item : Item
        The item.
    settings : BatchSettings
        How it is to be done.
    ledger : Ledger
        Remembers digests of files.
    folder : Path
        The folder of results; the record and the trajectories lie below it.

    Returns
    -------
    tuple of Stage

    Raises
    ------
    FoleySpaceError
        If an input cannot be read.
    """
    asked = item.wanted
    planner = _Planner(settings, ledger, folder)
    rendering = dict(settings.rendering)
    looking = dict(settings.looking) | ({} if asked.label is None else {"label": asked.label})
    if asked.timeline is not None:
        kept = {name: looking[name] for name in ("label", "hfov_deg") if name in looking}
        return (planner.timeline(asked.timeline, item.out, rendering | kept),)
    if asked.video is None:
        inputs = {"audio": asked.sound, "keys": asked.trajectory}
        rendering.pop("bed_db", None)
        return (planner.stage("render", inputs, item.out, rendering),)
    prompt = asked.prompt or settings.prompt
    wish = asked.sound is None and (settings.engine is not None or (prompt is not None and _is_silent(asked.video)))
    if wish:
        words = {"prompt": prompt or "", "negative": settings.negative or "", "engine": settings.engine}
        told = rendering | looking | {"wish": words | {"seed": rendering.get("seed", 0)}}
        return (planner.stage("make", {"video": asked.video, "keys": asked.trajectory}, item.out, told),)
    inputs = {"video": asked.video, "audio": asked.sound, "keys": asked.trajectory}
    if asked.trajectory is not None:
        return (planner.stage("spatialize", inputs, item.out, rendering),)
    seen = planner.stage(
        "localize", {"video": asked.video}, None, looking | ({} if prompt is None else {"prompt": prompt})
    )
    return seen, planner.stage("spatialize", inputs | {"keys": seen}, item.out, rendering)


def _is_silent(video: Path) -> bool:
    from foleyspace_host.pipeline.spatialize_made import has_sound

    return not has_sound(video)


@dataclass(frozen=True, slots=True)
class _Planner:
    settings: BatchSettings
    ledger: Ledger
    folder: Path

    def stage(
        self,
        kind: Kind,
        inputs: Mapping[str, Path | Stage | None],
        out: Path | None,
        settings: dict[str, Any],
        also: Mapping[str, Path] | None = None,
    ) -> Stage:
        """Return a stage; without `out` its result is a trajectory that lies under the stage's own name."""
        paths: dict[str, str] = {}
        names: dict[str, str] = {}
        files: list[InputFile] = []
        needs = None
        for name, value in inputs.items():
            if isinstance(value, Stage):
                paths[name], names[name], needs = str(value.out), value.key, value.key
            elif value is not None:
                path = value.absolute()
                paths[name], names[name] = str(path), self.ledger.digest(path)
                files.append(_as_it_is(name, path))
        for name, path in {**self.settings.files(), **(also or {})}.items():
            if name in settings or (also is not None and name in also):
                names[name] = self.ledger.digest(path)
                files.append(_as_it_is(name, path))
        place = "" if out is None else _place(out, self.folder)
        values = {name: value for name, value in settings.items() if name not in names}
        told = {"kind": kind, "by": __version__, "inputs": names, "settings": values, "out": place}
        key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
        target = record_folder(self.folder) / "trajectories" / f"{key}.json" if out is None else out
        request = Request(kind=kind, inputs=paths, out=str(target), settings=settings)
        return Stage(key, request, tuple(files), needs)

    def timeline(self, path: Path, out: Path, settings: dict[str, Any]) -> Stage:
        """Return the stage of a timeline, which depends on all media that it names."""
        from foleyspace_host.timeline.document import objects
        from foleyspace_host.timeline.read import open_timeline

        opened = open_timeline(path)
        files: dict[str, Path] = {}
        if path.is_dir():
            files["content"] = path / "content.otio"
        if opened.names is None:  # else all of it is in the one file
            urls = {one.get("target_url") for one in objects(opened.document)}
            for number, url in enumerate(sorted(url for url in urls if isinstance(url, str))):
                with contextlib.suppress(FoleySpaceError):  # the stage says what is wrong with it
                    files[f"media {number}"] = opened.file(url)
        if path.is_dir():
            made = self.stage("timeline", {}, out, settings, files)
            inputs = {"timeline": str(path.absolute())}
            return Stage(made.key, msgspec.structs.replace(made.request, inputs=inputs), made.inputs)
        return self.stage("timeline", {"timeline": path}, out, settings, files)


def _place(out: Path, folder: Path) -> str:
    """Return where a result is as the name of a stage tells it: the folder may be seen under another path."""
    return out.relative_to(folder).as_posix() if out.is_relative_to(folder) else str(out)


def _as_it_is(name: str, path: Path) -> InputFile:
    found = os.stat(path)
    return InputFile(name, str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
