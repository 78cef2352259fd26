"""The files that belong to an ONNX file: its weights, where they are apart, and what turns words into numbers."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

__all__ = ["digest_of", "tokenizer_beside", "weights_beside"]

_TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("vocab.txt",))


def weights_beside(file: Path) -> list[Path]:
    """Return the files beside an ONNX file that hold its weights, as exporters name them."""
    names = (f"{file.name}_data", f"{file.name}.data", f"{file.stem}.data", f"{file.stem}.weight")
    beside = [file.with_name(name) for name in names]
    beside += sorted(file.parent.glob(f"{_escaped(file.name)}_data_[0-9]*"))
    return [path for path in beside if path.is_file()]


def tokenizer_beside(file: Path) -> tuple[Path, ...]:
    """Return the files for words that lie beside an ONNX file or one folder above, as model hubs lay them out.

    Parameters
    ----------
    file : Path
        An ONNX file.

    Returns
    -------
    tuple of Path
        ``tokenizer.json``, or ``vocab.json`` and ``merges.txt``, or ``vocab.txt``; empty if there are none.
    """
    for place in (file.parent, file.absolute().parent.parent):
        for names in _TOKENIZERS:
            paths = tuple(place / name for name in names)
            if all(path.is_file() for path in paths):
                return paths
    return ()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, lower-case hexadecimal; raises OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
