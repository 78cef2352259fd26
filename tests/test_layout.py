"""The rules of the layout: who may import whom, and where the heavy libraries live."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import foleyspace_host

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "foleyspace_host"
MODULES = sorted(PACKAGE.rglob("*.py"))

# what each part may know of; the data flows from the left to the right and nothing flows back
MAY_IMPORT = {
    "errors": set(),
    "versions": set(),
    "kernels": {"errors"},
    "config": {"errors"},
    "client": set(),
    "protocol": {"errors"},
    "geometry": {"errors"},
    "media": {"errors", "geometry", "kernels"},
    "models": {"config", "errors"},
    "diffusion": {"errors", "models"},
    "generate": {"config", "diffusion", "errors", "geometry", "localize", "media", "models", "render"},
    "hrtf": {"errors", "geometry", "kernels", "media", "models", "versions"},
    "render": {"diffusion", "errors", "geometry", "hrtf", "kernels", "media"},
    "localize": {"errors", "geometry", "media", "models"},
    "report": {"errors", "geometry", "media"},
    "pipeline": {
        "diffusion",
        "errors",
        "generate",
        "geometry",
        "hrtf",
        "localize",
        "media",
        "models",
        "render",
        "report",
        "versions",
    },
    "timeline": {"errors", "generate", "geometry", "media", "models", "pipeline", "render"},
    "demo": {"errors", "geometry", "hrtf", "localize", "media", "models", "pipeline", "render"},
    "jobs": {
        *("config", "errors", "generate", "geometry", "media", "models", "pipeline", "protocol", "render"),
        "timeline",
    },
    "cluster": {"errors", "jobs", "protocol"},
    "batch": {"cluster", "config", "errors", "jobs", "media", "models", "pipeline", "protocol", "render", "timeline"},
    "host": {"config", "errors", "jobs", "protocol"},
    "bridges": {"client", "errors", "geometry", "media", "protocol"},
    "doctor": {"bridges", "client", "config", "errors", "jobs", "models"},
    "cli": {
        *("client", "config", "demo", "diffusion", "doctor", "errors", "geometry", "host", "hrtf", "localize", "media"),
        *("batch", "bridges", "cluster", "generate", "models", "pipeline", "protocol", "render", "timeline"),
    },
}

# which parts may use a library; everything else that is heavy may be used by none of them
HOME_OF = {
    "av": {"media", "demo", "doctor"},
    "click": {"cli"},
    "dask": {"cluster"},
    "distributed": {"cluster"},
    "cv2": {"media", "localize", "demo"},
    "matplotlib": {"demo", "hrtf"},
    "msgpack": {"client", "protocol"},
    "netCDF4": {"hrtf"},
    "onnxruntime": {"doctor", "models"},
    "opentimelineio": {"timeline"},
    "rich": {"cli"},
    "sofar": {"demo"},
    "soundfile": {"media", "demo"},
    "soxr": {"media", "hrtf", "demo"},
    "zmq": {"client", "host"},
}
NOWHERE = {"torch", "tensorflow", "requests", "urllib"}

# modules that must stay cheap to import: no such library outside of functions
CHEAP = ("cli", "errors", "geometry", "pipeline", "versions")
CHEAP_MODULES = tuple(f"foleyspace_host.render.{name}." for name in ("channels", "formats", "options"))


def part_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0].removesuffix(".py")


def imports(path: Path, *, functions: bool = True, types: bool = True) -> Iterator[str]:
    """Full names of what a file imports; on wish without what functions import, or what only types need."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.If) and not types and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_who_imports_whom(path: Path) -> None:
    part = part_of(path)
    if part in ("__init__", "__main__"):
        return  # the public names and the command's entry
    assert part in MAY_IMPORT, f"{part} is new: give it its place in the order"
    for name in imports(path):
        if name == "foleyspace_host.__version__":
            continue
        top, *rest = name.split(".")
        if top == "foleyspace_host":
            assert rest[0] in MAY_IMPORT[part] | {part}, f"{part} must not know of {name}"
        else:
            assert top not in NOWHERE, f"{name} has no place here"
    for name in imports(path, types=False):
        top = name.split(".")[0]
        if top != "foleyspace_host":
            assert part in HOME_OF.get(top, {part}), f"{name} does not belong into {part}"


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if part_of(path) in CHEAP],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_cheap_modules_import_heavy_libraries_only_in_functions(path: Path) -> None:
    allowed = {"click", "numpy"} | set(sys.stdlib_module_names)
    for name in imports(path, functions=False, types=False):
        top = name.split(".")[0]
        if top == "foleyspace_host":
            part = name.split(".")[1]
            assert part in (*CHEAP, "__version__") or name.startswith(CHEAP_MODULES), (
                f"{name} belongs into the function that needs it"
            )
        else:
            assert top in allowed, f"{name} belongs into the function that needs it"


def test_the_order_of_the_parts_has_no_circle() -> None:
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {part for part, needs in MAY_IMPORT.items() if part not in done and needs <= done}
        assert ready, f"a circle among {set(MAY_IMPORT) - done}"
        done |= ready


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_short_and_named_for_what_they_do(path: Path) -> None:
    # the client is copied into other programs, as one file; of errors there is one tree
    limit = {"client.py": 1300, "errors.py": 400}.get(str(path.relative_to(PACKAGE)), 330)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit
    assert not {"utils", "util", "helpers", "helper", "manager", "common", "misc"} & set(path.stem.split("_"))


@pytest.mark.parametrize("name", ["binaural_flow", "foley", "flow"])
def test_trainings_share_what_is_in_flow_and_know_nothing_of_each_other(name: str) -> None:
    files = sorted((ROOT / "training" / name).rglob("*.py"))
    assert files
    for path in files:
        for other in imports(path):
            if other.startswith("training."):
                assert other.split(".")[1] in {name, "flow"}, f"{path.name} of {name} must not know of {other}"


def test_the_rules_can_fail(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("import av.error\nif TYPE_CHECKING:\n    import cv2\ndef f():\n    from soxr import resample\n")
    assert set(imports(module)) == {"av.error", "cv2", "soxr.resample"}
    assert set(imports(module, types=False)) == {"av.error", "soxr.resample"}
    assert set(imports(module, functions=False, types=False)) == {"av.error"}


def test_the_version_is_the_package_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert foleyspace_host.__version__ == project["version"]
