"""What people read of a batch: a table, of long batches only what wants attention, and the bar."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from foleyspace_host.batch.results import BatchProgress, BatchResult, ItemResult, StageResult
from foleyspace_host.cli.batch import _lines
from foleyspace_host.cli.progress import item_bar

SEEN = StageResult("localize", "k1", "known", "t.json", 3.0, 1, None)
MADE = StageResult("spatialize", "k2", "done", "/o/a.wav", 1.25, 1, None)
DONE = ItemResult("a.mov", "l.txt, line 1", "done", "/o/a.wav", None, None, (SEEN, MADE), ("clipped",))
LOST = ItemResult("b.mov", "l.txt, line 2", "failed", "/o/b.wav", "media_missing", "b.mov: is gone", (), ())


def result(*items: ItemResult, interrupted: int = 0) -> BatchResult:
    return BatchResult("/o", "/o/batch.db", items, interrupted, 1, 2.0)


def test_a_table_and_what_became_of_all() -> None:
    lines = _lines(result(DONE, LOST, interrupted=2))
    assert lines[1].split() == ["a.mov", "done", "1.2", "s", "(localize)", "spatialize", "/o/a.wav;", "clipped"]
    assert lines[2].split(maxsplit=2) == ["b.mov", "failed", "l.txt, line 2: b.mov: is gone"]
    assert lines[3] == "2 items: 1 done, 1 failed; 2.0 s"
    assert "2 stages were taken up" in lines[4]
    assert "--retry-failed" in lines[5]


def test_of_many_items_only_those_that_want_attention() -> None:
    plain = replace(DONE, warnings=())
    lines = _lines(result(*[plain] * 300, LOST))
    assert [line.split()[0] for line in lines[:2]] == ["ITEM", "b.mov"]
    assert lines[2] == "301 items: 300 done, 1 failed; 2.0 s"
    assert _lines(result(*[plain] * 300)) == ["300 items: 300 done; 2.0 s"]


def test_the_bar_counts_items_on_a_terminal_and_is_silent_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    with item_bar() as show:
        assert show is None

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with item_bar() as show:
        assert show is not None
        show(BatchProgress(40, 12, 1, 13.5, 2))
    assert "12 of 40 done, 1 failed, 2 at work" in screen.getvalue()
