"""A running ReaScript: its own Lua, its deferred functions, its end."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ScriptError
from .reaper import FakeReaper
from .registry import MODELLED
from .signatures import Handle, table

PRELUDE = Path(__file__).with_name("prelude.lua")
LUA_VERSIONS = ("5.3", "5.4")


@dataclass(frozen=True)
class Tick:
    """One call from REAPER into the script.

    Attributes
    ----------
    total_s
        Wall time, the fake's own slowness included.
    own_s
        Processor time of the script alone: what would keep REAPER's window from moving, but for REAPER's own functions.
    n_calls
        How many of REAPER's functions it called.
    """

    total_s: float
    own_s: float
    n_calls: int


class Script:
    """One run of one action. REAPER gives every run its own Lua state; so does this.

    Parameters
    ----------
    reaper
        The application.
    path
        The .lua file.
    lua
        "5.3" (REAPER 6) or "5.4" (REAPER 7).
    """

    def __init__(self, reaper: FakeReaper, path: Path, lua: str = "5.4") -> None:
        self.reaper = reaper
        self.path = path
        self.error: str | None = None
        self.ticks: list[Tick] = []
        self._deferred: list[Any] = []
        self._at_exit: list[Any] = []
        self._ended = False
        self._inside_s = 0.0
        self._n_calls = 0
        module: Any = importlib.import_module("lupa.lua" + lua.replace(".", ""))
        self._lua_error = module.LuaError
        self.lua = module.LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_closed,
        )
        # lupa 2.8 mixes up Python objects under Lua 5.3 once one of them was collected, so none ever is
        self._keep = self.lua.eval(b"(function() local kept = {} return function(one) kept[#kept + 1] = one end end)()")
        self._kept: set[Handle] = set()
        self.lua.execute(
            PRELUDE.read_bytes(),
            self._call,
            self._names,
            self._deferred.append,
            self._at_exit.append,
            self._context,
            lambda: int(reaper.clock_offset_s),
        )

    def _names(self) -> Any:
        names = iter(sorted((set(table()) | set(MODELLED)) - self.reaper.missing_functions))
        return lambda *_: next((name.encode() for name in names), None)

    def _context(self) -> tuple[Any, ...]:
        return True, str(self.path).encode(), 0, 0, -1, -1, -1, b""

    def _call(self, name: bytes, count: int, *arguments: Any) -> tuple[Any, ...]:
        begin = time.thread_time()
        try:
            return self._called(name, count, arguments)
        finally:
            self._n_calls += 1
            self._inside_s += time.thread_time() - begin

    def _called(self, name: bytes, count: int, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        text = name.decode()
        if text[0] in "?!":
            what = "unknown function" if text[0] == "?" else "forbidden function"
            self.reaper.violations.append(f"{what} {text[1:]}")
            return (False, b"")
        # trailing nils may be cut on the way from Lua
        padded = arguments[:count] + (None,) * (count - len(arguments))
        answer = self.reaper.call(text, padded)
        for value in answer:
            if isinstance(value, Handle) and value not in self._kept:
                self._kept.add(value)
                self._keep(value)
        return answer

    def start(self) -> Script:
        """Run the file itself, up to its end or its first defer."""
        source = self.path.read_bytes()
        load = self.lua.eval(b"function(source, name) return load(source, name, 't') end")
        loaded = load(source, b"@" + str(self.path).encode())
        if isinstance(loaded, tuple):
            self._fail(loaded[1].decode("utf-8", "replace"))
            return self
        self._enter(loaded)
        self._end_when_idle()
        return self

    @property
    def running(self) -> bool:
        return not self._ended

    def tick(self) -> None:
        """Do what REAPER does some thirty times a second: call what was deferred."""
        now, self._deferred[:] = list(self._deferred), []
        for callback in now:
            if self._ended:
                return
            self._enter(callback)
        self._end_when_idle()

    def stop(self) -> None:
        """End the script as the user's "terminate" does."""
        self._deferred.clear()
        self._end_when_idle()

    def _end_when_idle(self) -> None:
        if self._ended or self._deferred:
            return
        self._ended = True
        for callback in self._at_exit:
            self._enter(callback)
        self._at_exit.clear()

    def _enter(self, function: Callable[[], Any]) -> None:
        self._inside_s, self._n_calls = 0.0, 0
        begin, cpu_begin = time.perf_counter(), time.thread_time()
        try:
            function()
        except (self._lua_error, AttributeError) as error:
            self._fail(_text(error))
        finally:
            cpu_s = time.thread_time() - cpu_begin
            own_s = cpu_s - self._inside_s - self._n_calls * _crossing_s(self)
            self.ticks.append(Tick(time.perf_counter() - begin, max(0.0, own_s), self._n_calls))
        for project in self.reaper.projects:
            if project.block_depth:
                self.reaper.violations.append("control went back to REAPER with an undo block open")
                project.block_depth = 0
        if self.reaper.ui_refresh_prevented:
            self.reaper.violations.append(
                f"control went back to REAPER with PreventUIRefresh at {self.reaper.ui_refresh_prevented}"
            )
            self.reaper.ui_refresh_prevented = 0

    def _fail(self, message: str) -> None:
        self.error = message
        self._deferred.clear()
        self._end_when_idle()


_crossings: dict[str, float] = {}


def _crossing_s(script: Script) -> float:
    """Measure what one way from Lua into Python and back costs, which REAPER's functions do not."""
    version = str(script.lua.lua_implementation)
    if version not in _crossings:
        spent = [0.0]

        def nothing(name: bytes, count: int, *arguments: Any) -> tuple[Any, ...]:
            begin = time.thread_time()
            spent[0] += time.thread_time() - begin
            return (True, 1.0)

        loop = script.lua.eval(
            b"function(call, n) local function answer(ok, ...) return ... end"
            b" local one = function(...) return answer(call('name', select('#', ...), ...)) end"
            b" for i = 1, n do one(script, i) end end"
        )
        loop(nothing, 100)
        n, spent[0], begin = 2000, 0.0, time.thread_time()
        loop(nothing, n)
        _crossings[version] = (time.thread_time() - begin - spent[0]) / n
    return _crossings[version]


def _text(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def _closed(_owner: Any, name: Any, _setting: bool) -> Any:
    raise AttributeError(f"a handle has no fields ({name!r})")


def run_script(
    reaper: FakeReaper,
    path: Path,
    *,
    lua: str = "5.4",
    timeout_s: float = 60.0,
    tick_s: float = 0.002,
    each_tick: Callable[[Script], None] | None = None,
) -> Script:
    """Run a script to its end.

    Parameters
    ----------
    tick_s
        Rest between ticks (REAPER's is about 0.033 s).
    each_tick
        Called before every tick: the hand of the test.

    Raises
    ------
    ScriptError
        The script raised, or still runs after `timeout_s`.
    """
    script = Script(reaper, path, lua).start()
    end = time.monotonic() + timeout_s
    while script.running:
        if time.monotonic() > end:
            script.stop()
            raise ScriptError(f"{path.name} still runs after {timeout_s} s")
        time.sleep(tick_s)
        if each_tick is not None:
            each_tick(script)
        script.tick()
    if script.error is not None:
        raise ScriptError(script.error)
    return script


__all__ = ["LUA_VERSIONS", "Handle", "Script", "Tick", "run_script"]
