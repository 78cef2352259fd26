"""Words as numbers, against numbers that were published, and rules that were written down."""

from __future__ import annotations

import json

import pytest

from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.localize.see.words import BytePairs, WordPieces, read_words

MARKS = ["<|startoftext|>", "<|endoftext|>"]
# a corner of CLIP's own vocabulary: "a photo of a cat" is 320 1125 539 320 2368 between 49406 and 49407
CLIP = {"a</w>": 320, "photo</w>": 1125, "of</w>": 539, "cat</w>": 2368, MARKS[0]: 49406, MARKS[1]: 49407}
MERGES = ["p h", "ph o", "t o</w>", "pho to</w>", "o f</w>", "c a", "ca t</w>"]

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    ".",
    "steam",
    "train",
    "##s",
    "ke",
    "##tt",
    "##le",
    "火",
    "cafe",
    "-",
    "!",
]
BERT = {piece: number for number, piece in enumerate(PIECES)}


@pytest.fixture(params=["one file", "one file, pairs", "two files"])
def clip(request, tmp_path):
    if request.param == "two files":
        (tmp_path / "vocab.json").write_text(json.dumps(CLIP))
        (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES]))
        return read_words([tmp_path / "merges.txt", tmp_path / "vocab.json"])
    merges = MERGES if request.param == "one file" else [merge.split() for merge in MERGES]
    model = {"type": "BPE", "vocab": CLIP, "merges": merges}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": model}))
    return read_words([tmp_path / "tokenizer.json"])


@pytest.fixture(params=["tokenizer.json", "vocab.txt"])
def bert(request, tmp_path):
    path = tmp_path / request.param
    one_file = {"model": {"type": "WordPiece", "vocab": BERT}}
    path.write_text(json.dumps(one_file) if path.suffix == ".json" else "\n".join(BERT) + "\n")
    return read_words([path])


def test_byte_pairs_are_clip_s(clip):
    assert isinstance(clip, BytePairs)
    assert (clip.start, clip.end) == (49406, 49407)
    for text in ("a photo of a cat", "  A Photo\tof a CAT "):
        assert clip.numbers(text) == [320, 1125, 539, 320, 2368]


def test_byte_pairs_break_words_as_clip_does():
    bytes_of = {f"{letter}{end}": ord(letter) * 2 + bool(end) for letter in "abcst'0123_-!" for end in ("", "</w>")}
    words = BytePairs(bytes_of | dict.fromkeys(MARKS, 999), [])

    def shown(text):
        return words.numbers(text)

    end = {letter: ord(letter) * 2 + 1 for letter in "abcst'0123_-!"}
    inner = {letter: ord(letter) * 2 for letter in "abcst'0123_-!"}
    assert shown("ab") == [inner["a"], end["b"]]
    assert shown("a1") == [end["a"], end["1"]]
    assert shown("12") == [end["1"], end["2"]]  # each numeral alone
    assert shown("a's") == [end["a"], inner["'"], end["s"]]  # a contraction is one part
    assert shown("a-_!b") == [end["a"], inner["-"], inner["_"], end["!"], end["b"]]  # signs stay together
    assert shown("é") == [999, 999]  # bytes that the vocabulary lacks
    assert shown("") == []


def test_the_first_merge_of_the_list_comes_first():
    vocabulary = {"ab": 1, "c</w>": 2, "a": 3, "bc</w>": 4, "b": 5} | dict.fromkeys(MARKS, 0)
    assert BytePairs(vocabulary, [("a", "b"), ("b", "c</w>")]).numbers("abc") == [1, 2]
    assert BytePairs(vocabulary, [("b", "c</w>"), ("a", "b")]).numbers("abc") == [3, 4]


def test_word_pieces_are_bert_s(bert):
    assert isinstance(bert, WordPieces)
    assert (bert.start, bert.end) == (2, 3)
    assert bert.numbers("Steam trains.") == [5, 6, 7, 4]
    assert bert.numbers("kettle") == [8, 9, 10]  # the longest known piece first
    assert bert.numbers("kettlex") == [1]  # a word of which one piece is unknown is unknown
    assert bert.numbers("Café-TRAIN!") == [12, 13, 6, 14]  # accents go, signs stand alone
    assert bert.numbers("火train") == [11, 6]
    assert bert.numbers("st\ufffdeam tr\xadain") == [5, 6]  # what stands for no character, and what is not seen
    assert bert.numbers("x" * 200) == [1]
    assert bert.numbers("") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", "no JSON"),
        ("tokenizer.json", "{}"),
        ("tokenizer.json", '{"model": {"vocab": [["a", 0]]}}'),
        ("tokenizer.json", '{"model": {"vocab": {}, "merges": []}}'),
        ("vocab.txt", "a\nb\n"),
        ("vocab.bin", "x"),
    ],
)
def test_what_is_no_tokenizer_is_one_clear_line(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(
        ModelUnavailable, match=rf"{name}: not what turns words .*give the model's tokenizer\.json"
    ) as it:
        read_words([tmp_path / name])
    assert "\n" not in str(it.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelUnavailable, match=r"vocab\.txt: cannot be read"):
        read_words([tmp_path / "vocab.txt"])
