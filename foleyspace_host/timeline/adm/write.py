"""Writing the rendered clips of a timeline as objects of an ADM file: dry sound, and where it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import InvalidInput, NonFinite, OutputUnwritable
from foleyspace_host.geometry.timebase import sample_at
from foleyspace_host.geometry.trajectory import Source
from foleyspace_host.geometry.trajectory_file import loads
from foleyspace_host.timeline.adm.blocks import Course, blocks_of, ticks_hz
from foleyspace_host.timeline.adm.document import AdmObject, axml, chna
from foleyspace_host.timeline.adm.dry import dry_voice
from foleyspace_host.timeline.adm.read import read_adm
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.mixdown import Playing

if TYPE_CHECKING:
    import numpy as np

    from foleyspace_host.media.sound_output import SoundOutput
    from foleyspace_host.pipeline.settings import RenderSettings

__all__ = ["MAX_TRACKS", "write_adm"]

MAX_TRACKS = 256
_BLOCK_SAMPLES = 1 << 15
_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}
_BITS = {"PCM_16": 16, "PCM_24": 24, "FLOAT": 32}
_NEAR_DEG, _NEAR_RATIO = 1e-4, 1e-5  # of what the decimals of the file leave


@dataclass(frozen=True, slots=True)
class _Object:
    """A clip, or one source of it, in the file; of several sources the first one brings the sound."""

    rendered: Rendered
    source: Source
    playing: Playing
    track: int
    name: str
    sounds: bool


def write_adm(
    rendered: Sequence[Rendered],
    out: Path,
    duration_s: Fraction,
    settings: RenderSettings,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the dry sounds of clips and their positions, and read them back.

    Parameters
    ----------
    rendered : sequence of Rendered
        The clips.
    out : Path
        ``.wav`` file: integers of 24 bits unless `settings` say another coding. Beyond 4 GiB it is a BW64 file.
    duration_s : Fraction
        How long it is: as the timeline [s].
    settings : RenderSettings
        How the clips were rendered: `spread`, width and level go into positions, width and gain.
    on_progress : callable, optional
        Called as (done, total); raises Cancelled to stop.

    Raises
    ------
    InvalidInput
        If there are too many clips at once.
    FoleySpaceError
        A sound cannot be read, or the file not be written; nothing is left then.
    """
    from foleyspace_host.media.atomic import atomic_output, scratch_file
    from foleyspace_host.media.sound_output import SoundOutput, SoundShape

    def report(done: int) -> None:
        if on_progress is not None:
            on_progress(done, 2 * n_samples)

    rate = max(one.sample_rate_hz for one in rendered)
    n_samples = max(1, sample_at(duration_s, rate))
    subtype = _SUBTYPES[settings.bit_depth or "24"]
    with ExitStack() as files:
        objects = _objects(rendered, rate, out, files)
        n_tracks = 1 + max(one.track for one in objects)
        if n_tracks > MAX_TRACKS:
            said = f"{n_tracks} clips sound at once, and the file holds {MAX_TRACKS}"
            raise InvalidInput(said, where=str(out), cure="choose fewer")
        told = [_told(one, settings, n_samples, rate) for one in objects]
        blocks = _blocks([(one.track, one.playing) for one in objects if one.sounds], n_samples, n_tracks)
        scratch = files.enter_context(scratch_file(out, ".wav"))
        with SoundOutput(scratch, out, SoundShape(rate, n_tracks, None, None), "FLOAT") as writer:
            peak = _first_pass(writer, blocks, out, report)
        # what integers cannot hold is written softer, and the gains of the objects make up for it
        level = 1.0 if subtype == "FLOAT" or peak <= 1.0 else peak
        louder = [replace(one, blocks=[replace(b, gain=b.gain * level) for b in one.blocks]) for one in told]
        partial = files.enter_context(atomic_output(out))
        _second_pass(scratch, partial, out, louder, (rate, n_tracks, subtype), level, report)
        _check(partial, out, louder, n_samples, rate)


def _sources(rendered: Rendered) -> tuple[Source, ...]:
    return loads(json.dumps(rendered.told["trajectory"])).selected


def _objects(rendered: Sequence[Rendered], rate: int, out: Path, copies: ExitStack) -> list[_Object]:
    """Return the objects, those that do not overlap on the same track; the sources of a clip share its sound."""
    free: list[int] = []  # the sample from which on a track is
    found: list[_Object] = []
    for one in sorted(rendered, key=lambda item: (item.piece.start_s, item.piece.end_s)):
        piece = one.piece
        playing = Playing(dry_voice(one, out, copies), rate)
        track = next((track for track, sample in enumerate(free) if sample <= playing.first), len(free))
        free[track : track + 1] = [playing.stop]
        sources = _sources(one)
        for number, source in enumerate(sources):
            name = piece.name + (f" ({source.label or source.id})" if len(sources) > 1 else "")
            found.append(_Object(one, source, playing, track, name, number == 0))
    return found


def _told(one: _Object, settings: RenderSettings, n_samples: int, rate: int) -> AdmObject:
    hz = ticks_hz(rate)
    first, stop = (hz * min(sample, n_samples) // rate for sample in (one.playing.first, one.playing.stop))
    duration = max(stop - first, 1)
    rendered, source = one.rendered, one.source
    course = Course(
        source,
        settings,
        float(one.playing.lead_s),
        float(rendered.handle_s),
        rendered.n_samples / rendered.sample_rate_hz,
    )
    blocks = blocks_of(course, duration, hz)
    absolute_m = max(block.distance_m for block in blocks)
    extent_deg = source.extent_deg if settings.extent_deg is None else settings.extent_deg
    return AdmObject(one.name, one.track, first, duration, absolute_m, extent_deg, blocks)


def _blocks(playing: list[tuple[int, Playing]], n_samples: int, n_tracks: int) -> Iterator[np.ndarray]:
    import numpy as np

    waiting = sorted(playing, key=lambda item: item[1].first, reverse=True)
    sounding: list[tuple[int, Playing]] = []
    for start in range(0, n_samples, _BLOCK_SAMPLES):
        stop = min(start + _BLOCK_SAMPLES, n_samples)
        block = np.zeros((n_tracks, stop - start), np.float32)
        while waiting and waiting[-1][1].first < stop:
            sounding.append(waiting.pop())
        for track, one in sounding:
            one.add(block[track : track + 1], start)
        sounding = [item for item in sounding if item[1].stop > stop]
        yield block


def _first_pass(writer: SoundOutput, blocks: Iterator[np.ndarray], out: Path, report: Callable[[int], None]) -> float:
    """Write the tracks as floats, and return the highest sample."""
    import numpy as np

    peak = 0.0
    for block in blocks:
        here = float(np.abs(block).max())
        if not isfinite(here):
            raise NonFinite("a sound holds NaN or infinite samples", where=str(out), cure="export that sound again")
        peak = max(peak, here)
        writer.write(block)
        report(writer.n_samples)
    return peak


def _second_pass(
    scratch: Path,
    partial: Path,
    out: Path,
    told: Sequence[AdmObject],
    shape: tuple[int, int, str],
    level: float,
    report: Callable[[int], None],
) -> None:
    """Write the file: the samples as they are, or divided by `level`, and what they are."""
    import numpy as np

    from foleyspace_host.media.atomic import write_error
    from foleyspace_host.media.wav import WavWriter
    from foleyspace_host.media.wav_file import plain_wav

    rate, n_tracks, subtype = shape
    reader = plain_wav(scratch)
    assert reader is not None  # noqa: S101 - it was just written
    full = float(1 << (_BITS[subtype] - 1))
    try:
        with partial.open("wb") as file:
            writer = WavWriter(file, rate, n_tracks, subtype, channel_mask=None, chunks=chna(told))
            for block in reader.blocks():
                if subtype != "FLOAT":
                    # no dither: what integers held before comes out as it was
                    block = np.clip(np.rint(block * np.float64(full / level)), -full, full - 1.0).astype(np.int32)
                writer.write(block)
                report(reader.n_samples + writer.n_samples)
            writer.finish(behind=axml(told, out.stem, ticks_hz(rate), rate, _BITS[subtype]))
    except OSError as error:
        raise write_error(error, out) from error


def _check(partial: Path, out: Path, told: Sequence[AdmObject], n_samples: int, rate: int) -> None:
    """Read a written file back: it is as long as the timeline, and all objects are where they belong."""
    from foleyspace_host.media.wav_file import plain_wav

    back = read_adm(partial, ticks_hz(rate))
    reader = plain_wav(partial)
    there = reader is not None and reader.n_samples == reader.n_samples_there() == n_samples
    if not there or len(back.objects) != len(told) or not all(map(_same, back.objects, told)):
        raise OutputUnwritable("the written ADM file reads differently", where=str(out))


def _same(one: AdmObject, other: AdmObject) -> bool:
    if (one.track, one.start, one.duration, len(one.blocks)) != (
        other.track,
        other.start,
        other.duration,
        len(other.blocks),
    ):
        return False
    return all(
        (a.start, a.duration, a.jump) == (b.start, b.duration, b.jump)
        and abs(a.azimuth_deg - b.azimuth_deg) < _NEAR_DEG
        and abs(a.elevation_deg - b.elevation_deg) < _NEAR_DEG
        and abs(a.distance_m - b.distance_m) < _NEAR_RATIO * other.absolute_m
        and abs(a.gain - b.gain) <= _NEAR_RATIO * b.gain
        for a, b in zip(one.blocks, other.blocks, strict=True)
    )
