"""Rooms: what a source's surroundings add to its direct sound.

``model`` holds the parameters of a room, ``statistics`` what theory says of them, ``presets`` the rooms with a
name and the short notation, ``images`` the mirror images of a source in the walls, ``density`` how much energy
they leave to the tail, ``tail`` the late reverberation, and ``diffuse`` how a head hears sound from everywhere.
These are the room as a reference, and need numpy and scipy alone.

The renderer's side: ``reflections`` says when, from where and how loud images are heard, ``tones`` what is left of
their spectra, ``line`` holds the sound that they read, ``hearing`` the ears or channels that hear them, and ``early``
renders them together; ``excitation`` is what feeds the tail, ``reverb`` plays it, and ``surroundings`` puts all of it
around the direct sound.
"""

from foleyspace_host.render.room.model import RoomModel
from foleyspace_host.render.room.presets import PRESETS, room_of
from foleyspace_host.render.room.statistics import OCTAVES_HZ

__all__ = ["OCTAVES_HZ", "PRESETS", "RoomModel", "room_of"]
