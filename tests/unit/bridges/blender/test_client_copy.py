"""The extension's client is the host's, to the byte."""

from __future__ import annotations

from pathlib import Path

import foleyspace_host
from foleyspace_host import client
from foleyspace_host.bridges.blender.package import source_folder, source_version


def test_the_extension_carries_this_very_client() -> None:
    source = source_folder()
    assert source is not None
    assert (source / "client.py").read_bytes() == Path(client.__file__).read_bytes()


def test_extension_and_host_have_one_version() -> None:
    source = source_folder()
    assert source is not None
    assert source_version(source) == foleyspace_host.__version__
