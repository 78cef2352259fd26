"""The numbers and texts that messages are made of, with their bounds."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

__all__ = [
    "Body",
    "Count",
    "Denominator",
    "Digest",
    "FileStem",
    "Id",
    "Level",
    "Line",
    "Numerator",
    "Path",
    "Prompt",
    "Seconds",
    "Version",
    "VersionPart",
    "Word",
]

# \Z and not $, which Python also finds before a line feed at the end; the exported schemas say $
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+\Z")]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Prompt = Annotated[str, Meta(max_length=1000)]
Line = Annotated[str, Meta(max_length=4096)]
Path = Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[^\x00]+\Z", extra={"path": True})]
Digest = Annotated[str, Meta(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}\Z")]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Seconds = Annotated[float, Meta(ge=0.0, le=1e11)]  # also since 1970
Level = Annotated[float, Meta(ge=-120.0, le=60.0)]
FileStem = Annotated[str, Meta(min_length=1, max_length=128, pattern=r'^[^\x00-\x1f/\\:*?"<>|]+\Z')]
VersionPart = Annotated[int, Meta(ge=0, le=9999)]
Version = Annotated[tuple[VersionPart, VersionPart], Meta(description="major, minor")]
Numerator = Annotated[int, Meta(ge=0, le=1 << 53)]
Denominator = Annotated[int, Meta(ge=1, le=1 << 53)]


class Body(Struct, frozen=True, omit_defaults=True):
    """A message's body; forward compatible: unknown fields are no error here."""
