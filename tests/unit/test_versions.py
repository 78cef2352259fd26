"""Versions are those that the standard library finds."""

from __future__ import annotations

from importlib.metadata import distributions

from foleyspace_host.versions import installed_version


def test_all_versions_are_those_of_the_standard_library() -> None:
    seen: set[str] = set()
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name and name not in seen:  # the first on the path counts
            seen.add(name)
            assert installed_version(name) == distribution.version, name
    assert "numpy" in seen


def test_names_are_compared_as_pip_does() -> None:
    assert installed_version("OpenCV_Python.headless") == installed_version("opencv-python-headless") is not None
    assert installed_version("no-such-library-of-any-kind") is None
