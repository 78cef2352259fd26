"""The position effect is what the scripts take it for, and its code is at least whole."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake.jsfx import read_jsfx

from .conftest import SCRIPTS
from .lua_modules import load

EFFECT = SCRIPTS / "effects" / "FoleySpace Position.jsfx"
# of EEL2 and of JSFX, as their reference lists them
KNOWN = {
    *("sin", "cos", "atan2", "sqrt", "exp", "log", "min", "max", "floor", "slider_automate"),
    *("gfx_rect", "gfx_circle", "gfx_line", "gfx_triangle", "gfx_setfont", "gfx_printf", "local"),
}


def code():
    """Give the code behind the head, without comments and texts."""
    text = EFFECT.read_text(encoding="utf-8").partition("@init")[2]
    return re.sub(r'"[^"]*"|//[^\n]*', "", text)


@pytest.mark.parametrize("version", ["5.3", "5.4"])
def test_its_parameters_are_those_that_the_scripts_read(version):
    lua, _ = load(version, "json")
    lua.execute(b"reaper = {}")
    module = lua.eval(b'(require("position_fx"))')
    effect = read_jsfx(EFFECT)
    assert effect.name.endswith(module[b"NAME"].decode())
    ranges = [tuple(one.values()) for one in module[b"RANGES"].values()]
    assert [(one.minimum, one.maximum) for one in effect.parameters] == ranges
    assert [one.name.split(" ")[0] for one in effect.parameters] == ["Azimuth", "Elevation", "Distance"]


def test_its_code_is_whole():
    depth = 0
    for letter in code():
        depth += {"(": 1, ")": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0


def test_it_calls_only_what_there_is():
    own = set(re.findall(r"function (\w+)", code()))
    assert own == {"far_of", "distance_of", "nearest_turn", "ink"}
    assert set(re.findall(r"(\w+)\(", code())) - own <= KNOWN


def test_it_leaves_the_sound_alone():
    text = EFFECT.read_text(encoding="utf-8")
    assert "in_pin:none" in text
    assert "out_pin:none" in text
    assert "@sample" not in text
