"""Stages: progress that never falls, times, and cancel that passes through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import Cancelled
from foleyspace_host.pipeline.stages import Stages


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from([0, 100])), max_size=20))
def test_progress_never_falls_and_ends_complete(reports: list[tuple[int, int]]) -> None:
    seen: list[tuple[str, int, int]] = []
    stages = Stages(lambda *report: seen.append(report))
    with stages.stage("render") as report:
        for done, total in reports:
            report(done, total)
    assert [name for name, _, _ in seen] == ["render"] * (len(reports) + 2)
    dones = [done for _, done, _ in seen]
    assert dones == sorted(dones)
    assert all(0 <= done <= total for _, done, total in seen)
    assert seen[-1][1] == seen[-1][2] > 0
    assert list(stages.times_s) == ["render"]


def test_a_raised_cancel_ends_the_stage_unfinished() -> None:
    def cancel(_stage: str, done: int, _total: int) -> None:
        if done >= 5:
            raise Cancelled("stopped")

    stages = Stages(cancel)

    def work() -> None:
        with stages.stage("render") as report:
            for done in range(10):
                report(done, 10)
            pytest.fail("was not stopped")

    with pytest.raises(Cancelled):
        work()
    assert stages.times_s == {}
