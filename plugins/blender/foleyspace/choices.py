"""What can be chosen, in the words of the user interface; the identifiers are the host's own words."""

from __future__ import annotations

__all__ = [
    "DISTANCE_GAINS",
    "FORMATS",
    "HOST_STATES",
    "LISTENERS",
    "PROPAGATIONS",
    "QUALITIES",
    "RENDERERS",
    "ROLES",
    "ROOMS",
    "STATES",
]

ROLES = (
    ("NONE", "None", "Nothing to FoleySpace"),
    ("SOURCE", "Source", "A strip that sounds from where an object is"),
    ("RESULT", "Result", "A strip that was made from a source"),
)

STATES = (
    ("BOUND", "Not Rendered", "Bound to an object, but not rendered yet", "RADIOBUT_OFF", 0),
    ("DONE", "Rendered", "Rendered, and the result is in the sequencer", "CHECKMARK", 1),
    ("CHANGED", "Changed", "Something changed since it was rendered", "FILE_REFRESH", 2),
    ("FAILED", "Failed", "It could not be rendered", "ERROR", 3),
)

HOST_STATES = (
    ("UNKNOWN", "Not Asked", "The host has not been asked yet", "QUESTION", 0),
    ("MISSING", "Not Installed", "FoleySpace was not found on this computer", "ERROR", 1),
    ("STOPPED", "Not Running", "The host is installed, but not running", "UNLINKED", 2),
    ("CONNECTING", "Connecting", "The host is being looked for or started", "SORTTIME", 3),
    ("READY", "Ready", "The host is connected", "LINKED", 4),
    ("REFUSED", "Cannot Be Used", "There is a host, but this extension cannot work with it", "CANCEL", 5),
)

LISTENERS = (
    ("CAMERA", "Camera", "The active camera of each frame, through camera markers and scene strips"),
    ("OBJECT", "Object", "An object of your choice"),
)

FORMATS = (
    ("binaural", "Binaural", "For headphones: two channels that hold direction and distance"),
    ("foa", "Ambisonic 1st Order", "4 channels for a decoder, ACN and SN3D"),
    ("hoa2", "Ambisonic 2nd Order", "9 channels for a decoder, ACN and SN3D"),
    ("hoa3", "Ambisonic 3rd Order", "16 channels for a decoder, ACN and SN3D"),
    ("stereo", "Stereo", "For two loudspeakers"),
    ("5.1", "Surround 5.1", "For six loudspeakers"),
    ("7.1.4", "Surround 7.1.4", "For twelve loudspeakers"),
)

RENDERERS = (
    ("hrtf", "HRTF", "Measured responses of ears; exact and fast"),
    ("diffusion", "Diffusion", "A model trained on measured ears and rooms"),
)

QUALITIES = (
    ("dsp", "Start", "No evaluation: what the model starts from"),
    ("draft", "Draft", "One evaluation of the model"),
    ("fine", "Fine", "Four evaluations of the model"),
)

ROOMS = (
    ("dry", "None", "No reflections"),
    ("studio", "Studio", "A treated room"),
    ("living-room", "Living Room", "A furnished room"),
    ("hall", "Concert Hall", "A hall with an audience"),
    ("church", "Church", "A large church"),
    ("street", "Street", "Between two rows of houses, open to the sky"),
    ("forest", "Forest", "Soft ground, and trunks that scatter"),
    ("CUSTOM", "Custom", "A room of your own"),
)

DISTANCE_GAINS = (
    ("relative", "Relative", "Louder when nearer, around the level that the sound has; for recorded sound"),
    ("physical", "Physical", "In inverse proportion, unchanged at one metre; for dry or generated sound"),
    ("none", "None", "The level does not depend on the distance"),
)

PROPAGATIONS = (
    ("none", "In Sync", "The sound arrives at once, in exact sync with the picture"),
    ("doppler", "Doppler", "Movement bends the pitch; sync is kept on the whole"),
    ("physical", "Physical", "The sound takes its time, 2.9 ms for a metre; movement bends the pitch"),
)
