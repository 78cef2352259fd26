"""What is promised of sound and picture, whatever comes in: one test, or a few, for each promise M1 to M9.

The units have finer tests of their own; these hold the chain to its word, from files to files.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from foleyspace_host.errors import (
    FoleySpaceError,
    HrtfInvalid,
    MediaDamaged,
    MediaEmpty,
    NoAudio,
    NonFinite,
    NoVideo,
    TrajectoryInvalid,
)
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.hrtf.prepare import load_hrtf
from foleyspace_host.hrtf.sofa import read_sofa
from foleyspace_host.media.audio import read_audio
from foleyspace_host.media.write import write_audio
from foleyspace_host.models.registry import find, verify
from foleyspace_host.pipeline.localize import localize_file
from foleyspace_host.pipeline.render import render_file
from foleyspace_host.pipeline.spatialize import spatialize
from foleyspace_host.protocol import messages
from foleyspace_host.render.options import RenderOptions
from foleyspace_host.render.stream import render, render_stream

RATE_HZ = 48_000
KEYS = "t_s,azimuth_deg,elevation_deg,distance_m\n0,60,0,2\n1,-60,10,3\n"
FPS = {"23.976": Fraction(24000, 1001), "29.97": Fraction(30000, 1001), "59.94": Fraction(60000, 1001)}

Write = Callable[..., Path]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    (tmp_path / "keys.csv").write_text(KEYS)
    return tmp_path / "keys.csv"


@pytest.fixture
def sound_file(tmp_path: Path) -> Write:
    """Write a sound; WAV as float."""

    def write(name: str, samples: np.ndarray, rate_hz: int = RATE_HZ) -> Path:
        options = {"subtype": "FLOAT"} if name.endswith(".wav") else {}
        soundfile.write(tmp_path / name, np.atleast_2d(samples).T, rate_hz, **options)
        return tmp_path / name

    return write


@pytest.fixture
def video_file(tmp_path: Path) -> Write:
    """Write a video of grey pictures, at given times, with or without sound."""

    def write(
        name: str,
        times_s: list[Fraction] | None = None,
        size: tuple[int, int] = (64, 48),
        sound: np.ndarray | None = None,
        codec: str = "mpeg4",
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            base = Fraction(1, 24000)
            video: Any = None
            if times_s:
                video = container.add_stream(codec, rate=24)
                video.width, video.height = size
                video.pix_fmt = "yuv420p" if codec == "mpeg4" else "bgr0"
                video.codec_context.time_base = video.time_base = base
            audio: Any = None if sound is None else container.add_stream("pcm_s16le", rate=RATE_HZ, layout="stereo")
            for time_s in times_s or ():
                picture = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 90, np.uint8), format="rgb24")
                picture.pts, picture.time_base = round(time_s / base), base
                container.mux(video.encode(picture))
            if video is not None:
                container.mux(video.encode(None))
            if audio is not None and sound is not None:
                samples = np.ascontiguousarray((sound.T * 32768).astype(np.int16).reshape(1, -1))
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
                frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
                container.mux(audio.encode(frame))
                container.mux(audio.encode(None))
        return path

    return write


def noise(n_channels: int, n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.4, 0.4, (n_channels, n_samples)).astype(np.float32)


def samples_of(path: Path) -> np.ndarray:
    return np.asarray(soundfile.read(path, dtype="float32", always_2d=True)[0].T)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


# --- M1: broken input is one clear error -----------------------------------------------------------------------------


@pytest.fixture
def whole(tmp_path: Path, sound_file: Write, video_file: Write) -> Callable[[str], Path]:
    """A file of each kind that is in order."""

    def make(suffix: str) -> Path:
        if suffix == "sofa":
            import sofar

            unit = np.random.default_rng(0).normal(size=(60, 3))
            sofa = sofar.Sofa("SimpleFreeFieldHRIR", verify=False)
            sofa.Data_IR = np.random.default_rng(1).normal(size=(60, 2, 64)) * np.exp(-np.arange(64) / 8)
            sofa.Data_SamplingRate = float(RATE_HZ)
            sofa.SourcePosition = unit / np.linalg.norm(unit, axis=1, keepdims=True)
            sofa.SourcePosition_Type, sofa.SourcePosition_Units = "cartesian", "metre"
            sofar.write_sofa(str(tmp_path / "whole.sofa"), sofa)
            return tmp_path / "whole.sofa"
        if suffix == "mov":
            return video_file("whole.mov", [Fraction(n, 24) for n in range(12)], sound=noise(2, RATE_HZ // 2))
        return sound_file(f"whole.{suffix}", noise(2, RATE_HZ // 4))

    return make


def use(path: Path) -> None:
    """Read a file to its end, as rendering does."""
    if path.suffix == ".sofa":
        assert np.isfinite(read_sofa(path).hrirs).all()
    else:
        assert np.isfinite(read_audio(path)[0]).all()


@pytest.mark.parametrize("suffix", ["wav", "flac", "mov", "sofa"])
def test_M1_a_file_cut_off_anywhere_is_one_clear_error(whole: Any, suffix: str) -> None:
    path = whole(suffix)
    use(path)
    content = path.read_bytes()
    kind = HrtfInvalid if suffix == "sofa" else MediaDamaged
    for share in (0.0, 0.01, 0.1, 0.5, 0.99):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(MediaEmpty if share == 0.0 and suffix != "sofa" else kind) as caught:
            use(path)
        assert caught.value.where == str(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["wav", "flac", "mov", "sofa"])
def test_M1_flipped_bits_are_one_clear_error_or_finite_sound(whole: Any, suffix: str) -> None:
    path = whole(suffix)
    content = path.read_bytes()
    dice = np.random.default_rng(11)
    told = []
    for trial in range(200):
        broken = bytearray(content)
        # every second one in the first bytes, where headers are
        broken[int(dice.integers(0, 400 if trial % 2 else len(broken)))] ^= 1 << int(dice.integers(8))
        path.write_bytes(broken)
        try:
            use(path)
        except FoleySpaceError as error:
            told.append(str(error))
    assert all(str(path) in line and "\n" not in line for line in told)
    assert told  # so the flips did hit something


def test_M1_a_broken_file_changes_nothing(tmp_path: Path, whole: Any, keys: Path) -> None:
    path = whole("wav")
    path.write_bytes(path.read_bytes()[:-100])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "o.wav").write_text("what was there before")
    with pytest.raises(MediaDamaged):
        render_file(path, keys, tmp_path / "out" / "o.wav")
    assert names(tmp_path / "out") == {"o.wav"}
    assert (tmp_path / "out" / "o.wav").read_text() == "what was there before"


# --- M2: no NaN leaves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_M2_what_is_not_finite_is_told_where_it_comes_in(
    tmp_path: Path, sound_file: Write, keys: Path, value: float
) -> None:
    sound = noise(2, 4000)
    sound[1, 2000] = value
    with pytest.raises(NonFinite, match=r"dry\.wav.*first at 0\.042 s"):
        render_file(sound_file("dry.wav", sound), keys, tmp_path / "o.wav")
    (tmp_path / "bad.csv").write_text(KEYS.replace("60", str(value), 1))
    with pytest.raises(TrajectoryInvalid, match=r"bad\.csv"):
        render_file(sound_file("good.wav", noise(2, 4000)), tmp_path / "bad.csv", tmp_path / "o.wav")
    assert not (tmp_path / "o.wav").exists()


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_M2_a_renderer_gone_wrong_writes_nothing(
    tmp_path: Path, sound_file: Write, keys: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    def broken(blocks: Iterator[np.ndarray], *_: Any, **__: Any) -> Iterator[np.ndarray]:
        for block in blocks:
            made = np.repeat(block, 2, axis=0)
            made[0, -1] = np.nan
            yield made

    monkeypatch.setattr(sys.modules["foleyspace_host.render.stream"], "render_stream", broken)
    with pytest.raises(NonFinite, match="o" + suffix):
        render_file(sound_file("dry.wav", noise(2, 4000)), keys, tmp_path / f"o{suffix}")
    assert names(tmp_path) == {"dry.wav", "keys.csv"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    level=st.floats(2.0**-100, 64.0, width=32),
    n_samples=st.integers(1, 3000),
    coding=st.sampled_from([("o.wav", "PCM_16"), ("o.wav", "PCM_24"), ("o.flac", "PCM_16"), ("o.wav", "FLOAT")]),
)
def test_M2_all_that_is_written_is_finite_and_integers_stay_below_the_limit(
    tmp_path: Path, level: float, n_samples: int, coding: tuple[str, str]
) -> None:
    sound = noise(2, n_samples) * np.float32(level)
    report = write_audio(tmp_path / coding[0], [sound], RATE_HZ, 2, subtype=coding[1])
    written = samples_of(tmp_path / coding[0])
    assert np.isfinite(written).all()
    if coding[1] == "FLOAT":
        assert_array_equal(written, sound)
    else:
        assert report.true_peak_db <= -1.0 + 1e-6
        assert np.abs(written).max() <= 10 ** (-1 / 20) + 2 / 32768  # and the dither


# --- M3: empty and tiny -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", ["binaural", "foa", "7.1.4"])
@pytest.mark.parametrize("n_samples", [1, 2, 100, 511])
def test_M3_sounds_shorter_than_every_filter(
    tmp_path: Path, sound_file: Write, keys: Path, n_samples: int, format_name: Any
) -> None:
    result = render_file(sound_file("a.wav", noise(1, n_samples)), keys, tmp_path / "o.wav", format=format_name)
    assert result.n_samples == samples_of(tmp_path / "o.wav").shape[1] == n_samples


def test_M3_no_sample_is_an_error_and_silence_stays_silent(tmp_path: Path, sound_file: Write, keys: Path) -> None:
    with pytest.raises(MediaEmpty):
        render_file(sound_file("a.wav", np.zeros((1, 0), np.float32)), keys, tmp_path / "o.wav")
    result = render_file(sound_file("b.wav", np.zeros((1, 9000), np.float32)), keys, tmp_path / "o.wav", room="hall")
    assert result.true_peak_db is None
    assert not samples_of(tmp_path / "o.wav").any()


def test_M3_a_video_of_one_picture_of_one_pixel(tmp_path: Path, video_file: Write) -> None:
    sound = noise(2, 9600)
    clip = video_file("a.mkv", [Fraction(0)], size=(1, 1), codec="ffv1", sound=sound)
    result = spatialize(clip, tmp_path / "o.wav")
    assert result.n_samples == samples_of(tmp_path / "o.wav").shape[1]
    assert abs(result.n_samples - 9600) <= RATE_HZ // 1000  # Matroska counts milliseconds
    assert localize_file(clip, tmp_path / "t.json").sources[0].basis == "assumed"


def test_M3_pictures_at_odd_times(tmp_path: Path, video_file: Write) -> None:
    times = [Fraction(n, 1000) for n in (0, 1, 2, 40, 500, 501, 990)]
    result = spatialize(video_file("a.mov", times, sound=noise(2, RATE_HZ)), tmp_path / "o.wav")
    assert result.n_samples >= RATE_HZ


def test_M3_a_missing_stream_is_named(tmp_path: Path, video_file: Write) -> None:
    silent = video_file("silent.mov", [Fraction(n, 24) for n in range(5)])
    with pytest.raises(NoAudio, match=r"silent\.mov"):
        spatialize(silent, tmp_path / "o.wav")
    blind = video_file("blind.mov", sound=noise(2, 9600))
    with pytest.raises(NoVideo, match=r"blind\.mov"):
        spatialize(blind, tmp_path / "o.wav")
    assert names(tmp_path) == {"silent.mov", "blind.mov"}


@pytest.mark.parametrize(
    "rows",
    ["0,30,0,0\n1,30,0,0\n", "0,0,90,1\n1,180,90,1\n", "0,0,-90,1\n", "0,180,0,1\n1,-180,0,1\n", "0,30,0,1e6\n"],
    ids=["in the head", "above", "below", "behind", "far away"],
)
def test_M3_every_place_can_be_rendered(tmp_path: Path, sound_file: Write, rows: str) -> None:
    (tmp_path / "k.csv").write_text(KEYS.splitlines()[0] + "\n" + rows)
    render_file(sound_file("a.wav", noise(1, 9600)), tmp_path / "k.csv", tmp_path / "o.wav")
    assert 0.0 < np.abs(samples_of(tmp_path / "o.wav")).max() < 50.0


@pytest.mark.parametrize("rows", ["", "0,0,0,1\n0,10,0,1\n", "1,0,0,1\n0,10,0,1\n"], ids=["none", "twice", "unsorted"])
def test_M3_keys_that_make_no_path_are_refused(tmp_path: Path, sound_file: Write, rows: str) -> None:
    (tmp_path / "k.csv").write_text(KEYS.splitlines()[0] + "\n" + rows)
    with pytest.raises(TrajectoryInvalid, match=r"k\.csv"):
        render_file(sound_file("a.wav", noise(1, 100)), tmp_path / "k.csv", tmp_path / "o.wav")


# --- M4: the length ---------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    rate_hz=st.sampled_from([22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]),
    fps=st.sampled_from(sorted(FPS)),
    first=st.integers(0, 20),
    n_frames=st.integers(1, 8),
)
def test_M4_a_span_lasts_from_its_rounded_start_to_its_rounded_end(
    tmp_path: Path, keys: Path, rate_hz: int, fps: str, first: int, n_frames: int
) -> None:
    if not (path := tmp_path / f"{rate_hz}.wav").exists():
        soundfile.write(path, noise(1, rate_hz)[0], rate_hz, subtype="FLOAT")
    span = Span(first / FPS[fps], n_frames / FPS[fps])
    result = render_file(path, keys, tmp_path / "o.wav", span=span, format="stereo")
    # in integers: nearest samples, halves up
    top, bottom = FPS[fps].numerator, FPS[fps].denominator
    start, stop = ((2 * n * bottom * rate_hz + top) // (2 * top) for n in (first, first + n_frames))
    assert result.n_samples == samples_of(tmp_path / "o.wav").shape[1] == stop - start


@pytest.mark.parametrize("fps", sorted(FPS))
def test_M4_segments_rendered_apart_and_joined_are_the_whole(tmp_path: Path, sound_file: Write, fps: str) -> None:
    """Of a source that stands still, in a format whose channels are only weighed: no filter crosses a seam."""
    (tmp_path / "k.csv").write_text(KEYS.splitlines()[0] + "\n0,25,10,2\n")
    path = sound_file("a.wav", noise(1, 60_000))
    options: dict[str, Any] = {"format": "hoa3", "air": None}
    render_file(path, tmp_path / "k.csv", tmp_path / "whole.wav", **options)
    edges = [Fraction(0), 3 / FPS[fps], 10 / FPS[fps], 11 / FPS[fps], Fraction(60_000, RATE_HZ)]
    parts = []
    for number, (start, end) in enumerate(pairwise(edges)):
        out = tmp_path / f"{number}.wav"
        render_file(path, tmp_path / "k.csv", out, span=Span(start, end - start), **options)
        parts.append(samples_of(out))
    assert_allclose(np.concatenate(parts, axis=1), samples_of(tmp_path / "whole.wav"), atol=1e-6)


# --- M5: the same again -----------------------------------------------------------------------------------------------


def test_M5_the_same_request_gives_the_same_bytes_and_says_what_made_them(
    tmp_path: Path, sound_file: Write, keys: Path
) -> None:
    sound_file("a.wav", noise(2, RATE_HZ))
    told = []
    for threads in (1, 2):  # of the libraries of linear algebra
        words = ["render", "a.wav", "--trajectory", "keys.csv", "-o", f"{threads}.flac", "--room", "hall", "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "foleyspace_host", *words],
            cwd=tmp_path,
            env=os.environ | {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)},
            capture_output=True,
            check=True,
        )
        told.append(json.loads(done.stdout))
    assert (tmp_path / "1.flac").read_bytes() == (tmp_path / "2.flac").read_bytes()
    made = told[0]["provenance"]
    assert made == told[1]["provenance"]
    assert made["models"] == [{"name": "kemar", "sha256": sha256(find("kemar").read_bytes()).hexdigest()}]
    assert made["device"] == "cpu"
    assert {"numpy", "soundfile"} <= set(made["libraries"])


# --- M6: no matter how it is cut up -----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 64, 512, 4096])
def test_M6_the_block_size_does_not_matter(block: int) -> None:
    n_samples = 2000 if block == 1 else 30_000
    sound = noise(1, n_samples)
    path = Trajectory(1.0, (Source("a", (Key(0.0, 80.0, 0.0, 1.0), Key(0.5, -80.0, 40.0, 4.0))),))
    ears = load_hrtf(None, RATE_HZ)

    def made(size: int) -> np.ndarray:
        blocks = (sound[:, start : start + size] for start in range(0, n_samples, size))
        pieces = render_stream(blocks, n_samples, RATE_HZ, path, ears, RenderOptions(propagation="doppler"))
        return np.concatenate(list(pieces), axis=1)

    assert_allclose(made(block), made(n_samples), atol=1e-6)


def test_M6_a_moving_source_does_not_click() -> None:
    """The second difference of a slow tone stays that of the tone: a jump of 1 % of the level would show."""
    hz, n_samples = 200.0, RATE_HZ
    tone = np.sin(2 * np.pi * hz * np.arange(n_samples) / RATE_HZ).astype(np.float32)
    path = Trajectory(1.0, (Source("a", (Key(0.0, 170.0, -40.0, 2.0), Key(1.0, -170.0, 60.0, 2.0))),))
    heard = render(tone, RATE_HZ, path)[:, 2000:-2000]
    level = np.abs(heard).max()
    assert np.abs(np.diff(heard, 2)).max() < level * ((2 * np.pi * hz / RATE_HZ) ** 2 + 0.01)


# --- M7: directions ---------------------------------------------------------------------------------------------------


def test_M7_every_direction_sounds_as_it_was_measured() -> None:
    """31 x 15 directions: time and level differences of the ears are those of the nearest measured response."""
    verify("kemar")
    measured = read_sofa(find("kemar"))
    rate_hz = int(measured.sample_rate_hz)
    impulse = np.zeros(2048, np.float32)
    impulse[512] = 1.0
    late_us, apart_db = [], []
    for elevation in np.linspace(-40.0, 80.0, 15):
        for azimuth in np.linspace(-180.0, 168.0, 31):
            across, up = np.radians(azimuth), np.radians(elevation)
            unit = np.array([np.cos(up) * np.cos(across), np.cos(up) * np.sin(across), np.sin(up)])
            nearest = int(np.argmax(measured.unit @ unit))
            x, y, z = measured.unit[nearest]
            place = Key(0.0, float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arcsin(z))), measured.radius_m)
            heard = render(impulse, rate_hz, Trajectory(1.0, (Source("a", (place,)),)), air=None, distance_gain="none")
            truth = np.asarray(measured.hrirs[nearest], np.float64)
            itd_us, ild_db = _differences(heard.astype(np.float64), rate_hz)
            true_us, true_db = _differences(truth, rate_hz)
            late_us.append(itd_us - true_us)
            apart_db.append(ild_db - true_db)
            if abs(place.azimuth_deg) < 170 and abs(np.degrees(np.arcsin(y))) > 10:
                assert np.sign(itd_us) == np.sign(y) == np.sign(ild_db)
    assert np.abs(late_us).max() < 25.0  # about one sample
    assert np.abs(apart_db).max() < 1.0


def _differences(pair: np.ndarray, rate_hz: int) -> tuple[float, float]:
    """Time by which the right ear is later [us], and level by which the left one is louder [dB], from spectra."""
    size, fine = 8192, 16
    left, right = np.fft.rfft(pair, size)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    low = (hz > 100) & (hz < 1500)
    lag = np.fft.irfft(np.where(low, np.conj(left) * right, 0.0), size * fine)
    reach = rate_hz * fine // 1000
    window = np.concatenate([lag[-reach:], lag[: reach + 1]])
    energy = (np.abs(np.stack([left, right])) ** 2).sum(axis=1)
    return (int(window.argmax()) - reach) / (fine * rate_hz) * 1e6, 10 * float(np.log10(energy[0] / energy[1]))


# --- M8: the disk is full ---------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, keys: Path, sound_file: Write) -> Path:
    """A client's folder with sounds of 1 s and 20 s."""
    sound_file("short.wav", noise(1, RATE_HZ // 2))
    sound_file("long.wav", noise(1, 20 * RATE_HZ))
    (tmp_path / "out").mkdir()
    return tmp_path


def rendering(folder: Path, name: str, suffix: str = ".wav", spread: float = 1.0) -> messages.JobSubmit:
    job = messages.RenderJob(
        audio=messages.AudioInput(path=str(folder / name)),
        trajectory=messages.TrajectoryInput(path=str(folder / "keys.csv")),
        settings=messages.RenderSettings(spread=spread),
        output=messages.Output(folder=str(folder / "out"), suffix=suffix),
    )
    return messages.JobSubmit(job=job)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_M8_a_full_disk_fails_the_job_and_nothing_else(make_host: Any, project: Path, suffix: str) -> None:
    host = make_host(runner=None).set(workers=1)
    host.command = ["bash", "-c", 'ulimit -f 2000; exec "$@"', "limited", *host.command]  # files up to 2 MB
    peer = host.start().peer(project)
    job_id = peer.ask_work("job.submit", rendering(project, "long.wav", suffix)).job_id
    report = peer.finished(job_id, timeout_s=60)
    assert (report.state, report.error.code) == ("failed", "disk_full")
    assert names(project / "out") == set()
    job_id = peer.ask_work("job.submit", rendering(project, "short.wav", suffix)).job_id
    report = peer.finished(job_id, timeout_s=60)
    assert report.state == "done", report.error
    assert names(project / "out") == {Path(report.artifacts[0].path).name}
    assert peer.ask("health").state != "draining"


# --- M9: a file that can be seen is complete --------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_M9_whatever_is_killed_when_every_visible_file_is_complete(make_host: Any, project: Path, suffix: str) -> None:
    settings_of = {}
    host = make_host(runner=None).set(workers=1, attempts=10)
    client_id = "m9"
    waiting = 4
    dice = np.random.default_rng(7)
    peer = host.start().peer(project, client_id=client_id)
    for number in range(waiting):
        spread = 1.0 + number / 10
        body = rendering(project, "long.wav", suffix, spread)
        settings_of[peer.ask_work("job.submit", body).job_id[:8]] = spread
    for _ in range(3):
        time.sleep(float(dice.uniform(0.2, 1.5)))
        for worker in _children(host.pid):
            with_care(worker)
        host.kill()
        _check_complete(project, settings_of, suffix)
        host.start()
    peer = host.peer(project, client_id=client_id)
    for name in list(settings_of):
        job_id = next(job.job_id for job in peer.ask("job.list").jobs if job.job_id.startswith(name))
        report = peer.finished(job_id, timeout_s=90)
        assert report.state == "done", report.error
        content = Path(report.artifacts[0].path).read_bytes()
        assert sha256(content).hexdigest() == report.artifacts[0].sha256
    assert len(_check_complete(project, settings_of, suffix)) == waiting
    assert len(names(project / "out")) == waiting  # hidden ones are gone too


def with_care(pid: int) -> None:
    """Kill a process that may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _children(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def _check_complete(project: Path, settings_of: dict[str, float], suffix: str) -> list[Path]:
    """Compare every visible result with one that was made in peace; return them."""
    seen = [path for path in (project / "out").iterdir() if not path.name.startswith(".")]
    for path in seen:
        spread = settings_of[path.stem.removeprefix("long-")[:8]]
        reference = project / f"reference-{spread}{suffix}"
        if not reference.exists():
            render_file(project / "long.wav", project / "keys.csv", reference, spread=spread)
        assert path.read_bytes() == reference.read_bytes()
    return seen
