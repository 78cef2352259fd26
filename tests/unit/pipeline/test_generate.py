"""From words and pictures to files: takes, provenance, outputs, the job and the commands, with the library's engine."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from foleyspace_host.cli import main
from foleyspace_host.errors import FoleySpaceError, InvalidInput, NothingFound
from foleyspace_host.generate.envelope import Envelope, read_envelope
from foleyspace_host.generate.events import Course
from foleyspace_host.generate.library.index import open_index
from foleyspace_host.generate.library.scan import add_folder
from foleyspace_host.generate.request import Generated, GenerateRequest
from foleyspace_host.generate.setup import library_path
from foleyspace_host.media.tape import Tape
from foleyspace_host.pipeline.generate import generate_file
from foleyspace_host.pipeline.sounds import make_sounds, takes_of
from foleyspace_host.pipeline.spatialize_made import Wish, spatialize_made
from foleyspace_host.pipeline.stages import Stages

RATE = 48_000


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with two sounds in the library."""
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    place = tmp_path / "sounds"
    place.mkdir()
    fall = np.exp(-np.arange(12_000) / 1500) * np.random.default_rng(0).standard_normal(12_000)
    soundfile.write(place / "hoof_clop.wav", np.concatenate([np.zeros(2400), 0.4 * fall]), RATE)
    soundfile.write(place / "rain.wav", 0.1 * np.random.default_rng(1).standard_normal(RATE * 2), RATE)
    with open_index(library_path()) as index:
        add_folder(index, place)
    return place


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """A second of grey, without sound."""
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=Fraction(16))
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        for _ in range(16):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.full((96, 160, 3), 90, np.uint8), format="rgb24")))
        container.mux(video.encode(None))
    return path


def test_the_same_seed_gives_the_same_bytes_and_the_result_says_what_made_it(tmp_path: Path) -> None:
    made = [
        generate_file("hoof", tmp_path / f"{name}.wav", engine="library", duration_s=2.5, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    first, again, other = ((tmp_path / f"{name}.wav").read_bytes() for name in "abc")
    assert first == again != other
    sound, rate_hz = soundfile.read(tmp_path / "a.wav")
    assert (rate_hz, sound.shape) == (RATE, (120_000,))
    result = made[0]
    assert (result.engine, result.licence) == ("library", "that of your recordings")
    assert [model.name for model in result.provenance.models] == ["hoof_clop.wav"]
    assert result.sounds[0].prompt == "hoof"
    assert result.licence_accepted is None


def test_the_curve_that_was_used_can_be_edited_and_passed_back(tmp_path: Path) -> None:
    curve = tmp_path / "e.csv"
    generate_file("hoof", tmp_path / "a.wav", engine="library", duration_s=3.0, seed=4, envelope_out=curve)
    drawn = read_envelope(curve)
    assert len(drawn.onsets_s) > 8
    curve.write_text("t_s,level_db,onset\n0,-100,0\n1,-100,1\n1.002,0,0\n1.3,-60,0\n2,-60,0\n")
    result = generate_file("hoof", tmp_path / "b.wav", engine="library", envelope=curve)
    assert result.duration_s == 2.0
    sound, _ = soundfile.read(tmp_path / "b.wav")
    loud = np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max())
    assert loud[0] / RATE == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"prompt": ""}, "the prompt is empty"),
        ({"prompt": "hoof", "duration_s": 0.0}, "out of range"),
        ({"prompt": "hoof", "duration_s": 10_000.0}, "out of range"),
        ({"prompt": "hoof", "engine": "magic"}, "no engine"),
        ({"prompt": "hoof", "engine": "mmaudio"}, "no interpreter"),
        ({"prompt": "zither"}, "no recording"),
        ({"prompt": "xyzzy", "engine": "foley"}, "the nearest are"),
        ({"prompt": "hoof", "envelope": "none.csv"}, "cannot be read"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(tmp_path: Path, words: dict[str, Any], said: str) -> None:
    with pytest.raises(FoleySpaceError, match=said) as caught:
        generate_file(words.pop("prompt"), tmp_path / "out.wav", **({"engine": "library"} | words))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.wav").exists()


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no video"):
        generate_file("hoof", tmp_path / "out.mp4", engine="library")
    curve = tmp_path / "e.csv"
    curve.write_text("t_s,level_db\n0,0\n1,0\n")
    with pytest.raises(InvalidInput, match="would replace"):
        generate_file("hoof", tmp_path / "out.wav", engine="library", envelope=curve, envelope_out=curve)


class Counting:
    """An engine that answers with constants, one more each time."""

    name, device = "counting", "cpu"

    def __init__(self) -> None:
        self.asked: list[GenerateRequest] = []

    def generate(self, request: GenerateRequest, *, on_progress: Any = None) -> Generated:
        self.asked.append(request)
        on_progress(1, 1)
        return Generated(Tape.of(np.full(request.n_samples, float(len(self.asked)), np.float32)))


def course(source: str, shots_s: tuple[float, ...], silent_to_s: float = 0.0) -> Course:
    points = [(0.0, -100.0, False), (silent_to_s, -100.0, False)] if silent_to_s else []
    return Course(source, source, source, Envelope.of([*points, (silent_to_s, 0.0, True)]), shots_s, 3)


def test_every_shot_and_every_thing_has_a_sound_of_its_own() -> None:
    takes = takes_of([course("car", (0.0, 1.0)), course("dog", (0.0, 1.0), 1.0)], None, None, Fraction(3), seed=7)
    engine = Counting()
    made = make_sounds(engine, takes, Fraction(3), Stages())
    # the dog is silent in the first shot: nothing is asked for
    assert [(one.prompt, one.start_s, one.duration_s, one.seed) for one in made.sounds] == [
        ("car", 0.0, 1.0, 7),
        ("car", 1.0, 2.0, 8),
        ("dog", 1.0, 2.0, 10),
    ]
    sound = made.sound[:]
    assert len(sound) == 3 * RATE
    assert sound[RATE // 2] == 1.0
    assert sound[2 * RATE] == 5.0
    # soft ends only where another shot follows or went before, and none at the ends of the file
    assert (sound[0], sound[RATE - 1], sound[-1]) == (1.0, 0.0, 5.0)
    assert sound[RATE] == 0.0
    assert len(made.envelope.t_s) >= 2


def test_what_was_drawn_goes_for_the_whole() -> None:
    curve = Envelope.of([(0.0, 0.0, True)])
    (take,) = takes_of([course("car", (0.0, 1.0))], "rain", curve, 3.0, seed=1)
    assert (take.prompt, take.start_s, take.stop_s, take.envelope) == ("rain", 0.0, 3.0, curve)


def test_a_video_gives_its_length_and_needs_something_to_be_seen(silent: Path, tmp_path: Path) -> None:
    result = generate_file("rain", tmp_path / "a.wav", engine="library", video=silent)
    assert result.duration_s == 1.0
    assert {model.name for model in result.provenance.models} >= {"centernet", "rain.wav"}
    with pytest.raises(NothingFound, match="--prompt"):
        generate_file(None, tmp_path / "b.wav", engine="library", video=silent)


def test_a_silent_video_gets_a_sound_that_follows(silent: Path, tmp_path: Path) -> None:
    result = spatialize_made(silent, tmp_path / "a.wav", wish=Wish("rain", engine="library", seed=3))
    assert result.generated is not None
    assert result.generated.engine == "library"
    assert result.sound.path == "generated by library"
    assert result.reused == ("localize",)
    sound, _ = soundfile.read(tmp_path / "a.wav")
    assert sound.shape == (RATE, 2)
    assert np.abs(sound).max() > 0.01
    with pytest.raises(InvalidInput):
        spatialize_made(silent, tmp_path / "b.wav", wish=Wish("rain"), audio=silent)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_commands(silent: Path, tmp_path: Path, library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "a.wav")
    code, text, _ = run(capsys, "generate", "--prompt", "rain", "--engine", "library", "-o", out, "--duration", "1")
    assert code == 0
    assert "that of your recordings" in text
    code, text, _ = run(capsys, "generate", "--prompt", "rain", "--engine", "library", "-o", out, "--json")
    assert json.loads(text)["duration_s"] == 5.0
    code, _, error = run(capsys, "generate", "--prompt", " ", "-o", out)
    assert (code, "prompt is empty" in error, error.count("\n")) == (1, True, 1)
    out = str(tmp_path / "b.wav")
    code, text, _ = run(capsys, "spatialize", str(silent), "--prompt", "rain", "--engine", "library", "-o", out)
    assert code == 0
    assert "engine     library" in text
    code, _, error = run(capsys, "spatialize", str(silent), "--engine", "library", "--audio", out, "-o", out)
    assert code == 1
    assert "--engine" in error

    code, text, _ = run(capsys, "library", "search", "hoof")
    assert "hoof_clop.wav" in text
    assert json.loads(run(capsys, "library", "list", "--json")[1])["folders"] == [str(library)]
    assert "2 recordings" in run(capsys, "library", "list")[1]
    assert "2 as before" in run(capsys, "library", "add", str(library))[1]
    assert run(capsys, "library", "remove", str(library))[0] == 0
    assert run(capsys, "library", "remove", str(library))[0] == 1


def test_an_engine_is_set_up_and_its_licence_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "run.py"
    script.write_text("")
    words = ("models", "engine", "mmaudio", "--python", str(script), "--runner", str(script))
    code, text, _ = run(capsys, *words)
    assert code == 0
    assert "--accept-licence" in text
    told = json.loads(run(capsys, "models", "engine", "mmaudio", "--accept-licence", "--json")[1])
    assert told["available"]
    engines = {one["name"]: one for one in json.loads(run(capsys, "models", "list", "--json")[1])["engines"]}
    assert engines["mmaudio"]["accepted_on"] == told["accepted_on"]
    assert "accepted on" in run(capsys, "models", "list")[1]
    assert run(capsys, "models", "engine", "stable-audio", "--runner", str(script))[0] == 1
    assert run(capsys, "models", "engine", "mmaudio", "--weights", str(tmp_path / "none"))[0] == 1


def test_no_zero_is_negative(tmp_path: Path) -> None:
    curve = tmp_path / "drawn.csv"
    curve.write_text("t_s,level_db\n0,-100\n0.5,-100\n0.6,0\n1,0\n")
    generate_file("rain", tmp_path / "a.wav", engine="library", envelope=curve)
    sound, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert not sound[: RATE // 2].any()
    assert not np.signbit(sound[: RATE // 2]).any()
