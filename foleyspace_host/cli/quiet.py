"""Keeps the remarks of C libraries off the user's terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet_libraries"]


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Let only Python write to standard error while the block runs.

    Decoders written in C print remarks on damaged files straight to descriptor 2, beside the one line that
    the user shall read. Descriptor 2 leads nowhere during the block, and `sys.stderr` to where it led before.
    Nothing is changed where `sys.stderr` is not descriptor 2, nor under ``python -X ...``, whose user wants
    to hear more.
    """
    before = sys.stderr
    try:
        own = before.fileno() == 2
    except (AttributeError, OSError, ValueError):  # None without a console, a buffer in tests
        own = False
    if not own or sys._xoptions:
        yield
        return
    before.flush()
    copy, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(os.dup(copy), "w", buffering=1, encoding=before.encoding, errors="backslashreplace")
    try:
        yield
    finally:
        ours, sys.stderr = sys.stderr, before
        ours.close()
        os.dup2(copy, 2)
        os.close(copy)
