"""Audio accessors of takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fake.accessor import Accessor
from fake.errors import Violation
from fake.model import Take
from fake.playing import take_channels, take_samples
from fake.registry import call

if TYPE_CHECKING:
    from fake.reaper import FakeReaper


@call
def CreateTakeAudioAccessor(reaper: FakeReaper, take: Take) -> Accessor | None:
    if take.source is None:
        return None
    accessor = Accessor(take, take.item.track.project.changes)
    reaper.accessors.append(accessor)
    return accessor


@call
def DestroyAudioAccessor(reaper: FakeReaper, accessor: Accessor) -> None:
    accessor.destroyed = True


@call
def AudioAccessorStateChanged(reaper: FakeReaper, accessor: Accessor) -> bool:
    return not reaper.alive(accessor.take) or accessor.take.item.track.project.changes != accessor.changes


@call
def AudioAccessorValidateState(reaper: FakeReaper, accessor: Accessor) -> bool:
    changed = AudioAccessorStateChanged(reaper, accessor)
    accessor.changes = accessor.take.item.track.project.changes
    return changed


@call
def AudioAccessorUpdate(reaper: FakeReaper, accessor: Accessor) -> None:
    AudioAccessorValidateState(reaper, accessor)


@call
def GetAudioAccessorStartTime(reaper: FakeReaper, accessor: Accessor) -> float:
    return 0.0


@call
def GetAudioAccessorEndTime(reaper: FakeReaper, accessor: Accessor) -> float:
    return accessor.take.item.length_s


@call
def GetAudioAccessorSamples(
    reaper: FakeReaper, accessor: Accessor, rate_hz: int, channels: int, start_s: float, count: int, room: int
) -> tuple[int, bytes | None]:
    """Fill the buffer, interleaved. 0: there is no audio in this stretch, 1: there is, -1: error."""
    if not reaper.alive(accessor.take):
        return -1, None
    own = take_channels(accessor.take)
    if channels != own:
        raise Violation(
            f"{channels} channels are asked of a source of {own}; what REAPER then gives is written nowhere"
        )
    if count < 1 or count * channels > room:
        raise Violation(f"{count} x {channels} samples do not fit into a buffer of {room}")
    samples = take_samples(accessor.take, start_s, count, rate_hz)
    if not samples.any():
        # the buffer is left as it was: whoever reads it must have cleared it
        return 0, None
    return 1, np.ascontiguousarray(samples.T, dtype="<f8").tobytes()
