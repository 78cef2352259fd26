"""Track, take and effect envelopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake.curves import evaluate, from_fader, to_fader
from fake.errors import Violation
from fake.model import Envelope, Point, Take, Track
from fake.registry import call
from fake.relations import all_envelopes

if TYPE_CHECKING:
    from fake.reaper import FakeReaper

UNDERLYING = -1

CHUNK_NAMES = {
    "Volume": "VOLENV2",
    "Pan": "PANENV2",
    "Width": "WIDTHENV2",
    "Mute": "MUTEENV",
    "Volume (Pre-FX)": "VOLENV",
    "Trim Volume": "VOLENV3",
}
TAKE_CHUNK_NAMES = {"Volume": "VOLENV", "Pan": "PANENV", "Mute": "MUTEENV", "Pitch": "PITCHENV"}


def _at(items: list[Envelope], index: int) -> Envelope | None:
    return items[index] if 0 <= index < len(items) else None


@call
def CountTrackEnvelopes(reaper: FakeReaper, track: Track) -> int:
    return len(all_envelopes(track))


@call
def GetTrackEnvelope(reaper: FakeReaper, track: Track, index: int) -> Envelope | None:
    return _at(all_envelopes(track), index)


@call
def GetTrackEnvelopeByName(reaper: FakeReaper, track: Track, name: str) -> Envelope | None:
    return next((one for one in all_envelopes(track) if one.name == name), None)


@call
def GetTrackEnvelopeByChunkName(reaper: FakeReaper, track: Track, name: str) -> Envelope | None:
    wanted = name.removeprefix("<")
    return next((one for one in track.envelopes if wanted in (CHUNK_NAMES.get(one.name), one.guid)), None)


@call
def CountTakeEnvelopes(reaper: FakeReaper, take: Take) -> int:
    return len(all_envelopes(take))


@call
def GetTakeEnvelope(reaper: FakeReaper, take: Take, index: int) -> Envelope | None:
    return _at(all_envelopes(take), index)


@call
def GetTakeEnvelopeByName(reaper: FakeReaper, take: Take, name: str) -> Envelope | None:
    return next((one for one in take.envelopes if one.name == name), None)


@call
def GetEnvelopeName(reaper: FakeReaper, envelope: Envelope) -> tuple[bool, str]:
    return True, envelope.name


@call
def Envelope_GetParentTrack(reaper: FakeReaper, envelope: Envelope) -> tuple[Track | None, int | None, int | None]:
    owner = envelope.owner
    if isinstance(owner, Take):
        return None, None, None
    effect, parameter = _place(envelope)
    return owner, effect, parameter


@call
def Envelope_GetParentTake(reaper: FakeReaper, envelope: Envelope) -> tuple[Take | None, int | None, int | None]:
    owner = envelope.owner
    if isinstance(owner, Track):
        return None, None, None
    effect, parameter = _place(envelope)
    return owner, effect, parameter


def _place(envelope: Envelope) -> tuple[int, int]:
    for number, effect in enumerate(envelope.owner.fx):
        for parameter, one in effect.envelopes.items():
            if one is envelope:
                return number, parameter
    return -1, -1


def _points(envelope: Envelope, index: int) -> list[Point]:
    # 0x10000000 beside the index asks for points past an automation item's end; not modelled
    if index == UNDERLYING:
        return envelope.points
    if 0 <= index < len(envelope.automation_items):
        return envelope.automation_items[index].points
    raise Violation(f"there is no automation item {index}")


@call
def CountEnvelopePoints(reaper: FakeReaper, envelope: Envelope) -> int:
    return len(envelope.points)


@call
def CountEnvelopePointsEx(reaper: FakeReaper, envelope: Envelope, index: int) -> int:
    return len(_points(envelope, index))


@call
def GetEnvelopePoint(reaper: FakeReaper, envelope: Envelope, index: int) -> tuple[bool, float, float, int, float, bool]:
    return GetEnvelopePointEx(reaper, envelope, UNDERLYING, index)


@call
def GetEnvelopePointEx(
    reaper: FakeReaper, envelope: Envelope, item: int, index: int
) -> tuple[bool, float, float, int, float, bool]:
    points = _points(envelope, item)
    if not 0 <= index < len(points):
        return False, 0.0, 0.0, 0, 0.0, False
    point = points[index]
    return True, point.time_s, point.value, point.shape, point.tension, point.selected


@call
def GetEnvelopePointByTime(reaper: FakeReaper, envelope: Envelope, time_s: float) -> int:
    """Give the last point at or before a time, -1 if there is none."""
    return sum(point.time_s <= time_s for point in envelope.points) - 1


@call
def InsertEnvelopePoint(
    reaper: FakeReaper,
    envelope: Envelope,
    time_s: float,
    value: float,
    shape: int,
    tension: float,
    selected: bool,
    unsorted: bool | None,
) -> bool:
    return InsertEnvelopePointEx(reaper, envelope, UNDERLYING, time_s, value, shape, tension, selected, unsorted)


@call
def InsertEnvelopePointEx(
    reaper: FakeReaper, envelope: Envelope, item: int, time_s: float, value: float, shape: int, tension: float,
    selected: bool, unsorted: bool | None,
) -> bool:  # fmt: skip
    if shape not in range(6) or not -1 <= tension <= 1 or time_s != time_s:
        raise Violation(f"an envelope point of shape {shape}, tension {tension} at {time_s} s")
    low, high = (0.0, to_fader(envelope.maximum)) if envelope.fader_scaling else (envelope.minimum, envelope.maximum)
    if not low - 1e-9 <= value <= high + 1e-9:
        raise Violation(f"the value {value} lies outside {low} .. {high} of {envelope.name!r}")
    reaper.edit(envelope, "envelopes" if isinstance(envelope.owner, Track) else "items")
    points = _points(envelope, item)
    points.append(Point(time_s, value, shape, tension, selected))
    envelope.sorted = False
    if not unsorted:
        Envelope_SortPoints(reaper, envelope)
    return True


@call
def SetEnvelopePoint(
    reaper: FakeReaper, envelope: Envelope, index: int, time_s: float | None, value: float | None, shape: int | None,
    tension: float | None, selected: bool | None, unsorted: bool | None,
) -> bool:  # fmt: skip
    if not 0 <= index < len(envelope.points):
        return False
    reaper.edit(envelope, "envelopes" if isinstance(envelope.owner, Track) else "items")
    point = envelope.points[index]
    new = {"time_s": time_s, "value": value, "shape": shape, "tension": tension, "selected": selected}
    for name, one in new.items():
        if one is not None:
            setattr(point, name, one)
    envelope.sorted = False
    if not unsorted:
        Envelope_SortPoints(reaper, envelope)
    return True


@call
def DeleteEnvelopePointRange(reaper: FakeReaper, envelope: Envelope, start: float, end: float) -> bool:
    reaper.edit(envelope, "envelopes" if isinstance(envelope.owner, Track) else "items")
    envelope.points[:] = [point for point in envelope.points if not start <= point.time_s < end]
    return True


@call
def Envelope_SortPoints(reaper: FakeReaper, envelope: Envelope) -> bool:
    for points in [envelope.points, *(item.points for item in envelope.automation_items)]:
        points.sort(key=lambda point: point.time_s)
    envelope.sorted = True
    return True


@call
def CountAutomationItems(reaper: FakeReaper, envelope: Envelope) -> int:
    return len(envelope.automation_items)


@call
def GetSetAutomationItemInfo(
    reaper: FakeReaper, envelope: Envelope, index: int, name: str, value: float, write: bool
) -> float:
    item = envelope.automation_items[index]
    known = {
        "D_POSITION": item.position_s,
        "D_LENGTH": item.length_s,
        "D_STARTOFFS": 0.0,
        "D_PLAYRATE": 1.0,
        "D_BASELINE": 0.0,
        "D_AMPLITUDE": 1.0,
    }
    if name not in known or write:
        raise Violation(
            f"automation items are read only here, and have no {name}" if name not in known else "not modelled"
        )
    return known[name]


@call
def Envelope_Evaluate(
    reaper: FakeReaper, envelope: Envelope, time_s: float, rate_hz: float, count: int
) -> tuple[int, float, float, float, float]:
    value = evaluate(envelope, time_s)
    step = 1e-6
    slope = (evaluate(envelope, time_s + step) - value) / step
    return max(count, 1), value, slope, 0.0, 0.0


@call
def GetEnvelopeScalingMode(reaper: FakeReaper, envelope: Envelope) -> int:
    return int(envelope.fader_scaling)


@call
def ScaleFromEnvelopeMode(reaper: FakeReaper, mode: int, value: float) -> float:
    return from_fader(value) if mode else value


@call
def ScaleToEnvelopeMode(reaper: FakeReaper, mode: int, value: float) -> float:
    return to_fader(value) if mode else value


@call
def GetEnvelopeInfo_Value(reaper: FakeReaper, envelope: Envelope, name: str) -> float:
    raise Violation(f"{name}: what an envelope's window looks like is not modelled")


@call
def GetSetEnvelopeInfo_String(
    reaper: FakeReaper, envelope: Envelope, name: str, text: str, write: bool
) -> tuple[bool, str]:
    fields = {"ACTIVE": "active", "VISIBLE": "visible", "ARM": "armed"}
    if name == "GUID" and not write:
        return True, envelope.guid
    if name not in fields:
        raise Violation(f"there is no envelope string {name!r}")
    if write:
        reaper.edit(envelope, "envelopes")
        setattr(envelope, fields[name], text == "1")
    return True, str(int(getattr(envelope, fields[name])))


@call
def GetEnvelopeStateChunk(reaper: FakeReaper, envelope: Envelope, text: str, undo: bool) -> tuple[bool, str]:
    effect, parameter = _place(envelope)
    if effect >= 0:
        slug = envelope.name.split(" / ")[0].lower().replace(" ", "_")
        span = f"{envelope.minimum:g} {envelope.maximum:g} {envelope.centre:g}"
        head = f'<PARMENV {parameter}:{slug} {span} "{envelope.name}"'
    else:
        names = TAKE_CHUNK_NAMES if isinstance(envelope.owner, Take) else CHUNK_NAMES
        head = "<" + names.get(envelope.name, "VOLENV2")
    lines = [
        head,
        f"EGUID {envelope.guid}",
        f"ACT {int(envelope.active)} -1",
        f"VIS {int(envelope.visible)} 1 1",
        "LANEHEIGHT 0 0",
        f"ARM {int(envelope.armed)}",
        "DEFSHAPE 0 -1 -1",
    ]
    if envelope.fader_scaling:
        lines.append("VOLTYPE 1")
    for point in envelope.points:
        bend = f" 0 {int(point.selected)} 0 {point.tension:g}" if point.tension else ""
        lines.append(f"PT {point.time_s:.17g} {point.value:.17g} {point.shape}{bend}")
    return True, "\n".join([*lines, ">", ""])
