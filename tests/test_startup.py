"""Starting is quick: nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import foleyspace_host

HEAVY = ["onnxruntime", "av", "numba", "cv2", "scipy", "matplotlib", "torch", "sofar", "soundfile", "soxr"]

REPORT = f"""
import json, sys, time
start = time.perf_counter()
{{code}}
seconds = time.perf_counter() - start
heavy = [name for name in {[*HEAVY, "numpy", "rich"]!r} if name in sys.modules]
print("REPORT" + json.dumps([seconds, heavy]), file=sys.stderr)
"""


def run(code: str) -> tuple[float, list[str], str]:
    """Seconds and heavy modules of a fresh interpreter that runs the code, and what it printed."""
    done = subprocess.run([sys.executable, "-c", REPORT.format(code=code)], capture_output=True, text=True, check=True)
    seconds, heavy = json.loads(done.stderr.split("REPORT")[1])
    return seconds, heavy, done.stdout


def test_the_import_is_quick_and_light() -> None:
    runs = [run("import foleyspace_host") for _ in range(3)]
    assert [heavy for _, heavy, _ in runs] == [[], [], []]
    assert min(seconds for seconds, _, _ in runs) < 0.3


def test_help_is_light_and_lists_the_commands() -> None:
    _, heavy, text = run("from foleyspace_host.cli import main\nassert main(['--help']) == 0")
    assert heavy == []
    for command in ("demo", "spatialize", "localize", "render", "models"):
        assert f"\n  {command} " in text


def test_every_module_of_cli_and_pipeline_is_light() -> None:
    code = (
        "import pkgutil, importlib, foleyspace_host.cli, foleyspace_host.pipeline\n"
        "for package in (foleyspace_host.cli, foleyspace_host.pipeline):\n"
        "    for module in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)"
    )
    assert not set(run(code)[1]) & set(HEAVY)


def test_listing_the_models_is_light() -> None:
    _, heavy, text = run("from foleyspace_host.cli import main\nassert main(['models', 'list', '--json']) == 0")
    assert heavy == []
    assert {"name", "licence", "sha256", "size_bytes"} <= set(json.loads(text)["models"][0])


def test_public_names_are_all_there() -> None:
    for name in foleyspace_host.__all__:
        assert getattr(foleyspace_host, name) is not None
    assert set(foleyspace_host.__all__) <= set(dir(foleyspace_host))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        foleyspace_host.nothing  # noqa: B018


@pytest.mark.parametrize("name", ["localize", "render"])
def test_functions_stay_in_front_of_the_folders_of_their_name(name: str) -> None:
    code = (
        f"import foleyspace_host.{name}\n"
        f"from foleyspace_host import {name} as function\n"
        f"assert callable(function) and function is foleyspace_host.{name}\n"
        f"import sys; assert sys.modules['foleyspace_host.{name}'] is not function"
    )
    run(code)


def test_the_shipped_command_is_the_module(capfd: Any) -> None:
    from foleyspace_host.cli import main

    assert main(["--version"]) == 0
    assert foleyspace_host.__version__ in capfd.readouterr().out
