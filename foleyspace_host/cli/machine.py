"""What of this machine a command uses: the device for models, and the cache of finished stages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from foleyspace_host.pipeline.stage_cache import StageCache

__all__ = ["machine_options", "stage_cache", "use_machine"]

_KEPT = ("localize",)  # what takes seconds; rendering is quicker than reading what it made would be worth


def machine_options() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``--device`` and ``--no-cache``."""
    device = click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        help="Where models compute: CUDA if there is one (auto), or as said; the CPU takes over if that fails.",
    )
    no_cache = click.option(
        "--no-cache",
        is_flag=True,
        help="Look at the picture again, even if the result for this very video and settings is known.",
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return device(no_cache(command))

    return decorate


def use_machine(device: str | None, no_cache: bool) -> dict[str, Any]:
    """Return what the options mean, as keywords of the pipeline.

    Parameters
    ----------
    device : str or None
        As ``--device`` has it; the user's configuration decides if it was not given.
    no_cache : bool
        As ``--no-cache`` has it.

    Returns
    -------
    dict
        ``device`` and ``cache``.

    Raises
    ------
    InvalidInput
        If the configuration cannot be used.
    """
    from foleyspace_host.config import load_config

    return {
        "device": device or load_config().device,
        "cache": None if no_cache else stage_cache(_KEPT),
    }


def stage_cache(stages: tuple[str, ...] | None = None) -> StageCache:
    """Return the user's cache of finished stages, which commands and the host share.

    Parameters
    ----------
    stages : tuple of str, optional
        Those to keep; all if not given.

    Returns
    -------
    StageCache
    """
    from foleyspace_host.config import Folders, load_config
    from foleyspace_host.pipeline.stage_cache import STAGES, StageCache

    return StageCache(Folders().cache / "stages", load_config().cache_limit_mb << 20, stages or STAGES)
