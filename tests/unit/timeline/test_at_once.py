from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import Cancelled, InvalidInput
from foleyspace_host.timeline.at_once import Report, at_once


def quiet(_done: float) -> None:
    """Go on."""


def test_results_come_in_order_and_the_first_is_done_alone() -> None:
    running: set[int] = set()
    seen: list[set[int]] = []
    lock = threading.Lock()

    def work(number: int) -> Callable[[Report], int]:
        def do(_report: Report) -> int:
            with lock:
                running.add(number)
                seen.append({*running})
            time.sleep(0.03 if number % 2 else 0.01)
            with lock:
                running.discard(number)
            return number

        return do

    found = [done.result() for done in at_once(map(work, range(8)), 3, quiet)]
    assert found == [*range(8)]
    assert seen[0] == {0}
    assert not any(0 in there for there in seen[1:])
    assert max(map(len, seen)) <= 3
    assert any(len(there) > 1 for there in seen)


def test_errors_are_results_of_their_own() -> None:
    def fail(_report: Report) -> int:
        raise InvalidInput("no")

    done = [*at_once([lambda _report: 1, fail, lambda _report: 3], 2, quiet)]
    assert [done[0].result(), done[2].result()] == [1, 3]
    with pytest.raises(InvalidInput):
        done[1].result()


@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(st.floats(0.0, 1.5), max_size=4), max_size=6), st.integers(1, 3))
def test_progress_never_falls_and_ends_with_all(parts: list[list[float]], n_workers: int) -> None:
    told: list[float] = []

    def work(steps: list[float]) -> Callable[[Report], None]:
        def do(report: Report) -> None:
            for step in steps:
                report(step)

        return do

    assert len([*at_once(map(work, parts), n_workers, told.append)]) == len(parts)
    assert told == sorted(told)
    assert all(0 <= done <= len(parts) for done in told)
    assert not parts or told[-1] == len(parts)


def endless(started: threading.Event, ended: threading.Event) -> Callable[[Report], None]:
    def do(report: Report) -> None:
        started.set()
        try:
            while True:
                report(0.5)
                time.sleep(0.005)
        finally:
            ended.set()

    return do


def test_cancelling_stops_what_runs_and_leaves_the_rest_undone() -> None:
    started, ended = threading.Event(), threading.Event()
    taken: list[int] = []

    def works() -> object:
        for number in range(100):
            taken.append(number)
            yield endless(started, ended) if number else lambda _report: None

    def stop(_done: float) -> None:
        if started.is_set():
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        [*at_once(works(), 2, stop)]  # type: ignore[arg-type]
    assert ended.is_set()
    assert len(taken) <= 5


def test_whoever_leaves_early_leaves_nothing_running() -> None:
    started, ended = threading.Event(), threading.Event()
    works = [lambda _report: None, endless(started, ended)]
    with closing(at_once(works, 2, quiet)) as finished:
        next(finished)
    assert not started.is_set() or ended.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("clips")]
