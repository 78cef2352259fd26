"""The state machine from strips to results, with a host that cuts, and with the real one."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender's Python module is not installed")

Patiently = Callable[..., Any]


@pytest.fixture
def set_up(studio: Any) -> Any:
    """Two bound strips, of a thing that moves and one that stands still."""
    studio.camera()
    studio.strips = [
        studio.strip(studio.sound(studio.noise(2.0), "car.wav"), frame=1),
        studio.strip(studio.sound(studio.noise(2.0, 2), "bell.wav"), frame=20, channel=3),
    ]
    things = studio.thing("Car", f1=(-4.0, 4.0, 0.0), f49=(4.0, 4.0, 0.0)), studio.thing("Bell", f1=(0.0, 4.0, 0.0))
    studio.uuids = [studio.bind(strip, thing) for strip, thing in zip(studio.strips, things, strict=True)]
    return studio


def task_of(studio: Any, host: Any, **fields: Any) -> Any:
    from foleyspace.task import Task

    fields.setdefault("folder", str(studio.folder / "out"))
    uuids = fields.pop("uuids") if "uuids" in fields else studio.uuids
    return Task("spatialize", "Scene", uuids, fields.pop("settings", {}), host=host, **fields)


def handed_in(task: Any, host: Any) -> None:
    """Go on until the host has all jobs and does not work on them yet."""
    host.works = False
    until(task, "wait")
    host.works = True


def strips_of(studio: Any) -> list[Any]:
    from foleyspace import compat

    return list(compat.top(studio.scene.sequence_editor))


def results(studio: Any) -> list[Any]:
    return [strip for strip in strips_of(studio) if strip.foleyspace.role == "RESULT"]


def until(task: Any, state: str) -> None:
    for _ in range(10_000):
        if task.state == state:
            return
        assert task.step(), f"it ended as {task.state}: {task.error}"
    pytest.fail(f"it never came to {state}")


class TestItsCourse:
    def test_two_strips(self, set_up: Any, identity: Any) -> None:
        from foleyspace import bindings, compat

        task = task_of(set_up, identity, settings={"room": "hall"})
        fractions, states = [], []
        while task.step(0.0):
            fractions.append(task.fraction)
            states.append(task.state)
        assert (task.state, task.error, task.fraction) == ("done", "", 1.0)
        assert fractions == sorted(fractions)
        assert list(dict.fromkeys(states)) == ["collect", "sample", "submit", "wait", "place"]
        assert [item.state for item in task.items] == ["done", "done"]
        made = results(set_up)
        assert [(compat.left(one), compat.right(one), one.channel) for one in made] == [(1, 49, 2), (20, 68, 4)]
        assert [strip.mute for strip in set_up.strips] == [True, True]
        for strip, item, one in zip(set_up.strips, task.items, made, strict=True):
            assert bindings.result_of(strip) == one
            assert strip.foleyspace.state == "DONE"
            assert item.result == one.foleyspace.uuid
            assert task.files[item.uuid] == item.path
            assert Path(item.path).parent == set_up.folder / "out"
        car, bell = identity.jobs
        assert car.kind == "render"
        assert car.fields["settings"] == {"bit_depth": "float", "room": "hall"}
        assert car.fields["audio"]["span"] == {"start": [0, 1], "duration": [2, 1]}
        document = car.fields["trajectory"]
        assert (document["schema"], document["duration_s"]) == ("foleyspace.trajectory/1", 2.0)
        assert len(document["sources"][0]["keys"]) == 49
        assert len(bell.fields["trajectory"]["sources"][0]["keys"]) == 2

    def test_gain_width_and_listener_of_a_strip(self, set_up: Any, identity: Any) -> None:
        head = set_up.thing("Head", f1=(0.0, 4.0, 2.0))
        binding = set_up.strips[1].foleyspace
        binding.gain_db, binding.extent_deg, binding.listener = -6.0, 40.0, head
        task_of(set_up, identity, uuids=set_up.uuids[1:], distance_scale=0.5).run(30)
        source = identity.jobs[0].fields["trajectory"]["sources"][0]
        assert (source["gain_db"], source["extent_deg"], source["label"]) == (-6.0, 40.0, "Bell")
        assert (source["keys"][0]["elevation_deg"], source["keys"][0]["distance_m"]) == (-90.0, 1.0)

    def test_the_listener_of_the_scene(self, set_up: Any, identity: Any) -> None:
        chosen = set_up.scene.foleyspace
        chosen.listener = "OBJECT"
        assert "object that listens" in task_of(set_up, identity).run(30).error
        chosen.listener_object = set_up.thing("Head", f1=(2.0, 4.0, 0.0))
        assert task_of(set_up, identity, uuids=set_up.uuids[1:]).run(30).state == "done"
        assert identity.jobs[0].fields["trajectory"]["sources"][0]["keys"][0]["azimuth_deg"] == -90.0

    def test_nothing_is_changed_before_it_is_placed(self, set_up: Any, identity: Any) -> None:
        before = [(strip.name, strip.mute, strip.foleyspace.state) for strip in strips_of(set_up)]
        identity.works = False
        task = task_of(set_up, identity)
        until(task, "wait")
        for _ in range(20):
            assert task.step()
        assert [(strip.name, strip.mute, strip.foleyspace.state) for strip in strips_of(set_up)] == before
        assert task.message == "Rendering 1 of 2"

    def test_cancelled(self, set_up: Any, identity: Any) -> None:
        identity.works = False
        task = task_of(set_up, identity)
        until(task, "wait")
        task.cancel()
        assert (task.state, task.finished, task.step()) == ("cancelled", True, False)
        assert [job.cancelled for job in identity.jobs] == [True, True]
        assert [item.state for item in task.items] == ["cancelled", "cancelled"]
        assert len(strips_of(set_up)) == 2
        assert [strip.foleyspace.state for strip in set_up.strips] == ["BOUND", "BOUND"]

    def test_cancelled_while_it_follows_the_objects(self, set_up: Any, identity: Any) -> None:
        set_up.scene.frame_set(7)
        task = task_of(set_up, identity)
        for _ in range(20):
            task.step(0.0)
        assert (task.state, set_up.scene.frame_current) == ("sample", 7)
        task.cancel()
        assert (task.state, set_up.scene.frame_current) == ("cancelled", 7)

    def test_too_late_to_be_cancelled(self, set_up: Any, identity: Any) -> None:
        task = task_of(set_up, identity)
        while len(results(set_up)) < 1:
            assert task.step(0.0)
        assert task.state == "place"
        task.cancel()
        assert (task.state, len(results(set_up))) == ("done", 2)

    def test_undo_leaves_no_strip(self, set_up: Any, identity: Any) -> None:
        bpy = set_up.bpy
        bpy.ops.ed.undo_push(message="before")
        task = task_of(set_up, identity).run(30)
        bpy.ops.ed.undo_push(message="Spatialize")  # as the operator's UNDO does
        assert len(strips_of(set_up)) == 4
        bpy.ops.ed.undo()
        assert [strip.name for strip in strips_of(set_up)] == ["car", "bell"]
        assert not any(strip.mute or strip.foleyspace.result_uuid for strip in strips_of(set_up))
        bpy.ops.ed.redo()
        assert {one.foleyspace.uuid for one in results(set_up)} == {item.result for item in task.items}
        assert all(Path(item.path).is_file() for item in task.items)

    def test_an_undo_in_the_middle_does_no_harm(self, set_up: Any, identity: Any) -> None:
        bpy = set_up.bpy
        bpy.ops.ed.undo_push(message="before")
        set_up.scene.frame_set(5)
        bpy.ops.ed.undo_push(message="another frame")
        task = task_of(set_up, identity)
        for _ in range(20):
            task.step(0.0)
        assert task.state == "sample"
        bpy.ops.ed.undo()  # from here on every reference into the file is void
        task.run(30)
        assert (task.state, len(results(set_up))) == ("done", 2)


class TestWhatGoesWrong:
    def test_one_of_two(self, set_up: Any, identity: Any) -> None:
        (set_up.folder / "bell.wav").unlink()
        task = task_of(set_up, identity).run(30)
        assert (task.state, [item.state for item in task.items]) == ("done", ["done", "failed"])
        assert task.error == task.items[1].error == f"Its file is missing: {set_up.folder / 'bell.wav'}"
        binding = set_up.strips[1].foleyspace
        assert (binding.state, binding.error) == ("FAILED", task.error)
        assert not set_up.strips[1].mute

    def test_all(self, set_up: Any, identity: Any) -> None:
        for strip in set_up.strips:
            strip.foleyspace.target = None
        task = task_of(set_up, identity).run(30)
        assert (task.state, task.error) == ("failed", "Choose the object that the sound comes from")
        assert len(strips_of(set_up)) == 2

    def test_no_strips_at_all(self, set_up: Any, identity: Any) -> None:
        assert task_of(set_up, identity, uuids=[]).run(30).error == "Select strips"

    def test_a_result_is_not_spatialized_again(self, set_up: Any, identity: Any) -> None:
        task = task_of(set_up, identity).run(30)
        again = task_of(set_up, identity, uuids=[task.items[0].result]).run(30)
        assert again.error == "This strip was made from another; select that one"
        assert set_up.strips[0].foleyspace.state == "DONE"

    def test_a_strip_that_is_removed_meanwhile(self, set_up: Any, identity: Any) -> None:
        from foleyspace import compat

        task = task_of(set_up, identity)
        handed_in(task, identity)
        compat.remove(set_up.scene.sequence_editor, set_up.strips[0])
        task.run(30)
        assert [item.state for item in task.items] == ["failed", "done"]
        assert task.error == "The strip was removed meanwhile"

    def test_a_strip_that_is_moved_and_trimmed_meanwhile(self, set_up: Any, identity: Any) -> None:
        from foleyspace import compat

        task = task_of(set_up, identity, uuids=set_up.uuids[:1])
        handed_in(task, identity)
        strip = set_up.strips[0]
        if set_up.bpy.app.version >= (5, 2, 0):
            strip.content_start = 101
        else:
            strip.frame_start = 101
        compat.set_left(strip, 110)
        task.run(30)
        (made,) = results(set_up)
        assert (compat.left(made), compat.right(made)) == (101, 149)  # the sound is where the sound of its source is
        assert strip.foleyspace.state == "CHANGED"

    def test_a_worker_that_dies_is_tried_once_more(self, set_up: Any, identity: Any) -> None:
        from foleyspace.client import HostError

        task = task_of(set_up, identity, uuids=set_up.uuids[:1])
        handed_in(task, identity)
        identity.jobs[0].error = HostError("the worker ended", code="worker_died")
        task.run(30)
        assert (task.state, len(identity.jobs)) == ("done", 2)
        assert task.warnings == ["car: the worker ended; it was tried once more"]

    @pytest.mark.parametrize("code", ["worker_died", "media_damaged"])
    def test_what_fails_again_or_for_good_is_an_error(self, set_up: Any, identity: Any, code: str) -> None:
        from foleyspace.client import HostError

        task = task_of(set_up, identity, uuids=set_up.uuids[:1])
        submit = identity.submit

        def broken(*args: Any, **fields: Any) -> Any:
            job = submit(*args, **fields)
            job.error = HostError("it is broken", where="car.wav", cure="mend it", code=code)
            return job

        identity.submit = broken
        task.run(30)
        assert (task.state, task.error) == ("failed", "car.wav: it is broken; mend it")
        assert len(identity.jobs) == (2 if code == "worker_died" else 1)
        assert set_up.strips[0].foleyspace.state == "FAILED"

    def test_no_host(self, set_up: Any, identity: Any) -> None:
        identity.works, identity.hopeless, identity.state = False, True, "MISSING"
        identity.problem, identity.cure = "FoleySpace was not found on this machine", "install it"
        task = task_of(set_up, identity).run(30)
        assert (task.state, task.error) == ("failed", "FoleySpace was not found on this machine; install it")

    def test_an_output_folder_that_cannot_be(self, set_up: Any, identity: Any) -> None:
        (set_up.folder / "file").write_text("")
        task = task_of(set_up, identity, folder=str(set_up.folder / "file" / "out")).run(30)
        assert task.state == "failed"
        assert "output folder" in task.error


class TestOnlyWhatChanged:
    @pytest.fixture
    def again(self, set_up: Any, identity: Any) -> Callable[[], list[str]]:
        task_of(set_up, identity).run(30)

        def run() -> list[str]:
            identity.jobs.clear()
            task = task_of(set_up, identity, only_changed=True).run(30)
            assert (task.state, task.error) == ("done", "")
            assert len(results(set_up)) == 2
            return [item.state for item in task.items]

        return run

    def test_nothing(self, again: Callable[[], list[str]], identity: Any) -> None:
        assert again() == ["skipped", "skipped"]
        assert identity.jobs == []

    def test_a_movement(self, again: Callable[[], list[str]], set_up: Any) -> None:
        set_up.bpy.data.objects["Bell"].location.x = 0.001
        assert again() == ["skipped", "done"]
        assert again() == ["skipped", "skipped"]

    def test_the_file(self, again: Callable[[], list[str]], set_up: Any) -> None:
        set_up.sound(set_up.noise(2.5), "car.wav")
        assert again() == ["done", "skipped"]

    def test_a_trim_and_a_volume(self, again: Callable[[], list[str]], set_up: Any) -> None:
        from foleyspace import compat

        compat.set_right(set_up.strips[0], 40)
        set_up.strips[1].volume = 0.5
        assert again() == ["done", "done"]
        assert [compat.right(one) for one in results(set_up)] == [40, 68]

    def test_a_setting(self, again: Callable[[], list[str]], set_up: Any, identity: Any) -> None:
        set_up.strips[1].foleyspace.gain_db = 3.0
        assert again() == ["skipped", "done"]
        task = task_of(set_up, identity, only_changed=True, settings={"room": "hall"}).run(30)
        assert [item.state for item in task.items] == ["done", "done"]

    def test_a_result_that_is_gone_is_placed_again_and_not_made_again(
        self, again: Callable[[], list[str]], set_up: Any, identity: Any
    ) -> None:
        from foleyspace import compat

        compat.remove(set_up.scene.sequence_editor, results(set_up)[0])
        assert again() == ["done", "skipped"]
        assert identity.jobs == []

    def test_a_file_that_is_gone_is_made_again(self, again: Callable[[], list[str]], set_up: Any) -> None:
        for path in (set_up.folder / "out").glob("car*"):
            path.unlink()
        assert again() == ["done", "skipped"]


class TestOtherKinds:
    def test_a_generated_sound_stands_at_the_frame_and_is_no_result(self, studio: Any, identity: Any) -> None:
        from foleyspace import bindings, compat
        from foleyspace.task import Task

        made_of = studio.sound(np.zeros((60_000, 2), np.float32), "made.wav")
        identity._cut = lambda job: setattr(job, "path", made_of)
        studio.scene.sequence_editor_create()
        studio.scene.frame_set(31)
        folder = str(studio.folder)
        task = Task("generate", "Scene", folder=folder, prompt="a door", duration_s=1.25, seed=3, host=identity).run(30)
        assert (task.state, task.error) == ("done", "")
        fields = identity.jobs[0].fields
        assert (identity.jobs[0].kind, fields["prompt"], fields["duration_s"]) == ("generate", "a door", 1.25)
        assert (fields["seed"], fields["stem"]) == (3, "a door")
        _, strip = bindings.find(task.items[0].result)
        assert (compat.left(strip), compat.right(strip), strip.name, strip.mute) == (31, 61, "a door", False)
        assert strip.foleyspace.role == "NONE"

    def test_a_length_is_needed(self, studio: Any, identity: Any) -> None:
        from foleyspace.task import Task

        assert "length" in Task("generate", "Scene", prompt="x", host=identity).run(30).error

    def test_only_movies_are_looked_through(self, set_up: Any, identity: Any) -> None:
        from foleyspace.task import Task

        task = Task("localize", "Scene", set_up.uuids[:1], host=identity).run(30)
        assert task.error == "This is not a movie strip; select one"


class TestWithTheRealHost:
    def test_a_long_trajectory_goes_through_a_file(self, studio: Any, host: Any) -> None:
        from foleyspace import bindings

        studio.save()
        studio.fps(60)
        studio.camera()
        bee = studio.thing("Bee", f1=(-4.0, 4.0, 0.0), f3900=(4.0, 4.0, 0.0))
        strip = studio.strip(studio.sound(studio.noise(64.0)))
        task = task_of(studio, host, uuids=[studio.bind(strip, bee)], folder="//foleyspace/")
        until(task, "wait")
        path = Path(task._works[0].trajectory)
        document = json.loads(path.read_text())
        assert len(document["sources"][0]["keys"]) == 64 * 60 + 1
        task.run(120)
        assert (task.state, task.error) == ("done", "")
        assert Path(task.items[0].path).parent == studio.folder / "foleyspace"
        assert bindings.result_of(strip) is not None
        assert not path.exists()

    def test_a_host_that_is_killed_in_the_middle_is_started_again(
        self, studio: Any, host: Any, patiently: Patiently
    ) -> None:
        from foleyspace.client import read_connection, state_folder

        studio.save()
        studio.camera()
        bell = studio.thing("Bell", f1=(-4.0, 4.0, 0.0), f1000=(4.0, 4.0, 0.0))
        strip = studio.strip(studio.sound(studio.noise(60.0)))
        task = task_of(studio, host, uuids=[studio.bind(strip, bell)], settings={"room": "church", "seed": 1})

        def rendering() -> bool:
            assert task.step(), task.error
            job = task._works[0].job if task._works else None
            return job is not None and job.state == "running"

        patiently(rendering)
        victim = read_connection(state_folder())["pid"]
        os.kill(victim, signal.SIGKILL)
        told: set[str] = set()
        while task.step():
            told.add(task.message)
            if len(told) > 10_000:
                break
        assert (task.state, task.error) == ("done", "")
        assert task.warnings[0] == "The host ended in the middle of the work; it was started again"
        assert any("host has ended" in message for message in told)
        assert read_connection(state_folder())["pid"] != victim
        assert len(results(studio)) == 1

    def test_cancelled_in_the_host_too(self, studio: Any, host: Any, patiently: Patiently) -> None:
        from foleyspace.client import Client

        studio.save()
        studio.camera()
        bell = studio.thing("Bell", f1=(-4.0, 4.0, 0.0), f1000=(4.0, 4.0, 0.0))
        strip = studio.strip(studio.sound(studio.noise(120.0)))
        task = task_of(studio, host, uuids=[studio.bind(strip, bell)], settings={"room": "church"})

        def rendering() -> bool:
            assert task.step(), task.error
            job = task._works[0].job if task._works else None
            return job is not None and job.state == "running"

        patiently(rendering)
        job_id = task._works[0].job.job_id
        task.cancel()
        assert task.state == "cancelled"

        def stopped() -> bool:
            host.tick()  # as the timer goes on doing
            with Client("tests", start=False) as client:
                return client.job(job_id).state == "cancelled"

        patiently(stopped)
        assert not results(studio)
        assert list((studio.folder / "out").glob("*.wav")) == []

    def test_a_kind_of_work_that_the_host_cannot_do(self, studio: Any, host: Any, patiently: Patiently) -> None:
        from foleyspace.task import Task

        host.connect()
        patiently(lambda: host.tick() or host.state == "READY")
        known = host.capabilities["generate"]
        if known["available"]:
            pytest.skip("this host can make sounds from words")
        studio.save()
        task = Task("generate", "Scene", prompt="a door", duration_s=1.0, host=host).run(60)
        assert task.state == "failed"
        assert known["reason"].lower() in task.error.lower()

    def test_what_the_host_refuses_is_said_in_a_sentence(self, set_up: Any, host: Any) -> None:
        task = task_of(set_up, host, settings={"hrtf": str(set_up.folder / "no.sofa")}).run(60)
        assert task.state == "failed"
        assert "no.sofa" in task.error
        assert "\n" not in task.error
        assert set_up.strips[0].foleyspace.error == task.items[0].error
