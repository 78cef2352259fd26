"""Check installation says exactly what is missing."""

from __future__ import annotations

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")

CAPABILITIES = [
    {"name": "render", "available": True},
    {
        "name": "renderer:diffusion",
        "available": False,
        "reason": "ONNX Runtime is not installed",
        "cure": "pip install onnxruntime",
    },
]


def test_all_is_there(reaper, bridge, act):
    bridge.behave("ok", capabilities=CAPABILITIES)
    act("check")
    reaper.check()
    assert reaper.dialogs.texts == ["Everything is there. The console says what this FoleySpace can do."]
    console = reaper.dialogs.console
    assert "MISSING" not in console
    assert "ok       placing sounds (render)" in console
    assert "without  renderer:diffusion: ONNX Runtime is not installed" in console
    assert "-> pip install onnxruntime" in console
    assert "FoleySpace 0.1.0" in console
    assert reaper.active.undo == []


def test_the_effect_is_missing(reaper, bridge, act):
    reaper.jsfx_folders.clear()
    act("check")
    assert "2 of the things FoleySpace needs are missing" in reaper.dialogs.texts[0]
    assert "MISSING  the effect «FoleySpace Position»" in reaper.dialogs.console
    assert "foleyspace reaper install" in reaper.dialogs.console


def test_an_older_reaper_that_cannot_list_its_effects(reaper, bridge, act):
    reaper.missing_functions.add("EnumInstalledFX")
    act("check")
    assert reaper.dialogs.texts == ["Everything is there. The console says what this FoleySpace can do."]


def test_the_bridge_is_missing(reaper, bridge, act):
    bridge.program.unlink()
    act("check")
    assert "MISSING  the bridge to the host" in reaper.dialogs.console
    assert "pip install" in reaper.dialogs.console


def test_the_host_does_not_answer(reaper, bridge, act):
    bridge.behave("error")
    act("check")
    assert "MISSING  the FoleySpace host: no host runs" in reaper.dialogs.console
    assert "-> start one" in reaper.dialogs.console
