"""Opening a timeline: ``.otio``, ``.otioz``, ``.otiod``, and what the installed adapters of OpenTimelineIO read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from foleyspace_host.errors import InvalidInput, MediaMissing
from foleyspace_host.timeline.bundle import CONTENT, unpack
from foleyspace_host.timeline.document import MAX_BYTES, check_times, children, parse, schema_of, timeline_in
from foleyspace_host.timeline.fcpxml import read_fcpxml
from foleyspace_host.timeline.media import file_of_url
from foleyspace_host.timeline.model import Object, exact_rate, rational
from foleyspace_host.timeline.reference import source_range

__all__ = ["OpenTimeline", "from_first_record", "open_timeline"]

_NO_RATE = "an EDL does not say its frame rate, and 24 a second were taken: give --rate if it is another"
_FIRST = {".fcpxml": "fcpx_xml", ".xml": "fcp_xml"}  # OpenTimelineIO goes by the suffix, which may mean several


@dataclass(frozen=True, slots=True)
class OpenTimeline:
    """A timeline that was read.

    Parameters
    ----------
    path : Path
        What was read.
    document : object
        All of it.
    timeline : Object
        The timeline in it; part of the document.
    folder : Path
        Where relative references start.
    bundled : bool
        Whether references must stay in that folder.
    names : frozenset of str or None
        Files of a zip bundle that was not unpacked; None for all else.
    roots : tuple of Path
        Where media may lie; anywhere if empty.
    warnings : tuple of str
        What the user should know of how it was read.
    """

    path: Path
    document: Any
    timeline: Object
    folder: Path
    bundled: bool = False
    names: frozenset[str] | None = None
    roots: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()

    def file(self, url: str) -> Path:
        """Return the file of a reference, which exists.

        Raises
        ------
        InvalidInput, MediaMissing
            If it may not be used, or is not there.
        """
        path = file_of_url(url, self.folder, bundled=self.bundled, roots=() if self.bundled else self.roots)
        there = path.is_file() if self.names is None else path.relative_to(self.folder).as_posix() in self.names
        if not there:
            raise MediaMissing(f"the media file {path} is not there")
        return path


def open_timeline(
    path: Path,
    unpack_to: Path | None = None,
    roots: Sequence[Path] = (),
    name: str | None = None,
    rate_hz: float | None = None,
) -> OpenTimeline:
    """Read a timeline.

    Parameters
    ----------
    path : Path
        The file, or the folder that an ``.otiod`` is.
    unpack_to : Path, optional
        Where the media of an ``.otioz`` are unpacked; they are not if not given.
    roots : sequence of Path
        Where media may lie, with all links followed; anywhere if empty.
    name : str, optional
        Which timeline of the file is meant, by its name or its number from 1 on; needed if it holds several.
    rate_hz : float, optional
        Frame rate of an EDL, which does not say it; 24 if not given [Hz].

    Returns
    -------
    OpenTimeline

    Raises
    ------
    InvalidInput, MediaMissing, MediaDamaged
        If it cannot be read; the message says what to install where an adapter is missing.
    """
    suffix = path.suffix.lower()
    if rate_hz is not None:
        exact_rate(rate_hz)
        if suffix != ".edl":
            raise InvalidInput("its frame rate is in it", where=str(path), cure="leave out the rate: it is for EDLs")
    if not path.exists():
        raise MediaMissing("there is no such timeline", where=str(path), cure="check the path")
    limits = tuple(roots)
    if suffix == ".otioz":
        content, names = unpack(path, unpack_to)
        document = parse(content, str(path))
        folder = unpack_to if unpack_to is not None else path.resolve().parent / path.name
        timeline = timeline_in(document, str(path), name)
        return OpenTimeline(path, document, timeline, folder, True, None if unpack_to else names, limits)
    if path.is_dir():
        if suffix != ".otiod" or not (path / CONTENT).is_file():
            raise InvalidInput("is a folder and no timeline", where=str(path), cure="name an .otiod folder or a file")
        if (path / CONTENT).resolve().parent != path.resolve():
            raise InvalidInput(f"its {CONTENT} is a link that leads out of it", where=str(path))
        document = parse(_bytes(path / CONTENT), str(path))
        return OpenTimeline(path, document, timeline_in(document, str(path), name), path, True, None, limits)
    document = parse(_bytes(path), str(path)) if suffix == ".otio" else _adapted(path, rate_hz)
    timeline = timeline_in(document, str(path), name)
    if suffix == ".edl" or _shows_nothing(timeline):
        from_first_record(timeline)
    warnings = (_NO_RATE,) if suffix == ".edl" and rate_hz is None else ()
    return OpenTimeline(path, document, timeline, path.resolve().parent, roots=limits, warnings=warnings)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"the timeline is larger than {MAX_BYTES >> 20} MiB", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise MediaMissing(f"the timeline cannot be read ({error.strerror or error})", where=str(path)) from error


def _adapted(path: Path, rate_hz: float | None) -> Any:
    """Read another format through OpenTimelineIO."""
    import warnings

    from opentimelineio import adapters
    from opentimelineio.media_linker import MediaLinkingPolicy

    known = adapters.suffixes_with_defined_adapters(read=True)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in known:
        have = ", ".join(sorted(f".{name}" for name in known))
        raise InvalidInput(
            f"timelines of type {suffix!r} cannot be read with what is installed ({have})",
            where=str(path),
            cure="install the adapters: pip install 'foleyspace-host[timeline]', or export it as .otio",
        )
    content = _bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            name = _FIRST.get(f".{suffix}")
            name = name if name in adapters.available_adapter_names() else None
            if suffix == "fcpxml":
                read = read_fcpxml(content.decode("utf-8-sig"))
            else:
                read = adapters.read_from_file(
                    str(path),
                    adapter_name=name,
                    media_linker_name=MediaLinkingPolicy.DoNotLinkMedia,
                    **({} if rate_hz is None else {"rate": float(exact_rate(rate_hz))}),
                )
            document = json.loads(read.to_json_string())
    except Exception as error:  # adapters are other people's code and raise whatever they like
        line = " ".join(str(error).split())[:200] or type(error).__name__
        cure = "give its frame rate with --rate, or export it as .otio" if suffix == "edl" else "export it as .otio"
        raise InvalidInput(f"cannot be read as a timeline ({line})", where=str(path), cure=cure) from error
    check_times(document, str(path))
    return document


def _shows_nothing(timeline: Object) -> bool:
    """Tell whether a timeline was an EDL: its tracks show only what would be before they begin."""
    ranges = [source_range(track) for track in children(timeline["tracks"]) if schema_of(track) == "Track"]
    return bool(ranges) and all(there is not None and there[0] < 0 and sum(there) <= 0 for there in ranges)


def from_first_record(timeline: Object) -> None:
    """Let the tracks of an EDL start together at its first record time.

    The adapter tells the record time at which a track begins as a negative start of its source range, where
    nothing would be of what the track holds.
    """
    tracks = list(children(timeline["tracks"]))
    ranges = [source_range(track) for track in tracks]
    if not tracks or any(there is None or there[0] > 0 for there in ranges):
        return
    records = [-there[0] for there in ranges if there is not None]
    base_s = min(records)
    for track, record_s in zip(tracks, records, strict=True):
        rate = exact_rate(track["source_range"]["duration"].get("rate", 1))
        track["source_range"] = None
        if record_s > base_s:
            part = {"OTIO_SCHEMA": "TimeRange.1", "start_time": rational(Fraction(0), rate)}
            part["duration"] = rational(record_s - base_s, rate)
            track["children"] = [{"OTIO_SCHEMA": "Gap.1", "name": "", "source_range": part}, *track["children"]]
