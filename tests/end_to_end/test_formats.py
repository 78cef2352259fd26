"""Every output format from the command to the bytes of the file."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose

import foleyspace_host
from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Key, Source, Trajectory
from foleyspace_host.pipeline.render import render_file
from foleyspace_host.render.formats import FORMAT_NAMES, find_format

RATE_HZ = 48_000
HEADER = "t_s,azimuth_deg,elevation_deg,distance_m\n"
# the directions of the loudspeakers by hand: order of the file, then ITU-R BS.2051 angles
SPEAKERS = {
    "stereo": [(30, 0), (-30, 0)],
    "5.1": [(30, 0), (-30, 0), (0, 0), None, (110, 0), (-110, 0)],
    "7.1.4": [
        *[(30, 0), (-30, 0), (0, 0), None, (135, 0), (-135, 0), (90, 0), (-90, 0)],
        *[(45, 30), (-45, 30), (135, 30), (-135, 30)],
    ],
}
STEP_S = 0.25


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[str], Path]:
    """Write a CSV trajectory."""

    def write(rows: str) -> Path:
        (tmp_path / "keys.csv").write_text(HEADER + rows)
        return tmp_path / "keys.csv"

    return write


@pytest.fixture
def round_the_speakers(tmp_path: Path) -> Callable[[str], Path]:
    """Write a trajectory that is at each loudspeaker for a quarter of a second, in the order of the channels."""

    def write(name: str) -> Path:
        from foleyspace_host.geometry.trajectory_file import dumps

        stops = [place or (0, 0) for place in SPEAKERS[name]]
        cut_keys = tuple(Key(i * STEP_S, az, el, 2.0, cut=i > 0) for i, (az, el) in enumerate(stops))
        path = tmp_path / "round.json"
        path.write_text(dumps(Trajectory(len(stops) * STEP_S, (Source("s", cut_keys),))))
        return path

    return write


def wave_format(path: Path) -> dict[str, int]:
    """What the header of a WAV file says, read without the library that wrote it."""
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    position = 12
    while data[position : position + 4] != b"fmt ":
        position += 8 + struct.unpack_from("<I", data, position + 4)[0]
    size = struct.unpack_from("<I", data, position + 4)[0]
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, position + 8)
    found = {"tag": tag, "channels": channels, "rate": rate, "bits": bits}
    if size >= 40:
        found["mask"], found["inner_tag"] = struct.unpack_from("<IH", data, position + 8 + 20)
    return found


def stops(sound: np.ndarray, count: int) -> np.ndarray:
    """Power of each channel (columns) in the middle of each quarter of a second (rows)."""
    step = int(STEP_S * RATE_HZ)
    middle = [sound[:, i * step + step // 4 : (i + 1) * step - step // 4] for i in range(count)]
    return np.array([(part.astype(float) ** 2).mean(axis=1) for part in middle])


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_wav_file_says_what_its_channels_are(
    name: str, tmp_path: Path, make_sound: Any, noise: Any, keys: Any, here: Any
) -> None:
    done = here(
        "render", make_sound("dry.wav", noise(1, 0.5)), "--trajectory", keys("0,30,0,2\n"),
        "-o", "o.wav", "--format", name, "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    form = find_format(name)
    assert done.json["format"] == name
    assert done.json["settings"]["format"] == name
    assert done.json["channels"] == list(form.channels)
    assert done.json["n_samples"] == 24_000
    models = [model["name"] for model in done.json["provenance"]["models"]]
    assert models == (["kemar"] if name == "binaural" else [])
    header = wave_format(tmp_path / "o.wav")
    assert (header["channels"], header["rate"], header["bits"]) == (form.n_channels, RATE_HZ, 32)
    if form.n_channels == 2:
        assert header["tag"] == 3
    else:
        mask = {"foa": 0, "hoa2": 0, "hoa3": 0, "5.1": 0x3F, "7.1.4": 0x2D63F}[name]
        assert (header["tag"], header["inner_tag"], header["mask"]) == (0xFFFE, 3, mask)
    sound, _ = soundfile.read(tmp_path / "o.wav")
    assert sound.shape == (24_000, form.n_channels)
    assert sound.any()


@pytest.mark.parametrize("name", ["5.1", "7.1.4"])
def test_ffmpeg_finds_each_loudspeaker_where_the_source_was(
    name: str, tmp_path: Path, make_sound: Any, noise: Any, round_the_speakers: Any
) -> None:
    count = len(SPEAKERS[name])
    render_file(
        make_sound("dry.wav", noise(1, count * STEP_S)), round_the_speakers(name), tmp_path / "o.wav",
        format=name, distance_gain="none",
    )  # fmt: skip
    with av.open(str(tmp_path / "o.wav")) as container:
        layout = container.streams.audio[0].codec_context.layout
        assert layout.name == name
        labels = [channel.name for channel in layout.channels]
    ffmpeg = {"L": "FL", "R": "FR", "C": "FC", "LFE": "LFE", "Lrs": "BL", "Rrs": "BR", "Ls": "SL", "Rs": "SR",
              "Ltf": "TFL", "Rtf": "TFR", "Ltr": "TBL", "Rtr": "TBR"}  # fmt: skip
    if name == "5.1":
        ffmpeg |= {"Ls": "BL", "Rs": "BR"}
    assert labels == [ffmpeg[channel] for channel in find_format(name).channels]
    power = stops(soundfile.read(tmp_path / "o.wav")[0].T, count)
    for index, place in enumerate(SPEAKERS[name]):
        heard = 2 if place is None else index  # instead of the LFE the source stands at the centre
        assert power[index].argmax() == heard
        others = np.delete(power[index], heard)
        assert others.max() < 1e-10 * power[index, heard]


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_a_video_carries_5_1_in_order(
    suffix: str, tmp_path: Path, make_clip: Any, make_sound: Any, noise: Any, round_the_speakers: Any
) -> None:
    from foleyspace_host.media.audio import read_audio

    count = len(SPEAKERS["5.1"])
    clip = make_clip(seconds=count * STEP_S, sound=noise(2, count * STEP_S))
    result = foleyspace_host.spatialize(
        clip, tmp_path / f"o{suffix}", audio=make_sound("dry.wav", noise(1, count * STEP_S)),
        keys=round_the_speakers("5.1"), format="5.1", distance_gain="none",
    )  # fmt: skip
    assert result.channels == ("L", "R", "C", "LFE", "Ls", "Rs")
    with av.open(str(tmp_path / f"o{suffix}")) as container:
        layout = container.streams.audio[0].codec_context.layout
        assert [channel.name for channel in layout.channels] == ["FL", "FR", "FC", "LFE", "BL", "BR"]
    power = stops(read_audio(tmp_path / f"o{suffix}")[0], count)
    for index, place in enumerate(SPEAKERS["5.1"]):
        heard = 2 if place is None else index
        assert power[index].argmax() == heard
        assert np.delete(power[index], heard).max() < 1e-4 * power[index, heard]  # AAC leaves a trace


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("foa", "o.flac", "a .flac file has no layout for the 4 channels of foa; end the name with .wav"),
        ("7.1.4", "o.flac", "12 channels of 7.1.4; end the name with .wav"),
        ("hoa3", "o.mp4", "16 channels of hoa3; end the name with .wav"),
        ("7.1.4", "o.mov", "12 channels of 7.1.4; end the name with .wav"),
    ],
)
def test_files_that_cannot_say_what_the_channels_are_are_refused_at_once(
    name: str, file: str, message: str, make_clip: Any, noise: Any, keys: Any, listing: Any
) -> None:
    clip, path = make_clip(seconds=0.4, sound=noise(1, 0.4)), keys("0,0,0,2\n")
    before = listing()
    with pytest.raises(InvalidInput, match=message.replace(".", r"\.")):
        foleyspace_host.spatialize(clip, clip.parent / file, keys=path, format=name)  # type: ignore[arg-type]
    assert listing() == before


def test_flac_holds_5_1(tmp_path: Path, make_sound: Any, noise: Any, keys: Any) -> None:
    render_file(make_sound("dry.wav", noise(1, 0.5)), keys("0,110,0,2\n"), tmp_path / "o.flac", format="5.1")
    sound, _ = soundfile.read(tmp_path / "o.flac")
    assert sound.shape == (24_000, 6)
    assert np.abs(sound).max(axis=0).argmax() == 4


def test_an_hrtf_set_without_ears_is_refused(tmp_path: Path, make_sound: Any, noise: Any, keys: Any, here: Any) -> None:
    done = here(
        "render", make_sound("dry.wav", noise(1, 0.5)), "--trajectory", keys("0,0,0,2\n"),
        "-o", "o.wav", "--format", "stereo", "--hrtf", "ears.sofa",
    )  # fmt: skip
    assert done.code == 1
    assert done.err == "foleyspace: error: hrtf: the format stereo uses no HRTF set; leave it out, or render binaural\n"
    mono = noise(1, 0.1)[0]
    with pytest.raises(InvalidInput, match="stereo uses no HRTF set"):
        foleyspace_host.render(mono, RATE_HZ, _still(), format="stereo", hrtf="ears.sofa")


def test_unknown_formats_are_refused(here: Any, noise: Any) -> None:
    done = here("render", "dry.wav", "--trajectory", "t.csv", "-o", "o.wav", "--format", "quad")
    assert done.code == 2
    for name in FORMAT_NAMES:
        assert f"'{name}'" in done.err
    with pytest.raises(InvalidInput, match="format: 'quad' is unknown; use one of: binaural, foa"):
        foleyspace_host.render(noise(1, 0.1)[0], RATE_HZ, _still(), format="quad")  # type: ignore[typeddict-item]


def _still() -> Trajectory:
    return Trajectory(1.0, (Source("s", (Key(0, 0, 0, 2),)),))


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_the_api_gives_what_the_file_holds(name: Any, tmp_path: Path, make_sound: Any, noise: Any, keys: Any) -> None:
    mono, path = noise(1, 0.5), keys("0,30,10,2\n0.4,-80,0,3\n")
    render_file(make_sound("dry.wav", mono), path, tmp_path / "o.wav", format=name)
    whole = foleyspace_host.render(mono[0], RATE_HZ, foleyspace_host.read_trajectory(path), format=name)
    assert whole.shape == (find_format(name).n_channels, 24_000)
    assert_allclose(soundfile.read(tmp_path / "o.wav", dtype="float32")[0].T, whole, atol=1e-6)


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_the_bed_lies_at_left_and_right_of_every_format(
    name: Any, tmp_path: Path, make_clip: Any, noise: Any, keys: Any
) -> None:
    original = noise(2, 1.0)
    clip, path = make_clip(seconds=1.0, sound=original), keys("0,60,0,2\n")
    foleyspace_host.spatialize(clip, tmp_path / "dry.wav", keys=path, format=name)
    foleyspace_host.spatialize(clip, tmp_path / "bed.wav", keys=path, format=name, bed_db=-6.0)
    sounds = [soundfile.read(tmp_path / file, dtype="float32")[0].T for file in ("bed.wav", "dry.wav")]
    bed = (sounds[0] - sounds[1]) / 10 ** (-6 / 20)
    if find_format(name).ambisonic_order is None:
        assert_allclose(bed[:2], original, atol=1e-6)
        assert not np.abs(bed[2:]).max(initial=0) > 1e-6
    else:  # W and Y as plane waves from +-30 degrees
        assert_allclose(bed[0], original[0] + original[1], atol=1e-6)
        assert_allclose(bed[1], 0.5 * (original[0] - original[1]), atol=1e-6)


def test_the_summary_names_format_and_channels(make_sound: Any, noise: Any, keys: Any, here: Any) -> None:
    dry = make_sound("dry.wav", noise(1, 0.5))
    done = here("render", dry, "--trajectory", keys("0,0,0,2\n"), "-o", "o.wav", "--format", "5.1")
    assert "  format     5.1: L R C LFE Ls Rs\n" in done.out


def test_the_command_offers_all_formats(here: Any) -> None:
    for command in ("render", "spatialize"):
        assert f"--format [{'|'.join(FORMAT_NAMES)}]" in here(command, "--help").out
