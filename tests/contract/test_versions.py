"""What was released stays: examples are read forever, and schemas change only as their version says."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from example_frames import frames_of
from schema_changes import additions, breaks

from foleyspace_host.errors import ProtocolError
from foleyspace_host.protocol.catalogue import CATALOGUE
from foleyspace_host.protocol.frames import decode

ROOT = Path(__file__).resolve().parents[2]
V1 = "schemas/v1"


def present() -> dict[str, Any]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / V1).glob("*.json")}


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"git cannot tell what was released ({done.stderr.strip()[:80]})")
    return done.stdout


@cache
def releases() -> list[str]:
    """Tags in which there are schemas, the newest first."""
    tags = git("tag", "--list", "v*", "--sort=-creatordate").split()
    return [tag for tag in tags if git("ls-tree", "-r", "--name-only", tag, V1)]


def released(tag: str, folder: str) -> dict[str, str]:
    names = git("ls-tree", "-r", "--name-only", tag, folder).split()
    return {name: git("show", f"{tag}:{name}") for name in names if name.endswith(".json")}


def test_schemas_change_only_as_the_version_says() -> None:
    if not releases():
        pytest.skip("nothing was released yet: there is no tag with schemas")
    old = {
        Path(name).name: json.loads(text)
        for name, text in released(releases()[0], V1).items()
        if "/examples/" not in name
    }
    new = present()
    assert breaks(old, new) == []
    if additions(old, new):
        assert new["index.json"]["version"] > old["index.json"]["version"], "raise messages.PROTOCOL"


def test_L6_every_released_example_is_read_as_it_was() -> None:
    if not releases():
        pytest.skip("nothing was released yet: there is no tag with schemas")
    for tag in releases():
        for name, text in released(tag, f"{V1}/examples").items():
            assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name} is not what it was in {tag}"
            check(json.loads(text), "/valid/" in name)


def check(example: dict[str, Any], valid: bool) -> None:
    kind = example.get("header", {}).get("type")
    sender = CATALOGUE[kind].sender if valid else "client"
    if valid:
        assert decode(frames_of(example), sender=sender).header.type == kind
    else:
        with pytest.raises(ProtocolError):
            decode(frames_of(example))


def test_L6_every_example_of_today_is_read() -> None:
    files = list((ROOT / V1 / "examples").rglob("*.json"))
    assert len(files) > 100
    for path in files:
        check(json.loads(path.read_text(encoding="utf-8")), path.parent.name == "valid")


SUBMIT = "job.submit.schema.json"
BAD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "file gone": lambda s: s.pop("hello.schema.json"),
    "field gone": lambda s: s[SUBMIT]["properties"].pop("priority"),
    "field of a part gone": lambda s: s[SUBMIT]["$defs"]["Output"]["properties"].pop("stem"),
    "new field needed": lambda s: s[SUBMIT]["required"].append("priority"),
    "field no longer there for sure": lambda s: s["job.submit.ok.schema.json"]["required"].remove("job_id"),
    "type": lambda s: s[SUBMIT]["properties"]["priority"].update(type="number"),
    "bound": lambda s: s[SUBMIT]["properties"]["priority"].update(maximum=5),
    "bound gone": lambda s: s[SUBMIT]["properties"]["priority"].pop("maximum"),
    "default": lambda s: s[SUBMIT]["properties"]["preview"].update(default=True),
    "kind of job gone": lambda s: s[SUBMIT]["properties"]["job"]["anyOf"].pop(),
    "new value of a closed field": lambda s: s["preview.end.schema.json"]["properties"]["reason"]["enum"].append("x"),
    "code gone": lambda s: s["index.json"]["errors"].remove("busy"),
    "limit lower": lambda s: s["index.json"]["limits"].update(max_buffers=4),
    "other socket": lambda s: s["index.json"]["messages"]["health"].update(sockets=["work"]),
    "items": lambda s: s["hello.schema.json"]["properties"]["roots"]["items"].update(maxLength=9),
}
GOOD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "new file": lambda s: s.update({"job.pause.schema.json": {}}),
    "new field": lambda s: s[SUBMIT]["properties"].update(colour={"type": "string"}),
    "new part": lambda s: s[SUBMIT]["$defs"].update(PaintJob={"type": "object"}),
    "new kind of job": lambda s: s[SUBMIT]["properties"]["job"]["anyOf"].append({"$ref": "#/$defs/PaintJob"}),
    "limit higher": lambda s: s["index.json"]["limits"].update(max_buffers=100),
}
WORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "description": lambda s: s[SUBMIT].update(description="better words"),
    "description of a field": lambda s: s[SUBMIT]["properties"]["priority"].update(description="better words"),
    "new code": lambda s: s["index.json"]["errors"].append("tired"),
}


@pytest.mark.parametrize("name", [*BAD, *GOOD, *WORDS])
def test_changes_are_judged(name: str) -> None:
    old = present()
    new = copy.deepcopy(old)
    assert breaks(old, new) == []
    assert not additions(old, new)
    (BAD | GOOD | WORDS)[name](new)
    assert bool(breaks(old, new)) == (name in BAD)
    if name not in BAD:
        assert additions(old, new) == (name in GOOD)
