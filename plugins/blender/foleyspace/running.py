"""The one piece of work that is going on, and what of it is shown; knows no operator and no panel.

`Run` is driven by `step`: from the timer of a modal operator, or in a loop by a script. What it is made of is a
chain: tasks in the host, and work in Blender that takes longer than a tick; each link may bring forth the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import bpy

__all__ = ["BUDGET_S", "Link", "Run", "cancel", "current", "is_running_for", "publish", "start"]

BUDGET_S = 0.02
"""How long a tick may keep the user interface waiting [s]."""


class Link(Protocol):
    """Something that takes time; `task.Task` is one."""

    state: str
    fraction: float
    message: str
    error: str

    @property
    def finished(self) -> bool:
        """Whether it is done, failed or cancelled."""

    def step(self, budget_s: float = BUDGET_S) -> bool:
        """Go on for about so long, and return whether there is more to do."""

    def cancel(self) -> None:
        """Stop, and place nothing."""


Then = Callable[[Any], "tuple[Link, Then] | None"]
"""What is done with a link that has succeeded; may return what comes next, and what then."""


class Run:
    """A chain of work.

    Parameters
    ----------
    kind : str
        What it is: "spatialize", "localize", "generate".
    link : Link
        The first.
    then : callable, optional
        What to do when it has succeeded.
    uuids : sequence of str
        Strips that it is about.

    Attributes
    ----------
    state : str
        "running", "done", "failed" or "cancelled".
    error : str
        Why it failed.
    links : list of Link
        All so far; the last is worked on.
    """

    def __init__(self, kind: str, link: Link, then: Then | None = None, uuids: Sequence[str] = ()) -> None:
        self.kind, self.uuids = kind, frozenset(uuids)
        self.links: list[Any] = [link]
        self.state, self.error = "running", ""
        self._then = then
        self._before, self._fraction = 0.0, 0.0

    @property
    def finished(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state != "running"

    @property
    def fraction(self) -> float:
        """How far, 0 to 1; never falls, although a link may bring forth another."""
        share = 1.0 - self._before if self.finished or self._then is None else 0.9 * (1.0 - self._before)
        self._fraction = max(self._fraction, min(self._before + share * self.links[-1].fraction, 1.0))
        return self._fraction

    @property
    def message(self) -> str:
        """What is going on, in a few words."""
        return str(self.links[-1].message or "Starting")

    def step(self, budget_s: float = BUDGET_S) -> bool:
        """Go on for about so long at most, and return whether there is more to do; never raises, never waits."""
        if self.finished:
            return False
        link = self.links[-1]
        try:
            if link.step(budget_s):
                return True
            if link.state == "done" and self._then is not None:
                then, self._before, self._then = self._then, self.fraction, None
                if (following := then(link)) is not None:
                    self.links.append(following[0])
                    self._then = following[1]
                    return True
            self.state, self.error = link.state, link.error
        except Exception as error:  # whatever it is must end as a sentence in the panel
            self.state, self.error = "failed", f"{type(error).__name__}: {error}"
            if not link.finished:
                link.cancel()
        return False

    def cancel(self) -> None:
        """Stop; where results are being placed already it is too late, and it is done, but nothing comes next."""
        if not self.finished:
            link = self.links[-1]
            link.cancel()
            self.state, self.error = ("done", link.error) if link.state == "done" else ("cancelled", "")


_current: Run | None = None


def current() -> Run | None:
    """Return what is going on; None if nothing is."""
    return _current if _current is not None and not _current.finished else None


def start(run: Run) -> Run:
    """Make it what is going on; there is one at a time."""
    global _current
    if current() is not None:
        raise RuntimeError("something else is going on")
    _current = run
    publish()
    return run


def cancel() -> None:
    """Cancel what is going on, if anything is."""
    if (run := current()) is not None:
        run.cancel()
        publish()


def is_running_for(uuid: str) -> bool:
    """Return whether a strip is worked on."""
    run = current()
    return run is not None and bool(uuid) and uuid in run.uuids


def publish() -> None:
    """Show how things are: in the window manager's properties, and so in every sequencer."""
    run = _current
    for manager in bpy.data.window_managers:
        shown = getattr(manager, "foleyspace", None)
        if shown is None:
            continue
        shown.running = current() is not None
        if run is not None:
            shown.kind, shown.fraction = run.kind, run.fraction
            shown.message = run.message if shown.running else ""
            shown.error = run.error if run.state == "failed" else ""
        for window in manager.windows:
            for area in window.screen.areas:
                if area.type == "SEQUENCE_EDITOR":
                    area.tag_redraw()
