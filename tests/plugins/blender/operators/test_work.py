"""Operators that take time: modal in a window, in one go for scripts; with a context that only pretends."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import running  # noqa: E402
from foleyspace.operators.work import WorkOperator  # noqa: E402
from foleyspace.strips import Refused  # noqa: E402


class Link:
    def __init__(self, steps=4, ends="done", error=""):
        self.state, self.message, self.error = "running", "pretending", ""
        self.n, self.steps, self.ends, self.why = 0, steps, ends, error

    @property
    def fraction(self):
        return self.n / self.steps

    @property
    def finished(self):
        return self.state != "running"

    def step(self, _budget_s=0.02):
        self.n += 1
        if self.n >= self.steps:
            self.state, self.error = self.ends, self.why
        return not self.finished

    def cancel(self):
        self.state = "cancelled"


class Operator(WorkOperator):
    """As Blender makes them, without Blender."""

    def __init__(self, link, refuses="", then=None):
        self.link, self.refuses, self.then, self.reports = link, refuses, then, []

    def begin(self, _context, _scene):
        if self.refuses:
            raise Refused(self.refuses)
        return running.Run("spatialize", self.link, self.then)

    def told(self, _run):
        return "it went well"

    def report(self, kind, text):
        self.reports.append((*kind, text))


class Window:
    """A context with what a window has, that notes what is done to it."""

    def __init__(self):
        self.timers, self.handlers, self.said = [], [], []
        self.window_manager = SimpleNamespace(
            event_timer_add=lambda time_step, window: self.timers.append(window) or window,
            event_timer_remove=self.timers.remove,
            modal_handler_add=self.handlers.append,
        )
        self.window = "a window"
        self.workspace = SimpleNamespace(status_text_set=self.said.append)
        self.scene = self.sequencer_scene = None


def event(kind):
    return SimpleNamespace(type=kind)


@pytest.fixture(autouse=True)
def nothing_else(blender):
    yield
    running.cancel()


def test_modal_until_done(blender):
    operator, window = Operator(Link()), Window()
    assert operator.invoke(window, event("LEFTMOUSE")) == {"RUNNING_MODAL"}
    assert window.handlers == [operator]
    assert len(window.timers) == 1
    for kind in ("MOUSEMOVE", "ESC", "SPACE", "LEFTMOUSE"):
        assert operator.modal(window, event(kind)) == {"PASS_THROUGH"}, "all other events are the editor's"
    assert operator.link.n == 0
    for _ in range(3):
        assert operator.modal(window, event("TIMER")) == {"PASS_THROUGH"}
    assert operator.modal(window, event("TIMER")) == {"FINISHED"}
    assert operator.reports == [("INFO", "it went well")]
    assert window.timers == []
    assert running.current() is None
    assert window.said == ["FoleySpace: pretending (25%)"], "seldom, as other operators write there too"


def test_the_button_cancels(blender):
    operator, window = Operator(Link(steps=100)), Window()
    operator.invoke(window, event("LEFTMOUSE"))
    operator.modal(window, event("TIMER"))
    assert bpy.ops.foleyspace.cancel() == {"FINISHED"}
    assert operator.modal(window, event("TIMER")) == {"CANCELLED"}
    assert operator.link.state == "cancelled"
    assert window.timers == []
    assert operator.reports == [("INFO", "Cancelled")]


def test_failure_is_told(blender):
    operator, window = Operator(Link(ends="failed", error="the host is away")), Window()
    operator.invoke(window, event("LEFTMOUSE"))
    while (state := operator.modal(window, event("TIMER"))) == {"PASS_THROUGH"}:
        pass
    assert state == {"CANCELLED"}
    assert operator.reports == [("ERROR", "the host is away")]
    assert window.timers == []


def test_what_was_placed_before_a_failure_can_be_undone(blender):
    then = lambda _first: (Link(ends="failed", error="no object"), None)  # noqa: E731
    operator = Operator(Link(), then=then)
    assert operator.execute(Window()) == {"FINISHED"}, "so that Blender makes a step of undo of it"
    assert operator.reports == [("ERROR", "no object")]


def test_part_of_it_failed(blender):
    operator = Operator(Link(error="one of the strips is retimed"))
    assert operator.execute(Window()) == {"FINISHED"}
    assert operator.reports == [("WARNING", "it went well")]


def test_refusal_begins_nothing(blender):
    operator, window = Operator(Link(), refuses="Select a strip"), Window()
    assert operator.invoke(window, event("LEFTMOUSE")) == {"CANCELLED"}
    assert window.timers == window.handlers == []
    assert running.current() is None
    assert operator.reports == [("ERROR", "Select a strip")]


def test_a_closed_window_cancels(blender):
    operator, window = Operator(Link(steps=100)), Window()
    operator.invoke(window, event("LEFTMOUSE"))
    operator.cancel(window)
    assert operator.link.state == "cancelled"
    assert window.timers == []
    assert running.current() is None
