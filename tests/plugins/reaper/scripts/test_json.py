"""The scripts' JSON against Python's."""

from __future__ import annotations

import json
import math

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from hypothesis import given
from hypothesis import strategies as st

from .lua_modules import load

VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, min_size=1)
    ),
    max_leaves=20,
)


@pytest.fixture(scope="module", params=["5.3", "5.4"])
def lua_json(request):
    return load(request.param, "json")


@given(value=VALUES, spaced=st.booleans(), plain=st.booleans())
def test_what_is_read_and_written_again_means_the_same(lua_json, value, spaced, plain):
    lua, module = lua_json
    again = lua.eval(b"function(module, text) return module.encode(module.decode(text)) end")
    text = json.dumps(value, indent=1 if spaced else None, ensure_ascii=plain).encode()
    assert json.loads(again(module, text)) == value


@given(table=st.dictionaries(st.text(max_size=3), st.integers(), min_size=2))
def test_equal_tables_give_equal_text(lua_json, table):
    lua, module = lua_json
    backwards = dict(reversed(table.items()))
    again = lua.eval(b"function(module, text) return module.encode(module.decode(text)) end")
    assert again(module, json.dumps(table).encode()) == again(module, json.dumps(backwards).encode())


@pytest.mark.parametrize(
    "text", ["", "{", "[1,", '{"a" 1}', '{"a":}', '"a', "[1 2]", "nul", "1 2", '"\\x"', '"\n"', "{1:2}", "[" * 100]
)
def test_damaged_text_is_an_answer_and_no_error(lua_json, text):
    lua, module = lua_json
    value, why = lua.eval(b"function(module, text) return module.decode(text) end")(module, text.encode())
    assert value is None
    assert why


def test_null_is_left_out(lua_json):
    lua, module = lua_json
    assert lua.eval(b"function(m) return m.decode('{\"error\":null}').error == nil end")(module)


def test_a_name_that_is_no_utf8_still_gives_text(lua_json):
    module = lua_json[1]
    assert json.loads(module.encode(b"caf\xe9.wav")) == "caf\ufffd.wav"


@pytest.mark.parametrize("number", ["0/0", "1/0", "-1/0"])
def test_a_number_that_is_not_finite_is_refused(lua_json, number):
    lua, module = lua_json
    ok, why = lua.eval(f"function(m) return pcall(m.encode, {number}) end".encode())(module)
    assert not ok
    assert b"not finite" in why


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_all_their_digits(lua_json, number):
    module = lua_json[1]
    assert math.copysign(1, float(module.encode(number))) == math.copysign(1, number)
    assert float(module.encode(number)) == number
