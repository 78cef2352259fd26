"""How a whole batch is done: settings of the stages as plain values that travel, and as part of keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from foleyspace_host.errors import MediaMissing
from foleyspace_host.pipeline.settings import LocalizeSettings, RenderSettings

__all__ = ["BatchSettings"]

_LOOKING = ("label", "hfov_deg", "detector", "open_vocabulary", "depth", "depth_kind")
_MAY_BE_FILES = ("detector", "open_vocabulary", "depth", "hrtf", "listener", "flow_model", "room")


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Settings that hold for all items.

    Parameters
    ----------
    looking : mapping
        Keywords of localization.
    rendering : mapping
        Keywords of rendering, see `RenderSettings`.
    prompt, negative, engine : str, optional
        What sound is made where there is none; see `pipeline.spatialize_made.Wish`.
    """

    looking: Mapping[str, Any]
    rendering: Mapping[str, Any]
    prompt: str | None = None
    negative: str | None = None
    engine: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> BatchSettings:
        """Return the settings that keywords of `pipeline.spatialize` mean.

        Parameters
        ----------
        given : mapping
            Keywords; also ``negative`` and ``engine``.

        Returns
        -------
        BatchSettings

        Raises
        ------
        InvalidInput
            If a value is out of range or a file is missing: before any work is done.
        """
        rest = dict(given)
        wishes = {name: rest.pop(name, None) for name in ("prompt", "negative", "engine")}
        looking = {name: rest.pop(name) for name in _LOOKING if name in rest}
        rendering = rest
        checked = {name: value for name, value in looking.items() if value is not None}
        LocalizeSettings(**checked, prompt=wishes["prompt"])
        RenderSettings(**rendering)
        for name, path in [*_files(looking), *_files(rendering)]:
            if not path.is_file() and name not in ("open_vocabulary", "depth"):  # which may be names of models
                raise MediaMissing("there is no such file", where=str(path), cure=f"check --{name.replace('_', '-')}")
        return cls(_plain(looking), _plain(rendering), **wishes)

    def files(self) -> dict[str, Path]:
        """Return the files that the settings name."""
        return {name: path for name, path in [*_files(self.looking), *_files(self.rendering)] if path.is_file()}


def _files(settings: Mapping[str, Any]) -> list[tuple[str, Path]]:
    found = []
    for name in _MAY_BE_FILES:
        value = settings.get(name)
        if value is None or (name == "room" and not str(value).lower().endswith(".json")):
            continue
        found.append((name, Path(value)))
    return found


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without what was not given, paths as absolute texts."""
    files = {name: str(path.absolute()) for name, path in _files(settings) if path.is_file()}
    plain: dict[str, Any] = {}
    for name, value in settings.items():
        if value is None and name != "air":  # of which nothing is a choice
            continue
        if is_dataclass(value) and not isinstance(value, type):
            plain[name] = asdict(value)
        elif isinstance(value, Path):
            plain[name] = files.get(name, str(value))
        else:
            plain[name] = files.get(name, value)
    return plain
