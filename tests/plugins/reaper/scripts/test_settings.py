"""Settings: what is chosen is kept, and what cannot be chosen says why."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import add_item, add_track

from .conftest import PASS

CAPABILITIES = [
    {
        "name": "renderer:diffusion",
        "available": False,
        "reason": "ONNX Runtime is not installed",
        "cure": "pip install onnxruntime",
    },
    {"name": "format:foa", "available": True},
]


class Hand:
    """The user's hand: waits until a text is drawn, clicks on it, and closes the window in the end."""

    def __init__(self, reaper, clicks):
        self.reaper, self.clicks, self.wait = reaper, list(clicks), 0

    def __call__(self, script):
        drawing = self.reaper.drawing
        self.wait += 1
        if not drawing.texts or self.wait % 4 or any(text.startswith("Asking") for text in drawing.texts):
            return
        assert drawing.outside() == []
        if drawing.mouse[2]:
            drawing.mouse = (*drawing.mouse[:2], 0)
        elif self.clicks:
            x, y, *_ = drawing.find(self.clicks.pop(0))
            drawing.mouse = (int(x) + 3, int(y) + 3, 1)
        else:
            drawing.keys.append(27)


@pytest.fixture
def settings(reaper):
    return lambda: json.loads(unquote(reaper.active.ext_state["FoleySpace", "settings"]))


def test_a_choice_is_kept_in_the_project_and_for_the_next(reaper, bridge, act, settings):
    bridge.behave("ok", capabilities=CAPABILITIES)
    reaper.dialogs.menus.append(3)
    act("settings", each_tick=Hand(reaper, ["Output"]))
    reaper.check()
    assert settings()["format"] == "foa"
    assert json.loads(unquote(reaper.ext_state["FoleySpace", "settings"][0]))["format"] == "foa"
    assert not reaper.drawing.is_open
    reaper.new_project()
    reaper.dialogs.inputs.append(PASS)


def test_what_is_not_available_says_why(reaper, bridge, act):
    bridge.behave("ok", capabilities=CAPABILITIES)
    seen = []

    def look(script):
        seen.extend(reaper.drawing.texts)
        hand(script)

    hand = Hand(reaper, [])
    act("settings", each_tick=look)
    text = " ".join(dict.fromkeys(seen))
    assert "Not available here: Diffusion: learned from measured rooms: ONNX Runtime is not installed" in text.replace(
        "  ", " "
    )
    assert "pip install onnxruntime" in text


def test_a_menu_greys_what_is_not_available(reaper, bridge, act):
    from .lua_modules import load

    lua, _ = load("5.4", "json")
    lua.execute(b"reaper = {}")
    menu = lua.eval(b'require("choosing").menu')
    field = lua.eval(
        b'(function() for _, f in ipairs(require("settings").FIELDS) do '
        b'if f.key == "renderer" then return f end end end)()'
    )
    capabilities = lua.table_from(
        [
            lua.table_from({k.encode(): v.encode() if isinstance(v, str) else v for k, v in one.items()})
            for one in CAPABILITIES
        ]
    )
    entries, _ = menu(field, b"hrtf", capabilities)
    first, second = entries.decode().split("|")
    assert first == "!HRTF: exact"
    assert second.startswith("#Diffusion: learned from measured rooms (not available: ONNX Runtime is not installed")


def test_numbers_files_and_words(reaper, bridge, act, settings, tmp_path):
    reaper.dialogs.menus += [2, 8]
    reaper.dialogs.files.append(str(tmp_path / "my ears.sofa"))
    reaper.dialogs.inputs += [["12"], ["1,5"], ["hall:rt60=1.6"]]
    act("settings", each_tick=Hand(reaper, ["Spread", "HRTF file", "Room"]))
    reaper.check()
    assert reaper.dialogs.texts == ["Give a number from 0 to 10."]
    assert settings()["spread"] == 1.5
    assert settings()["hrtf"] == str(tmp_path / "my ears.sofa")
    assert settings()["room"] == "hall:rt60=1.6"


def test_without_a_host_the_settings_can_be_changed_all_the_same(reaper, bridge, act, settings):
    bridge.program.unlink()
    reaper.dialogs.menus.append(2)
    act("settings", each_tick=Hand(reaper, ["Mute source items"]))
    assert settings()["mute_source"] is False


def test_where_no_window_can_be_drawn_a_dialog_asks(reaper, bridge, act, settings):
    reaper.drawing.available = False
    bridge.behave("ok", capabilities=CAPABILITIES)

    def answer(changes):
        def fill(title, captions, texts):
            assert len(captions) <= 16
            return [
                next((v for k, v in changes.items() if c.startswith(k)), t)
                for c, t in zip(captions, texts, strict=True)
            ]

        return fill

    reaper.dialogs.inputs += [
        answer({"Renderer": "diffusion"}),
        answer({"Renderer": "hrtf", "Tail": "1,5", "Mute": "no"}),
    ]
    act("settings")
    reaper.check()
    assert "is not available: ONNX Runtime is not installed" in reaper.dialogs.texts[0]
    assert (settings()["tail_s"], settings()["mute_source"], settings()["renderer"]) == (1.5, False, "hrtf")


def test_the_window_may_stay_open_while_items_are_rendered(reaper, bridge, act, noise, lua_version):
    from fake import Script

    from .conftest import entry

    window = Script(reaper, entry("settings"), lua_version).start()
    for _ in range(3):
        window.tick()
    reaper.dialogs.inputs.append(PASS)
    add_item(add_track(reaper.active), noise(), 0.0)
    act("spatialize", each_tick=lambda script: window.tick())
    assert len(reaper.active.tracks) == 2
    window.stop()


@pytest.mark.parametrize("stored", ["{", "[]", '{"spread":"wide","format":7,"tail_s":-1,"mute_source":1}', "null"])
def test_damaged_settings_are_the_defaults(reaper, bridge, act, noise, stored):
    reaper.active.ext_state["FoleySpace", "settings"] = stored
    add_item(add_track(reaper.active), noise(), 0.0)
    reaper.dialogs.inputs.append(PASS)
    act("spatialize")
    reaper.check()
    wanted = {
        "format": "binaural",
        "renderer": "hrtf",
        "spread": 1,
        "distance_gain": "relative",
        "propagation": "none",
        "tail_s": 0,
    }
    assert bridge.requests[0]["settings"] == wanted
    assert bridge.requests[0]["profile"] == "default"
