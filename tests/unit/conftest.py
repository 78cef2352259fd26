"""The measured set that ships, raw and prepared; stand-ins for models that do not."""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from foleyspace_host.hrtf.prepare import DEFAULT_SOFA, Hrtf, load_hrtf
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "stand_ins"))


@pytest.fixture(scope="session")
def kemar() -> MeasuredHrirs:
    with as_file(files("foleyspace_host.hrtf") / "assets" / DEFAULT_SOFA) as path:
        return read_sofa(path)


@pytest.fixture(scope="session")
def kemar_44k() -> Hrtf:
    return load_hrtf(None, 44_100)
