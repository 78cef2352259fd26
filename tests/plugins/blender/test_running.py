"""The chain of work that operators drive, with links that only pretend."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import running  # noqa: E402


class Pretended:
    """A link that takes some steps, and ends as it is told."""

    def __init__(self, steps=3, ends="done", error="", raises=None):
        self.state, self.fraction, self.message, self.error = "running", 0.0, "pretending", ""
        self._n, self._steps, self._ends, self._why, self._raises = 0, steps, ends, error, raises

    @property
    def finished(self):
        return self.state != "running"

    def step(self, _budget_s=0.02):
        self._n += 1
        if self._raises and self._n == 2:
            raise self._raises
        self.fraction = min(self._n / self._steps, 1.0)
        if self._n >= self._steps:
            self.state, self.error = self._ends, self._why
        return not self.finished

    def cancel(self):
        self.state = "cancelled"


@pytest.fixture(autouse=True)
def nothing_else(blender):
    running.cancel()
    yield
    running.cancel()


def to_the_end(run):
    fractions = [run.fraction]
    for _ in range(100):
        more = run.step()
        fractions.append(run.fraction)
        if not more:
            return fractions
    raise AssertionError("it does not end")


def test_one_link(blender):
    run = running.Run("spatialize", Pretended())
    fractions = to_the_end(run)
    assert run.state == "done"
    assert run.finished
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_a_link_brings_forth_the_next(blender):
    second = Pretended(steps=5)
    run = running.Run("generate", Pretended(), lambda first: (second, None) if first.state == "done" else None)
    fractions = to_the_end(run)
    assert run.state == "done"
    assert run.links[-1] is second
    assert second.finished
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_nothing_more_to_do_after_the_first(blender):
    run = running.Run("generate", Pretended(), lambda _first: None)
    to_the_end(run)
    assert run.state == "done"
    assert run.fraction == 1.0
    assert len(run.links) == 1


def test_a_failed_link_ends_the_chain(blender):
    run = running.Run("generate", Pretended(ends="failed", error="no such words"), lambda _: pytest.fail("goes on"))
    to_the_end(run)
    assert (run.state, run.error) == ("failed", "no such words")


@pytest.mark.parametrize("where", ["in the link", "in what follows"])
def test_whatever_is_raised_becomes_a_sentence(blender, where):
    wrong = ZeroDivisionError("by nothing")

    def then(_link):
        raise wrong

    link = Pretended(raises=wrong if where == "in the link" else None)
    run = running.Run("localize", link, then)
    to_the_end(run)
    assert run.state == "failed"
    assert "by nothing" in run.error
    assert link.finished


def test_cancel(blender):
    link = Pretended(steps=50)
    run = running.start(running.Run("spatialize", link, uuids=["a"]))
    run.step()
    assert running.is_running_for("a")
    assert not running.is_running_for("b")
    assert not running.is_running_for("")
    running.cancel()
    assert run.state == "cancelled"
    assert link.state == "cancelled"
    assert running.current() is None
    assert not run.step()
    assert not running.is_running_for("a")


def test_a_cancel_that_comes_too_late(blender):
    link = Pretended(steps=50)
    link.cancel = lambda: setattr(link, "state", "done")  # as a task does that is placing its results
    run = running.start(running.Run("generate", link, lambda _: pytest.fail("goes on")))
    run.step()
    running.cancel()
    assert run.state == "done"
    assert not run.step()
    assert running.current() is None


def test_one_at_a_time(blender):
    running.start(running.Run("spatialize", Pretended()))
    with pytest.raises(RuntimeError):
        running.start(running.Run("spatialize", Pretended()))


def test_what_is_shown(blender):
    shown = bpy.context.window_manager.foleyspace
    run = running.start(running.Run("localize", Pretended(steps=4, ends="failed", error="it is too dark")))
    run.step()
    running.publish()
    assert shown.running
    assert shown.kind == "localize"
    assert shown.message == "pretending"
    assert shown.fraction == pytest.approx(0.25)
    to_the_end(run)
    running.publish()
    assert not shown.running
    assert shown.error == "it is too dark"
    assert shown.message == ""
    running.start(running.Run("localize", Pretended()))
    assert shown.error == "", "a new beginning"


def test_opening_another_file_cancels(studio):
    path = studio.save()
    link = Pretended(steps=50)
    running.start(running.Run("spatialize", link))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert link.state == "cancelled"
    assert running.current() is None
    assert not bpy.context.window_manager.foleyspace.running
