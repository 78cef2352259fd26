"""The modelled calls, one module per kind of object; importing this package registers them all."""

from . import accessors, effects, envelopes, items, markers, projects, sources, system, takes, tracks, windows

__all__ = [
    "accessors",
    "effects",
    "envelopes",
    "items",
    "markers",
    "projects",
    "sources",
    "system",
    "takes",
    "tracks",
    "windows",
]
