"""Columns, and numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.cli.table import ago, size, table

CELLS = st.lists(st.tuples(*[st.text(max_size=12)] * 3), min_size=1, max_size=6)


def test_columns_stand_below_each_other() -> None:
    assert table([("A", "LONG", "C"), ("aaa", "b", "c")], width=80) == ["A    LONG  C", "aaa  b     c"]


def test_long_lines_end_in_a_mark() -> None:
    assert table([("ab", "x" * 20)], width=10) == ["ab  xxxxx…"]


def test_without_a_terminal_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("shutil.get_terminal_size", lambda fallback: __import__("os").terminal_size(fallback))
    assert table([("x" * 500,)]) == ["x" * 500]


@given(CELLS, st.integers(1, 60))
def test_any_text_makes_one_line_for_each_row(rows: list[tuple[str, ...]], width: int) -> None:
    lines = table(rows, width=width)
    assert len(lines) == len(rows)
    assert all(len(line) <= width and len(line.splitlines()) <= 1 for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (98, "98 s"), (120, "2 min"), (5930, "99 min"), (7200, "2 h"), (86_400 * 3, "3 days")],
)
def test_durations(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1500, "2 kB"), (23_040_000, "23 MB"), (4.2e9, "4.2 GB")]
)
def test_sizes(n_bytes: int, text: str) -> None:
    assert size(n_bytes) == text
