"""What is refused before any work is done."""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from foleyspace_host.errors import InvalidInput, ModelUnavailable, OutputUnwritable
from foleyspace_host.pipeline.outputs import add_text, check_outputs, output_kind
from foleyspace_host.pipeline.provenance import detector_used, hrtf_used, made_with
from foleyspace_host.pipeline.settings import LocalizeSettings, RenderSettings, plain


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spread": math.nan}, "spread: nan is outside 0 to 10"),
        ({"spread": -1.0}, "spread"),
        ({"bed_db": math.nan}, "bed: nan dB"),
        ({"bed_db": math.inf}, "bed: inf dB"),
        ({"bed_db": 100.0}, "bed: 100 dB is out of range; give -120 to 24 dB"),
        ({"distance_gain": "loud"}, "distance_gain: 'loud' is unknown; use one of: relative"),
        ({"propagation": "fast"}, "propagation: 'fast'"),
    ],
)
def test_render_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        RenderSettings(**settings)


@pytest.mark.parametrize("settings", [{"hfov_deg": 0.0}, {"hfov_deg": math.nan}, {"hfov_deg": 180.0}, {"label": " "}])
def test_localize_settings_are_checked(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        LocalizeSettings(**settings)


def test_settings_are_plain_in_results() -> None:
    fields = plain(LocalizeSettings("car", detector=Path("d.onnx")), RenderSettings(bed_db=-6.0))
    assert fields["label"] == "car"
    assert fields["detector"] == "d.onnx"
    assert fields["hrtf"] is None
    assert fields["bed_db"] == -6.0


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.wav", "sound"), ("a.FLAC", "sound"), ("a.mp4", "video"), ("a.b.MOV", "video"), ("a.mkv", "video")],
)
def test_suffixes_tell_the_kind(name: str, kind: str) -> None:
    assert output_kind(Path(name)) == kind


@pytest.mark.parametrize("name", ["a", "a.ogg", "a.wav.txt", ".wav"])
def test_other_suffixes_are_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"\.wav, \.flac, \.mp4"):
        output_kind(Path(name))


def test_outputs_replace_no_input_and_not_each_other(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"precious")
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    (tmp_path / "sub").mkdir()
    for name in (clip, link, tmp_path / "sub" / ".." / "clip.mp4"):
        with pytest.raises(InvalidInput, match="would replace the input; choose"):
            check_outputs([name], [clip])
    with pytest.raises(InvalidInput, match="would replace another output"):
        check_outputs([tmp_path / "a.json", tmp_path / "a.json"], [])
    check_outputs([tmp_path / "a.wav", None], [clip, None])
    assert clip.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "link.mp4", "sub"]


def test_unwritable_outputs_are_refused_before_the_work(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "a.wav", tmp_path):
        with pytest.raises(OutputUnwritable):
            check_outputs([path], [])


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    with ExitStack() as files:
        add_text(files, tmp_path / "a.json", "é\n")
        assert not (tmp_path / "a.json").exists()
    assert (tmp_path / "a.json").read_bytes() == "é\n".encode()
    assert len(list(tmp_path.iterdir())) == 1


def test_provenance_names_versions_and_checksums(tmp_path: Path) -> None:
    own = tmp_path / "own.sofa"
    own.write_bytes(b"abc")
    provenance = made_with([hrtf_used(own), detector_used(None)])
    assert provenance.models[0].name == "own.sofa"
    # the published test vector of SHA-256
    assert provenance.models[0].sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert provenance.models[1].name == "centernet"
    assert "numpy" in provenance.libraries
    with pytest.raises(ModelUnavailable):
        detector_used(tmp_path / "none.onnx")
