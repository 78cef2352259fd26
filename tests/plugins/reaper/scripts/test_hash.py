"""The mark of a text: FNV-1a, as published."""

from __future__ import annotations

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from hypothesis import given
from hypothesis import strategies as st

from .lua_modules import load


@pytest.fixture(scope="module", params=["5.3", "5.4"])
def mark(request):
    return load(request.param, "hash")[1].of


@pytest.mark.parametrize(
    ("text", "published"), [(b"", b"cbf29ce484222325"), (b"a", b"af63dc4c8601ec8c"), (b"foobar", b"85944171f73967e8")]
)
def test_published_values(mark, text, published):
    assert mark(text) == published


@given(text=st.binary(max_size=400))
def test_any_text(mark, text):
    value = 0xCBF29CE484222325
    for byte in text:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    assert mark(text) == b"%016x" % value
