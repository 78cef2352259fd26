"""Renderings in the cache of stages: for jobs, whose own folder goes when an attempt ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["Kept"]

_STAGE = "render"


class Kept:
    """Finished renderings of clips by their requests, where the cache keeps such.

    A rendering in it is the very file that is the result, under a second name, wherever the disk can do that.

    Parameters
    ----------
    cache : StageCache or None
        Where they are kept; nowhere if it keeps no renderings.
    """

    def __init__(self, cache: StageCache | None) -> None:
        self._cache = cache if cache is not None and cache.keeps(_STAGE) else None

    def __bool__(self) -> bool:
        return self._cache is not None

    def take(self, request: str, sound: Path) -> dict[str, Any] | None:
        """Put a rendering into its place.

        Parameters
        ----------
        request : str
            Digest of all that it is made from.
        sound : Path
            Where it shall lie.

        Returns
        -------
        dict or None
            What was told of it; None, and nothing lies there, if it is not kept.
        """
        if self._cache is None or (text := self._cache.fetch_text(_told(request))) is None:
            return None
        told = json.loads(text)  # its digest is right, so it is what was written
        return told if self._cache.fetch(f"{_STAGE}-{request}", sound) is not None else None

    def keep(self, request: str, sound: Path, told: dict[str, Any]) -> None:
        """Keep a rendering that is complete; that it cannot be kept is no error.

        Parameters
        ----------
        request : str
            Digest of all that it was made from.
        sound : Path
            The rendering, which others may not write to in place.
        told : dict
            What is to be known of it.
        """
        if self._cache is not None:
            self._cache.store(f"{_STAGE}-{request}", sound)
            self._cache.store_text(_told(request), json.dumps(told))


def _told(request: str) -> str:
    return f"{_STAGE}-{request}-told"
