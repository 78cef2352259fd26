"""The measured set that ships, raw and prepared."""

from __future__ import annotations

from importlib.resources import as_file, files

import pytest

from foleyspace_host.hrtf.prepare import DEFAULT_SOFA, Hrtf, load_hrtf
from foleyspace_host.hrtf.sofa import MeasuredHrirs, read_sofa


@pytest.fixture(scope="session")
def kemar() -> MeasuredHrirs:
    with as_file(files("foleyspace_host.hrtf") / "assets" / DEFAULT_SOFA) as path:
        return read_sofa(path)


@pytest.fixture(scope="session")
def kemar_44k() -> Hrtf:
    return load_hrtf(None, 44_100)
