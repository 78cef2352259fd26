"""Build the wheels of every system on this one, with the compiler of the package ``ziglang``.

    python tools/build_wheels.py [TARGET ...] [-o dist]

Each wheel is opened again, and its libraries must be of the format and the processor of their system. That says
nothing about how they run there.
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# by target: the libraries, and what `kind_of` finds in them
TARGETS = {
    "linux-x86_64": (("avx2.so", "baseline.so"), "ELF x86-64"),
    "linux-aarch64": (("baseline.so",), "ELF aarch64"),
    "macos-x86_64": (("avx2.dylib", "baseline.dylib"), "Mach-O x86-64"),
    "macos-arm64": (("baseline.dylib",), "Mach-O arm64"),
    "windows-amd64": (("avx2.dll", "baseline.dll"), "PE x86-64"),
}
_ELF = {62: "x86-64", 183: "aarch64"}
_MACH = {0x0100_0007: "x86-64", 0x0100_000C: "arm64"}
_PE = {0x8664: "x86-64", 0xAA64: "arm64"}


def kind_of(library: bytes) -> str:
    """Return the format and the processor of a library, from its header."""
    if library[:4] == b"\x7fELF":
        return f"ELF {_ELF.get(struct.unpack_from('<H', library, 18)[0], 'unknown')}"
    if library[:4] == b"\xcf\xfa\xed\xfe":
        return f"Mach-O {_MACH.get(struct.unpack_from('<I', library, 4)[0], 'unknown')}"
    if library[:2] == b"MZ":
        start = struct.unpack_from("<I", library, 0x3C)[0]
        if library[start : start + 4] == b"PE\0\0":
            return f"PE {_PE.get(struct.unpack_from('<H', library, start + 4)[0], 'unknown')}"
    return "unknown"


def build(target: str, folder: Path) -> Path:
    """Build the wheel of one system and return its path."""
    before = set(folder.glob("*.whl"))
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"),
            *("--wheel-dir", str(folder), str(ROOT)),
        ],
        env={**os.environ, "FOLEYSPACE_TARGET": target},
        check=True,
    )
    (made,) = set(folder.glob("*.whl")) - before
    return made


def checked(wheel: Path, target: str) -> list[str]:
    """Return one line on each library of a wheel; raises SystemExit where one is not of its system."""
    names, kind = TARGETS[target]
    lines = []
    with zipfile.ZipFile(wheel) as archive:
        inside = {name.rsplit("/", 1)[1]: name for name in archive.namelist() if "/kernels/compiled/" in name}
        if set(inside) != set(names):
            raise SystemExit(f"{wheel.name} holds {sorted(inside)}, not {sorted(names)}")
        for name, path in sorted(inside.items()):
            library = archive.read(path)
            if kind_of(library) != kind:
                raise SystemExit(f"{name} in {wheel.name} is {kind_of(library)}, not {kind}")
            lines.append(f"  {name}: {kind}, {len(library)} bytes")
    return lines


def main() -> None:
    """Build and check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"all of {', '.join(TARGETS)} if not given")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist")
    args = parser.parse_args()
    if unknown := set(args.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    args.output.mkdir(parents=True, exist_ok=True)
    for target in args.targets or TARGETS:
        wheel = build(target, args.output)
        sys.stdout.write("\n".join([wheel.name, *checked(wheel, target), ""]))


if __name__ == "__main__":
    main()
