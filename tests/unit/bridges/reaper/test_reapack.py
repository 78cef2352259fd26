"""The index of ReaPack: complete, reproducible, and never changing what was published."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from pathlib import Path

import pytest

from foleyspace_host.bridges.reaper.folders import shipped
from foleyspace_host.bridges.reaper.reapack import check_index, make_index, read_package
from foleyspace_host.cli import main
from foleyspace_host.errors import InvalidInput

URL = "https://example.org/foleyspace/$version/$path"
TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

HEAD = """-- @description FoleySpace: put sounds where the picture shows them
-- @version 1.2.0
-- @author The FoleySpace developers
-- @about
--   # Title
--   Café {binaural}
-- @changelog
--   First & best
-- @provides
--   [main] FoleySpace_Other.lua
--   [nomain] lib/*.lua
--   [effect] effects/FoleySpace Position.jsfx
local here = 1
-- @version 9.9.9
"""


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - made here


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    (folder / "lib" / "deep").mkdir(parents=True)
    (folder / "effects").mkdir()
    (folder / "FoleySpace_One.lua").write_text(HEAD, encoding="utf-8")
    (folder / "FoleySpace_Other.lua").write_text("-- @noindex\n")
    for name in ("lib/a.lua", "lib/b.lua", "lib/deep/c.lua", "effects/FoleySpace Position.jsfx"):
        (folder / name).write_text("")
    return folder


def test_the_package_is_what_its_head_says(scripts: Path) -> None:
    package = read_package(scripts)
    assert package.tags["version"] == "1.2.0"
    assert package.tags["about"] == "# Title\nCafé {binaural}"
    assert package.files == (
        ("FoleySpace_One.lua", "script", True),
        ("FoleySpace_Other.lua", "script", True),
        ("lib/a.lua", "script", False),
        ("lib/b.lua", "script", False),
        ("effects/FoleySpace Position.jsfx", "effect", False),
    )


def test_the_index_says_it_in_xml(scripts: Path) -> None:
    root = parsed(make_index(scripts, URL, time=TIME))
    [entry] = root.iter("reapack")
    assert entry.get("desc") == "FoleySpace: put sounds where the picture shows them"
    [version] = entry.iter("version")
    assert version.attrib == {
        "name": "1.2.0",
        "author": "The FoleySpace developers",
        "time": "2026-01-02T03:04:05Z",
    }
    assert version.findtext("changelog") == "First & best"
    first, other, *_, effect = version.iter("source")
    assert (first.get("file"), first.get("main")) == (None, "main")
    assert first.text == "https://example.org/foleyspace/1.2.0/FoleySpace_One.lua"
    assert (other.get("file"), other.get("main")) == ("FoleySpace_Other.lua", "main")
    assert effect.attrib == {"file": "FoleySpace Position.jsfx", "type": "effect"}
    assert effect.text == "https://example.org/foleyspace/1.2.0/effects/FoleySpace%20Position.jsfx"
    assert "Caf\\u233? \\{binaural\\}" in (entry.findtext("metadata/description") or "")


def test_the_same_scripts_make_the_same_bytes(scripts: Path) -> None:
    assert make_index(scripts, URL, time=TIME) == make_index(scripts, URL, time=TIME)


def test_versions_that_were_published_stay_as_they_were(scripts: Path) -> None:
    first = make_index(scripts, URL, time=TIME)
    (scripts / "FoleySpace_One.lua").write_text(HEAD.replace("1.2.0", "1.3.0", 1), encoding="utf-8")
    (scripts / "lib" / "b.lua").unlink()
    second = make_index(scripts, URL, first, time=TIME.replace(year=2027))
    versions = list(parsed(second).iter("version"))
    assert [version.get("name") for version in versions] == ["1.2.0", "1.3.0"]
    assert [len(version.findall("source")) for version in versions] == [5, 4]
    assert versions[0].get("time") == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("tag", ["description", "version", "author", "about", "changelog", "provides"])
def test_a_head_that_lacks_something_is_refused(scripts: Path, tag: str) -> None:
    head = HEAD.replace(f"@{tag}", "@unused", 1)
    (scripts / "FoleySpace_One.lua").write_text(head, encoding="utf-8")
    with pytest.raises(InvalidInput, match=f"@{tag}"):
        read_package(scripts)


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        ("lib/*.lua", "lib/none.lua", "no file"),
        ("[nomain]", "[nowhere]", "nowhere"),
        ("@version 1.2.0", "@version newest", "newest"),
        ("[effect] effects/FoleySpace Position.jsfx", "[effect] ../secret", "no file"),
    ],
)
def test_a_head_that_cannot_be_meant_is_refused(scripts: Path, before: str, after: str, match: str) -> None:
    (scripts / "FoleySpace_One.lua").write_text(HEAD.replace(before, after), encoding="utf-8")
    with pytest.raises(InvalidInput, match=match):
        make_index(scripts, URL)


def test_two_packages_are_one_too_many(scripts: Path) -> None:
    (scripts / "FoleySpace_Two.lua").write_text(HEAD, encoding="utf-8")
    with pytest.raises(InvalidInput, match="noindex"):
        read_package(scripts)


@pytest.mark.parametrize("url", ["file:///x/$path", "https://example.org/", "example.org/$path"])
def test_an_address_that_cannot_be_is_refused(scripts: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match="address"):
        make_index(scripts, url)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('version="1"', 'version="2"'),
        ('time="2026-01-02T03:04:05Z"', 'time="yesterday"'),
        ('author="The FoleySpace developers"', ""),
        ('main="main"', 'main="everywhere"'),
        ("https://example.org/foleyspace/1.2.0/lib/a.lua", "lib/a.lua"),
        ('file="lib/a.lua"', 'file="../a.lua"'),
        ('file="lib/a.lua"', 'file="lib/b.lua"'),
        ("<index", "<!DOCTYPE index><index"),
        ("</index>", ""),
        ("<reapack", "<package"),
    ],
)
def test_the_checker_finds_what_is_wrong(scripts: Path, before: str, after: str) -> None:
    text = make_index(scripts, URL, time=TIME)
    check_index(text)
    assert before in text
    changed = text.replace(before, after).replace("</reapack>", "</package>" if "<package" in after else "</reapack>")
    with pytest.raises(InvalidInput, match=r"index\.xml"):
        check_index(changed)


def test_the_command_writes_the_index_of_what_ships(tmp_path: Path) -> None:
    out = tmp_path / "index.xml"
    words = ["reaper", "index", "--url", URL, "-o", str(out)]
    assert main(words) == 0
    assert main(words) == 0  # over the one before
    text = out.read_text(encoding="utf-8")
    check_index(text)
    listed = {source.get("file") for source in parsed(text).iter("source")}
    files = {path.relative_to(shipped()).as_posix() for path in shipped().rglob("*.lua")}
    package = read_package(shipped())
    assert listed == {None, "FoleySpace Loudness.jsfx", "FoleySpace Position.jsfx"} | files - {package.file}
