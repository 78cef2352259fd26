"""The tests of the kernels run on every library that was compiled and that this processor runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foleyspace_host.kernels import library

NAMES = [name for name in library.compiled() if name == "baseline" or library.native().fs_cpu_has_avx2()]


@pytest.fixture(params=NAMES, autouse=True)
def compiled_for(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if not library.os.environ.get(library.KERNELS_VARIABLE):  # else the one that was asked for, over and over
        monkeypatch.setenv(library.KERNELS_VARIABLE, request.param)
    library.native.cache_clear()
    yield request.param
    library.native.cache_clear()
