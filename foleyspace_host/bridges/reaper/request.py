"""What a script in REAPER asks for: the file ``request.json``, checked.

All times are in seconds. Those of an item count from its own start, as it is heard in the project, if nothing else is
said.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from foleyspace_host.errors import InvalidInput, ProtocolError
from foleyspace_host.protocol.strict import convert, unknown_fields

__all__ = ["MAILBOX_VERSION", "Fade", "Item", "Key", "Picture", "Request", "Sound", "Trajectory", "parse_request"]

MAILBOX_VERSION = 1

Time = Annotated[float, Meta(ge=-1e6, le=1e6)]
Length = Annotated[float, Meta(ge=0.0, le=86_400.0)]
Level = Annotated[float, Meta(ge=-1e4, le=20.0)]


class Sound(Struct, frozen=True, kw_only=True):
    """What an item plays: a part of a file as it is, or what REAPER made of it."""

    path: str | None = None  # a sound file, or a video with sound
    start_s: Time = 0.0  # where in the file the item starts; silence comes first if negative
    duration_s: Length | None = None  # how much of it is heard; silence after it
    channel_mode: Annotated[int, Meta(ge=0, le=4)] = 0  # of the take: normal, swapped, mixed, left, right
    wav: Annotated[str, Meta(max_length=128)] | None = None  # instead of `path`: a file in the job's folder


class Fade(Struct, frozen=True, kw_only=True):
    """A fade at one end of an item, as REAPER describes it."""

    length_s: Length = 0.0  # from the end of the item inwards
    shape: int = 0  # number of the shape
    curve: Annotated[float, Meta(ge=-1.0, le=1.0)] = 0.0  # curvature


class Key(Struct, frozen=True, kw_only=True):
    """One position of an item's sound."""

    t_s: Length  # when
    azimuth_deg: Annotated[float, Meta(ge=-1e6, le=1e6)] = 0.0  # left positive, unwrapped: 190 is not -170
    elevation_deg: Annotated[float, Meta(ge=-90.0, le=90.0)] = 0.0  # up positive
    distance_m: Annotated[float, Meta(ge=0.0, le=1e6)] = 1.0  # from the listener
    cut: bool = False  # the sound jumps here


class Picture(Struct, frozen=True, kw_only=True):
    """A part of a video that is seen while an item is heard."""

    path: Annotated[str, Meta(min_length=1)]  # the video
    start_s: Annotated[float, Meta(ge=0.0, le=1e6)] = 0.0  # where in the video the part starts
    duration_s: Annotated[float, Meta(gt=0.0, le=86_400.0)]  # how much of the video it is
    label: str | None = None  # what to follow
    hfov_deg: Annotated[float, Meta(ge=1.0, le=179.0)] | None = None  # field of view over the longer side
    at_s: Time = 0.0  # when in the item the part starts
    rate: Annotated[float, Meta(ge=0.01, le=100.0)] = 1.0  # seconds of the video that pass in a second


class Trajectory(Struct, frozen=True, kw_only=True):
    """Where an item's sound comes from."""

    keys: Annotated[list[Key], Meta(max_length=1_000_000)] | None = None  # as it was drawn
    video: Picture | None = None  # as it is seen


class Item(Struct, frozen=True, kw_only=True):
    """One item of the project."""

    id: Annotated[str, Meta(min_length=1, max_length=256)]  # by which the script finds it again
    name: Annotated[str, Meta(max_length=4096)] = ""  # for people, and for the names of files
    position_s: Time = 0.0  # where it starts in the project
    length_s: Length = 0.0  # how long it is
    n_samples: Annotated[int, Meta(ge=0)] | None = None  # what the script makes of these two, with its own rounding
    sound: Sound | None = None  # what it plays
    gain: Annotated[float, Meta(ge=-1e4, le=1e4)] = 1.0  # factor of the samples
    fade_in: Fade | None = None
    fade_out: Fade | None = None
    volume_envelope: Annotated[list[tuple[Time, float]], Meta(max_length=1_000_000)] = []  # times and factors
    channels: Literal["mono", "each"] = "mono"  # whether its channels are summed, or placed side by side
    trajectory: Trajectory = Trajectory()
    video: Picture | None = None  # where only a picture is needed
    prompt: Annotated[str, Meta(max_length=1000)] = ""  # what it should sound like
    seed: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None  # of what is generated
    envelope: Annotated[list[tuple[Length, Level]], Meta(max_length=1_000_000)] = []  # its loudness, as it was drawn

    @property
    def picture(self) -> Picture | None:
        """The video that belongs to the item, wherever it stands."""
        return self.trajectory.video or self.video


class Request(Struct, frozen=True, kw_only=True):
    """All that a script asks for at a time."""

    foleyspace_mailbox: int
    kind: Literal["spatialize", "localize", "generate", "check"]
    project_rate_hz: Annotated[int, Meta(ge=1, le=1_536_000)] = 48_000  # of what is made
    profile: str = "default"  # of the host
    settings: dict[
        str, Any
    ] = {}  # how to render, in the words of the protocol; `tail_s`, and `engine` to generate with
    output_folder: str = ""  # where results go; made if it is not there
    items: Annotated[list[Item], Meta(max_length=10_000)] = []

    @property
    def tail_s(self) -> float:
        """How much longer than their items results are [s]."""
        return float(self.settings.get("tail_s") or 0.0)


def parse_request(data: bytes) -> tuple[Request, list[str]]:
    """Check the bytes of a request.

    Parameters
    ----------
    data : bytes
        What the file holds.

    Returns
    -------
    Request
        The request; fields that are null are taken as left out.
    list of str
        A line for each field that this version does not know.

    Raises
    ------
    InvalidInput
        If it is not a request of this version; the message names the field.
    """
    try:
        plain = json.loads(data.decode("utf-8"), parse_float=_number, parse_constant=_refuse)
    except UnicodeDecodeError:
        raise InvalidInput("is not UTF-8", where="request.json", cure="rename files that other systems named") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"is not JSON ({error})", where="request.json", cure="update the scripts") from None
    plain = _without_null(plain)
    version = plain.get("foleyspace_mailbox") if isinstance(plain, dict) else None
    if version != MAILBOX_VERSION:
        raise InvalidInput(
            f"the scripts in REAPER speak version {version} of the mailbox, this program version {MAILBOX_VERSION}",
            where="request.json",
            cure="run `foleyspace reaper install` and start the action again",
        )
    try:
        request = convert(plain, Request, "$")
    except ProtocolError as error:
        raise InvalidInput(error.problem, where=error.where, cure="update the scripts") from None
    _check(request)
    extra = [f"{path} is unknown to this version, and left out" for path in unknown_fields(plain, request, "$")]
    return request, extra


def _check(request: Request) -> None:
    """Refuse what the types cannot say."""
    seen: set[str] = set()
    for number, item in enumerate(request.items):
        where = f"$.items[{number}]"
        if item.id in seen:
            raise InvalidInput(f"two items are called {item.id}", where=f"{where}.id")
        seen.add(item.id)
        if item.sound is not None and (item.sound.path is None) == (item.sound.wav is None):
            raise InvalidInput("either a path or a wav is needed", where=f"{where}.sound")
        name = item.sound.wav if item.sound is not None else None
        if name is not None and (name in (".", "..") or not name.isprintable() or set(name) & set('/\\:"')):
            raise InvalidInput("is not the name of a file in the job's folder", where=f"{where}.sound.wav")
        if request.kind in ("spatialize", "generate") and not item.length_s > 0.0:
            raise InvalidInput("the item has no length", where=f"{where}.length_s")
        for name in ("volume_envelope", "envelope"):
            times = [time for time, _ in getattr(item, name)]
            if times != sorted(times):
                raise InvalidInput("its times do not rise", where=f"{where}.{name}")
    tail = request.settings.get("tail_s") or 0
    if isinstance(tail, bool) or not isinstance(tail, int | float) or not 0 <= tail <= 600:
        raise InvalidInput(f"{tail!r} is not 0 to 600 seconds", where="$.settings.tail_s")
    if request.kind in ("spatialize", "generate") and request.items and not request.output_folder:
        raise InvalidInput("there is no folder for the results", where="$.output_folder", cure="save the project")


def _number(text: str) -> int | float:
    """Read a number; scripts write whole ones with a point as well."""
    value = float(text)
    if value - value:  # too large for a float
        _refuse(text)
    return int(value) if value.is_integer() and abs(value) < 1 << 53 else value


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(part) for name, part in value.items() if part is not None}
    return [_without_null(part) for part in value] if isinstance(value, list) else value
