"""Putting new sound under the picture of a video, without touching the picture.

The packets of the picture are copied as they are; of the other streams nothing is kept (other sound,
subtitles, data). Time zero of the new file is time zero of the old one, and sample 0 of the sound is heard
there: AAC priming is hidden by the edit list (MP4, MOV) or the codec delay (MKV).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import floor, lcm
from pathlib import Path
from typing import TYPE_CHECKING

from av.error import FFmpegError

from foleyspace_host.errors import InvalidInput, NoVideo
from foleyspace_host.media.atomic import atomic_output, check_writable, write_error
from foleyspace_host.media.audio import AudioSource, open_audio
from foleyspace_host.media.container import codec_name, damaged, open_container, origin_s, video_stream
from foleyspace_host.media.encode import AudioEncoder, codecs_for, layout_name
from foleyspace_host.media.levels import CEILING_DB, gain_for_ceiling
from foleyspace_host.media.meters import Meters
from foleyspace_host.media.picture import check_picture, codec_tag

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

__all__ = ["MuxReport", "mux_audio"]

_NO_SUCH_CODING = {errno.EINVAL, errno.ENOSYS}
_AHEAD_S = Fraction(1, 2)
_LOSSY = {"aac"}
_MAX_ATTEMPTS = 4
_MARGIN_DB = 0.1  # the coder decides anew at another level
_MAX_MOVIE_TIMESCALE = 1_000_000
# what a file says about its own making, which is not true of the new one
_FILE_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder"}


@dataclass(frozen=True)
class MuxReport:
    """What was put into the video.

    Attributes
    ----------
    gain_db : float
        Gain applied to the whole sound [dB]: 0, or below where it would have passed -1 dBTP, be it only after
        a lossy coder.
    true_peak_db : float
        True peak of the sound in the file [dBTP], of a lossy coding as decoded again; minus infinity for silence.
    loudness_lufs : float or None
        Integrated loudness of the sound in the file [LUFS]; None for silence or less than 0.4 s.
    codec : str
        Coding of the sound: "aac", "pcm_s24le", "pcm_s16le" or "flac".
    n_samples : int
        Samples per channel in the file, priming and padding not counted.
    """

    gain_db: float
    true_peak_db: float
    loudness_lufs: float | None
    codec: str
    n_samples: int


def mux_audio(
    video_path: str | Path,
    audio_path: str | Path,
    out_path: str | Path,
    *,
    codec: str | None = None,
    loudness_weights: Sequence[float] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> MuxReport:
    """Write a video with the picture of one file, packet for packet, and the sound of another.

    Parameters
    ----------
    video_path : str or Path
        The video whose picture is copied, with its rotation, pixel shape, colour tags, time stamps, metadata
        and chapters.
    audio_path : str or Path
        The sound, best a float WAV file; its sample 0 is heard at time zero of the video.
    out_path : str or Path
        ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``; replaced in one step when all is written.
    codec : str, optional
        Coding of the sound; when not given AAC at 128 kb/s per channel for MP4, 24-bit PCM for MOV (exact to
        the sample), 24-bit FLAC for MKV (exact to the sample).
    loudness_weights : sequence of float, optional
        Weights of the channels in the loudness, see `LoudnessMeter`.
    on_progress : callable, optional
        Called as on_progress(samples written, samples in all); raise Cancelled to stop.

    Returns
    -------
    MuxReport
        Coding, level and gain.

    Raises
    ------
    InvalidInput
        The suffix or the codec does not suit, the picture's coding cannot live in such a file, or the output
        is one of the inputs.
    MediaError
        An input is missing, damaged or empty, the video has no picture (NoVideo), or the sound holds NaN.
    OutputUnwritable, DiskFull
        The file cannot be written. In every case of error nothing is left behind.
    """
    video_path, out_path = Path(video_path), Path(out_path)
    codec = codecs_for(out_path, codec)
    target = check_writable(out_path)
    for source_path in (video_path, Path(audio_path)):
        if source_path.resolve() == target:
            raise InvalidInput("the output would overwrite an input", where=str(out_path), cure="choose another name")
    with open_audio(audio_path) as source:
        layout_name(source.n_channels, codec, out_path)
        video = _Video(video_path, source, codec, out_path)
        video.check()
        heard = _measure(source, loudness_weights, on_progress)
        n_samples = heard.peak.n_samples
        gain_db = gain_for_ceiling(heard.peak.true_peak_db)
        peak_db, loudness_lufs = heard.peak.true_peak_db + gain_db, heard.loudness.integrated_lufs(gain_db)
        with atomic_output(out_path) as temporary:
            n_written = video.write(temporary, gain_db, n_samples, on_progress)
            if codec in _LOSSY:
                # what the coder leaves out lets peaks grow: what counts is what comes out of the file
                for _ in range(_MAX_ATTEMPTS):
                    heard = _measure(open_audio(temporary), loudness_weights, None)
                    peak_db, loudness_lufs = heard.peak.true_peak_db, heard.loudness.integrated_lufs()
                    if peak_db <= CEILING_DB:
                        break
                    gain_db += CEILING_DB - peak_db - _MARGIN_DB
                    n_written = video.write(temporary, gain_db, n_samples, on_progress)
            check_picture(video_path, temporary, out_path)
    return MuxReport(gain_db, peak_db, loudness_lufs, codec, n_written)


def _measure(
    source: AudioSource, weights: Sequence[float] | None, on_progress: Callable[[int, int], None] | None
) -> Meters:
    heard = Meters(source.n_channels, source.sample_rate_hz, weights)
    for block in source.blocks():
        heard.add(block)
        if on_progress is not None:  # nothing is written yet, but the user may cancel
            on_progress(0, heard.peak.n_samples)
    return heard


@dataclass
class _Video:
    path: Path
    source: AudioSource
    codec: str
    out_path: Path

    def check(self) -> None:
        with self._open():
            return

    def write(
        self, temporary: Path, gain_db: float, n_samples: int, on_progress: Callable[[int, int], None] | None
    ) -> int:
        with self._open() as (container, picture):
            job = _Job(container, picture, self.source, self.codec, gain_db, self.path, self.out_path)
            return job.run(temporary, n_samples, on_progress)

    @contextmanager
    def _open(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        with open_container(self.path, {"fflags": "+genpts"}) as container:
            picture = video_stream(container)
            if picture is None:
                raise NoVideo("the file has no video stream", where=str(self.path), cure="name a video file")
            yield container, picture


@dataclass
class _Job:
    container: InputContainer
    picture: VideoStream
    source: AudioSource
    codec: str
    gain_db: float
    video_path: Path
    out_path: Path

    def run(self, temporary: Path, n_samples: int, on_progress: Callable[[int, int], None] | None) -> int:
        import av

        with self._output_errors():
            output = av.open(f"file:{temporary}", "w", container_options=self._options())
        try:
            return self._fill(output, n_samples, on_progress)
        except BaseException:
            # what was begun is thrown away; that it cannot be finished is not news
            _close_quietly(output)
            raise

    def _fill(self, output: OutputContainer, n_samples: int, on_progress: Callable[[int, int], None] | None) -> int:
        with self._output_errors():
            copy = self._add_picture(output)
            encoder = AudioEncoder(output, self.source, self.codec, self.gain_db, self.out_path)
            output.metadata.update(
                (key, value) for key, value in self.container.metadata.items() if key.lower() not in _FILE_TAGS
            )
            _copy_chapters(self.container, output)
            try:
                output.start_encoding()
            except FFmpegError as error:
                if error.errno in _NO_SUCH_CODING:
                    raise self._wrong_container(error) from error
                raise
        for packet, time_s in self._packets():
            with self._output_errors():
                for sound in encoder.until(time_s + _AHEAD_S):
                    output.mux(sound)
                packet.stream = copy
                output.mux(packet)
            if on_progress is not None:
                on_progress(min(encoder.n_read, n_samples), n_samples)
        with self._output_errors():
            for sound in encoder.rest():
                output.mux(sound)
                if on_progress is not None:
                    on_progress(min(encoder.n_read, n_samples), n_samples)
            output.close()
        return encoder.n_samples

    def _add_picture(self, output: OutputContainer) -> VideoStream:
        """Add a stream with the parameters of the source's: size, colours, pixel shape, display matrix."""
        try:
            # opaque: by the decoder's parameters, so that pictures without an encoder here can be copied too
            copy = output.add_stream_from_template(self.picture, opaque=True)
        except (ValueError, FFmpegError) as error:
            raise self._wrong_container(error) from error
        context = copy.codec_context
        if self.picture.sample_aspect_ratio:
            context.sample_aspect_ratio = self.picture.sample_aspect_ratio
        tag = codec_tag(self.picture, self.container.format.name, self.out_path.suffix.lower())
        if tag is not None:
            context.codec_tag = tag
        copy.metadata.update(self.picture.metadata)
        copy.disposition = self.picture.disposition
        return copy

    def _packets(self) -> Iterator[tuple[Packet[VideoStream], Fraction]]:
        """Yield the picture's packets with time stamps that count from zero, and their decoding time."""
        base = self.picture.time_base or Fraction(1, 1000)
        offset = floor(origin_s(self.container) / base + Fraction(1, 2))
        last_dts = None
        try:
            for packet in self.container.demux(self.picture):
                if packet.size == 0:  # the end mark of the demuxer
                    continue
                if packet.pts is not None:
                    packet.pts -= offset
                if packet.dts is not None:
                    packet.dts -= offset
                    if last_dts is not None and packet.dts <= last_dts:
                        # a glitch of the recorder, which no muxer takes; the next tick is the least change
                        packet.dts = last_dts + 1
                        packet.pts = None if packet.pts is None else max(packet.pts, packet.dts)
                    last_dts = packet.dts
                ticks = packet.dts if packet.dts is not None else packet.pts
                yield packet, (ticks or 0) * base
        except FFmpegError as error:
            raise damaged(self.video_path, error) from error

    def _options(self) -> dict[str, str]:
        if self.out_path.suffix.lower() == ".mkv":
            return {}
        rate_hz = self.source.sample_rate_hz
        base = self.picture.time_base or Fraction(1, rate_hz)
        # edit lists count in units of the movie's time scale, 1/1000 s by default; this one makes the length
        # of the sound and the start of the picture exact
        scale = lcm(rate_hz, base.denominator)
        scale = scale if scale <= _MAX_MOVIE_TIMESCALE else rate_hz
        return {"movflags": "+faststart", "movie_timescale": str(scale)}

    def _wrong_container(self, error: Exception) -> InvalidInput:
        reason = (error.strerror or "").lower() if isinstance(error, FFmpegError) else str(error)
        is_mkv = self.out_path.suffix.lower() == ".mkv"
        return InvalidInput(
            f"a {self.out_path.suffix} file cannot hold {codec_name(self.picture)} pictures ({reason})",
            where=str(self.out_path),
            cure="write a .mov or .mp4 file" if is_mkv else "write a .mkv file, which holds almost any picture",
        )

    @contextmanager
    def _output_errors(self) -> Iterator[None]:
        try:
            yield
        except FFmpegError as error:
            if error.errno == errno.EINVAL:
                # what the muxer finds fault with is the time stamps of the copied packets
                raise damaged(self.video_path, error) from error
            raise write_error(OSError(error.errno, error.strerror), self.out_path) from error
        except OSError as error:
            raise write_error(error, self.out_path) from error


def _copy_chapters(container: InputContainer, output: OutputContainer) -> None:
    # from PyAV 15 on
    if hasattr(output, "set_chapters") and (chapters := container.chapters()):
        output.set_chapters(chapters)


def _close_quietly(output: OutputContainer) -> None:
    try:
        output.close()
    except (FFmpegError, OSError, ValueError):
        return
