from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import Cancelled, InvalidInput, MediaEmpty, NonFinite
from foleyspace_host.media import wav
from foleyspace_host.media.write import write_audio

RATE_HZ = 48_000


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(11).uniform(-0.7, 0.7, (2, 70_001)).astype(np.float32)


def cut(samples: np.ndarray, size: int = 4096) -> list[np.ndarray]:
    return [samples[:, k : k + size] for k in range(0, samples.shape[1], size)]


def test_float_files_hold_what_they_are_given(tmp_path, noise):
    loud = noise * 3
    report = write_audio(tmp_path / "a.wav", cut(loud), RATE_HZ, 2)
    samples, rate_hz = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert rate_hz == RATE_HZ
    assert np.array_equal(samples.T, loud)
    assert (report.n_samples, report.gain_db, report.subtype) == (70_001, 0.0, "FLOAT")
    assert report.true_peak_db >= 20 * np.log10(np.abs(loud).max())


@pytest.mark.parametrize(
    ("name", "subtype", "bits"),
    [("a.wav", "PCM_24", 24), ("a.wav", "PCM_16", 16), ("a.flac", None, 24), ("a.flac", "PCM_16", 16)],
)
def test_integer_files_are_turned_down_as_a_whole(tmp_path, noise, leftovers, name, subtype, bits):
    quiet = noise * 0.3
    report = write_audio(tmp_path / name, cut(quiet), RATE_HZ, 2, subtype=subtype)
    samples, _ = soundfile.read(tmp_path / name, dtype="float32")
    assert report.gain_db == 0
    assert np.max(np.abs(samples.T - quiet)) <= 1.5 * 2.0 ** (1 - bits) + 1e-9
    assert soundfile.info(tmp_path / name).subtype == f"PCM_{bits}"

    seen = []
    loud = noise * 4
    report = write_audio(tmp_path / name, cut(loud), RATE_HZ, 2, subtype=subtype, on_progress=lambda *x: seen.append(x))
    samples, _ = soundfile.read(tmp_path / name, dtype="float32")
    assert report.gain_db < -9
    assert report.true_peak_db == pytest.approx(-1.0)
    assert np.max(np.abs(samples.T - loud * 10 ** (report.gain_db / 20))) <= 1.5 * 2.0 ** (1 - bits) + 1e-9
    assert seen[-1] == (70_001, 70_001)
    assert leftovers() == []


def test_same_sound_same_bytes(tmp_path, noise, monkeypatch):
    import time

    for name in ("a.wav", "a.flac"):
        write_audio(tmp_path / name, [noise], RATE_HZ, 2)
        first = (tmp_path / name).read_bytes()
        time.sleep(1.1 if name == "a.wav" else 0)  # libsndfile writes the second into float files
        write_audio(tmp_path / name, cut(noise), RATE_HZ, 2)
        assert (tmp_path / name).read_bytes() == first


def test_long_files_become_rf64(tmp_path, noise, monkeypatch, leftovers):
    monkeypatch.setattr(wav, "_RIFF_LIMIT_BYTES", 300_000)
    write_audio(tmp_path / "a.wav", cut(noise), RATE_HZ, 2)
    assert (tmp_path / "a.wav").read_bytes()[:4] == b"RF64"
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert np.array_equal(samples.T, noise)
    assert leftovers() == []
    write_audio(tmp_path / "b.wav", cut(noise[:, :30_000]), RATE_HZ, 2)
    assert (tmp_path / "b.wav").read_bytes()[:4] == b"RIFF"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=6),
    st.integers(1, 5),
    st.sampled_from([8_000, 44_100, 48_000, 192_000]),
    st.floats(0.01, 30),
)
def test_any_integer_file_keeps_below_the_ceiling(tmp_path, lengths, n_channels, rate_hz, level):
    rng = np.random.default_rng(sum(lengths))
    blocks = [(level * rng.standard_normal((n_channels, n))).astype(np.float32) for n in lengths]
    if not sum(lengths):
        with pytest.raises(MediaEmpty):
            write_audio(tmp_path / "a.flac", blocks, rate_hz, n_channels)
        return
    report = write_audio(tmp_path / "a.flac", iter(blocks), rate_hz, n_channels)
    samples, _ = soundfile.read(tmp_path / "a.flac", always_2d=True)
    assert samples.shape == (sum(lengths), n_channels)
    assert np.abs(samples).max() <= 10 ** (-1 / 20) + 1.5 * 2**-23 + 1e-9  # rounding and dither
    assert report.true_peak_db <= -1 + 1e-6


def test_levels_that_nobody_asks_for_change_nothing_in_the_file(tmp_path, noise):
    told = write_audio(tmp_path / "a.wav", cut(noise), RATE_HZ, 2)
    untold = write_audio(tmp_path / "b.wav", cut(noise), RATE_HZ, 2, levels=False)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert np.isnan(untold.true_peak_db)
    assert (untold.loudness_lufs, untold.n_samples, untold.gain_db) == (None, told.n_samples, 0.0)
    # where the file itself depends on them or holds them, they are measured all the same
    loud = write_audio(tmp_path / "a.flac", cut(noise * 4), RATE_HZ, 2, levels=False)
    assert loud.true_peak_db == pytest.approx(-1.0)
    for name, levels in (("c.wav", True), ("d.wav", False)):
        write_audio(tmp_path / name, cut(noise), RATE_HZ, 2, levels=levels, broadcast=wav.Broadcast(5))
    assert (tmp_path / "c.wav").read_bytes() == (tmp_path / "d.wav").read_bytes()
    with pytest.raises(MediaEmpty):
        write_audio(tmp_path / "e.wav", [], RATE_HZ, 2, levels=False)


@pytest.mark.parametrize("levels", [True, False])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_samples_that_are_no_numbers_are_never_written(tmp_path, noise, leftovers, bad, name, levels):
    (tmp_path / name).write_bytes(b"old")
    noise[1, 60_000] = bad
    with pytest.raises(NonFinite) as caught:
        write_audio(tmp_path / name, cut(noise), RATE_HZ, 2, levels=levels)
    assert caught.value.where == str(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"old"
    assert leftovers() == []


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_cancel_leaves_nothing(tmp_path, noise, leftovers, name):
    def blocks():
        yield noise
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        write_audio(tmp_path / name, blocks(), RATE_HZ, 2)
    assert list(tmp_path.iterdir()) == []


def test_wrong_requests(tmp_path, noise):
    cases = [
        ("a.mp3", {}, 2),
        ("a", {}, 2),
        ("a.flac", {"subtype": "FLOAT"}, 2),
        ("a.wav", {"subtype": "PCM_8"}, 2),
        ("a.flac", {}, 9),
        ("a.wav", {}, 0),
        ("a.wav", {}, 3),
    ]
    for name, options, n_channels in cases:
        with pytest.raises(InvalidInput) as caught:
            write_audio(tmp_path / name, [noise], RATE_HZ, n_channels, **options)
        assert caught.value.where == str(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp4", "a.mov", "a.mkv"])
def test_full_disk(tmp_path, name, make_video):
    """A limit on the size of files stands for a full disk: writes fail midway in the same manner."""
    pytest.importorskip("resource")
    make_video("in.vid.mp4", n_frames=5)
    soundfile.write(tmp_path / "in.wav", np.random.default_rng(1).uniform(-1, 1, (400_000, 2)), RATE_HZ, "FLOAT")
    program = f"""
        import resource, sys
        import numpy as np
        from foleyspace_host.errors import DiskFull
        from foleyspace_host.media.mux import mux_audio
        from foleyspace_host.media.write import write_audio

        out = {str(tmp_path / name)!r}
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
        noise = np.random.default_rng(1).uniform(-1, 1, (2, 400_000)).astype(np.float32)
        try:
            if out.endswith((".wav", ".flac")):
                write_audio(out, [noise[:, k : k + 4096] for k in range(0, 400_000, 4096)], 48_000, 2)
            else:
                mux_audio({str(tmp_path / "in.vid.mp4")!r}, {str(tmp_path / "in.wav")!r}, out)
        except DiskFull as error:
            assert error.where == out and error.cure, error
            sys.exit(42)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 42, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.vid.mp4", "in.wav"]


def test_killed_process_leaves_the_old_file(tmp_path):
    target = tmp_path / "a.wav"
    target.write_bytes(b"old")
    program = f"""
        import itertools
        import numpy as np
        from foleyspace_host.media.write import write_audio

        block = np.zeros((2, 48_000), np.float32)
        def blocks():
            for k in itertools.count():
                if k == 5:
                    print("writing", flush=True)
                yield block
        write_audio({str(target)!r}, blocks(), 48_000, 2)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    assert target.read_bytes() == b"old"
    assert all(p == target or p.name.startswith(".a.") for p in tmp_path.iterdir())
