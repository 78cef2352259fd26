"""Effects on tracks and takes. Only JSFX from the effect folders can be added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake.errors import Violation
from fake.jsfx import installed
from fake.model import Envelope, Fx, Point, Take, Track
from fake.registry import MODELLED, call

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


@call
def EnumInstalledFX(reaper: FakeReaper, index: int) -> tuple[bool, str, str]:
    found = installed(reaper.jsfx_folders)
    if not 0 <= index < len(found):
        return False, "", ""
    path, effect = found[index]
    return True, effect.name, path.name


def _kind(owner: Track | Take) -> str:
    return "fx" if isinstance(owner, Track) else "items"


def _add(reaper: FakeReaper, owner: Track | Take, name: str, instantiate: int) -> int:
    wanted = name.removeprefix("JS:").strip()
    if instantiate >= 0:
        for index, effect in enumerate(owner.fx):
            if effect.name.removeprefix("JS:").strip() == wanted:
                return index
        if instantiate == 0:
            return -1
    elif instantiate > -1000 and instantiate != -1:
        raise Violation(f"FX are not added with instantiate {instantiate}")
    for path, effect in installed(reaper.jsfx_folders):
        if wanted in (effect.name.removeprefix("JS: "), path.name, path.stem):
            reaper.edit(owner, _kind(owner))
            place = min(-1000 - instantiate, len(owner.fx)) if instantiate <= -1000 else len(owner.fx)
            owner.fx.insert(place, effect)
            return place
    return -1


def _effect(owner: Track | Take, index: int) -> Fx | None:
    return owner.fx[index] if 0 <= index < len(owner.fx) else None


def _has(effect: Fx | None, parameter: int) -> bool:
    return effect is not None and 0 <= parameter < len(effect.parameters)


def fx_envelope(reaper: FakeReaper, owner: Track | Take, index: int, parameter: int, create: bool) -> Envelope | None:
    """Find or make the envelope of a parameter; a new one holds one point with the present value."""
    effect = _effect(owner, index)
    if effect is None or not _has(effect, parameter):
        return None
    if parameter not in effect.envelopes and create:
        reaper.edit(owner, "envelopes" if isinstance(owner, Track) else "items")
        effect.envelopes[parameter] = make_fx_envelope(owner, effect, parameter)
    return effect.envelopes.get(parameter)


def make_fx_envelope(owner: Track | Take, effect: Fx, parameter: int) -> Envelope:
    slider = effect.parameters[parameter]
    envelope = Envelope(
        f"{slider.name} / {effect.name.removeprefix('JS: ')}",
        owner,
        slider.minimum,
        slider.maximum,
        (slider.minimum + slider.maximum) / 2,
    )
    envelope.points.append(Point(0.0, effect.values[parameter]))
    return envelope


@call
def TrackFX_AddByName(reaper: FakeReaper, track: Track, name: str, recording: bool, instantiate: int) -> int:
    if recording:
        raise Violation("input FX are not modelled")
    return _add(reaper, track, name, instantiate)


@call
def TakeFX_AddByName(reaper: FakeReaper, take: Take, name: str, instantiate: int) -> int:
    return _add(reaper, take, name, instantiate)


@call
def TrackFX_GetByName(reaper: FakeReaper, track: Track, name: str, instantiate: bool) -> int:
    return _add(reaper, track, name, 1 if instantiate else 0)


@call
def GetFXEnvelope(reaper: FakeReaper, track: Track, index: int, parameter: int, create: bool) -> Envelope | None:
    return fx_envelope(reaper, track, index, parameter, create)


@call
def TakeFX_GetEnvelope(reaper: FakeReaper, take: Take, index: int, parameter: int, create: bool) -> Envelope | None:
    return fx_envelope(reaper, take, index, parameter, create)


def _GetCount(reaper: FakeReaper, owner: Track | Take) -> int:
    return len(owner.fx)


def _GetFXName(reaper: FakeReaper, owner: Track | Take, index: int) -> tuple[bool, str]:
    effect = _effect(owner, index)
    return (False, "") if effect is None else (True, effect.renamed or effect.name)


def _GetNamedConfigParm(reaper: FakeReaper, owner: Track | Take, index: int, name: str) -> tuple[bool, str]:
    effect = _effect(owner, index)
    if effect is None:
        return False, ""
    known = {
        "fx_type": "JS" if effect.name.startswith("JS:") else "VST",
        "fx_ident": effect.ident,
        "fx_name": effect.name,
        "original_name": effect.name,
        "renamed_name": effect.renamed,
    }
    return (True, known[name]) if name in known else (False, "")


def _GetFXGUID(reaper: FakeReaper, owner: Track | Take, index: int) -> str | None:
    effect = _effect(owner, index)
    return None if effect is None else effect.guid


def _GetEnabled(reaper: FakeReaper, owner: Track | Take, index: int) -> bool:
    effect = _effect(owner, index)
    return effect is not None and effect.enabled


def _SetEnabled(reaper: FakeReaper, owner: Track | Take, index: int, enabled: bool) -> None:
    effect = _effect(owner, index)
    if effect is None:
        raise Violation(f"there is no effect {index}")
    reaper.edit(owner, _kind(owner))
    effect.enabled = enabled


def _GetOffline(reaper: FakeReaper, owner: Track | Take, index: int) -> bool:
    effect = _effect(owner, index)
    return effect is not None and effect.offline


def _GetNumParams(reaper: FakeReaper, owner: Track | Take, index: int) -> int:
    effect = _effect(owner, index)
    return 0 if effect is None else len(effect.parameters)


def _GetParamName(reaper: FakeReaper, owner: Track | Take, index: int, parameter: int) -> tuple[bool, str]:
    effect = _effect(owner, index)
    return (True, effect.parameters[parameter].name) if effect is not None and _has(effect, parameter) else (False, "")


def _GetParam(reaper: FakeReaper, owner: Track | Take, index: int, parameter: int) -> tuple[float, float, float]:
    effect = _effect(owner, index)
    if effect is None or not _has(effect, parameter):
        return -1.0, 0.0, 0.0
    slider = effect.parameters[parameter]
    return effect.values[parameter], slider.minimum, slider.maximum


def _GetParamNormalized(reaper: FakeReaper, owner: Track | Take, index: int, parameter: int) -> float:
    value, low, high = _GetParam(reaper, owner, index, parameter)
    return (value - low) / (high - low) if high > low else -1.0


def _SetParam(reaper: FakeReaper, owner: Track | Take, index: int, parameter: int, value: float) -> bool:
    effect = _effect(owner, index)
    if effect is None or not _has(effect, parameter):
        return False
    slider = effect.parameters[parameter]
    if not slider.minimum <= value <= slider.maximum:
        raise Violation(f"{slider.name} is set to {value}, it runs from {slider.minimum} to {slider.maximum}")
    reaper.edit(owner, _kind(owner))
    effect.values[parameter] = value
    return True


def _SetParamNormalized(reaper: FakeReaper, owner: Track | Take, index: int, parameter: int, value: float) -> bool:
    _, low, high = _GetParam(reaper, owner, index, parameter)
    return _SetParam(reaper, owner, index, parameter, low + value * (high - low))


def _FormatParamValueNormalized(
    reaper: FakeReaper, owner: Track | Take, index: int, parameter: int, value: float, text: str = ""
) -> tuple[bool, str]:
    _, low, high = _GetParam(reaper, owner, index, parameter)
    return (True, f"{low + value * (high - low):.1f}") if high > low else (False, "")


def _Delete(reaper: FakeReaper, owner: Track | Take, index: int) -> bool:
    if _effect(owner, index) is None:
        return False
    reaper.edit(owner, _kind(owner))
    del owner.fx[index]
    return True


_SHARED: dict[str, Any] = {
    name.removeprefix("_"): function
    for name, function in list(globals().items())
    if name.startswith("_") and name[1:2].isupper() and callable(function)
}
for _name, _function in _SHARED.items():
    for _prefix in ("TrackFX_", "TakeFX_"):
        MODELLED[_prefix + _name] = _function
