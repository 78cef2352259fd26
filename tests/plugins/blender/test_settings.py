"""Fields of the panel become settings that the host's protocol knows."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import choices, settings  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def schema():
    """The published schema of ``job.submit``."""
    return json.loads((ROOT / "schemas" / "v1" / "job.submit.schema.json").read_text())["$defs"]


def allowed(definition):
    """Return the words that a field may have, or None if any."""
    for one in (definition, *definition.get("anyOf", ())):
        if "enum" in one:
            return {word for word in one["enum"] if word is not None}
    return None


def test_every_choice_is_in_the_protocol(studio, schema):
    known = schema["RenderSettings"]["properties"]
    chosen = studio.scene.foleyspace
    chosen.renderer = "diffusion"
    chosen.hrtf = "//ears.sofa"
    assert set(settings.render_settings(studio.scene)) <= set(known)
    for field, items in (
        ("quality", choices.QUALITIES),
        ("distance_gain", choices.DISTANCE_GAINS),
        ("propagation", choices.PROPAGATIONS),
    ):
        assert {item[0] for item in items} == allowed(known[field])
    assert set(settings.localize_settings(studio.scene)) <= set(schema["LocalizeSettings"]["properties"])
    assert set(settings.generate_settings(studio.scene)) <= set(schema["GenerateJob"]["properties"])


def test_formats_and_rooms_are_those_of_the_host():
    said = (ROOT / "foleyspace_host/render/formats.py").read_text()
    assert all(f'"{name}"' in said for name, *_ in choices.FORMATS)
    rooms = (ROOT / "foleyspace_host/render/room/presets.py").read_text()
    assert all(f'"{name}": ' in rooms for name, *_ in choices.ROOMS if name != "CUSTOM")


def test_defaults(studio):
    assert settings.render_settings(studio.scene) == {
        "format": "binaural",
        "renderer": "hrtf",
        "distance_gain": "relative",
        "propagation": "none",
        "spread": 1.0,
        "air": True,
        "room": "dry",
        "bit_depth": "float",
    }


def test_only_what_matters_is_sent(studio):
    chosen = studio.scene.foleyspace
    chosen.renderer, chosen.quality, chosen.seed = "diffusion", "fine", 7
    sent = settings.render_settings(studio.scene)
    assert (sent["renderer"], sent["quality"], sent["seed"]) == ("diffusion", "fine", 7)
    chosen.format, chosen.hrtf = "foa", "/ears.sofa"
    sent = settings.render_settings(studio.scene)
    assert sent["renderer"] == "hrtf"
    assert not {"quality", "seed", "hrtf"} & set(sent), "ears are for two channels"


def test_paths_are_absolute(studio):
    studio.save()
    studio.scene.foleyspace.hrtf = "//ears/mine.sofa"
    assert settings.render_settings(studio.scene)["hrtf"] == str(studio.folder / "ears" / "mine.sofa")


def test_a_custom_room_is_sent_as_it_stands(studio):
    chosen = studio.scene.foleyspace
    chosen.room, chosen.room_custom = "CUSTOM", " hall:rt60=1.6 "
    assert settings.render_settings(studio.scene)["room"] == "hall:rt60=1.6"
    chosen.room_custom = "  "
    assert settings.render_settings(studio.scene)["room"] == "dry"


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1000, 1000)])
@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
def test_field_of_view_of_the_scenes_camera_over_the_longer_side(studio, size, fit):
    scene = studio.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    camera = studio.camera()
    camera.data.sensor_fit, camera.data.lens = fit, 30.0
    scene.foleyspace.hfov = "CAMERA"
    # the sensor's 36 mm lie over the longer side, over the width, or its 24 mm over the height
    if fit == "VERTICAL":
        longer_mm = 24.0 * max(size) / size[1]
    else:
        longer_mm = 36.0 if fit == "AUTO" else 36.0 * max(size) / size[0]
    wanted = math.degrees(2.0 * math.atan(longer_mm / 2.0 / 30.0))
    assert settings.hfov_deg(scene) == pytest.approx(wanted, rel=1e-4)


def test_a_given_field_of_view(studio):
    scene = studio.scene
    assert settings.localize_settings(scene) == {"hfov_deg": 60.0}
    scene.foleyspace.hfov = "CAMERA"
    assert settings.hfov_deg(scene) == 60.0, "there is no camera"
    scene.foleyspace.label = " steam train "
    assert settings.localize_settings(scene)["label"] == "steam train"


def test_what_the_host_cannot_do_has_a_reason():
    said = {
        "format:foa": {"available": False, "reason": "it is away", "cure": "fetch it"},
        "format:binaural": {"available": True},
        "renderer:hrtf": {"available": True},
    }
    assert settings.reason_against({}, "generate") == "", "nobody was asked yet"
    assert settings.reason_against(said, "format:binaural") == ""
    assert settings.reason_against(said, "format:foa") == "It is away"
    assert "update" in settings.reason_against(said, "generate")
