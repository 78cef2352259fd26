"""Words as the numbers that models take: CLIP's byte pairs and BERT's word pieces, from the models' own files.

Typed labels are short and plain; the two schemes are small. A library for them would bring a client for a model
hub and what that needs along.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from foleyspace_host.errors import ModelUnavailable

__all__ = ["BytePairs", "WordPieces", "read_words"]

_START, _END = "<|startoftext|>", "<|endoftext|>"
# English contractions, words and signs; numerals, which stand alone, have got spaces around them before
_PARTS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W_]+|(?:[^\s\w]|_)+")
_LONGEST_WORD = 100


class BytePairs:
    """CLIP's tokenizer: lower case, byte pairs, each word's end marked (Radford and others, 2021).

    Parameters
    ----------
    vocabulary : dict of str to int
        Number of each piece.
    merges : sequence of (str, str)
        Pairs that become one, the first to be joined first.
    """

    def __init__(self, vocabulary: dict[str, int], merges: Sequence[tuple[str, str]]) -> None:
        self._number = vocabulary
        self._rank = {pair: rank for rank, pair in enumerate(merges)}
        self.start, self.end = vocabulary[_START], vocabulary[_END]

    def numbers(self, text: str) -> list[int]:
        """Return the numbers of a text's pieces, without the marks of its start and end."""
        letters = _letters()
        plain = unicodedata.normalize("NFC", text).lower()
        spaced = "".join(f" {sign} " if unicodedata.category(sign)[0] == "N" else sign for sign in plain)
        found = []
        for word in _PARTS.findall(spaced):
            pieces = [letters[byte] for byte in word.encode("utf-8")]
            pieces[-1] += "</w>"
            found += [self._number.get(piece, self.end) for piece in self._joined(pieces)]
        return found

    def _joined(self, pieces: list[str]) -> list[str]:
        while len(pieces) > 1:
            best = min(pairwise(pieces), key=lambda pair: self._rank.get(pair, len(self._rank)))
            if best not in self._rank:
                break
            joined, at = [], 0
            while at < len(pieces):
                pair = tuple(pieces[at : at + 2])
                joined.append("".join(pair) if pair == best else pieces[at])
                at += 2 if pair == best else 1
            pieces = joined
        return pieces


class WordPieces:
    """BERT's tokenizer without case: words and signs, the longest known pieces first (Devlin and others, 2018).

    Parameters
    ----------
    vocabulary : dict of str to int
        Number of each piece.
    """

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._number = vocabulary
        self.start, self.end = vocabulary["[CLS]"], vocabulary["[SEP]"]
        self._unknown = vocabulary["[UNK]"]

    def numbers(self, text: str) -> list[int]:
        """Return the numbers of a text's pieces, without the marks of its start and end."""
        plain = unicodedata.normalize("NFD", text.lower())
        spaced = "".join(f" {sign} " if _stands_alone(sign) else sign for sign in plain if _counts(sign))
        return [number for word in spaced.split() for number in self._pieces(word)]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self._unknown]
        found, start = [], 0
        while start < len(word):
            mark = "##" if start else ""
            end = len(word)
            while end > start and mark + word[start:end] not in self._number:
                end -= 1
            if end == start:
                return [self._unknown]
            found.append(self._number[mark + word[start:end]])
            start = end
        return found


def read_words(files: Sequence[str | Path]) -> BytePairs | WordPieces:
    """Read a tokenizer.

    Parameters
    ----------
    files : sequence of str or Path
        One ``tokenizer.json``; or the two files ``vocab.json`` and ``merges.txt`` in any order; or one
        ``vocab.txt``.

    Returns
    -------
    BytePairs or WordPieces

    Raises
    ------
    ModelUnavailable
        If they are none of these.
    """
    where = ", ".join(str(file) for file in files)
    try:
        texts = {Path(file).suffix.lower(): Path(file).read_text(encoding="utf-8") for file in files}
        if set(texts) == {".json"}:
            return _from_one_file(json.loads(texts[".json"])["model"])
        if set(texts) == {".json", ".txt"}:
            lines = (line.split() for line in texts[".txt"].splitlines() if not line.startswith("#version"))
            return BytePairs(json.loads(texts[".json"]), [(line[0], line[1]) for line in lines if len(line) == 2])
        if set(texts) == {".txt"}:
            return WordPieces({line.strip(): number for number, line in enumerate(texts[".txt"].splitlines())})
        problem = "not what turns words into numbers"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError, IndexError) as error:
        problem = f"not what turns words into numbers ({type(error).__name__}: {error})"
    cure = "give the model's tokenizer.json, or its vocab.json and merges.txt, or its vocab.txt"
    raise ModelUnavailable(problem, where=where, cure=cure)


def _from_one_file(model: dict[str, Any]) -> BytePairs | WordPieces:
    if "merges" not in model:
        return WordPieces(model["vocab"])
    pairs = [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]]
    return BytePairs(model["vocab"], [(first, second) for first, second in pairs])


@cache
def _letters() -> dict[int, str]:
    """Return a letter for each byte: itself where it can be printed, else one beyond 255 (as GPT-2 has it)."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    return {byte: chr(byte) for byte in printed} | {byte: chr(256 + at) for at, byte in enumerate(others)}


def _counts(sign: str) -> bool:
    """Say whether a sign is part of the text: accents, controls and what is no character are not."""
    category = unicodedata.category(sign)
    return sign.isspace() or (category[0] != "C" and category != "Mn" and sign != "\ufffd")


def _stands_alone(sign: str) -> bool:
    """Say whether a sign is a word by itself: punctuation, ASCII's other signs, and Chinese characters."""
    code = ord(sign)
    ascii_sign = 33 <= code < 127 and not sign.isalnum()
    chinese = 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0x20000 <= code <= 0x2CEAF
    return ascii_sign or chinese or 0xF900 <= code <= 0xFAFF or unicodedata.category(sign).startswith("P")
