"""Bars on a terminal, silence elsewhere; and silent libraries."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from foleyspace_host.cli.progress import stage_bars
from foleyspace_host.cli.quiet import quiet_libraries


def test_silence_where_standard_error_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_bars() as show:
        assert show is None
    assert capsys.readouterr() == ("", "")


def test_bars_name_the_stages_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with stage_bars() as show:
        assert show is not None
        for stage in ("decode", "localize", "render"):
            show(stage, 0, 0)
            show(stage, 5, 10)
            show(stage, 10, 10)
    text = terminal.getvalue()
    assert all(stage in text for stage in ("decode", "localize", "render"))


def test_libraries_are_silent_and_python_is_heard() -> None:
    code = (
        "import os, sys\n"
        "from foleyspace_host.cli.quiet import quiet_libraries\n"
        "with quiet_libraries():\n"
        "    os.write(2, b'a remark of a library\\n')\n"
        "    print('a line of ours', file=sys.stderr)\n"
        "os.write(2, b'after')\n"
        "sys.stderr.write(' all')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "a line of ours\nafter all"


def test_a_traceback_of_a_bug_is_still_shown() -> None:
    code = "from foleyspace_host.cli.quiet import quiet_libraries\nwith quiet_libraries():\n    1 / 0"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_replaced_standard_error_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stderr", replaced)
    with quiet_libraries():
        assert sys.stderr is replaced
        os.fstat(2)
