"""Compiles the kernels when the package is built, into libraries that Python loads with ctypes.

They use nothing of Python, so one wheel serves every version of it. The compiler is the machine's own if it
has one that works, else the one of the package ``ziglang``, which the build then asks for. Two variables of the
environment choose otherwise:

``FOLEYSPACE_CC``
    Command of the compiler, for example ``clang`` or ``python -m ziglang cc``.
``FOLEYSPACE_TARGET``
    One of `TARGETS`: compile for another system, with ziglang.

``python hatch_build.py`` compiles in place; ``python hatch_build.py requires`` prints the package that compiling
needs here, if any.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "foleyspace_host" / "kernels" / "c"
INSIDE = "foleyspace_host/kernels/compiled"
ZIG = (ROOT / "requirements" / "compiler.in").read_text(encoding="utf-8").strip()

_FLAGS = ("-std=c99", "-O3", "-DNDEBUG", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math")
# fused multiplications and additions where the processor has them; nothing else may change a result, so that
# neither infinities nor NaN are lost, and no part of the process is switched to flush small numbers
_FLAGS += ("-ffp-contract=fast",)
_VARIANTS = {"baseline": (), "avx2": ("-mavx2", "-mfma")}


class Target(NamedTuple):
    """A system to compile for.

    Parameters
    ----------
    tag : str
        Platform tag of its wheels.
    suffix : str
        Suffix of its libraries.
    is_x86 : bool
        Whether it has x86-64 processors, for which there are two libraries.
    triple : str, optional
        What ziglang calls it; the machine's own compiler is used if not given.
    """

    tag: str
    suffix: str
    is_x86: bool
    triple: str | None = None


TARGETS = {
    "linux-x86_64": Target("manylinux2014_x86_64.manylinux_2_17_x86_64", ".so", True, "x86_64-linux-gnu.2.17"),
    "linux-aarch64": Target("manylinux2014_aarch64.manylinux_2_17_aarch64", ".so", False, "aarch64-linux-gnu.2.17"),
    "macos-x86_64": Target("macosx_11_0_x86_64", ".dylib", True, "x86_64-macos.11.0"),
    "macos-arm64": Target("macosx_11_0_arm64", ".dylib", False, "aarch64-macos.11.0"),
    "windows-amd64": Target("win_amd64", ".dll", True, "x86_64-windows-gnu"),
}


def here() -> Target:
    """Return the system that this runs on."""
    system, machine = platform.system(), platform.machine()
    tag = sysconfig.get_platform()
    if system == "Darwin":  # a universal Python, but libraries for one kind of processor
        tag = tag.replace("universal2", machine)
    suffix = {"Darwin": ".dylib", "Windows": ".dll"}.get(system, ".so")
    is_x86 = machine.lower() in ("x86_64", "amd64") and sys.maxsize > 1 << 32
    return Target(tag.replace("-", "_").replace(".", "_"), suffix, is_x86)


def wanted() -> Target:
    """Return the system to compile for."""
    name = os.environ.get("FOLEYSPACE_TARGET")
    if name and name not in TARGETS:
        raise SystemExit(f"FOLEYSPACE_TARGET is {name}; use one of {', '.join(TARGETS)}")
    return TARGETS[name] if name else here()


def digest() -> str:
    """Return the digest of the sources, by which a library tells whether it is theirs."""
    result = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        if path.suffix in (".c", ".h"):
            result.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return result.hexdigest()[:16]


@functools.cache
def compiler() -> tuple[str, ...] | None:
    """Return the command of a compiler that makes libraries here; None if there is none."""
    if named := os.environ.get("FOLEYSPACE_CC"):
        return tuple(shlex.split(named, posix=os.name != "nt"))
    zig = (sys.executable, "-m", "ziglang", "cc")
    candidates = [(name,) for name in ("cc", "gcc", "clang")]
    if os.environ.get("FOLEYSPACE_TARGET") or platform.system() == "Windows":  # which has others by these names
        candidates = []
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "try.c", Path(folder) / f"try{here().suffix}"
        source.write_text("#include <math.h>\n#include <string.h>\ndouble f(double x) { return cos(x); }\n")
        for command in (*candidates, zig):
            words = [*command, "-shared", "-fPIC", "-o", str(library), str(source), "-lm"]
            if command == zig and platform.system() == "Windows":
                words.remove("-fPIC")
            try:
                subprocess.run(words, check=True, capture_output=True, timeout=300)
            except (OSError, subprocess.SubprocessError):
                continue
            return command
    return None


def compile_kernels(folder: Path, target: Target) -> list[Path]:
    """Compile the libraries for a system into a folder and return their paths."""
    command = compiler()
    if command is None:
        raise SystemExit(
            "FoleySpace's kernels are written in C and no compiler was found. Install one (Debian and Ubuntu: "
            f"apt install gcc; macOS: xcode-select --install), or run: {sys.executable} -m pip install {ZIG}"
        )
    flags = [*_FLAGS, f'-DFS_DIGEST="{digest()}"', *shlex.split(os.environ.get("FOLEYSPACE_CFLAGS", ""))]
    if target.triple is not None:
        flags += ["-target", target.triple]
    if target.suffix != ".dll":
        flags.append("-fPIC")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, extra in _VARIANTS.items():
        if extra and not target.is_x86:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            library = Path(scratch) / f"{name}{target.suffix}"
            sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
            words = [*command, *flags, *extra, "-shared", "-s", "-o", str(library), *sources, "-lm"]
            if target.suffix == ".dylib":
                words.remove("-s")
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"compiling FoleySpace's kernels failed:\n{shlex.join(words)}\n{done.stderr}")
            # in place of a library that is loaded, never into it
            fresh = folder / f".{library.name}.{os.getpid()}"
            fresh.write_bytes(library.read_bytes())
            made.append(fresh.replace(folder / library.name))
    return made


class KernelsHook(BuildHookInterface[Any]):
    """Hatchling's way to this file."""

    def dependencies(self) -> list[str]:
        """Return what compiling needs beyond the build system itself."""
        return [ZIG] if self.target_name == "wheel" and compiler() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, into the checkout for an editable install, else beside it."""
        if self.target_name != "wheel":
            return
        target = wanted()
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{target.tag}"
        if version == "editable":
            compile_kernels(ROOT / INSIDE, target)
            return
        self._scratch = tempfile.TemporaryDirectory()
        for path in compile_kernels(Path(self._scratch.name), target):
            build_data["force_include"][str(path)] = f"{INSIDE}/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what the wheel has taken in."""
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()


def main() -> None:
    """Compile in place, or tell what compiling needs."""
    if sys.argv[1:] == ["requires"]:
        sys.stdout.write("" if compiler() else f"{ZIG}\n")
        return
    for path in compile_kernels(ROOT / INSIDE, wanted()):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
