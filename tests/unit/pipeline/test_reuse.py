"""Stages that are done again only when something that they depend on has changed."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal

from foleyspace_host.errors import DiskFull, InvalidInput
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.geometry.trajectory_file import read_trajectory
from foleyspace_host.localize import localizer
from foleyspace_host.media import atomic
from foleyspace_host.pipeline.localize import localize_file
from foleyspace_host.pipeline.render import render_file
from foleyspace_host.pipeline.spatialize import spatialize
from foleyspace_host.pipeline.stage_cache import StageCache

RATE_HZ = 48_000
KEYS = "t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n1,-60,0,3\n"
FPS = Fraction(24000, 1001)


class Tee:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.begun: tuple[int, ...] = ()
        self.blocks: list[np.ndarray] = []

    def begin(self, *what: int) -> None:
        self.begun = what

    def write(self, block: np.ndarray) -> None:
        self.blocks.append(block.copy())


@pytest.fixture
def cache(tmp_path: Path) -> StageCache:
    return StageCache(tmp_path / "cache", 1 << 30)


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(3).uniform(-0.4, 0.4, (2, 2 * RATE_HZ)).astype(np.float32)


@pytest.fixture
def dry(tmp_path: Path, noise: np.ndarray) -> Path:
    soundfile.write(tmp_path / "dry.wav", noise.T, RATE_HZ, subtype="FLOAT")
    return tmp_path / "dry.wav"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    (tmp_path / "keys.csv").write_text(KEYS)
    return tmp_path / "keys.csv"


@pytest.fixture
def clip(tmp_path: Path, noise: np.ndarray) -> Path:
    """Two seconds of a disc that moves, with sound."""
    path = tmp_path / "clip.mov"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=FPS)
        sound: Any = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="stereo")
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        y, x = np.mgrid[:96, :160]
        for index in range(48):
            image = np.full((96, 160, 3), 90, np.uint8)
            image[np.hypot(x - 160 * index / 48, y - 48) < 14] = (230, 60, 40)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
        samples = np.ascontiguousarray((noise.T * 32768).astype(np.int16).reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def read(path: Path) -> np.ndarray:
    return np.asarray(soundfile.read(path, dtype="float32", always_2d=True)[0].T)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The videos that were really looked at."""
    seen: list[Path] = []
    find = localizer.find

    def watched(path: Path, **options: Any) -> Any:
        seen.append(path)
        return find(path, **options)

    monkeypatch.setattr(localizer, "find", watched)
    return seen


@pytest.mark.parametrize("name", ["o.wav", "o.flac"])
def test_a_second_rendering_is_the_first(tmp_path: Path, dry: Path, keys: Path, cache: StageCache, name: str) -> None:
    first = render_file(dry, keys, tmp_path / f"1{name}", cache=cache)
    second = render_file(dry, keys, tmp_path / f"2{name}", cache=cache)
    plain = render_file(dry, keys, tmp_path / f"3{name}")
    assert [result.reused for result in (first, second, plain)] == [(), ("decode", "render"), ()]
    assert len({(tmp_path / f"{n}{name}").read_bytes() for n in (1, 2, 3)}) == 1
    told = [asdict(result) for result in (first, second, plain)]
    for one in told:
        del one["times_s"], one["reused"], one["output"]
    assert told[0] == told[1] == told[2]


def test_one_rendering_serves_every_kind_of_file(tmp_path: Path, dry: Path, keys: Path, cache: StageCache) -> None:
    render_file(dry, keys, tmp_path / "1.flac", cache=cache)
    for number, options in enumerate([{"bit_depth": "16"}, {"bit_depth": "24"}, {}, {"time_reference": 5}]):
        result = render_file(dry, keys, tmp_path / f"a{number}.wav", cache=cache, **options)
        render_file(dry, keys, tmp_path / f"b{number}.wav", **options)
        assert result.reused == ("decode", "render")
        assert (tmp_path / f"a{number}.wav").read_bytes() == (tmp_path / f"b{number}.wav").read_bytes()


@pytest.mark.parametrize(
    "change", [{"spread": 1.5}, {"format": "foa"}, {"room": "hall"}, {"channels": "spread"}, {"air": None}]
)
def test_other_settings_are_rendered_anew(
    tmp_path: Path, dry: Path, keys: Path, cache: StageCache, change: dict[str, Any]
) -> None:
    render_file(dry, keys, tmp_path / "1.wav", cache=cache)
    second = render_file(dry, keys, tmp_path / "2.wav", cache=cache, **change)
    assert second.reused == ("decode",)
    render_file(dry, keys, tmp_path / "3.wav", **change)
    assert_array_equal(read(tmp_path / "2.wav"), read(tmp_path / "3.wav"))


def test_another_sound_or_trajectory_is_rendered_anew(
    tmp_path: Path, dry: Path, keys: Path, cache: StageCache, noise: np.ndarray
) -> None:
    render_file(dry, keys, tmp_path / "1.wav", cache=cache)
    keys.write_text(KEYS.replace("-60", "-60.000001"))
    assert render_file(dry, keys, tmp_path / "2.wav", cache=cache).reused == ("decode",)
    soundfile.write(dry, -noise.T, RATE_HZ, subtype="FLOAT")
    assert render_file(dry, keys, tmp_path / "2.wav", cache=cache).reused == ()


def test_a_tee_hears_the_same_whether_rendered_or_reused(
    tmp_path: Path, dry: Path, keys: Path, cache: StageCache
) -> None:
    tees = [Tee(), Tee()]
    for tee in tees:
        render_file(dry, keys, tmp_path / "o.wav", cache=cache, tee=tee)
    for tee in tees:
        assert tee.begun == (RATE_HZ, 2, 2 * RATE_HZ)
        assert_array_equal(np.concatenate(tee.blocks, axis=1), read(tmp_path / "o.wav"))


def test_the_picture_is_looked_at_once(tmp_path: Path, clip: Path, cache: StageCache, searches: list[Path]) -> None:
    first = spatialize(clip, tmp_path / "1.wav", cache=cache, trajectory_out=tmp_path / "1.json")
    second = spatialize(clip, tmp_path / "2.wav", cache=cache, room="hall", trajectory_out=tmp_path / "2.json")
    third = localize_file(clip, tmp_path / "3.json", cache=cache)
    assert (first.reused, second.reused, third.reused) == ((), ("decode", "localize"), ("localize",))
    assert searches == [clip]
    assert len({(tmp_path / f"{n}.json").read_bytes() for n in (1, 2, 3)}) == 1
    for change in ({"hfov_deg": 61.0}, {"span": Span(Fraction(0), Fraction(1))}):
        assert localize_file(clip, tmp_path / "4.json", cache=cache, **change).reused == ()
    assert second.provenance.device == "cpu"


def test_with_and_without_a_cache_the_bytes_are_the_same(tmp_path: Path, clip: Path, cache: StageCache) -> None:
    for name, kept in (("1", None), ("2", cache), ("3", cache)):
        spatialize(clip, tmp_path / f"{name}.mov", cache=kept, bed_db=-6.0)
        spatialize(clip, tmp_path / f"{name}.wav", cache=kept, bed_db=-6.0)
    assert len({(tmp_path / f"{name}.wav").read_bytes() for name in "123"}) == 1
    assert len({(tmp_path / f"{name}.mov").read_bytes() for name in "123"}) == 1


def test_a_cache_for_the_picture_alone_keeps_no_sound(tmp_path: Path, clip: Path) -> None:
    cache = StageCache(tmp_path / "cache", 1 << 30, ("localize",))
    spatialize(clip, tmp_path / "1.wav", cache=cache)
    assert list(cache.usage()) == ["localize"]
    assert spatialize(clip, tmp_path / "2.wav", cache=cache).reused == ("localize",)


def test_spans_of_a_sound(tmp_path: Path, dry: Path, keys: Path, noise: np.ndarray) -> None:
    span = Span(Fraction(5 * 1001, 24000), Fraction(12 * 1001, 24000))
    first, stop = 10010, 34034  # 5 and 17 frames of 2002 samples
    soundfile.write(tmp_path / "cut.wav", noise[:, first:stop].T, RATE_HZ, subtype="FLOAT")
    result = render_file(dry, keys, tmp_path / "1.wav", span=span)
    render_file(tmp_path / "cut.wav", keys, tmp_path / "2.wav")
    assert result.n_samples == stop - first
    assert_array_equal(read(tmp_path / "1.wav"), read(tmp_path / "2.wav"))
    # beyond the end there is silence
    longer = render_file(dry, keys, tmp_path / "3.wav", span=Span(Fraction(1), Fraction(3)))
    assert (longer.n_samples, longer.sound.fit) == (3 * RATE_HZ, "padded")


@pytest.mark.parametrize("own", [False, True], ids=["video's sound", "another sound"])
def test_spans_of_a_video(tmp_path: Path, clip: Path, dry: Path, keys: Path, noise: np.ndarray, own: bool) -> None:
    span = Span(12 / FPS, 24 / FPS)
    first, stop = span.samples(RATE_HZ)
    audio: dict[str, Any] = {"audio": dry, "audio_span": Span(Fraction(1, 2), Fraction(1))} if own else {}
    result = spatialize(clip, tmp_path / "1.wav", keys=keys, span=span, bit_depth="float", **audio)
    cut = noise[:, 24_000:72_000] if own else (noise[:, first:stop] * 32768).astype(np.int16) / 32768
    padded = np.zeros((2, stop - first), np.float32)
    padded[:, : cut.shape[1]] = cut
    soundfile.write(tmp_path / "cut.wav", padded.T, RATE_HZ, subtype="FLOAT")
    render_file(tmp_path / "cut.wav", keys, tmp_path / "2.wav")
    assert result.n_samples == stop - first
    np.testing.assert_allclose(read(tmp_path / "1.wav"), read(tmp_path / "2.wav"), atol=1e-6)


def test_a_span_is_localized_with_times_of_its_own(tmp_path: Path, clip: Path) -> None:
    localize_file(clip, tmp_path / "part.json", span=Span(Fraction(1), Fraction(1)))
    part = read_trajectory(tmp_path / "part.json")
    assert part.duration_s == 1.0
    times = [key.t_s for key in part.sources[0].keys]
    assert times[0] == 0.0
    assert times[-1] == 1.0


def test_what_spans_cannot_do_is_refused(tmp_path: Path, clip: Path, dry: Path, keys: Path) -> None:
    span = Span(Fraction(0), Fraction(1))
    with pytest.raises(InvalidInput, match="whole clips alone"):
        spatialize(clip, tmp_path / "o.mov", keys=keys, span=span)
    with pytest.raises(InvalidInput, match="no sound of its own"):
        spatialize(clip, tmp_path / "o.wav", keys=keys, audio_span=span)
    with pytest.raises(InvalidInput, match="whole video"):
        localize_file(clip, tmp_path / "o.json", report=tmp_path / "o.html", span=span)
    with pytest.raises(InvalidInput, match="has ended"):
        render_file(dry, keys, tmp_path / "o.wav", span=Span(Fraction(2), Fraction(1)))


def test_a_broadcast_wave_file_keeps_its_place_in_a_span(tmp_path: Path, dry: Path, keys: Path) -> None:
    render_file(dry, keys, tmp_path / "a.wav", time_reference=1000)
    result = render_file(tmp_path / "a.wav", keys, tmp_path / "b.wav", span=Span(Fraction(1), Fraction(1)))
    assert result.time_reference == 1000 + RATE_HZ


def test_a_full_disk_is_told_before_the_work(
    tmp_path: Path, dry: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_free_bytes", lambda _: 1000)
    with pytest.raises(DiskFull, match=r"o\.wav: about 1 MB are needed and the disk has 0 MB left"):
        render_file(dry, keys, tmp_path / "o.wav")
    assert not (tmp_path / "o.wav").exists()
