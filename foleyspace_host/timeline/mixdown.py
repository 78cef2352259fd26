"""All rendered clips in one sound file, as long as the timeline to the sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.geometry.timebase import Span, sample_at
from foleyspace_host.render.formats import find_format
from foleyspace_host.timeline.model import Fade, Piece
from foleyspace_host.timeline.results import MixLevels

if TYPE_CHECKING:
    import numpy as np

    from foleyspace_host.media.write import WriteReport
    from foleyspace_host.pipeline.settings import RenderSettings
    from foleyspace_host.timeline.layers import Rendered

__all__ = ["Playing", "Voice", "mix", "mix_rendered"]

_BLOCK_SAMPLES = 1 << 16
_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}


@dataclass(frozen=True, slots=True)
class Voice:
    """A sound in the mix.

    Parameters
    ----------
    piece : Piece
        Where it is, and how it is faded.
    path : Path
        The sound, of as many channels as the mix, or of one, which goes to all.
    first_s : Fraction
        Time in the sound at which the clip starts [s].
    mono_gain : float, optional
        If given, its channels are summed, with this factor for their mean.
    """

    piece: Piece
    path: Path
    first_s: Fraction
    mono_gain: float | None = None


def mix(
    voices: Sequence[Voice],
    out: Path,
    duration_s: Fraction,
    sample_rate_hz: int,
    output_format: str,
    *,
    bit_depth: str = "24",
    on_progress: Callable[[int, int], None] | None = None,
) -> WriteReport:
    """Write the sum of sounds, each at its time, cross-faded with equal power.

    Parameters
    ----------
    voices : sequence of Voice
        The sounds.
    out : Path
        ``.wav`` or ``.flac``.
    duration_s : Fraction
        How long the mix is [s].
    sample_rate_hz : int
        Its rate [Hz]; other sounds are resampled.
    output_format : str
        What its channels are, see `find_format`.
    bit_depth : {"16", "24", "float"}
        Coding of a sample; integers are turned down where they would clip.
    on_progress : callable, optional
        Called as (done, total) in samples; raises Cancelled to stop.

    Returns
    -------
    WriteReport

    Raises
    ------
    FoleySpaceError
        A sound cannot be read, or the file not be written; nothing is left then.
    """
    from foleyspace_host.media.write import write_audio

    layout = find_format(output_format)
    n_samples = max(1, sample_at(duration_s, sample_rate_hz))
    return write_audio(
        out,
        _sum(voices, n_samples, sample_rate_hz, layout.n_channels, on_progress),
        sample_rate_hz,
        layout.n_channels,
        subtype=_SUBTYPES[bit_depth],
        channel_mask=layout.speaker_mask,
        loudness_weights=layout.loudness_weights,
    )


def mix_rendered(
    rendered: Sequence[Rendered],
    out: Path,
    duration_s: Fraction,
    settings: RenderSettings,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> MixLevels:
    """Write the sum of rendered clips, at the highest of their rates; see `mix`."""
    written = mix(
        [Voice(one.piece, one.path, one.handle_s) for one in rendered],
        out,
        duration_s,
        max(one.sample_rate_hz for one in rendered),
        settings.format,
        bit_depth=settings.bit_depth or "24",
        on_progress=on_progress,
    )
    peak_db, loudness_lufs = written.true_peak_db, written.loudness_lufs
    return MixLevels(
        round(peak_db, 2) if isfinite(peak_db) else None,
        None if loudness_lufs is None else round(loudness_lufs, 2),
        round(written.gain_db, 2),
    )


def _sum(
    voices: Sequence[Voice],
    n_samples: int,
    sample_rate_hz: int,
    n_channels: int,
    on_progress: Callable[[int, int], None] | None,
) -> Iterator[np.ndarray]:
    """Yield the mix block by block; only the sounds that are heard are open."""
    import numpy as np

    waiting = sorted((Playing(voice, sample_rate_hz) for voice in voices), key=lambda one: one.first, reverse=True)
    playing: list[Playing] = []
    for start in range(0, n_samples, _BLOCK_SAMPLES):
        stop = min(start + _BLOCK_SAMPLES, n_samples)
        block = np.zeros((n_channels, stop - start), np.float32)
        while waiting and waiting[-1].first < stop:
            playing.append(waiting.pop())
        for one in playing:
            one.add(block, start)
        playing = [one for one in playing if one.stop > stop]
        if on_progress is not None:
            on_progress(stop, n_samples)
        yield block


class Playing:
    """A sound on the grid of samples of a mix.

    Parameters
    ----------
    voice : Voice
        The sound.
    sample_rate_hz : int
        Rate of the grid [Hz].

    Attributes
    ----------
    first, stop : int
        The samples of the mix from which and before which it is heard.
    lead_s : Fraction
        How long before its clip it is heard [s].
    """

    def __init__(self, voice: Voice, sample_rate_hz: int) -> None:
        piece = voice.piece
        self._voice, self._rate = voice, sample_rate_hz
        self._in, self._out = piece.fade_in, piece.fade_out
        self.lead_s = self._lead_s()
        after_s = Fraction(0) if self._out is None else self._out.after_s
        self.first = sample_at(piece.start_s - self.lead_s, sample_rate_hz)
        self.stop = sample_at(piece.end_s + after_s, sample_rate_hz)
        self._blocks: Iterator[np.ndarray] | None = None
        self._left: np.ndarray | None = None

    def _lead_s(self) -> Fraction:
        """Return how long before its clip it is heard [s]; never before the timeline, nor before there is sound."""
        wish_s = Fraction(0) if self._in is None else self._in.before_s
        return min(wish_s, self._voice.first_s, self._voice.piece.start_s)

    def add(self, block: np.ndarray, start: int) -> None:
        """Add what of it falls into a block that starts at a sample of the mix."""
        first, stop = max(self.first, start), min(self.stop, start + block.shape[1])
        for at, piece in self._pieces(first, stop):
            n = piece.shape[1]
            piece = piece * self._gain(at, n)
            block[:, at - start : at - start + n] += piece

    def _pieces(self, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        if self._blocks is None:
            self._blocks = self._read()
        while first < stop:
            piece = next(self._blocks, None) if self._left is None else self._left
            if piece is None:  # its media end before the clip
                return
            n = min(piece.shape[1], stop - first)
            self._left = piece[:, n:] if n < piece.shape[1] else None
            yield first, piece[:, :n]
            first += n

    def _read(self) -> Iterator[np.ndarray]:
        from foleyspace_host.media.audio import open_audio
        from foleyspace_host.media.resample import resampled

        length_s = Fraction(self.stop - self.first, self._rate)
        source = open_audio(self._voice.path, Span(self._voice.first_s - self.lead_s, length_s))
        if (gain := self._voice.mono_gain) is None:
            return resampled(source.blocks(_BLOCK_SAMPLES), source.sample_rate_hz, self._rate)
        source.take_scan(0, gain)
        return resampled(source.blocks(_BLOCK_SAMPLES, "mono"), source.sample_rate_hz, self._rate)

    def _gain(self, first: int, n: int) -> np.ndarray:
        import numpy as np

        piece = self._voice.piece
        t_s = (np.arange(first, first + n) + 0.5) / self._rate
        gain = np.ones(n, np.float64)
        if self._in is not None:
            gain *= np.sin(0.5 * np.pi * _along(self._in, float(piece.start_s), t_s))
        if self._out is not None:
            gain *= np.cos(0.5 * np.pi * _along(self._out, float(piece.end_s), t_s))
        return gain.astype(np.float32)


def _along(fade: Fade, cut_s: float, t_s: np.ndarray) -> np.ndarray:
    """Return how far a transition is, 0 to 1."""
    import numpy as np

    length_s = float(fade.before_s + fade.after_s)
    if length_s == 0.0:
        return (t_s >= cut_s).astype(np.float64)
    along: np.ndarray = np.clip((t_s - cut_s + float(fade.before_s)) / length_s, 0.0, 1.0)
    return along
