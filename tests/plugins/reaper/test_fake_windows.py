"""Programs, dialogs and drawing of the fake REAPER."""

from __future__ import annotations

import struct
import sys
import zlib

import numpy as np
import pytest

pytest.importorskip("lupa", reason="lupa runs the Lua scripts; make test-reaper installs it")
from fake import ScriptError
from fake.splitting import split_command


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("\"a b\" 'c d' `e f`", ["a b", "c d", "e f"]),
        ('"it\'s" \'say "x"\' `both \'"`', ["it's", 'say "x"', "both '\""]),
        ("a;b $(c) d|e \\n", ["a;b", "$(c)", "d|e", "\\n"]),
        ('x"y z"', ["xy z"]),
        ('""', [""]),
        ("", []),
    ],
)
def test_command_lines_are_cut_without_a_shell(line, words):
    assert split_command(line) == words


def test_programs_really_run(reaper, lua, tmp_path):
    mark = tmp_path / "a folder" / "it's é.txt"
    mark.parent.mkdir()
    program = f'"{sys.executable}" -c "import sys; print(sys.argv[1]); open(sys.argv[1], chr(119)).close()" "{mark}"'
    lua(f"local out = reaper.ExecProcess([[{program}]], 0) assert(out == '0\\n' .. [[{mark}]] .. '\\n', out)")
    assert mark.exists()
    lua("assert(reaper.ExecProcess('/nowhere/program x', 0) == nil)")
    lua(f"""assert(reaper.ExecProcess('"{sys.executable}" -c "import time; time.sleep(60)"', -2))""")
    assert reaper.processes.running[0].poll() is None
    reaper.close()
    assert reaper.processes.running == []


def test_dialogs_are_answered_by_the_test(reaper, lua):
    reaper.dialogs.inputs.extend([["30", "5,5"], None])
    reaper.dialogs.boxes.append(6)
    reaper.dialogs.files.append("/x/y.sofa")
    lua("""
        local ok, csv = reaper.GetUserInputs("Where", 2, "Azimuth,Label,extrawidth=100,separator=\\n", "0\\n")
        assert(ok and csv == "30\\n5,5")
        assert(not reaper.GetUserInputs("Where", 1, "Azimuth", "0"))
        assert(reaper.MB("Sure?", "Ask", 4) == 6 and reaper.MB("Done", "Tell", 0) == 1)
        local chosen, path = reaper.GetUserFileNameForRead("", "HRTF", ".sofa") assert(chosen and path == "/x/y.sofa")
        reaper.ShowConsoleMsg("hello")
    """)
    assert [one.kind for one in reaper.dialogs.shown] == ["inputs", "inputs", "box", "box", "file"]
    assert reaper.dialogs.texts == ["Sure?", "Done"]
    assert reaper.dialogs.console == "hello"


def test_a_box_takes_only_the_buttons_it_has(reaper, lua):
    reaper.dialogs.boxes.append(1)
    with pytest.raises(ScriptError, match="with the buttons"):
        lua("reaper.MB('yes or no', 't', 4)")


DRAW = """
assert(gfx.init("Window", 200, 100) == 1 and gfx.w == 200)
gfx.clear = 0x302010
gfx.setfont(1, "Arial", 20)
local function frame()
  if gfx.getchar() == 27 then return end
  gfx.set(1, 0, 0) gfx.rect(10, 20, 30, 40, 1)
  gfx.set(1, 1, 1) gfx.line(0, 99, 199, 99)
  gfx.x, gfx.y = 60, 30 gfx.drawstr("Grüße")
  gfx.x, gfx.y = 190, 0 gfx.drawstr("out")
  gfx.update() reaper.defer(frame)
end
frame()
"""


def test_drawing_is_recorded_and_makes_a_picture(reaper, lua, tmp_path):
    reaper.drawing.keys.extend([0, 0, 27])
    lua(DRAW)
    drawing = reaper.drawing
    assert (drawing.title, len(drawing.frames)) == ("Window", 2)
    assert drawing.texts == ["Grüße", "out"]
    assert drawing.find("Grü")[:2] == (60, 30)
    assert drawing.outside() == ["out"]
    with pytest.raises(LookupError):
        drawing.find("Cancel")
    drawing.write_png(tmp_path / "frame.png")
    pixels = read_png((tmp_path / "frame.png").read_bytes())
    assert pixels.shape == (100, 200, 3)
    assert pixels[25, 15].tolist() == [255, 0, 0]
    assert pixels[80, 100].tolist() == [0x10, 0x20, 0x30]
    assert pixels[99, 150].tolist() == [255, 255, 255]
    assert 20 < (pixels[30:50, 60:120] == 255).all(axis=2).sum() < 600


def read_png(data):
    """Read what the writer makes, by the format's own description: chunks, zlib, filter 0."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, found = 8, {}
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(kind + body)
        found[kind] = body
        place += 12 + length
    width, height = struct.unpack(">II", found[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def test_without_a_window_drawing_is_an_error_but_asking_is_not(reaper, lua):
    reaper.drawing.available = False
    lua("assert(gfx.init('t', 10, 10) == 0 and gfx.getchar() == -1) gfx.quit()")
    with pytest.raises(ScriptError, match="without a window"):
        lua("gfx.rect(0, 0, 1, 1, 1)")


def test_a_menu_is_answered_by_its_entries(reaper, lua):
    reaper.dialogs.menus.append(2)
    lua("gfx.init('t', 10, 10) assert(gfx.showmenu('One|!Two|>More|#Three|<Four') == 2)")
    reaper.dialogs.menus.append(5)
    with pytest.raises(ScriptError, match="the menu"):
        lua("gfx.init('t', 10, 10) gfx.showmenu('One|!Two|>More|#Three|<Four')")
