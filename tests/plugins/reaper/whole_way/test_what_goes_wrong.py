"""What can go wrong while it is rendered: it is told, nothing is left behind, and what can go on goes on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ASKED = ["60", "60", "0", "0", "2", "2"]


def lay_out(studio: Any, n_items: int = 2) -> list[Any]:
    from fake import add_item, add_track

    track = add_track(studio.project, "Steps")
    path = studio.noise("steps.wav")
    studio.reaper.dialogs.inputs.append(ASKED)
    return [add_item(track, path, number * 2.0, 0.5 + 0.01 * number) for number in range(n_items)]


def is_untouched(studio: Any, items: list[Any]) -> bool:
    return not studio.results() and not studio.project.undo and not any(item.values["B_MUTE"] for item in items)


def once_running(do: Callable[[Any], None], studio: Any) -> Callable[[Any], None]:
    """Do something, once, as soon as the host works on a job."""
    done: list[bool] = []

    def each_tick(script: Any) -> None:
        progress = next(studio.jobs.glob("*/progress.json"), None)
        if (
            not done
            and progress is not None
            and '"running"' in progress.read_text()
            and '"pause"' in progress.read_text()
        ):
            done.append(True)
            do(script)

    return each_tick


def the_bridge(studio: Any) -> Any:
    return studio.reaper.processes.running[-1]


def told(studio: Any) -> str:
    return "\n".join([*studio.reaper.dialogs.texts, studio.reaper.dialogs.console])


def test_a_host_that_is_killed_is_started_anew_and_all_is_done(lonely_studio: Any) -> None:
    studio = lonely_studio
    host = studio.start_host(pause_s=1.0)
    items = lay_out(studio)
    studio.run("Spatialize selected items", each_tick=once_running(lambda _: host.kill(), studio))
    assert sorted(studio.results()) == [item.start_s for item in items]
    assert all(item.values["B_MUTE"] for item in items)


def test_a_host_that_cannot_be_started_is_told(lonely_studio: Any) -> None:
    studio = lonely_studio
    studio.reaper.processes.environment = studio.environment | {"FOLEYSPACE_COMMAND": str(shutil.which("false"))}
    items = lay_out(studio)
    studio.run("Spatialize selected items")
    assert "the host could not start" in told(studio)
    assert "foleyspace doctor" in told(studio)
    assert is_untouched(studio, items)
    assert studio.files_left() == []


def test_a_bridge_that_is_killed_is_told_and_the_host_ends_its_jobs(
    lonely_studio: Any, eventually: Callable[..., None]
) -> None:
    studio = lonely_studio
    studio.start_host(pause_s=30.0)
    items = lay_out(studio)

    def kill(_: Any) -> None:
        the_bridge(studio).kill()
        the_bridge(studio).wait()

    def each_tick(script: Any) -> None:
        kill_once(script)
        if the_bridge(studio).poll() is not None:
            studio.reaper.advance(1.0)  # the silence is waited for in seconds of the stand-in

    kill_once = once_running(kill, studio)
    studio.run("Spatialize selected items", each_tick=lambda s: studio.reaper.processes.running and each_tick(s))
    assert "said nothing" in told(studio)
    assert is_untouched(studio, items)
    assert studio.files_left() == []
    eventually(lambda: {job["state"] for job in studio.host_jobs()} == {"cancelled"})
    assert studio.files_left() == []


def test_a_mailbox_that_is_deleted_ends_all(lonely_studio: Any, eventually: Callable[..., None]) -> None:
    studio = lonely_studio
    studio.start_host(pause_s=30.0)
    items = lay_out(studio)
    studio.run(
        "Spatialize selected items",
        each_tick=once_running(lambda _: [shutil.rmtree(job) for job in studio.jobs.iterdir()], studio),
    )
    assert "deleted" in told(studio)
    assert is_untouched(studio, items)
    assert the_bridge(studio).wait(20) == 1
    assert {job["state"] for job in studio.host_jobs()} == {"cancelled"}
    assert studio.files_left() == []
    assert not list(studio.jobs.iterdir())


def test_an_item_that_is_deleted_meanwhile_is_told_and_the_others_are_placed(lonely_studio: Any) -> None:
    studio = lonely_studio
    studio.start_host(pause_s=0.5)
    items = lay_out(studio, 3)

    def delete(_: Any) -> None:
        with studio.reaper.as_user():
            items[1].track.items.remove(items[1])

    studio.run("Spatialize selected items", each_tick=once_running(delete, studio))
    assert sorted(studio.results()) == [0.0, 4.0]
    assert "deleted" in told(studio)
    media = Path(studio.reaper.resource).parent / "REAPER Media" / "FoleySpace"
    assert len(list(media.iterdir())) == 2  # the sound of the third has gone as well


def test_cancel_ends_all_and_leaves_nothing(lonely_studio: Any) -> None:
    from fake import run_script

    studio = lonely_studio
    studio.start_host(pause_s=30.0)
    items = lay_out(studio)
    begun = time.monotonic()
    studio.run(
        "Spatialize selected items",
        each_tick=once_running(lambda _: run_script(studio.reaper, studio.script("Cancel")), studio),
    )
    assert time.monotonic() - begun < 25.0
    assert is_untouched(studio, items)
    assert the_bridge(studio).wait(20) == 1
    assert {job["state"] for job in studio.host_jobs()} == {"cancelled"}
    assert studio.files_left() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_bridge_that_is_told_to_end_says_so_and_takes_its_jobs_along(lonely_studio: Any, number: int) -> None:
    studio = lonely_studio
    studio.start_host(pause_s=30.0)
    items = lay_out(studio)
    studio.run(
        "Spatialize selected items",
        each_tick=once_running(lambda _: the_bridge(studio).send_signal(number), studio),
    )
    assert is_untouched(studio, items)
    assert studio.files_left() == []
    assert {job["state"] for job in studio.host_jobs()} == {"cancelled"}


def test_a_source_that_is_damaged_fails_alone(studio: Any) -> None:
    from fake import add_item

    items = lay_out(studio, 2)
    path = studio.media / "broken.wav"
    path.write_bytes((studio.media / "steps.wav").read_bytes()[:4000])
    broken = add_item(items[0].track, path, 10.0, 0.5)
    studio.run("Spatialize selected items")
    assert sorted(studio.results()) == [0.0, 2.0]
    assert "broken.wav" in told(studio)
    assert not broken.values["B_MUTE"]


def test_a_folder_that_cannot_be_written_in_is_told(studio: Any, tmp_path: Path) -> None:
    items = lay_out(studio)
    (tmp_path / "a file").write_text("where a folder should be")
    studio.project.record_path = tmp_path / "a file"
    studio.run("Spatialize selected items")
    assert "a file" in told(studio)
    assert is_untouched(studio, items)


def test_a_setting_that_the_host_refuses_is_told(studio: Any) -> None:
    items = lay_out(studio)
    studio.set(room="a room that is none")
    studio.run("Spatialize selected items")
    assert "room" in told(studio)
    assert is_untouched(studio, items)
    assert studio.files_left() == []


def test_the_bridge_finds_the_project_s_folder_full_and_takes_all_back(lonely_studio: Any, tmp_path: Path) -> None:
    """Where the second of two results cannot be placed, the first does not stay either."""
    studio = lonely_studio
    path = studio.noise("steps.wav")
    keys = {"keys": [{"t_s": 0, "azimuth_deg": 60, "elevation_deg": 0, "distance_m": 2}]}
    sound = {"path": str(path), "start_s": 0, "duration_s": 0.5}
    items = [{"id": str(n), "name": f"step {n}", "length_s": 0.5, "sound": sound, "trajectory": keys} for n in range(2)]
    job = tmp_path / "job"
    job.mkdir()
    request = {"foleyspace_mailbox": 1, "kind": "spatialize", "output_folder": str(tmp_path / "new"), "items": items}
    (job / "request.json").write_text(json.dumps(request))
    code = (
        "import sys, foleyspace_host.bridges.reaper.place as place; real, n = place._named, []\n"
        "def named(*a):\n n.append(1)\n if len(n) == 2: raise OSError(28, 'No space left')\n return real(*a)\n"
        "place._named = named\nfrom foleyspace_host.bridges.reaper.bridge import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(job)], env=studio.environment, check=False)
    assert done.returncode == 1
    response = json.loads((job / "response.json").read_text())
    assert response["error"]["code"] == "disk_full"
    assert [item["ok"] for item in response["items"]] == [False, False]
    assert not (tmp_path / "new").exists()


def test_a_fault_of_the_bridge_is_told_and_logged(lonely_studio: Any, tmp_path: Path) -> None:
    job = tmp_path / "job"
    job.mkdir()
    (job / "request.json").write_text('{"foleyspace_mailbox": 1, "kind": "check"}')
    code = (
        "import sys, foleyspace_host.bridges.reaper.errand as errand\n"
        "def broken(self, client): raise RuntimeError('nobody foresaw this')\n"
        "errand.Errand._connect = broken\nfrom foleyspace_host.bridges.reaper.bridge import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(job)], env=lonely_studio.environment, check=False)
    assert done.returncode == 1
    response = json.loads((job / "response.json").read_text())
    assert response["error"]["code"] == "internal"
    assert "nobody foresaw this" in response["error"]["message"]
    assert "RuntimeError" in (job / "bridge.log").read_text()


def test_a_folder_that_the_owner_of_the_host_forbids_is_named(lonely_studio: Any, tmp_path: Path) -> None:
    studio = lonely_studio
    (studio.home / "config").mkdir(parents=True)
    (studio.home / "config" / "config.toml").write_text(f"roots = [{json.dumps(str(tmp_path / 'elsewhere'))}]\n")
    items = lay_out(studio)
    studio.run("Spatialize selected items")
    assert "configuration does not allow it" in told(studio)
    assert is_untouched(studio, items)
    assert studio.files_left() == []
