"""The menu of engines: as the host reports them, with what stands against each, and what the job is told."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import compat, connection, engines, settings, task  # noqa: E402

LICENCE = "its licence was not accepted: MMAudio: code MIT, weights CC BY-NC 4.0 (no commercial use)"
REPORTED = {
    "generate": {"available": True},
    "engine:foley": {"available": True},
    "engine:library": {"available": False, "reason": "it is empty", "cure": "foleyspace library add DIR"},
    "engine:mmaudio": {
        "available": False,
        "reason": LICENCE,
        "cure": "read it, then: foleyspace models engine mmaudio --accept-licence",
    },
    "engine:dream": {"available": True},
}


@pytest.fixture
def reported(studio):
    connection.current().capabilities = dict(REPORTED)
    yield studio.scene.foleyspace
    connection.close()


def listed(chosen):
    return [item[0] for item in engines.items(chosen.engine_name)]


def test_before_the_host_was_asked_there_is_the_one_that_ships(studio):
    connection.close()
    chosen = studio.scene.foleyspace
    assert chosen.engine == "foley"
    assert listed(chosen) == ["foley"]
    assert settings.generate_settings(studio.scene)["engine"] is None, "the host takes its usual one"
    assert bpy.ops.foleyspace.generate.poll()


def test_all_that_the_host_reports_are_listed_with_what_stands_against_them(reported):
    assert listed(reported) == ["foley", "library", "mmaudio", "dream"]
    told = {item[0]: item for item in engines.items("")}
    assert "CC BY-NC 4.0" in told["mmaudio"][2]
    assert (told["mmaudio"][3], told["foley"][3]) == ("ERROR", "NONE")
    reported.engine = "dream"
    assert (reported.engine, reported.engine_name) == ("dream", "dream")
    with pytest.raises(TypeError):
        reported.engine = "stable-audio"


def test_the_choice_is_kept_whatever_the_host_lists_later(studio, reported):
    reported.engine = "dream"
    connection.current().capabilities = {"engine:library": {"available": True}, "engine:dream": {"available": True}}
    assert reported.engine == "dream"
    connection.close()
    assert reported.engine == "dream", "also while there is no host"
    connection.current().capabilities = {"generate": {"available": True}, "engine:foley": {"available": True}}
    assert reported.engine == "dream"
    assert not bpy.ops.foleyspace.generate.poll()
    assert "does not know" in engines.reason_against("dream")
    path = studio.save()
    connection.close()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert studio.scene.foleyspace.engine == "dream"
    assert settings.generate_settings(studio.scene)["engine"] == "dream"


def test_one_whose_licence_restricts_its_use_says_so_before_it_is_used(studio, reported):
    reported.prompt, reported.engine = "a dog", "mmaudio"
    assert engines.reason_against("mmaudio").startswith(
        "Its licence was not accepted: MMAudio: code MIT, weights CC BY-NC"
    )
    assert engines.reason_against("mmaudio").endswith("--accept-licence")
    with pytest.raises(RuntimeError, match=r"CC BY-NC 4\.0"):
        bpy.ops.foleyspace.generate()
    assert len(compat.every(studio.scene.sequence_editor_create())) == 0
    connection.current().capabilities["engine:mmaudio"] = {"available": True}
    assert bpy.ops.foleyspace.generate.poll()


def test_a_host_that_reports_no_engines_is_let_alone(studio, reported):
    connection.current().capabilities = {"generate": {"available": True}}
    assert bpy.ops.foleyspace.generate.poll()


def test_the_job_is_told(studio, identity):
    studio.scene.foleyspace.prompt, studio.scene.foleyspace.engine_name = "rain", "library"
    identity.works = False
    told = settings.generate_settings(studio.scene)
    work = task.Task("generate", "Scene", duration_s=1.0, folder=str(studio.folder), host=identity, **told)
    while not identity.jobs:
        assert work.step()
    assert identity.jobs[0].fields["engine"] == "library"
    work.cancel()


def test_a_real_host_is_asked_anew(studio, host):
    assert bpy.ops.foleyspace.connect() == {"FINISHED"}
    host.capabilities = {}
    assert bpy.ops.foleyspace.connect() == {"FINISHED"}
    assert {"engine:foley", "engine:library", "engine:stable-audio", "engine:mmaudio"} <= set(host.capabilities)


def test_who_made_it_and_under_which_licence():
    assert engines.maker({"engine": "mmaudio", "licence": "CC BY-NC 4.0"}) == "MMAudio, licence: CC BY-NC 4.0"
    assert engines.maker({"engine": "dream"}) == "dream"
    assert engines.maker({}) == ""
