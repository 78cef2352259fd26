"""Lists, folders and patterns: what they name, and which line of them is wrong."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.batch.listing import Wanted, wanted
from foleyspace_host.batch.lists import FIELDS, read_list
from foleyspace_host.errors import InvalidInput


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def names(found: list[Wanted], folder: Path) -> list[str]:
    return [one.main.relative_to(folder).as_posix() for one in found]


def test_a_text_has_a_path_in_each_line_and_columns_by_tabs(tmp_path: Path) -> None:
    listed = write(tmp_path / "l.txt", "\ufeff# mine\n\na, b.mp4\nc.mp4\tc.wav\td.wav\n  sub/e.otio\n")
    first, second, third = wanted([listed], tmp_path / "out")
    assert first == Wanted(f"{listed}, line 3", video=tmp_path / "a, b.mp4")
    assert second == Wanted(f"{listed}, line 4", video=tmp_path / "c.mp4", sound=tmp_path / "c.wav", out="d.wav")
    assert third == Wanted(f"{listed}, line 5", timeline=tmp_path / "sub" / "e.otio")


@pytest.mark.parametrize("head", ["", "video,sound,out\n"])
def test_csv_with_and_without_a_head(tmp_path: Path, head: str) -> None:
    listed = write(tmp_path / "l.csv", f'{head}a.mp4\n"b,1.mp4",b.wav,x/b.wav\n')
    first, second = wanted([listed], tmp_path / "out")
    assert first.video == tmp_path / "a.mp4"
    assert (second.video, second.sound, second.out) == (tmp_path / "b,1.mp4", tmp_path / "b.wav", "x/b.wav")


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        '"a.mp4"',
        '{"video": "b.mp4", "label": "car", "prompt": null}',
        '{"sound": "s.wav", "trajectory": "t.csv"}',
    ]
    listed = write(tmp_path / "l.jsonl", "\n".join(lines))
    first, second, third = wanted([listed], tmp_path / "out")
    assert first.video == tmp_path / "a.mp4"
    assert (second.video, second.label, second.prompt) == (tmp_path / "b.mp4", "car", None)
    assert (third.video, third.sound, third.trajectory) == (None, tmp_path / "s.wav", tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("name", "text", "line", "problem"),
    [
        ("l.txt", "a.mp4\nb\tc\td\te\n", 2, "has 4 columns"),
        ("l.csv", "video,colour\na.mp4,red\n", 1, "'colour' is unknown"),
        ("l.csv", "a,b,c\na,b,c,d\n", 2, "has 4 columns"),
        ("l.csv", 'a.mp4\n"b.mp4', 2, "is no CSV"),
        ("l.jsonl", '"a.mp4"\n\n{"video": 3}\n', 3, "not an object of texts"),
        ("l.jsonl", '"a.mp4"\n{"video": "b.mp4"\n', 2, "is no JSON"),
        ("l.jsonl", '{"film": "b.mp4"}\n', 1, "'film' is unknown"),
        ("l.jsonl", "[" * 100_000, 1, "nested too deeply"),
        ("l.jsonl", '{"sound": "s.wav"}\n', 1, "nothing to look at"),
        ("l.jsonl", '{"timeline": "t.otio", "sound": "s.wav"}\n', 1, "goes alone"),
        ("l.jsonl", '{"video": "v.mp4", "sound": "s.wav", "prompt": "rain"}\n', 1, "leaves none to be made"),
        ("l.jsonl", '"a.mp4"\n"b\\u0000.mp4"\n', 2, "zero byte"),
        ("l.txt", "nothing*.mp4\n", 1, "nothing is called like"),
        ("l.txt", "a.mp4\n" + 300 * "x" + "\n", 2, "cannot be a path"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, name: str, text: str, line: int, problem: str) -> None:
    listed = write(tmp_path / name, text)
    with pytest.raises(InvalidInput, match=problem) as caught:
        wanted([listed], tmp_path / "out")
    assert caught.value.where == f"{listed}, line {line}"
    assert caught.value.cure


def test_of_several_bad_lines_the_first_is_named_and_all_are_counted(tmp_path: Path) -> None:
    listed = write(tmp_path / "l.jsonl", '{"a": ""}\n"good.mp4"\n7\n8\n')
    with pytest.raises(InvalidInput, match="2 more like this") as caught:
        wanted([listed], tmp_path / "out")
    assert caught.value.where == f"{listed}, line 1"


@pytest.mark.parametrize("content", [b"", b"\n# nothing\n"])
def test_an_empty_list(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "l.txt").write_bytes(content)
    with pytest.raises(InvalidInput, match="empty"):
        wanted([tmp_path / "l.txt"], tmp_path)


def test_lists_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        wanted([tmp_path / "l.txt"], tmp_path)
    (tmp_path / "l.csv").write_bytes(b"a.mp4\n\xff\xfe.mp4\n")
    with pytest.raises(InvalidInput, match="UTF-8") as caught:
        wanted([tmp_path / "l.csv"], tmp_path)
    assert caught.value.where == f"{tmp_path / 'l.csv'}, line 2"


def test_folders_and_patterns_keep_apart_what_lies_apart(tmp_path: Path) -> None:
    for name in ("a/x.mp4", "b/x.MOV", "b/cut.otio", "b/notes.doc", ".hidden/x.mp4", "b/.x.mp4", "out/old.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "b" / "bundle.otiod" / "media").mkdir(parents=True)
    (tmp_path / "b" / "bundle.otiod" / "media" / "m.mov").touch()
    found = wanted([tmp_path], tmp_path / "out")
    assert names(found, tmp_path) == ["a/x.mp4", "b/bundle.otiod", "b/cut.otio", "b/x.MOV"]
    assert [one.below.as_posix() for one in found] == ["a", "b", "b", "b"]
    found = wanted([tmp_path / "*" / "x.*"], tmp_path / "out")
    assert names(found, tmp_path) == ["a/x.mp4", "b/x.MOV"]
    assert [one.below.as_posix() for one in found] == ["a", "b"]
    listed = write(tmp_path / "l.txt", "b/*.MOV\na\n")
    assert names(wanted([listed], tmp_path / "out"), tmp_path) == ["b/x.MOV", "a/x.mp4"]


def test_a_name_with_a_star_in_it_is_a_name_if_it_exists(tmp_path: Path) -> None:
    (tmp_path / "a[1].mp4").touch()
    assert names(wanted([tmp_path / "a[1].mp4"], tmp_path / "out"), tmp_path) == ["a[1].mp4"]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no video"):
        wanted([tmp_path], tmp_path / "out")


def test_what_is_named_twice_is_there_once(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    assert len(wanted([tmp_path / "a.mp4", tmp_path / "a.mp4"], tmp_path / "out")) == 1


CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["C", "Z"]), min_size=1, max_size=9
)
ROWS = st.lists(st.dictionaries(st.sampled_from(FIELDS), CELLS, min_size=1), min_size=1, max_size=6)


@given(rows=ROWS)
def test_what_is_written_is_read(rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("lists")
    write(folder / "l.jsonl", "\n".join(json.dumps(row) for row in rows))
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS)
    writer.writeheader()
    writer.writerows(rows)
    write(folder / "l.csv", text.getvalue())
    for name in ("l.jsonl", "l.csv"):
        wrong: list[InvalidInput] = []
        assert [row for _, row in read_list(folder / name, wrong)] == rows
        assert not wrong


# without "/", for that is a folder with much in it
@given(
    content=st.binary(max_size=200).filter(lambda some: b"/" not in some),
    suffix=st.sampled_from([".txt", ".csv", ".jsonl"]),
)
def test_any_bytes_are_a_list_or_one_clear_error(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lists") / f"l{suffix}"
    path.write_bytes(content)
    told = None
    try:
        wanted([path], path.parent / "out")
    except InvalidInput as error:
        told = error
    assert told is None or told.where
