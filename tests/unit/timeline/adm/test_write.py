from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from timelines import clip, gap, marker, media, span, timeline, track, transition, warp, write

from foleyspace_host.cli import main
from foleyspace_host.errors import Cancelled, InvalidInput, MediaDamaged, OutputUnwritable
from foleyspace_host.timeline.adm import write as writing
from foleyspace_host.timeline.adm.document import AdmObject, axml, clock
from foleyspace_host.timeline.adm.read import AdmFile, read_adm
from foleyspace_host.timeline.run import spatialize_timeline

RATE, HZ = 48_000, 100_000
LEFT = "foleyspace: az=90 el=5 dist=2"


@pytest.fixture
def dry(tmp_path: Path) -> np.ndarray:
    steps = np.random.default_rng(2).integers(-(1 << 20), 1 << 20, 10 * RATE)
    soundfile.write(tmp_path / "a.wav", (steps << 8).astype(np.int32), RATE, subtype="PCM_24")
    return steps


def a(name: str, start: float, duration: float, text: str = LEFT, rate: float = 24) -> dict:
    return clip(name, span(start, duration, rate), media("a.wav"), markers=[marker(text, start, 0, rate)])


def export(folder: Path, document: dict, **options: object) -> tuple[np.ndarray, AdmFile]:
    source = write(folder / "in.otio", document)
    spatialize_timeline(source, folder / "out.otio", adm=folder / "adm.wav", handles_s=0, **options)
    samples, rate = soundfile.read(folder / "adm.wav", dtype="int32", always_2d=True)
    assert rate == RATE
    return samples >> 8, read_adm(folder / "adm.wav", HZ)


def test_samples_and_places_are_exact(tmp_path: Path, dry: np.ndarray) -> None:
    parts = track(gap(24), a("one", 24, 48), a("two", 96, 24, "foleyspace: az=-30")), track(a("three", 0, 60))
    samples, adm = export(tmp_path, timeline(*parts))
    assert samples.shape == (4 * RATE, 2)
    wanted = np.zeros((4 * RATE, 2), np.int64)
    wanted[: int(2.5 * RATE), 0] = dry[: int(2.5 * RATE)]
    wanted[RATE : 3 * RATE, 1] = dry[RATE : 3 * RATE]
    wanted[3 * RATE :, 0] = dry[4 * RATE : 5 * RATE]
    np.testing.assert_array_equal(samples, wanted)
    told = [(one.name, one.track, one.start, one.duration, one.blocks[0].azimuth_deg) for one in adm.objects]
    assert told == [
        ("A2/three", 0, 0, 250_000, 90),
        ("A1/one", 1, HZ, 2 * HZ, 90),
        ("A1/two", 0, 3 * HZ, HZ, -30),
    ]
    assert adm.n_tracks == 2
    assert [one.absolute_m for one in adm.objects] == [2, 2, 1]


@pytest.mark.parametrize("rate", [23.976, 29.97, 59.94])
def test_objects_hold_their_samples_at_every_rate(tmp_path: Path, dry: np.ndarray, rate: float) -> None:
    items = [a(f"{n}", 7 * n, 7, rate=rate) for n in range(5)]
    samples, adm = export(tmp_path, timeline(track(gap(3, rate), *items)))
    exact = {23.976: Fraction(24000, 1001), 29.97: Fraction(30000, 1001), 59.94: Fraction(60000, 1001)}[rate]
    assert len(samples) == round(38 / exact * RATE)
    for number, one in enumerate(adm.objects):
        # the samples n with start <= n / rate < end, as a reader of the times finds them
        first, stop = (-(-tick * RATE // HZ) for tick in (one.start, one.start + one.duration))
        assert (first, stop) == (round((3 + 7 * number) / exact * RATE), round((10 + 7 * number) / exact * RATE))


def test_cross_fades_are_in_the_sound(tmp_path: Path) -> None:
    ones = np.full((10 * RATE, 1), 0.25)
    soundfile.write(tmp_path / "a.wav", ones, RATE, subtype="PCM_24")
    samples, adm = export(tmp_path, timeline(track(a("one", 48, 48), transition(12, 12), a("two", 72, 48))))
    assert [(one.track, one.start, one.duration) for one in adm.objects] == [(0, 0, 250_000), (1, 150_000, 250_000)]
    levels = samples[2 * RATE] / (1 << 23)
    np.testing.assert_allclose(levels, 0.25 * np.sqrt(0.5), rtol=1e-3)
    assert not samples[int(2.5 * RATE) :, 0].any()
    assert not samples[: int(1.5 * RATE), 1].any()


def test_several_sources_share_a_sound(tmp_path: Path, dry: np.ndarray) -> None:
    def source(name: str, azimuth: float, **fields: object) -> dict:
        keys = [{"t_s": 0.0, "azimuth_deg": azimuth, "elevation_deg": 0.0, "distance_m": 1.0}]
        return {"id": name, "keys": keys, **fields}

    path = {
        "schema": "foleyspace.trajectory/1",
        "duration_s": 1.0,
        "sources": [source("left", 60, gain_db=-6.0), source("right", -60, extent_deg=40.0)],
    }
    item = a("one", 0, 24)
    item["metadata"] = {"foleyspace": {"trajectory": path}}
    samples, adm = export(tmp_path, timeline(track(item)))
    assert samples.shape[1] == 1
    np.testing.assert_array_equal(samples[:, 0], dry[:RATE])
    left, right = adm.objects
    assert (left.name, right.name, left.track, right.track) == ("A1/one (left)", "A1/one (right)", 0, 0)
    assert left.blocks[0].gain == pytest.approx(10 ** (-6 / 20))
    assert (left.extent_deg, right.extent_deg) == (0, 40)


def test_what_is_too_loud_for_integers_is_made_up_for(tmp_path: Path) -> None:
    t = np.arange(RATE) / RATE
    loud = 1.6 * np.sin(2 * np.pi * 500 * t)
    soundfile.write(tmp_path / "a.wav", loud, RATE, subtype="FLOAT")
    samples, adm = export(tmp_path, timeline(track(a("one", 0, 24))))
    gain = adm.objects[0].blocks[0].gain
    assert gain == pytest.approx(1.6, rel=1e-4)
    np.testing.assert_allclose(samples[:, 0] / (1 << 23) * gain, loud, atol=1e-6)
    export(tmp_path, timeline(track(a("one", 0, 24))), bit_depth="float")
    exact, _ = soundfile.read(tmp_path / "adm.wav", dtype="float32")
    np.testing.assert_array_equal(exact, loud.astype(np.float32))


def test_channels_are_summed_with_their_power(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).uniform(-0.2, 0.2, (RATE, 2))
    soundfile.write(tmp_path / "a.wav", noise, RATE, subtype="FLOAT")
    samples, _ = export(tmp_path, timeline(track(a("one", 0, 24))))
    mono = samples[:, 0] / (1 << 23)
    assert np.corrcoef(mono, noise.sum(axis=1))[0, 1] > 0.999_999
    np.testing.assert_allclose(np.mean(mono**2), np.mean(noise**2), rtol=1e-3)


def test_a_warped_clip_is_there_at_its_speed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 500 * np.arange(10 * RATE) / RATE), RATE)
    item = a("one", 48, 24) | {"effects": [warp(2.0)]}
    samples, adm = export(tmp_path, timeline(track(gap(24), item)))
    assert [(one.start, one.duration) for one in adm.objects] == [(HZ, HZ)]
    assert np.abs(np.fft.rfft(samples[RATE:, 0])).argmax() == 1000
    assert not samples[:RATE].any()


def test_chunks_are_where_readers_look(tmp_path: Path, dry: np.ndarray) -> None:
    export(tmp_path, timeline(track(a("door \x01 & <slam>", 0, 24))))
    content = (tmp_path / "adm.wav").read_bytes()
    assert content[:4] == b"RIFF"
    assert struct.unpack("<I", content[4:8])[0] == len(content) - 8
    names, at = [], 12
    while at < len(content):
        names.append(content[at : at + 4])
        at += 8 + (length := int.from_bytes(content[at + 4 : at + 8], "little")) + (length & 1)
    assert names == [b"JUNK", b"fmt ", b"chna", b"data", b"axml"]
    assert at == len(content)
    assert b"A1/door   &amp; &lt;slam&gt;" in content


def test_cancelling_leaves_no_file(tmp_path: Path, dry: np.ndarray) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "adm" and done > total // 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        export(tmp_path, timeline(track(a("one", 0, 24))), on_progress=stop)
    assert not (tmp_path / "adm.wav").exists()
    assert not (tmp_path / "out.otio").exists()


@pytest.mark.parametrize(("was", "now"), [(">90.00000<", ">91.00000<"), ('start="00:00:00', 'start="00:00:01')])
def test_a_file_that_reads_differently_is_not_kept(
    tmp_path: Path, dry: np.ndarray, monkeypatch: pytest.MonkeyPatch, was: str, now: str
) -> None:
    def wrong(*told: object) -> bytes:
        text = axml(*told)
        assert was.encode() in text
        return text.replace(was.encode(), now.encode())

    monkeypatch.setattr(writing, "axml", wrong)
    with pytest.raises(OutputUnwritable, match="reads differently"):
        export(tmp_path, timeline(track(a("one", 0, 24))))
    assert not (tmp_path / "adm.wav").exists()


def test_refusals(tmp_path: Path, dry: np.ndarray) -> None:
    source = write(tmp_path / "in.otio", timeline(track(a("one", 0, 24))))
    for name in ("adm.flac", "in.otio", "mix.wav"):
        with pytest.raises(InvalidInput):
            spatialize_timeline(source, tmp_path / "out.otio", adm=tmp_path / name, mixdown=tmp_path / "mix.wav")
    with pytest.raises(MediaDamaged, match="ADM"):
        read_adm(tmp_path / "a.wav", HZ)
    one = AdmObject("x", 0, 0, 1, 1.0, 0.0, [])
    with pytest.raises(InvalidInput, match="61439 objects"):
        axml([one] * 61_440, "x", HZ, RATE, 24)


@pytest.mark.parametrize(
    ("ticks", "text"), [(0, "00:00:00.00000"), (366_112_345, "01:01:01.12345"), (HZ * 360_000, "100:00:00.00000")]
)
def test_clocks(ticks: int, text: str) -> None:
    assert clock(ticks, HZ) == text


def test_the_command_names_the_file(tmp_path: Path, dry: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.otio", timeline(track(a("one", 0, 24))))
    adm = tmp_path / "objects.wav"
    assert main(["timeline", str(source), "-o", str(tmp_path / "out.otio"), "--adm", str(adm)]) == 0
    assert f"wrote {adm}" in capsys.readouterr().out


def test_beyond_four_gigabytes_it_is_bw64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry: np.ndarray) -> None:
    from foleyspace_host.media import wav

    monkeypatch.setattr(wav, "_RIFF_LIMIT_BYTES", 1 << 16)
    source = write(tmp_path / "in.otio", timeline(track(a("one", 0, 24))))
    spatialize_timeline(source, tmp_path / "out.otio", adm=tmp_path / "adm.wav")
    content = (tmp_path / "adm.wav").read_bytes()
    assert content[:8] == b"BW64\xff\xff\xff\xff"
    assert content[12:16] == b"ds64"
    whole, data, n_samples = struct.unpack("<3Q", content[20:44])
    assert (whole, data, n_samples) == (len(content) - 8, 3 * RATE, RATE)
    assert len(read_adm(tmp_path / "adm.wav", HZ).objects) == 1
