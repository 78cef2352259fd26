"""``foleyspace cache`` and ``foleyspace models check``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from foleyspace_host.cli import main
from foleyspace_host.cli.machine import stage_cache, use_machine
from foleyspace_host.models import registry


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path))
    return tmp_path


def run(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    return code, *capsys.readouterr()


def test_an_empty_cache_is_shown(capsys: Any, home: Path) -> None:
    assert run(capsys, "cache") == (0, f"{home}/cache/stages\n  0 B of at most 4.3 GB\n", "")


def test_what_is_in_it_is_shown_and_cleared(capsys: Any, home: Path) -> None:
    cache = stage_cache()
    cache.store_text("localize-1", "{}" * 1000)
    cache.store_text("localize-2", "[]")
    cache.store_text("render-1", "x")
    told = json.loads(run(capsys, "cache", "info", "--json")[1])
    assert json.loads(run(capsys, "cache", "--json")[1]) == told
    assert told["stages"] == {"localize": {"entries": 2, "n_bytes": 2002}, "render": {"entries": 1, "n_bytes": 1}}
    assert told["n_bytes"] == 2003
    assert "  localize   2 results, 2 kB\n  render     1 result, 1 B\n" in run(capsys, "cache", "info")[1]
    assert run(capsys, "cache", "clear")[:2] == (0, "freed 2 kB\n")
    assert cache.usage() == {}


def test_results_that_are_shared_are_not_counted_as_freed(capsys: Any, home: Path) -> None:
    cache = stage_cache()
    (home / "a.wav").write_bytes(b"a" * 3000)
    cache.store("render-1", home / "a.wav")
    cache.store_text("render-2", "x" * 1000)
    (entry,) = cache.folder.glob("render-1*.wav")
    (home / "linked.wav").hardlink_to(entry)
    assert json.loads(run(capsys, "cache", "clear", "--json")[1])["freed_bytes"] == 1000
    assert cache.usage() == {}
    assert (home / "linked.wav").read_bytes() == b"a" * 3000


def test_the_configuration_limits_the_cache_and_chooses_the_device(home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text('cache_limit_mb = 0\ndevice = "cpu"\n')
    assert use_machine(None, False)["device"] == "cpu"
    assert use_machine("cuda", False)["device"] == "cuda"
    assert not use_machine(None, False)["cache"].keeps("localize")
    assert use_machine(None, True)["cache"] is None


def test_commands_keep_what_takes_long_and_nothing_else() -> None:
    kept = use_machine(None, False)["cache"]
    assert (kept.keeps("localize"), kept.keeps("render"), kept.keeps("decode")) == (True, False, False)
    assert kept.folder == stage_cache().folder


def test_shipped_models_are_verified(capsys: Any) -> None:
    code, out, err = run(capsys, "models", "check")
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"{entry.name}  whole" for entry in registry.ENTRIES]
    told = json.loads(run(capsys, "models", "check", "kemar", "--json")[1])
    assert told == {"models": [{"name": "kemar", "whole": True}]}


def test_a_damaged_model_is_told(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "copy.sofa"
    copy.write_bytes(registry.entry("kemar").path.read_bytes()[:-1])
    damaged = replace(registry.entry("kemar"), file=str(copy))
    monkeypatch.setattr(registry, "ENTRIES", (registry.entry("centernet"), damaged))
    code, out, err = run(capsys, "models", "check")
    assert (code, out) == (1, "centernet  whole\nkemar  cannot be used\n")
    assert "is damaged" in err
    assert err.count("\n") == 1
    assert json.loads(run(capsys, "models", "check", "--json")[1])["error"]["code"] == "model_unavailable"


def test_unknown_models_are_refused(capsys: Any) -> None:
    code, out, err = run(capsys, "models", "check", "yolo")
    assert (code, out) == (1, "")
    assert "choose one of" in err
