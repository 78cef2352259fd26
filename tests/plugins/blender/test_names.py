"""What only newer versions of Blender have is named in `compat` alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).resolve().parents[3] / "plugins" / "blender" / "foleyspace").rglob("*.py"))

NEWER = {
    "Strip": "4.4 calls it so, 4.2 Sequence",
    "strips": "4.4 has it, 4.2 sequences",
    "strips_all": "4.4 has it, 4.2 sequences_all",
    "sequences": "gone with 5.0",
    "sequences_all": "gone with 5.0",
    "frame_final_start": "5.2 warns of it",
    "frame_final_end": "5.2 warns of it",
    "frame_start_offset": "5.2 warns of it",
    "left_handle": "from 5.2 on",
    "right_handle": "from 5.2 on",
    "content_start": "from 5.2 on",
    "sequencer_scene": "from 5.0 on",
    "sound_offset": "from 4.3 on",
    "fcurves": "gone from actions with 5.0",
}


def evaluated(tree: ast.AST, lazy: bool) -> list[ast.Attribute]:
    """Return the attributes that running a module looks up; annotations are not among them where they are `lazy`."""
    skipped = set()
    if lazy:
        for node in ast.walk(tree):
            for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
                if annotation is not None:
                    skipped |= {id(inner) for inner in ast.walk(annotation)}
    return [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and id(node) not in skipped]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_module_but_compat_needs_a_certain_version(path):
    if path.name == "compat.py":
        return
    text = path.read_text(encoding="utf-8")
    for node in evaluated(ast.parse(text), "from __future__ import annotations" in text):
        own = isinstance(node.value, ast.Name) and node.value.id in {"compat", "self", "strips"}
        assert own or node.attr not in NEWER, f"{path.name}:{node.lineno}: {node.attr}: {NEWER[node.attr]}"
