"""Errors as bodies of messages."""

from __future__ import annotations

from foleyspace_host.errors import FoleySpaceError
from foleyspace_host.protocol.messages import Error

__all__ = ["failure"]

_LONGEST = 4096


def failure(error: BaseException) -> Error:
    """Return what clients are told of an error.

    Parameters
    ----------
    error : BaseException
        A deliberate error, or any other: of that only its type is told, for its text may hold anything.

    Returns
    -------
    Error
    """
    if isinstance(error, FoleySpaceError):
        return Error(
            code=error.code,
            message=_line(error.problem) or error.code,
            where=_line(error.where),
            cure=_line(error.cure),
            retryable=error.retryable,
        )
    if isinstance(error, MemoryError):
        return Error(code="out_of_memory", message="there was not enough memory", cure="close other programs")
    return Error(
        code="internal",
        message=f"an error in FoleySpace itself ({type(error).__name__})",
        cure="look into the host's log, and report it",
    )


def _line(text: str | None) -> str | None:
    return None if text is None else " ".join(text.split())[:_LONGEST]
