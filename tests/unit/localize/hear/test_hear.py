"""Hearing, held to direct sums, to known sounds, and to the model before its weights were rounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import foleyspace_host
from foleyspace_host.errors import Cancelled
from foleyspace_host.localize.hear.listen import listen
from foleyspace_host.localize.hear.mel import RATE_HZ, log_mel, mel_bands, patches
from foleyspace_host.localize.hear.onsets import follow_loudness
from foleyspace_host.localize.hear.tag import Tagger, class_names, tag
from foleyspace_host.media.audio import open_audio
from foleyspace_host.models.registry import find
from foleyspace_host.models.session import open_session

ASSETS = Path(foleyspace_host.__file__).parent / "demo" / "assets"


def test_a_frame_is_the_sum_that_the_definition_says() -> None:
    sound = np.random.default_rng(1).standard_normal(400 + 160).astype(np.float32) * 0.1
    frame = sound[160:].astype(np.float64) * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400))
    bins = np.arange(257)
    magnitude = np.abs(np.exp(-2j * np.pi * bins[:, None] * np.arange(400) / 512) @ frame)

    def mel(hz: float) -> float:
        return 2595.0 * np.log10(1.0 + hz / 700.0)  # HTK's own way to write it

    edges = np.linspace(mel(125.0), mel(7500.0), 66)
    expected = []
    for band in range(64):
        low, centre, high = edges[band : band + 3]
        total = 0.0
        for k in bins:
            here = mel(k * 16_000 / 512)
            total += magnitude[k] * max(0.0, min((here - low) / (centre - low), (high - here) / (high - centre)))
        expected.append(np.log(total + 0.001))
    found = log_mel(sound)
    assert found.shape == (2, 64)
    np.testing.assert_allclose(found[1], expected, atol=2e-3)


@pytest.mark.parametrize("tone_hz", [200.0, 1000.0, 3000.0, 7000.0])
def test_a_tone_is_loudest_in_the_band_around_it(tone_hz: float) -> None:
    sound = np.sin(2 * np.pi * tone_hz * np.arange(8000) / RATE_HZ).astype(np.float32)
    edges = 700.0 * (10.0 ** (np.linspace(*(2595 * np.log10(1 + np.array([125.0, 7500.0]) / 700)), 66) / 2595) - 1.0)
    band = int(log_mel(sound)[20].argmax())
    assert edges[band] <= tone_hz <= edges[band + 2]


@pytest.mark.parametrize(("n_frames", "count"), [(1, 1), (96, 1), (97, 2), (144, 2), (145, 3), (1000, 20)])
def test_patches_take_in_every_frame(n_frames: int, count: int) -> None:
    spectrogram = np.arange(n_frames, dtype=np.float32)[:, None] + np.zeros((1, 64), np.float32)
    cut = patches(spectrogram)
    assert cut.shape == (count, 96, 64)
    assert set(np.unique(cut[cut >= 0])) == set(range(n_frames))
    np.testing.assert_array_equal(cut[-1][: n_frames - (count - 1) * 48, 0], spectrogram[(count - 1) * 48 :, 0][:96])


@pytest.mark.parametrize("n_frames", [1, 40, 96, 97, 768, 816, 817, 2000])
def test_a_spectrogram_in_pieces_is_the_whole(n_frames: int) -> None:
    rng = np.random.default_rng(n_frames)
    whole = rng.normal(-3.0, 2.0, (n_frames, 64)).astype(np.float32)
    pieces = np.split(whole, np.sort(rng.integers(0, n_frames, 5)))
    pieces = [piece for piece in pieces if len(piece)]
    session = open_session(find("yamnet"))
    tagger = Tagger(session)
    for piece in pieces:
        tagger.add(piece)
    tags = tagger.finish()
    given = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(patches(whole)[..., None])})[0]
    np.testing.assert_allclose(tags.scores, given, atol=1e-5)
    assert len(tags.time_s) == len(tags.scores)
    heard, expected = follow_loudness(*pieces), follow_loudness(whole)
    np.testing.assert_allclose(heard.level, expected.level, atol=1e-6)
    np.testing.assert_allclose(heard.onset, expected.onset, atol=1e-6)


def test_sound_in_steps_is_heard_as_the_whole(tmp_path: Path) -> None:
    sound = np.random.default_rng(2).standard_normal(33 * RATE_HZ + 77).astype(np.float32) * 0.05
    file = tmp_path / "noise.wav"
    soundfile.write(file, sound, RATE_HZ, subtype="FLOAT")
    with open_audio(file) as source:
        heard = listen(source)
    whole = log_mel(sound)
    expected = follow_loudness(whole)
    np.testing.assert_allclose(heard.loudness.level, expected.level, atol=1e-4)
    np.testing.assert_allclose(heard.loudness.onset, expected.onset, atol=1e-4)
    np.testing.assert_allclose(heard.tags.scores, tag(whole, open_session(find("yamnet"))).scores, atol=1e-4)


def test_clicks_are_onsets_at_their_time_and_silence_is_silent() -> None:
    sound = np.zeros(3 * RATE_HZ, dtype=np.float32)
    rng = np.random.default_rng(3)
    at_s = [0.5, 1.2, 2.05]
    for t_s in at_s:
        first = round(t_s * RATE_HZ)
        sound[first : first + 800] = rng.standard_normal(800) * np.exp(-np.arange(800) / 150)
    heard = follow_loudness(log_mel(sound))
    peaks = [heard.time_s[k] for k in np.argsort(-heard.onset)[:3]]
    for t_s in at_s:
        assert min(abs(peak - t_s) for peak in peaks) < 0.02
    assert not heard.is_silent
    assert follow_loudness(log_mel(np.zeros(RATE_HZ, np.float32))).is_silent


@pytest.fixture
def trot(tmp_path: Path) -> Path:
    """Four seconds of a horse at a trot, from recorded beats."""
    sound = np.zeros(4 * 48_000 + 48_000, dtype=np.float32)
    for beat in range(16):
        hoof, rate_hz = soundfile.read(ASSETS / f"hoof_{beat % 4 + 1}.flac", dtype="float32")
        assert rate_hz == 48_000
        first = round((beat * 0.25 + 0.02 * (beat % 2)) * rate_hz)
        sound[first : first + len(hoof)] += hoof[: len(sound) - first]
    file = tmp_path / "trot.wav"
    soundfile.write(file, sound, 48_000, subtype="FLOAT")
    return file


def test_sounds_are_called_what_they_are() -> None:
    session = open_session(find("yamnet"))
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    beep = tag(log_mel((0.3 * np.sin(2 * np.pi * 1000 * time_s)).astype(np.float32)), session).strongest(2)
    assert {name for name, _ in beep} == {"Beep, bleep", "Sine wave"}
    noise = np.random.default_rng(4).standard_normal(2 * RATE_HZ).astype(np.float32) * 0.1
    assert "White noise" in {name for name, _ in tag(log_mel(noise), session).strongest(4)}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "meant"),
    [
        ("38_Horse.wav", "Neigh, whinny"),
        ("37_Cow.wav", "Moo"),
        ("24_Helicopter.wav", "Helicopter"),
        ("29_Applause.wav", "Applause"),
        ("56_Lumber_mill_Chainsaw.wav", "Chainsaw"),
        ("35_Modern_car_horn.wav", "Vehicle horn, car horn, honking"),
        ("22_Morse.wav", "Beep, bleep"),
        ("52_Wind.wav", "Wind"),
    ],
)
def test_recordings_are_called_what_they_are(shared_dir: Path, file: str, meant: str) -> None:
    with open_audio(shared_dir / "data" / "sfx" / file) as source:
        strongest = listen(source).tags.strongest(12)
    assert meant in [name for name, _ in strongest], strongest


def test_there_are_as_many_names_as_scores() -> None:
    names = class_names()
    assert len(names) == len(set(names)) == 521
    assert (names[0], names[-1]) == ("Speech", "Field recording")
    tags = tag(log_mel(np.zeros(100, np.float32)), open_session(find("yamnet")))
    assert tags.scores.shape == (1, 521)
    assert tags.strongest(1)[0][0] == "Silence"


def test_listening_can_be_cancelled(trot: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise Cancelled("stop")

    with open_audio(trot) as source, pytest.raises(Cancelled):
        listen(source, on_progress=stop)


@pytest.mark.shared
def test_rounded_weights_hear_the_same(shared_dir: Path) -> None:
    original = open_session(shared_dir / "data" / "audiotag" / "yamnet_float.onnx")
    shipped = open_session(find("yamnet"))
    files = sorted((shared_dir / "data" / "sfx").glob("*.wav"))[:20]
    assert files
    for file in files:
        sound, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
        assert rate_hz > 0
        spectrogram = log_mel(sound.mean(axis=1))
        difference = np.abs(tag(spectrogram, original).scores - tag(spectrogram, shipped).scores)
        assert difference.max() < 0.02


def test_bands_cover_what_the_model_was_made_for() -> None:
    heard_hz = np.arange(257) * 16_000 / 512
    covered = mel_bands().sum(axis=1) > 0
    assert covered[(heard_hz > 160) & (heard_hz < 7400)].all()
    assert not covered[(heard_hz < 125) | (heard_hz > 7500)].any()
