"""A faithful fake REAPER for tests of the Lua scripts.

The scripts run unmodified under Lua 5.3 and 5.4; every call is held against REAPER's real signatures, edits need an
undo block, pointers go stale, programs really start. `check()` at the end of a test tells what a script did wrong in
silence.

>>> reaper = FakeReaper(tmp_path / "REAPER")                          # doctest: +SKIP
>>> track = add_track(reaper.active, "Steps")                         # doctest: +SKIP
>>> item = add_item(track, tmp_path / "steps.wav", position_s=1.0)    # doctest: +SKIP
>>> script = run_script(reaper, Path("plugins/reaper/FoleySpace_X.lua"), lua="5.3")   # doctest: +SKIP
>>> reaper.check()                                                    # doctest: +SKIP
"""

from .building import add_effect, add_envelope, add_item, add_take, add_track, file_source, section
from .drawing import Drawing
from .errors import ApiError, ScriptError, Violation
from .mixing import fades, heard_take, render_timeline, track_signal
from .model import AutomationItem, Envelope, Item, Marker, Point, Project, Source, Take, Track
from .project_file import load_project
from .reaper import FakeReaper
from .script import LUA_VERSIONS, Script, Tick, run_script

__all__ = [
    "LUA_VERSIONS",
    "ApiError",
    "AutomationItem",
    "Drawing",
    "Envelope",
    "FakeReaper",
    "Item",
    "Marker",
    "Point",
    "Project",
    "Script",
    "ScriptError",
    "Source",
    "Take",
    "Tick",
    "Track",
    "Violation",
    "add_effect",
    "add_envelope",
    "add_item",
    "add_take",
    "add_track",
    "fades",
    "file_source",
    "heard_take",
    "load_project",
    "render_timeline",
    "run_script",
    "section",
    "track_signal",
]
