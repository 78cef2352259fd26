"""Preparing a large set takes little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.geometry.frames import unit_to_angles
from foleyspace_host.hrtf.prepared import Hrtf
from foleyspace_host.hrtf.refine import lattice

netCDF4 = pytest.importorskip("netCDF4")


@pytest.fixture
def write_set(tmp_path: Path, kemar_44k: Hrtf):
    """Write a set of many directions, each with the nearest response of KEMAR."""

    def write(n_directions: int, n_taps: int = 256) -> Path:
        unit = lattice(n_directions)
        nearest = (unit @ kemar_44k.mesh.unit.T).argmax(axis=1)
        hrirs = np.zeros((n_directions, 2, n_taps), np.float32)
        length = min(n_taps, kemar_44k.n_taps)
        hrirs[..., :length] = kemar_44k.responses[nearest, :, :length]
        azimuth, elevation = unit_to_angles(unit)
        path = tmp_path / f"{n_directions}.sofa"
        with netCDF4.Dataset(path, "w") as file:
            for name, value in (("SOFAConventions", "SimpleFreeFieldHRIR"), ("DataType", "FIR")):
                file.setncattr(name, value)
            for name, size in {"I": 1, "C": 3, "R": 2, "E": 1, "M": n_directions, "N": n_taps}.items():
                file.createDimension(name, size)
            for name, dimensions, value in (
                ("Data.IR", ("M", "R", "N"), hrirs),
                ("Data.SamplingRate", ("I",), [44_100.0]),
                ("SourcePosition", ("M", "C"), np.stack([azimuth, elevation, np.ones(n_directions)], axis=1)),
                ("ReceiverPosition", ("R", "C", "I"), [[[0.0], [0.09], [0.0]], [[0.0], [-0.09], [0.0]]]),
            ):
                file.createVariable(name, "f8", dimensions, compression="zlib", complevel=1)[:] = value
            file["SourcePosition"].Type = "spherical"
            file["SourcePosition"].Units = "degree, degree, metre"
        return path

    return write


LOAD = """
import sys
from foleyspace_host.hrtf.prepare import load_hrtf
load_hrtf(sys.argv[1], 48000)
print(int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's own peak of memory")
def test_twelve_thousand_directions_in_little_memory(write_set) -> None:
    path = write_set(11_950)
    done = subprocess.run([sys.executable, "-c", LOAD, str(path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 500
