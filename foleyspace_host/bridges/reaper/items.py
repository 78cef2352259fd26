"""What is done with each item: steps that wait for jobs of the host, many items at a time.

An item is a generator that yields each job it waits for and is sent the job's result. So the steps read one after
the other, while one thread does those of all items.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace_host.bridges.reaper.course import document_of_found, document_of_keys, found_sources
from foleyspace_host.bridges.reaper.loudness import points_of, write_points
from foleyspace_host.bridges.reaper.parts import Part, joined
from foleyspace_host.bridges.reaper.request import Item, Picture, Request, Sound
from foleyspace_host.client import Client, Job, JobCancelled, Result
from foleyspace_host.errors import InvalidInput, ModelUnavailable
from foleyspace_host.protocol.work import RenderSettings

if TYPE_CHECKING:
    from msgspec import Struct

__all__ = ["Outcome", "Steps", "Workshop", "render_settings"]

Outcome = dict[str, Any]
Steps = Generator[Job, Result, Outcome]

_MEDIA = re.compile(r"\.(wave?|aiff?|flac|mp3|ogg|opus|m4a|wv|caf|w64|mp4|mov|mkv|avi)$", re.IGNORECASE)
_OWN_SETTINGS = {"tail_s", "engine"}


def render_settings(request: Request) -> tuple[dict[str, Any], list[str]]:
    """Return the settings of a request as the protocol has them.

    Parameters
    ----------
    request : Request
        The request.

    Returns
    -------
    dict
        What is set; empty texts are taken as left out.
    list of str
        A line for each setting that this version does not know.
    """
    given = {name: value for name, value in request.settings.items() if value is not None and value != ""}
    known = set(_fields(RenderSettings)) - {"channels", "time_reference"}
    unknown = sorted(set(given) - known - _OWN_SETTINGS)
    warnings = [f"the setting {name} is unknown to this version, and left out" for name in unknown]
    return {name: value for name, value in given.items() if name in known}, warnings


def _fields(struct: type[Struct]) -> tuple[str, ...]:
    return struct.__struct_fields__


class Workshop:
    """Does what a request asks for with the host.

    Parameters
    ----------
    client : Client
        Connected to the host.
    request : Request
        What is asked for.
    folder : Path
        The job's folder; clips and results are made in it.
    on_progress : callable
        Called between pieces of the bridge's own work; raises to stop.
    """

    def __init__(self, client: Client, request: Request, folder: Path, on_progress: Callable[[int, int], None]) -> None:
        self._client, self._request, self._folder, self._on_progress = client, request, folder, on_progress
        self._settings, self.warnings = render_settings(request)
        self._can = {one["name"]: one for one in client.hello.get("capabilities", ())}
        pictures = [item.picture for item in request.items if item.picture is not None]
        self._parts = [Part.of(one) for one in pictures] if request.kind == "localize" else joined(pictures)
        self._searches: dict[Part, Job] = {}
        self._n_clips = 0
        self.results = folder / "results"
        self.results.mkdir(exist_ok=True)

    def steps(self, item: Item) -> Steps:
        """Return the steps of an item; they raise `FoleySpaceError` or `ClientError` where it cannot be done."""
        return {"spatialize": self._spatialize, "localize": self._localize, "generate": self._generate}[
            self._request.kind
        ](item)

    # --- the kinds ---------------------------------------------------------------------------------------------

    def _spatialize(self, item: Item) -> Steps:
        self._need("render", f"format:{self._settings.get('format', 'binaural')}")
        self._need(f"renderer:{self._settings.get('renderer', 'hrtf')}")
        if item.sound is None:
            raise InvalidInput("the item has no sound", cure="select items with audio")
        trajectory = yield from self._trajectory(item)
        return (yield from self._render(item, item.sound, trajectory))

    def _localize(self, item: Item) -> Steps:
        if item.picture is None:
            raise InvalidInput("the item has no video", cure="select a video item")
        found, from_s = yield from self._find(item.picture)
        duration_s = item.length_s or item.picture.at_s + item.picture.duration_s / item.picture.rate
        sources = found_sources(found, from_s, item.picture, max(duration_s, 1e-3))
        return {"outputs": [], "trajectory": {"duration_s": duration_s, "sources": sources}, "warnings": []}

    def _generate(self, item: Item) -> Steps:
        self._need("generate")
        fields: dict[str, Any] = {"prompt": item.prompt, "duration_s": item.length_s}
        if item.seed is not None:
            fields["seed"] = item.seed
        if engine := self._request.settings.get("engine"):
            fields["engine"] = engine
        if item.picture is not None:
            fields["video"] = Part.of(item.picture).words
        if item.envelope:
            self._n_clips += 1
            fields["envelope"] = write_points(item.envelope, self._folder / f"loudness_{self._n_clips:04}.csv")
        made = yield from self._done(
            lambda: self._client.submit(
                "generate", folder=self.results, stem=_stem(item), suffix=".wav", wait=False, **fields
            )
        )
        sound = Sound(path=made.path, duration_s=item.length_s)
        trajectory = None
        if item.trajectory.keys or item.picture is not None:
            trajectory = yield from self._trajectory(item)
        result = yield from self._render(item, sound, trajectory)
        drawn = next((points_of(Path(one.path)) for one in made.artifacts if one.role == "envelope"), None)
        return {**result, "envelope": drawn, "warnings": [*made.warnings, *result["warnings"]]}

    # --- their parts -------------------------------------------------------------------------------------------

    def _render(self, item: Item, sound: Sound, trajectory: dict[str, Any] | None) -> Steps:
        """Bake an item's sound, and let it be placed where there is a trajectory."""
        from msgspec.structs import replace

        from foleyspace_host.bridges.reaper.clip import bake

        rate_hz = self._request.project_rate_hz
        self._n_clips += 1
        path = self._folder / f"clip_{self._n_clips:04}.wav"
        if trajectory is None:
            path = self.results / f"{_stem(item)}-{self._n_clips:04}.wav"
        clip = bake(
            replace(item, sound=sound),
            self._folder,
            path,
            rate_hz,
            tail_s=self._request.tail_s,
            on_progress=self._on_progress,
        )
        warnings = ["the item is silent"] if clip.silent else []
        output = {"path": str(path), "n_channels": clip.n_channels, "rate_hz": rate_hz, "n_samples": clip.n_samples}
        if trajectory is not None:
            keys = path.with_suffix(".trajectory.json")
            keys.write_text(json.dumps(trajectory, allow_nan=False), encoding="utf-8")
            settings = {**self._settings, "channels": "mono" if item.channels == "mono" else "spread"}
            result = yield from self._done(
                lambda: self._client.submit(
                    "render",
                    audio=path,
                    trajectory=keys,
                    folder=self.results,
                    stem=_stem(item),
                    suffix=".wav",
                    settings=settings,
                    wait=False,
                )
            )
            path.unlink(missing_ok=True)
            output |= {"path": result.path, "n_channels": _n_channels(Path(result.path))}
            warnings += result.warnings
        return {"outputs": [output], "trajectory": None, "warnings": warnings}

    def _trajectory(self, item: Item) -> Generator[Job, Result, dict[str, Any]]:
        """Return where an item's sound comes from."""
        duration_s = item.length_s + self._request.tail_s
        if item.trajectory.keys:
            return document_of_keys(item.trajectory.keys, duration_s)
        if item.picture is None:
            raise InvalidInput(
                "nothing says where the sound comes from",
                cure="draw it as automation of FoleySpace Position, or put a video item above or below it",
            )
        found, from_s = yield from self._find(item.picture)
        return document_of_found(found, from_s, item.picture, duration_s)

    def _find(self, picture: Picture) -> Generator[Job, Result, tuple[dict[str, Any], float]]:
        """Have a video looked at, once for all items that are near; return what was found, and from when on."""
        self._need("localize")
        part = next(part for part in self._parts if part.holds(picture))

        def search() -> Job:
            job = self._searches.get(part)
            if job is None or job.state == "cancelled":
                about = {"label": part.label, "hfov_deg": part.hfov_deg}
                settings = {name: value for name, value in about.items() if value is not None}
                job = self._client.submit(
                    "localize", video=part.words, settings=settings, folder=self.results, wait=False
                )
                self._searches[part] = job
            return job

        result = yield from self._done(search)
        document: dict[str, Any] = json.loads(Path(result.path).read_bytes())
        return document, part.start_s

    def _done(self, submit: Callable[[], Job]) -> Generator[Job, Result, Result]:
        """Wait for a job, and ask for it once more if the host took us for gone and ended it."""
        try:
            return (yield submit())
        except JobCancelled:
            return (yield submit())

    def _need(self, *names: str) -> None:
        """Refuse what the host says it cannot do, with its reason; what it does not know it will refuse itself."""
        for name in names:
            one = self._can.get(name)
            if one is not None and not one.get("available", True):
                raise ModelUnavailable(one.get("reason") or f"the host has no {name}", where=name, cure=one.get("cure"))


def _stem(item: Item) -> str:
    """Return the first part of the names of an item's files; items are called after their files more often than not."""
    name = _MEDIA.sub("", item.name)
    plain = "".join(letter if letter.isprintable() and letter not in '/\\:*?"<>|' else "-" for letter in name)
    return plain.strip(" .")[:60] or "item"


def _n_channels(path: Path) -> int:
    from foleyspace_host.media.audio import open_audio

    return open_audio(path).n_channels
