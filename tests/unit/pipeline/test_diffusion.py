"""The diffusion renderer from files to a file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from foleyspace_host.cli import main
from foleyspace_host.diffusion.listener import Listener
from foleyspace_host.errors import Cancelled, InvalidInput, ModelUnavailable
from foleyspace_host.models import registry
from foleyspace_host.pipeline.render import render_file
from foleyspace_host.pipeline.stage_cache import StageCache
from tests.stand_ins.flow_models import share_of_prior_onnx

ROOM = "shoebox:5x4x2.6,rt60=0.4"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    noise = 0.05 * np.random.default_rng(0).standard_normal(30_000)
    soundfile.write(tmp_path / "dry.wav", noise, 48_000, subtype="FLOAT")
    (tmp_path / "path.csv").write_text(
        "t_s,azimuth_deg,elevation_deg,distance_m\n0,-40,0,2\n1,40,0,3\n", encoding="utf-8"
    )
    share_of_prior_onnx(tmp_path / "flow.onnx", 0.3)
    return tmp_path


def render(files: Path, name: str = "out.wav", **options: Any) -> Any:
    return render_file(files / "dry.wav", files / "path.csv", files / name, renderer="diffusion", **options)


def test_the_result_tells_model_seed_and_quality(files: Path) -> None:
    result = render(files, flow_model=files / "flow.onnx", quality="fine", seed=7, room=ROOM)
    assert [result.settings[name] for name in ("renderer", "quality", "seed")] == ["diffusion", "fine", 7]
    digest = hashlib.sha256((files / "flow.onnx").read_bytes()).hexdigest()
    assert [(one.name, one.sha256) for one in result.provenance.models][1:] == [("flow.onnx", digest)]
    assert "onnxruntime" in result.provenance.libraries
    assert soundfile.info(files / "out.wav").frames == 30_000


def test_the_same_seed_gives_the_same_file(files: Path) -> None:
    for name, seed in (("a.wav", 1), ("b.wav", 1)):
        render(files, name, flow_model=files / "flow.onnx", quality="fine", seed=seed, room=ROOM)
    assert (files / "a.wav").read_bytes() == (files / "b.wav").read_bytes()


def test_what_was_rendered_is_known_again_by_model_seed_and_listener(files: Path) -> None:
    cache = StageCache(files / "cache", 1 << 30)
    model = files / "flow.onnx"
    listener = files / "ada.json"
    listener.write_text(Listener((0.5,) * 16).to_json(), encoding="utf-8")
    share_of_prior_onnx(files / "other.onnx", 0.2)
    ways: list[dict[str, Any]] = [
        {"flow_model": model},
        {"flow_model": model, "seed": 1},
        {"flow_model": model, "quality": "fine"},
        {"flow_model": model, "listener": listener},
        {"flow_model": files / "other.onnx"},
    ]
    for options in ways:
        assert "render" not in render(files, room=ROOM, cache=cache, **options).reused
    for options in ways:
        assert "render" in render(files, room=ROOM, cache=cache, **options).reused


def test_it_can_be_cancelled(files: Path) -> None:
    def cancel(stage: str, done: int, total: int) -> None:
        if stage == "render":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        render(files, flow_model=files / "flow.onnx", room=ROOM, on_progress=cancel)
    assert not (files / "out.wav").exists()


def test_the_shipped_model_adds_rooms_and_leaves_the_rest_to_the_renderer(files: Path) -> None:
    result = render(files, "room.wav", room=ROOM)
    assert [one.name for one in result.provenance.models] == ["kemar", "binaural-flow"]
    plain = render_file(files / "dry.wav", files / "path.csv", files / "plain.wav")
    wide = render_file(files / "dry.wav", files / "path.csv", files / "wide.wav", extent_deg=60.0)
    assert plain.provenance.models == result.provenance.models[:1]
    render(files, "free.wav")
    render(files, "far.wav", extent_deg=60.0)
    assert (files / "free.wav").read_bytes() == (files / "plain.wav").read_bytes()
    assert (files / "far.wav").read_bytes() == (files / "wide.wav").read_bytes()
    assert wide.n_samples == 30_000
    # reverberation goes on where the free field has ended
    noise, _ = soundfile.read(files / "dry.wav")
    noise[15_000:] = 0.0
    soundfile.write(files / "dry.wav", noise, 48_000, subtype="FLOAT")
    render(files, "room.wav", room=ROOM)
    render_file(files / "dry.wav", files / "path.csv", files / "plain.wav")
    after = [np.abs(soundfile.read(files / name)[0][17_000:25_000]).max() for name in ("room.wav", "plain.wav")]
    assert after[0] > 1e-3 > 1e-5 > after[1]


def test_without_a_model_it_says_what_is_missing(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ENTRIES", tuple(one for one in registry.ENTRIES if one.name != "binaural-flow"))
    with pytest.raises(ModelUnavailable):
        render(files)
    arguments = ["render", str(files / "dry.wav"), "--trajectory", str(files / "path.csv"), "-o", str(files / "o.wav")]
    assert main([*arguments, "--renderer", "diffusion"]) == 1
    said = capsys.readouterr().err
    assert "ships no model" in said
    assert "--flow-model" in said
    assert "--renderer hrtf" in said
    assert not (files / "o.wav").exists()
    assert main([*arguments, "--renderer", "diffusion", "--quality", "dsp", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["provenance"]["models"]) == 1


def test_what_does_not_go_together_is_refused_at_once(files: Path) -> None:
    for options in ({"format": "stereo"}, {"channels": "spread"}, {"room": "church"}):
        with pytest.raises(InvalidInput):
            render(files, flow_model=files / "flow.onnx", **options)
    with pytest.raises(InvalidInput, match="code"):
        render(files, flow_model=files / "flow.onnx", listener=files / "path.csv")
    assert not (files / "out.wav").exists()


def test_the_command_line_says_the_same(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["render", str(files / "dry.wav"), "--trajectory", str(files / "path.csv"), "-o", str(files / "o.wav")]
    options = ["--renderer", "diffusion", "--quality", "fine", "--seed", "3", "--room", ROOM]
    assert main([*arguments, *options, "--flow-model", str(files / "flow.onnx"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["seed"] == 3
    render(files, flow_model=files / "flow.onnx", quality="fine", seed=3, room=ROOM)
    assert (files / "o.wav").read_bytes() == (files / "out.wav").read_bytes()
