"""Rendering: mono audio and a trajectory become binaural audio, or the channels of another format.

``control`` says where the source is at every control point and what that means for each ear, ``filter``
puts the head's responses on the sound in overlapping frames, ``delay`` gives each ear its travel time, and
``binaural`` runs these over clips of any length. ``formats`` lists what else there is, ``panning`` holds the gains
of each channel, and ``panned`` renders with them; ``stream`` chooses.
"""

from foleyspace_host.render.air import Air
from foleyspace_host.render.options import RenderOptions

__all__ = ["Air", "RenderOptions"]
