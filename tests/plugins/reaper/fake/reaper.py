"""A REAPER without REAPER: the model, its clock, its windows, and the door through which scripts call it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import api  # noqa: F401  (fills the registry)
from .accessor import Accessor
from .dialogs import Dialogs
from .drawing import Drawing
from .errors import ApiError, Violation
from .gfx import gfx_call
from .model import Envelope, Item, Project, Source, Take, Track, UndoPoint
from .processes import Processes
from .registry import MODELLED
from .relations import all_envelopes, project_of, sources_of
from .signatures import HANDLE_TYPES, Handle, checked_arguments, checked_returns, table

TYPES: dict[type, str] = {
    Project: "ReaProject",
    Track: "MediaTrack",
    Item: "MediaItem",
    Take: "MediaItem_Take",
    Source: "PCM_source",
    Envelope: "TrackEnvelope",
    Accessor: "AudioAccessor",
}

SHIPPED_EFFECTS = Path(__file__).resolve().parents[4] / "plugins" / "reaper" / "effects"

# undo flags of Undo_EndBlock2 and what each of them keeps
UNDO_FLAGS = {"tracks": 1, "fx": 2, "items": 4, "project": 8, "envelopes": 32}
UNDO_ALL = -1


class FakeReaper:
    """The application.

    Parameters
    ----------
    resource
        Folder that plays REAPER's resource folder.
    version
        What GetAppVersion says.
    operating_system
        What GetOS says.

    Attributes
    ----------
    projects
        Open tabs; `active` is the one in front.
    violations
        What scripts did that no script should do, even where a pcall hid it. A test ends with `check()`.
    calls
        Names of all calls in order.
    interfere
        Called with the name of every call before it is carried out; what it raises (`ApiError`) the script gets.
    device_rate_hz
        Rate of the audio device; None while it is closed.
    jsfx_folders
        Where effects are looked for: the resource folder's, and the one in this checkout. Clear it to play a user
        without them.
    missing_functions
        Calls that this REAPER is too old to have.
    """

    def __init__(self, resource: Path, version: str = "7.08/linux-x86_64", operating_system: str = "Other") -> None:
        self.resource = resource
        self.version = version
        self.operating_system = operating_system
        self.projects: list[Project] = []
        self.closed: list[Project] = []
        self.active: Project = self.new_project()
        self.dialogs = Dialogs()
        self.drawing = Drawing()
        self.processes = Processes()
        self.ext_state: dict[tuple[str, str], tuple[str, bool]] = {}
        self.violations: list[str] = []
        self.calls: list[str] = []
        self.ui_refresh_prevented = 0
        self.sources: list[Source] = []
        self.accessors: list[Accessor] = []
        self.commands: list[int] = []
        self.peaks_built: list[Source] = []
        self.toggle_states: dict[int, int] = {}
        self.device_rate_hz: int | None = 48000
        self.jsfx_folders: list[Path] = [resource / "Effects", SHIPPED_EFFECTS]
        self.missing_functions: set[str] = set()
        self.failing: dict[str, int] = {}
        self.interfere: Callable[[str], None] | None = None
        self._clock_offset_s = 0.0
        self._handles: dict[Any, Handle] = {}

    # -- what tests do -------------------------------------------------------------------------------------------

    def new_project(self, path: Path | None = None) -> Project:
        """Open a tab and bring it to the front."""
        project = Project(path)
        self.projects.append(project)
        self.active = project
        return project

    def close_project(self, project: Project) -> None:
        """Close a tab as the user does; every handle into it goes stale."""
        project.closed = True
        self.projects.remove(project)
        self.closed.append(project)
        if not self.projects:
            self.new_project()
        if self.active is project:
            self.active = self.projects[0]

    def advance(self, seconds: float) -> None:
        """Let time pass for scripts without waiting."""
        self._clock_offset_s += seconds

    @property
    def now_s(self) -> float:
        return time.monotonic() + self._clock_offset_s

    @property
    def clock_offset_s(self) -> float:
        return self._clock_offset_s

    def fail(self, name: str, after: int = 0) -> None:
        """Make a call answer with an error once, after that many good ones: REAPER in trouble."""
        self.failing[name] = after

    def check(self) -> None:
        """Raise for anything that a script must not do.

        Raises
        ------
        AssertionError
            With the list of violations, open undo blocks, an unbalanced PreventUIRefresh, accessors or sources left
            over.
        """
        problems = list(self.violations)
        problems += [
            f"undo block left open ({project.block_depth})" for project in self.projects if project.block_depth
        ]
        if self.ui_refresh_prevented:
            problems.append(f"PreventUIRefresh is left at {self.ui_refresh_prevented}")
        problems += ["an audio accessor was never destroyed" for accessor in self.accessors if not accessor.destroyed]
        used = {id(one) for one in sources_of(project.content for project in [*self.projects, *self.closed])}
        # undo and redo hold copies of sources
        held = {
            one.path
            for project in [*self.projects, *self.closed]
            for one in sources_of([*(point.before for point in project.undo + project.redo), *project.restored])
        }
        problems += [
            f"the source {source.path!r} was made, used nowhere and not destroyed"
            for source in self.sources
            if not source.destroyed and id(source) not in used and source.path not in held
        ]
        assert not problems, "\n".join(problems)

    def close(self) -> None:
        """End what scripts started."""
        self.processes.end()

    # -- handles ---------------------------------------------------------------------------------------------------

    def handle(self, target: Any) -> Handle | None:
        """Give the one handle of an object; None (nil in Lua) for None."""
        if target is None:
            return None
        if target not in self._handles:
            address = 0x7F00_0000_0010 + 0x10 * len(self._handles)
            self._handles[target] = Handle(TYPES[type(target)], target, address)
        return self._handles[target]

    def alive(self, target: Any) -> bool:
        """Tell whether an object still exists where a script may touch it."""
        if isinstance(target, Project):
            return not target.closed
        if isinstance(target, Track):
            return self.alive(target.project) and (target.is_master or target in target.project.tracks)
        if isinstance(target, Item):
            return target in target.track.items and self.alive(target.track)
        if isinstance(target, Take):
            return target in target.item.takes and self.alive(target.item)
        if isinstance(target, Source):
            return not target.destroyed
        if isinstance(target, Envelope):
            return self.alive(target.owner) and target in all_envelopes(target.owner)
        return isinstance(target, Accessor) and not target.destroyed

    # -- the door --------------------------------------------------------------------------------------------------

    def call(self, name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Carry out one call of a script: (True, values...) or (False, message).

        Nothing is raised through Lua, where a message must arrive as a string.
        """
        try:
            return (True, *self._call(name, arguments))
        except Violation as error:
            self.violations.append(f"{name}: {error}")
            return (False, str(error).encode())
        except ApiError as error:
            return (False, str(error).encode())
        except Exception:  # a fault of the fake must not look like one of the script
            self.violations.append(f"{name}: the fake failed\n{traceback.format_exc()}")
            return (False, f"the fake failed in {name}".encode())

    def _call(self, name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        self.calls.append(name)
        if self.interfere is not None:
            self.interfere(name)
        if name.startswith("gfx."):
            return gfx_call(self, name.removeprefix("gfx."), arguments)
        if name not in MODELLED:
            raise Violation(f"{name} exists in REAPER, the fake does not model it")
        if name in self.failing:
            if self.failing[name] == 0:
                del self.failing[name]
                raise ApiError(f"{name} failed (asked for by the test)")
            self.failing[name] -= 1
        signature = table()[name]
        checked = checked_arguments(signature, arguments)
        for position, (value, argument) in enumerate(zip(signature.arguments, checked, strict=True)):
            if value.type == "ReaProject" and argument is None:
                checked[position] = self.active
            elif value.type in HANDLE_TYPES and isinstance(argument, Handle):
                if not self.alive(argument.target):
                    raise Violation(
                        f"bad argument #{position + 1} to '{name}' ({value.type} expected: this one is gone)"
                    )
                checked[position] = argument.target
        answer = MODELLED[name](self, *checked)
        values = answer if isinstance(answer, tuple) else (answer,)
        typed = tuple(self.handle(one) if type(one) in TYPES else one for one in values)
        return checked_returns(signature, None if answer is None and not signature.returns else typed)

    # -- edits -----------------------------------------------------------------------------------------------------

    def edit(self, target: Any, kind: str) -> None:
        """Note an edit; refuse it outside an undo block.

        Parameters
        ----------
        kind
            A key of `UNDO_FLAGS`.
        """
        project = project_of(target)
        if project.block_depth == 0:
            raise Violation(f"an edit ({kind}) outside an undo block")
        project.block_touched.add(kind)
        project.changes += 1
        project.dirty = True

    @contextmanager
    def as_user(self, project: Project | None = None, label: str = "by hand") -> Iterator[None]:
        """Let the test edit through API calls as a user would, in an undo block."""
        project = project or self.active
        project.block_depth += 1
        before = project.copied_content()
        try:
            yield
        finally:
            project.block_depth -= 1
            project.undo.append(UndoPoint(label, UNDO_ALL, before))
            project.redo.clear()
