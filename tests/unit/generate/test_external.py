"""Engines of other people, by stand-ins of the same interface: a pipeline object, and a script of its own process."""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.errors import Cancelled, InvalidInput, ModelUnavailable
from foleyspace_host.generate.engine import ENGINES, availability, engine_entry, open_engine
from foleyspace_host.generate.envelope import Envelope
from foleyspace_host.generate.external.pieces import joined, spans
from foleyspace_host.generate.external.runner import SCHEMA, RunnerEngine
from foleyspace_host.generate.external.stable_audio import StableAudioEngine
from foleyspace_host.generate.request import GenerateRequest
from foleyspace_host.generate.setup import read_setup, write_setup


@given(st.integers(1, 10_000), st.integers(10, 2000), st.integers(0, 4))
def test_pieces_cover_the_whole(n_samples: int, longest: int, overlap: int) -> None:
    parts = list(spans(n_samples, longest, overlap))
    assert parts[0][0] == 0
    assert parts[-1][1] == n_samples
    assert all(stop - first <= longest + 1 for first, stop in parts)
    assert all(one[1] - after[0] == overlap for one, after in pairwise(parts))


def test_cross_fades_keep_the_power() -> None:
    random = np.random.default_rng(0)
    whole = np.zeros(40_000, "f4")
    for first, stop in spans(40_000, 12_000, 4000):
        joined(whole, random.standard_normal(stop - first).astype("f4"), first, 4000)
    power = np.convolve(whole**2, np.ones(2000) / 2000, "valid")
    assert 0.8 < power.min() < power.max() < 1.25


# --- stable-audio ----------------------------------------------------------------------------------------------------


class TinyPipeline:
    """Called as StableAudioPipeline of diffusers is; a layer of random weights makes sound of its noise."""

    def __init__(self, rate_hz: int = 44_100, fail: Exception | None = None) -> None:
        self.vae = SimpleNamespace(sampling_rate=rate_hz)
        self.weights = np.random.default_rng(42).standard_normal((2, 16)).astype("f4") / 4
        self.calls: list[dict[str, Any]] = []
        self._fail = fail

    def __call__(self, prompt: str, **told: Any) -> SimpleNamespace:
        self.calls.append({"prompt": prompt} | told)
        for step in range(told["num_inference_steps"]):
            told["callback"](step, 0, None)
        if self._fail:
            raise self._fail
        noise = np.random.default_rng(told["generator"])
        hidden = noise.standard_normal((16, round(told["audio_end_in_s"] * self.vae.sampling_rate)))
        return SimpleNamespace(audios=[0.1 * np.tanh(self.weights @ hidden)])


def test_a_pipeline_of_diffusers_makes_any_length(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    pipeline = TinyPipeline()
    engine = StableAudioEngine(tmp_path, pipeline=pipeline)
    told: list[tuple[int, int]] = []
    request = GenerateRequest("a river", 90.0, 7, negative="music", quality="draft")
    made = engine.generate(request, on_progress=lambda done, total: told.append((done, total)))
    assert made.samples.shape == (1, 90 * 48_000)
    assert np.isfinite(made.samples).all()
    assert [call["generator"] for call in pipeline.calls] == [7, 8, 9]
    assert {call["negative_prompt"] for call in pipeline.calls} == {"music"}
    assert [done for done, _ in told] == list(range(75))
    assert made.weights[0].name.endswith("model_index.json")
    level = np.sqrt(np.convolve(made.samples[0] ** 2, np.ones(9600) / 9600, "valid")[::4800])
    assert level.max() / level.min() < 1.3
    again = StableAudioEngine(tmp_path, pipeline=TinyPipeline()).generate(request)
    assert (again.samples == made.samples).all()


def test_a_pipeline_follows_the_curve(tmp_path: Path) -> None:
    curve = Envelope.of([(0.0, -100.0, False), (1.0, -100.0, True), (1.001, 0.0, False), (2.0, -40.0, False)])
    made = StableAudioEngine(tmp_path, pipeline=TinyPipeline()).generate(GenerateRequest("hit", 2.0, 1, envelope=curve))
    assert not made.samples[0, :47_900].any()
    assert np.abs(made.samples[0, 48_000:50_000]).max() > 0.05


def test_what_a_pipeline_does_wrong_is_one_line(tmp_path: Path) -> None:
    broken = TinyPipeline(fail=RuntimeError("CUDA out of memory\nmuch more"))
    with pytest.raises(ModelUnavailable, match="CUDA out of memory"):
        StableAudioEngine(tmp_path, pipeline=broken).generate(GenerateRequest("rain", 1.0))

    def stop(_done: int, _total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        StableAudioEngine(tmp_path, pipeline=TinyPipeline()).generate(GenerateRequest("rain", 1.0), on_progress=stop)
    with pytest.raises(ModelUnavailable, match=r"model_index\.json"):
        StableAudioEngine(tmp_path)


def test_missing_libraries_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelUnavailable, match="torch is not installed; pip install"):
        StableAudioEngine(tmp_path)


# --- runners ---------------------------------------------------------------------------------------------------------

STAND_IN = """
import json, struct, sys, time, random
asked = json.load(open(sys.argv[1]))
print("loading weights ...", flush=True)
if asked["prompt"] == "fail":
    print("Traceback ...", file=sys.stderr); sys.exit("RuntimeError: no such checkpoint")
if asked["prompt"] == "nothing":
    sys.exit(0)
for step in range(asked["steps"]):
    print(json.dumps({"done": step + 1, "total": asked["steps"]}), flush=True)
    if asked["prompt"] == "slow":
        time.sleep(0.2)
random.seed(asked["seed"])
n = round(asked["duration_s"] * 16000)
data = b"".join(struct.pack("<h", int(3000 * random.uniform(-1, 1))) for _ in range(n))
head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16,
                   b"data", len(data))
open(asked["output"], "wb").write(head + data)
print(json.dumps({"model": "stand-in", "licence": "none", "peak_memory_mb": 12, "sha256": "ab" * 32}))
open(sys.argv[0] + ".log", "a").write(json.dumps(asked) + "\\n")
"""


@pytest.fixture
def runner(tmp_path: Path) -> RunnerEngine:
    script = tmp_path / "runner.py"
    script.write_text(STAND_IN)
    return RunnerEngine("mmaudio", Path(sys.executable), script, weights="/weights")


def asked_of(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "runner.py.log").read_text().splitlines()]


def test_a_runner_makes_a_sound_in_pieces(runner: RunnerEngine, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    request = GenerateRequest("a dog", 12.0, 5, negative="music", quality="draft", video=tmp_path / "clip.mp4")
    made = runner.generate(request, on_progress=lambda done, total: told.append((done, total)))
    assert made.samples.shape == (1, 12 * 48_000)
    first, second = asked_of(tmp_path)
    assert (first["schema"], first["seed"], second["seed"]) == (SCHEMA, 5, 6)
    assert (first["prompt"], first["negative"], first["weights"]) == ("a dog", "music", "/weights")
    assert first["video"] == str(tmp_path / "clip.mp4")
    assert (first["video_start_s"], first["duration_s"]) == (0.0, 6.5)
    assert second["video_start_s"] == pytest.approx(5.5)
    assert told == sorted(told)
    assert told[-1] == (2000, 2000)
    assert made.details["peak_memory_mb"] == 12
    assert made.details["licence"] == "none"
    assert (made.weights[0].name, made.weights[0].sha256) == ("stand-in", "ab" * 32)
    assert (runner.generate(request).samples == made.samples).all()


@pytest.mark.parametrize(("prompt", "said"), [("fail", "no such checkpoint"), ("nothing", "cannot be used")])
def test_what_a_runner_does_wrong_is_one_line(runner: RunnerEngine, prompt: str, said: str) -> None:
    with pytest.raises(ModelUnavailable, match=said) as caught:
        runner.generate(GenerateRequest(prompt, 1.0))
    assert "\n" not in str(caught.value)


def test_a_runner_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cannot be started"):
        RunnerEngine("mmaudio", tmp_path / "none", tmp_path / "none.py").generate(GenerateRequest("rain", 1.0))


def test_cancelling_ends_the_script(runner: RunnerEngine, tmp_path: Path) -> None:
    def stop(done: int, _total: int) -> None:
        if done:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        runner.generate(GenerateRequest("slow", 1.0, quality="fine"), on_progress=stop)
    time.sleep(0.3)
    assert not (tmp_path / "runner.py.log").exists()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    return tmp_path


# --- the shipped script, with a stand-in for the libraries that it runs ---------------------------------------------

STAND_IN_TORCH = """
import contextlib
bfloat16, float32 = "bf16", "f32"
class cuda:
    is_available = staticmethod(lambda: False)
inference_mode = contextlib.nullcontext
def load(path, map_location, weights_only):
    assert weights_only; return {"path": str(path)}
class Generator:
    def __init__(self, device): pass
    def manual_seed(self, seed): self.seed = seed; return self
"""
STAND_IN_MMAUDIO = """
import random
from types import SimpleNamespace
class Frames(list):
    def __getitem__(self, at):
        found = super().__getitem__(at); return Frames(found) if isinstance(at, slice) else found
    def unsqueeze(self, _): return self
class Sound(list):
    float = cpu = lambda self: self
    def __getitem__(self, _): return self
    flatten = lambda self: self
    tolist = lambda self: list(self)
sequence = SimpleNamespace(sampling_rate=16000, latent_seq_len=1, clip_seq_len=1, sync_seq_len=1)
all_model_cfg = {"large_44k_v2": SimpleNamespace(
    model_name="large", model_path="weights.pth", vae_path="weights.pth", synchformer_ckpt="weights.pth",
    bigvgan_16k_path=None, mode="44k", seq_cfg=sequence)}
def load_video(path, duration_s):
    clip, sync = range(int(8 * duration_s)), range(int(25 * duration_s))
    return SimpleNamespace(clip_frames=Frames(clip), sync_frames=Frames(sync))
def generate(clip, sync, text, *, negative_text, feature_utils, net, fm, rng, cfg_strength):
    assert (len(text), negative_text) == (1, ["music"]) and net.loaded and fm.num_steps
    if clip is not None:
        assert abs(clip[0] / 8 - sync[0] / 25) < 0.1
    for step in range(fm.num_steps):
        net.ode_wrapper(step)
    source = random.Random(rng.seed)
    return Sound(0.1 * source.uniform(-1, 1) for _ in range(round(sequence.duration * 16000)))
class Net:
    def to(self, *_): return self
    eval = lambda self: self
    def load_weights(self, weights): self.loaded = weights["path"]
    def update_seq_lengths(self, *_): pass
    def ode_wrapper(self, step): return step
def get_my_mmaudio(name): return Net()
class FeaturesUtils(Net):
    def __init__(self, **_): pass
class FlowMatching:
    def __init__(self, min_sigma, inference_mode, num_steps): self.num_steps = num_steps
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "checkout"
    (place / "mmaudio" / "model" / "utils").mkdir(parents=True)
    (place / "torch.py").write_text(STAND_IN_TORCH)
    (place / "mmaudio" / "eval_utils.py").write_text(STAND_IN_MMAUDIO)
    for name in ("networks", "flow_matching", "utils/features_utils"):
        (place / "mmaudio" / "model" / f"{name}.py").write_text("from mmaudio.eval_utils import *\n")
    (place / "weights.pth").write_bytes(b"weights")
    return place


def test_the_shipped_script_speaks_the_interface_of_mmaudio(checkout: Path, home: Path) -> None:
    write_setup("mmaudio", python=sys.executable, weights=str(checkout), accepted="yes", accepted_on="2026-01-02")
    engine = open_engine("mmaudio", "cpu")
    told: list[tuple[int, int]] = []
    request = GenerateRequest("a dog", 10.0, 5, negative="music", quality="draft", video=home / "clip.mp4")
    made = engine.generate(request, on_progress=lambda done, total: told.append((done, total)))
    assert made.samples.shape == (1, 480_000)
    assert 0.02 < made.samples.std() < 0.1
    assert made.weights[0].name == "MMAudio large"
    assert "CC BY-NC" in made.details["licence"]
    assert told[-1] == (2000, 2000)
    (checkout / "weights.pth").unlink()
    with pytest.raises(ModelUnavailable, match="nothing is downloaded"):
        engine.generate(request)


# --- the list of engines ---------------------------------------------------------------------------------------------


def test_every_engine_says_why_it_cannot_be_used(home: Path) -> None:
    for entry in ENGINES:
        found = availability(entry.name)
        assert found.available or (found.reason and found.cure)
        assert entry.licence
        if not found.available:
            with pytest.raises(ModelUnavailable, match=entry.name):
                open_engine(entry.name)
    assert home.exists()
    with pytest.raises(InvalidInput, match="library"):
        engine_entry("magic")


def test_restricted_terms_are_accepted_before_the_first_use(home: Path) -> None:
    script = home / "run.py"
    script.write_text("")
    write_setup("mmaudio", python=sys.executable, runner=str(script))
    found = availability("mmaudio")
    assert not found.available
    assert "CC BY-NC" in str(found.reason)
    assert "--accept-licence" in str(found.cure)
    with pytest.raises(ModelUnavailable, match="not accepted"):
        open_engine("mmaudio")
    write_setup("mmaudio", accepted=engine_entry("mmaudio").licence, accepted_on="2026-01-02")
    assert availability("mmaudio").available
    assert open_engine("mmaudio").name == "mmaudio"
    assert read_setup("mmaudio").runner == str(script)
    script.unlink()
    assert "is not there" in str(availability("mmaudio").reason)


def test_a_damaged_setup_is_told(home: Path) -> None:
    write_setup("mmaudio", weights="x")
    (path,) = home.rglob("engines.json")
    path.write_text("[1]")
    with pytest.raises(InvalidInput, match="mend or remove"):
        read_setup("mmaudio")
