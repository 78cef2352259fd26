"""``foleyspace listener fit`` writes a code and says honestly what it is good for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foleyspace_host.cli.app import main
from foleyspace_host.diffusion.listener import read_listener
from foleyspace_host.hrtf import prepare
from foleyspace_host.hrtf.fit import ListenerFit

KEMAR = Path(prepare.__file__).parent / "assets" / prepare.DEFAULT_SOFA


def test_a_dense_set_is_told_that_it_needs_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "kemar.json"
    assert main(["listener", "fit", str(KEMAR), "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert "710 directions" in told
    assert "the measurements need no help" in told
    assert f"--renderer hrtf --hrtf {KEMAR}" in told
    listener = read_listener(out)
    assert len(listener.code) == 16
    assert not listener.sparse
    assert "KEMAR" in listener.name


def test_machines_read_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "kemar.json"
    assert main(["listener", "fit", str(KEMAR), "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["output"] == str(out)
    assert told["code_helps"] is False
    assert tuple(told["code"]) == read_listener(out).code


@pytest.mark.parametrize(
    ("errors_db", "adds", "advice"),
    [
        ((2.0, 2.5, 1.6, 1.8), {"sparse"}, "the code helps: --renderer diffusion"),
        ((2.0, 2.5, 1.6, 1.8), {"room"}, "the renderer does the last by itself: --renderer hrtf"),
        ((2.0, 2.5, 1.8, 1.8), {"sparse"}, "the renderer does the last by itself: --renderer hrtf"),
        ((2.0, 2.5, 1.95, 2.0), {"sparse"}, "the measurements need no help: --renderer hrtf"),
    ],
)
def test_the_advice_follows_from_the_errors(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    errors_db: tuple[float, float, float, float],
    adds: set[str],
    advice: str,
) -> None:
    found = ListenerFit("me", (0.5,) * 16, 50, True, errors_db, (20.0, 25.0, 18.0, 16.0))
    monkeypatch.setattr("foleyspace_host.hrtf.fit.fit_listener", lambda _path: found)
    monkeypatch.setattr("foleyspace_host.diffusion.model.shipped_adds", lambda: frozenset(adds))
    out = tmp_path / "me.json"
    assert main(["listener", "fit", "me.sofa", "-o", str(out)]) == 0
    assert advice in capsys.readouterr().out
    assert read_listener(out).sparse


def test_what_is_no_set_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.sofa"
    bad.write_bytes(b"not a set")
    assert main(["listener", "fit", str(bad)]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "bad.sofa" in told
    assert [path.name for path in tmp_path.iterdir()] == ["bad.sofa"]
