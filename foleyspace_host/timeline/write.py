"""The timeline again, with tracks of rendered sound; read back and judged before it takes its place."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from fractions import Fraction
from pathlib import Path

from foleyspace_host import __version__
from foleyspace_host.errors import FoleySpaceError, OutputUnwritable
from foleyspace_host.timeline.document import as_text, children, objects, schema_of, timelines, up_to_date
from foleyspace_host.timeline.flatten import is_ours, was_replaced
from foleyspace_host.timeline.layers import Rendered, layers
from foleyspace_host.timeline.media import file_of_url, url_of_file
from foleyspace_host.timeline.model import AUDIO, Fade, Object, exact_rate, rational, seconds
from foleyspace_host.timeline.read import OpenTimeline
from foleyspace_host.timeline.reference import is_time_effect

__all__ = ["SCHEMA_VERSION", "write_timeline"]

SCHEMA_VERSION = 1
"""Of what this program writes into ``metadata["foleyspace"]``."""


def write_timeline(
    opened: OpenTimeline,
    rendered: Sequence[Rendered],
    out: Path,
    *,
    offset_s: Fraction,
    keep_sources: bool,
    told: Object,
) -> list[str]:
    """Write the timeline with what was rendered.

    Parameters
    ----------
    opened : OpenTimeline
        What was read; its document is changed.
    rendered : sequence of Rendered
        What goes onto tracks of its own.
    out : Path
        The ``.otio`` file.
    offset_s : Fraction
        Where the timeline starts in the time of its tracks [s].
    keep_sources : bool
        Whether the clips that were rendered go on sounding.
    told : Object
        What the metadata of the timeline say, beside the version of the schema.

    Returns
    -------
    list of str
        What the user should know.

    Raises
    ------
    OutputUnwritable
        If it cannot be written, or what was written is not what was meant.
    """
    from foleyspace_host.media.atomic import atomic_output

    timeline, stack = opened.timeline, opened.timeline["tracks"]
    warnings: list[str] = []
    folder = out.resolve().parent
    stack["children"] = [child for child in stack.get("children") or () if not is_ours(child)]
    for item in objects(timeline):
        if was_replaced(item):
            item["enabled"] = True
            del item["metadata"]["foleyspace"]["replaced"]
    for item in objects(opened.document) if folder != opened.folder.resolve() else ():
        if schema_of(item) == "ExternalReference":
            _relink(item, opened, folder)
    for one in () if keep_sources else [one for one in rendered if one.piece.wish is None]:
        one.piece.clip["enabled"] = False
        _tell(one.piece.clip, {"replaced": True})
    tracks = [
        _track(layer, f"FoleySpace {number}", offset_s, folder, warnings)
        for number, layer in enumerate(layers(rendered), 1)
    ]
    stack["children"] += tracks
    _tell(timeline, {"foleyspace": __version__, **told})
    text = as_text(opened.document)
    with atomic_output(out) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
        _check(partial, out, text, opened, rendered, offset_s)
    return warnings


def _tell(item: Object, told: Object) -> None:
    """Add to what the metadata of an object say of this program; what the user put there stays."""
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        metadata = item["metadata"] = {}
    before = metadata.get("foleyspace")
    metadata["foleyspace"] = (before if isinstance(before, dict) else {}) | {"schema_version": SCHEMA_VERSION, **told}


def _relink(reference: Object, opened: OpenTimeline, folder: Path) -> None:
    """Let a reference name the same file from where the timeline is written to."""
    url = str(reference.get("target_url") or "")
    if not url:
        return
    try:
        path = file_of_url(url, opened.folder, bundled=opened.bundled)
    except FoleySpaceError:  # not a file: it means the same anywhere
        return
    if url.startswith("file:") and path.is_absolute() and not opened.bundled:
        return
    reference["target_url"] = url_of_file(path, folder)


def _track(layer: Sequence[Rendered], name: str, offset_s: Fraction, folder: Path, warnings: list[str]) -> Object:
    items: list[Object] = []
    at_s = Fraction(0)
    left: Rendered | None = None
    for one in layer:
        start_s = one.piece.start_s + offset_s
        adjoins = start_s == at_s and left is not None
        if not adjoins and left is not None:
            _fade(items, left.piece.fade_out, left, warnings, alone=True)
        if start_s > at_s:
            items.append(_gap(start_s - at_s, one.piece.rate))
        fade = one.piece.fade_in
        shared = adjoins and left is not None and left.piece.fade_out is not None
        if shared and fade is not None and left is not None and left.piece.fade_out is not None:
            if fade.transition is left.piece.fade_out.transition:
                items.append(_transition(fade))
        elif fade is not None:
            _fade(items, fade, one, warnings, alone=start_s > at_s)
        items.append(_clip(one, folder))
        at_s, left = start_s + one.piece.duration_s, one
    if left is not None:
        _fade(items, left.piece.fade_out, left, warnings, alone=True)
    return {
        "OTIO_SCHEMA": "Track.1",
        "name": name,
        "kind": AUDIO,
        "enabled": True,
        "source_range": None,
        "effects": [],
        "markers": [],
        "metadata": {"foleyspace": {"schema_version": SCHEMA_VERSION, "role": "render"}},
        "children": items,
    }


def _fade(items: list[Object], fade: Fade | None, one: Rendered, warnings: list[str], *, alone: bool) -> None:
    if fade is None:
        return
    if alone:
        items.append(_transition(fade))
    else:
        warnings.append(f"{one.piece.name}: a transition is left out, because its other side is another clip now")


def _transition(fade: Fade) -> Object:
    """Return a transition as the clips beside it have it, which may be warped."""
    transition = deepcopy(fade.transition)
    nothing: Object = {"OTIO_SCHEMA": "RationalTime.1", "rate": 1, "value": 0}
    for name, length_s in (("in_offset", fade.before_s), ("out_offset", fade.after_s)):
        there = transition.get(name) or nothing
        if max(seconds(there), Fraction(0)) != length_s:
            transition[name] = rational(length_s, exact_rate(there.get("rate", 1)))
    return transition


def _gap(duration_s: Fraction, rate: Fraction) -> Object:
    return {
        "OTIO_SCHEMA": "Gap.1",
        "name": "",
        "metadata": {},
        "enabled": True,
        "effects": [],
        "markers": [],
        "source_range": _span(Fraction(0), duration_s, rate),
    }


def _span(start_s: Fraction, duration_s: Fraction, rate: Fraction) -> Object:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": rational(start_s, rate),
        "duration": rational(duration_s, rate),
    }


def _clip(one: Rendered, folder: Path) -> Object:
    piece = one.piece
    available = _span(Fraction(0), Fraction(one.n_samples, one.sample_rate_hz), Fraction(one.sample_rate_hz))
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "name": "",
        "metadata": {},
        "available_range": available,
        "target_url": url_of_file(one.path, folder),
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": str(piece.clip.get("name") or "clip"),
        "metadata": {"foleyspace": {"schema_version": SCHEMA_VERSION, **one.told}},
        "source_range": _span(one.handle_s, piece.duration_s, piece.rate),
        "effects": [deepcopy(effect) for effect in piece.clip.get("effects") or () if not is_time_effect(effect)],
        "markers": [],
        "enabled": True,
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _check(
    partial: Path,
    out: Path,
    text: str,
    opened: OpenTimeline,
    rendered: Sequence[Rendered],
    offset_s: Fraction,
) -> None:
    """Read a written timeline back: nothing is lost, and every rendered clip is where it belongs."""
    content = partial.read_bytes()
    if content != text.encode():
        raise OutputUnwritable("the written timeline reads differently", where=str(out))
    place = next(n for n, one in enumerate(timelines(opened.document)) if one is opened.timeline)
    back = list(timelines(up_to_date(content, str(out))))[place]
    folder = out.resolve().parent
    found: list[tuple[Fraction, Fraction]] = []
    for track in children(back["tracks"]):
        at_s = Fraction(0)
        for item in children(track) if is_ours(track) else ():
            if schema_of(item) == "Transition":
                continue
            duration_s = seconds(item["source_range"]["duration"])
            if schema_of(item) == "Clip":
                found.append((at_s, duration_s))
                url = item["media_references"]["DEFAULT_MEDIA"]["target_url"]
                if not file_of_url(url, folder).is_file():
                    raise OutputUnwritable(f"the written timeline names {url}, which is not there", where=str(out))
            at_s += duration_s
    wanted = [(one.piece.start_s + offset_s, one.piece.duration_s) for one in rendered]
    near = zip(sorted(found), sorted(wanted), strict=False)
    if len(found) != len(wanted) or any(
        abs(a - b) > Fraction(1, 10**6) for one, two in near for a, b in zip(one, two, strict=True)
    ):
        raise OutputUnwritable("a rendered clip would not be where it belongs", where=str(out))
