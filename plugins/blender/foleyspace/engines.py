"""The engines that make sounds, as the host reports them; which one is meant, and what stands against it."""

from __future__ import annotations

from typing import Any

from . import connection, settings

__all__ = ["DEFAULT", "items", "maker", "reason_against"]

DEFAULT = "foley"
"""The engine that every host has, and takes if none is named."""

_PREFIX = "engine:"
_CALLED = {
    "foley": ("Foley", "The model that comes with FoleySpace: footsteps, doors, rain, engines and other kinds"),
    "library": ("Sound Library", "Your own recordings, found by words and fitted in time"),
    "stable-audio": ("Stable Audio", "A model that you have set up, which makes sounds from any words"),
    "mmaudio": ("MMAudio", "MMAudio, or a model of yours behind the same script, which looks at the video itself"),
}

_shown: list[tuple[str, str, str, str, int]] = []  # Blender keeps no reference to the texts of a menu


def items(named: str) -> list[tuple[str, str, str, str, int]]:
    """Return the entries of a menu of engines: all that the host reports, and the one that is named.

    Parameters
    ----------
    named : str
        The engine that was chosen; empty if none was.
    """
    global _shown
    names = _names() or [DEFAULT]
    names += [named] if named and named not in names else []
    made = []
    for number, name in enumerate(names):
        title, about = _CALLED.get(name, (name, "An engine of this host"))
        why = reason_against(name)
        made.append((name, title, f"{about}.\n{why}" if why else about, "ERROR" if why else "NONE", number))
    if made != _shown:
        _shown = made
    return _shown


def reason_against(named: str) -> str:
    """Return why an engine cannot be used now, and what to do; empty if it can, or the host has not been asked.

    An engine whose terms restrict its use says so here, with its licence, until that was accepted.
    """
    known = connection.current().capabilities
    why = settings.reason_against(known, f"{_PREFIX}{named}") if _names() else ""
    cure = str(known.get(f"{_PREFIX}{named}", {}).get("cure") or "") if why else ""
    return f"{why}; {cure}" if cure else why


def _names() -> list[str]:
    return [name.removeprefix(_PREFIX) for name in connection.current().capabilities if name.startswith(_PREFIX)]


def maker(details: dict[str, Any]) -> str:
    """Return what made a sound and under which licence, of what the host tells of a result; empty if it does not."""
    engine, licence = details.get("engine"), details.get("licence")
    if not engine:
        return ""
    title = _CALLED.get(str(engine), (str(engine),))[0]
    return f"{title}, licence: {licence}" if licence else title
