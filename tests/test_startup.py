"""Starting is quick: nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import foleyspace_host

HEAVY = [
    "onnxruntime",
    "av",
    "cv2",
    "scipy",
    "matplotlib",
    "torch",
    "sofar",
    "netCDF4",
    "soundfile",
    "soxr",
    "opentimelineio",
    "distributed",
    "dask",
]

REPORT = f"""
import json, sys
{{code}}
heavy = [name for name in {[*HEAVY, "numpy", "rich"]!r} if name in sys.modules]
print("REPORT" + json.dumps(heavy), file=sys.stderr)
"""


def run(code: str) -> tuple[list[str], str]:
    """Heavy modules of a fresh interpreter that runs the code, and what it printed."""
    done = subprocess.run([sys.executable, "-c", REPORT.format(code=code)], capture_output=True, text=True, check=True)
    return json.loads(done.stderr.split("REPORT")[1]), done.stdout


def test_the_import_is_light() -> None:
    assert run("import foleyspace_host")[0] == []


def test_help_is_light_and_lists_the_commands() -> None:
    heavy, text = run("from foleyspace_host.cli import main\nassert main(['--help']) == 0")
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
    assert not set(run(code)[0]) & set(HEAVY)


def test_the_bridge_of_reaper_speaks_before_it_imports_much() -> None:
    code = (
        "import foleyspace_host.bridges.reaper.bridge\n"
        "assert not {'zmq', 'msgpack', 'msgspec', 'psutil'} & set(__import__('sys').modules)"
    )
    assert run(code)[0] == []


def test_listing_the_models_is_light() -> None:
    heavy, text = run("from foleyspace_host.cli import main\nassert main(['models', 'list', '--json']) == 0")
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
