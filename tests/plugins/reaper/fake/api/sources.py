"""PCM sources."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fake.errors import Violation
from fake.media import kind_of_file, media_info
from fake.model import Source
from fake.registry import call

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


@call
def PCM_Source_CreateFromFile(reaper: FakeReaper, path: str) -> Source | None:
    if not os.path.isabs(path):
        raise Violation(f"a source from the relative path {path!r}")
    if not Path(os.fsencode(path).decode("utf-8", "surrogateescape")).is_file():
        return None
    source = Source(kind_of_file(path), path)
    reaper.sources.append(source)
    return source


@call
def PCM_Source_CreateFromFileEx(reaper: FakeReaper, path: str, no_midi: bool) -> Source | None:
    return PCM_Source_CreateFromFile(reaper, path)


@call
def PCM_Source_Destroy(reaper: FakeReaper, source: Source) -> None:
    used = any(take.source is source for project in reaper.projects for item in project.items for take in item.takes)
    if used:
        raise Violation("a source is destroyed that a take still plays")
    source.destroyed = True


@call
def PCM_Source_BuildPeaks(reaper: FakeReaper, source: Source, mode: int) -> int:
    if mode not in (0, 1, 2):
        raise Violation(f"PCM_Source_BuildPeaks knows no mode {mode}")
    # 0 begins (0 back: nothing left to do), 1 runs (percent left), 2 finishes
    if mode == 0:
        reaper.peaks_built.append(source)
    return 0


@call
def GetMediaSourceFileName(reaper: FakeReaper, source: Source) -> str:
    # a section has no file of its own: the walk to the root is the script's
    return source.path


@call
def GetMediaSourceType(reaper: FakeReaper, source: Source) -> str:
    return source.kind


@call
def GetMediaSourceParent(reaper: FakeReaper, source: Source) -> Source | None:
    return source.parent


@call
def GetMediaSourceLength(reaper: FakeReaper, source: Source) -> tuple[float, bool]:
    if source.length_quarter_notes is not None:
        return source.length_quarter_notes, True
    return source_length_s(source), False


@call
def GetMediaSourceNumChannels(reaper: FakeReaper, source: Source) -> int:
    info = media_info(source.root())
    return 0 if info is None else info.channels


@call
def GetMediaSourceSampleRate(reaper: FakeReaper, source: Source) -> int:
    info = media_info(source.root())
    return 0 if info is None else info.rate_hz


@call
def PCM_Source_GetSectionInfo(reaper: FakeReaper, source: Source) -> tuple[bool, float, float, bool]:
    if source.parent is None:
        return False, 0.0, 0.0, False
    return True, source.start_s, source_length_s(source), source.reverse


def source_length_s(source: Source) -> float:
    """Length of what a source plays, sections included."""
    if source.parent is not None:
        rest = source_length_s(source.parent) - source.start_s
        return min(source.length_s, rest) if source.length_s else rest
    info = media_info(source)
    return 0.0 if info is None else info.duration_s
