"""Rendering: mono audio and a trajectory become binaural audio, or the channels of another format.

``control`` says where the source is at every control point and what that means for each ear, ``filter`` puts
the head's responses on the sound, moving on straight lines from one to the next, ``delay`` gives each ear its
travel time, and ``binaural`` runs these over clips of any length. ``formats`` lists what else there is,
``panning`` holds the gains of each channel, and ``panned`` renders with them; ``stream`` chooses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foleyspace_host.render.air import Air as Air
    from foleyspace_host.render.options import RenderOptions as RenderOptions

__all__ = ["Air", "RenderOptions"]


def __getattr__(name: str) -> Any:
    # the names of formats are asked for where nothing is rendered, and shall not cost an array library
    if name == "Air":
        from foleyspace_host.render.air import Air

        return Air
    if name == "RenderOptions":
        from foleyspace_host.render.options import RenderOptions

        return RenderOptions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
