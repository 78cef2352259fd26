"""Makes small videos with known pictures and sounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

MakeVideo = Callable[..., Path]

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners(width: int, height: int) -> np.ndarray:
    """A picture with a different colour in each quarter: red top left, green top right, blue bottom left."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = RED
    image[: height // 2, width // 2 :] = GREEN
    image[height // 2 :, : width // 2] = BLUE
    image[height // 2 :, width // 2 :] = WHITE
    return image


def make(
    path: Path,
    *,
    n_frames: int = 25,
    fps: Fraction | int = 25,
    size: tuple[int, int] = (64, 48),
    flash: int | None = None,
    picture: np.ndarray | None = None,
    times_s: Sequence[Fraction] | None = None,
    start_s: Fraction | float = 0,
    time_base: Fraction | None = None,
    b_frames: int = 0,
    codec: str = "libx264",
    sample_aspect: Fraction | None = None,
    audio: np.ndarray | None = None,
    audio_rate_hz: int = 48_000,
    audio_codec: str = "aac",
    audio_start_s: Fraction | float = 0,
    video: bool = True,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a video; all frames are dark but number ``flash``, or all are ``picture``."""
    time_base = time_base or 1 / (Fraction(fps) * 512)
    options = {"movie_timescale": "48000"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", container_options=options) as output:
        output.metadata.update(metadata or {})
        if video:
            stream = output.add_stream(codec, rate=fps)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.codec_context.time_base = time_base
            stream.time_base = time_base
            if codec == "libx264":
                stream.options = {"preset": "ultrafast", "bf": str(b_frames), "qp": "10"}
                if b_frames:
                    stream.options |= {"b-adapt": "0", "preset": "veryfast"}
            if sample_aspect is not None:
                stream.codec_context.sample_aspect_ratio = sample_aspect
        if audio is not None:
            formats = {"aac": "fltp", "pcm_s16le": "s16", "flac": "s16", "pcm_f32le": "flt", "mp2": "s16"}
            layout = {1: "mono", 2: "stereo"}[audio.shape[0]]
            sound = output.add_stream(audio_codec, rate=audio_rate_hz)
            sound.codec_context.layout = layout
            sound.codec_context.format = formats[audio_codec]
        output.start_encoding()
        packets = []
        if video:
            for index in range(n_frames):
                image = np.zeros((size[1], size[0], 3), np.uint8) if picture is None else picture
                if index == flash:
                    image = np.full_like(image, 255)
                frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
                time_s = Fraction(index) / Fraction(fps) if times_s is None else times_s[index]
                frame.pts = round((time_s + Fraction(start_s)) / time_base)
                frame.time_base = time_base
                packets += stream.encode(frame)
            packets += stream.encode(None)
        if audio is not None:
            samples = (
                audio
                if formats[audio_codec].startswith("f")
                else np.round(audio * 32768).clip(-32768, 32767).astype(np.int16)
            )
            step = 1152 if audio_codec == "mp2" else 1024
            for begin in range(0, audio.shape[1], step):
                piece = samples[:, begin : begin + step]
                packed = piece if formats[audio_codec].endswith("p") else piece.T.reshape(1, -1)
                block = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), formats[audio_codec], layout)
                block.sample_rate = audio_rate_hz
                block.time_base = Fraction(1, audio_rate_hz)
                block.pts = begin + round(Fraction(audio_start_s) * audio_rate_hz)
                packets += sound.encode(block)
            packets += sound.encode(None)
        packets.sort(key=lambda p: p.dts * p.time_base)
        for packet in packets:
            output.mux(packet)
    return path


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """make_video(name, **what) -> path; see `make`."""

    def build(name: str, **what: object) -> Path:
        return make(tmp_path / name, **what)  # type: ignore[arg-type]

    return build


@pytest.fixture
def corner_picture() -> Callable[[int, int], np.ndarray]:
    return corners


@pytest.fixture
def click() -> Callable[..., np.ndarray]:
    """click(n_samples, at, n_channels=2): a short band-limited burst that starts at a sample."""

    def build(n_samples: int, at: int, n_channels: int = 2) -> np.ndarray:
        sound = np.zeros((n_channels, n_samples), np.float32)
        # a Gaussian of 8 samples, centred on ``at``, survives lossy coders without moving
        n = np.arange(n_samples)
        sound += 0.7 * np.exp(-0.5 * ((n - at) / 8.0) ** 2).astype(np.float32)
        return sound

    return build


@pytest.fixture
def raw_packets() -> Callable[[Path], list[tuple[float, bytes]]]:
    """The picture's packets as stored: presentation time [s] and bytes."""

    def read(path: Path) -> list[tuple[float, bytes]]:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            return [
                (float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size and p.pts is not None
            ]

    return read


@pytest.fixture
def raw_audio() -> Callable[[Path], tuple[int, np.ndarray]]:
    """Decode without the package: sample at which the sound starts, and the sound."""

    def read(path: Path) -> tuple[int, np.ndarray]:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="fltp")
            pieces, start = [], None
            for frame in container.decode(stream):
                if start is None:
                    start = round(frame.pts * frame.time_base * frame.sample_rate)
                pieces += [f.to_ndarray() for f in resampler.resample(frame)]
            assert start is not None
            return start, np.concatenate(pieces, axis=1)

    return read


@pytest.fixture
def leftovers(tmp_path: Path) -> Callable[[], list[str]]:
    """Names of hidden or partial files in the folder of the test."""

    def find() -> list[str]:
        return sorted(p.name for p in tmp_path.rglob("*") if p.name.startswith(".") or ".part" in p.name)

    return find


@pytest.fixture
def turn() -> Callable[[Path, tuple[int, int, int, int]], Path]:
    """turn(mp4, (a, b, c, d)): write a display matrix into the track header, as telephones do.

    QuickTime File Format, "Track header atom": x' = a x + c y, y' = b x + d y (translation left out).
    """

    def patch(path: Path, matrix: tuple[int, int, int, int]) -> Path:
        data = bytearray(path.read_bytes())
        at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of other fields
        a, b, c, d = (value << 16 for value in matrix)
        for index, value in enumerate((a, b, 0, c, d, 0, 0, 0, 1 << 30)):
            data[at + 4 * index : at + 4 * index + 4] = value.to_bytes(4, "big", signed=True)
        path.write_bytes(data)
        return path

    return patch
