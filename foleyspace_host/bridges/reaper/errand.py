"""One job from REAPER, from its request to its response."""

from __future__ import annotations

import platform
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace_host import __version__

if TYPE_CHECKING:
    from foleyspace_host.bridges.reaper.items import Outcome, Steps
    from foleyspace_host.bridges.reaper.mailbox import Heartbeat, Mailbox
    from foleyspace_host.bridges.reaper.request import Item, Request
    from foleyspace_host.client import Client, Job

__all__ = ["Errand", "Stop"]

_AT_A_TIME = 16  # items that are in work; the host has its own queue behind it
_TICK_S = 0.02
_LOOK_S = 0.1  # between looks at the folder
_FAREWELL_S = 5.0  # for the host to end its jobs
_START_S = 60.0  # for the host to greet us
_AGAIN_S = 3.0  # after which a host that could not be started is not tried again


class Stop(BaseException):
    """The work is to end: cancelled by the user, or without a folder, or at the system's wish.

    Parameters
    ----------
    why : str
        What the response says.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Errand:
    """Has the host do one job.

    Parameters
    ----------
    mailbox : Mailbox
        The job's files.
    heart : Heartbeat
        Where progress goes.
    """

    def __init__(self, mailbox: Mailbox, heart: Heartbeat) -> None:
        self._mailbox, self._heart = mailbox, heart
        self._request: Request | None = None
        self._client: Client | None = None
        self._jobs: dict[Job, None] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._warnings: list[str] = []
        self._capabilities: list[dict[str, Any]] = []
        self._placed: list[Path] = []
        self._made_folder: Path | None = None
        self._looked_at = self._refused_at = 0.0
        self._host_version = ""

    def respond(self) -> dict[str, Any]:
        """Do the job and return what ``response.json`` shall say; raises nothing."""
        error: dict[str, Any] | None = None
        try:
            try:
                self._work()
            except BaseException:
                self._end_jobs()
                raise
        except Stop as stop:
            error = {"code": "cancelled", "message": "cancelled" if stop.why == "cancelled" else stop.why}
        except BaseException as problem:
            error = self._explained(problem)
        finally:
            if self._client is not None:
                with suppress(Exception):
                    self._client.close()
        if error is not None:
            self.take_back()
        return self._response(error)

    def take_back(self) -> None:
        """Remove what was put into the project's folder."""
        for path in self._placed:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        if self._made_folder is not None:
            with suppress(OSError):
                self._made_folder.rmdir()
        self._placed = []

    # --- the work ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        from foleyspace_host.bridges.reaper.request import parse_request
        from foleyspace_host.errors import InvalidInput

        try:
            data = self._mailbox.request()
        except OSError as error:
            raise InvalidInput(f"the request cannot be read ({error.strerror})", where="request.json") from error
        self._request, self._warnings = parse_request(data)
        self._heart.tell(items=len(self._request.items), message="starting the host")
        from foleyspace_host.client import Client

        self._client = Client(
            "reaper",
            profile=self._request.profile,
            client_version=__version__,
            roots=[self._mailbox.folder],
            cancel_on_disconnect=True,
        )
        self._connect(self._client)
        if self._request.kind == "check":
            return
        from foleyspace_host.bridges.reaper.items import Workshop

        workshop = Workshop(self._client, self._request, self._mailbox.folder, lambda *_: self._tick())
        self._warnings += workshop.warnings
        self._do_all([(item, workshop.steps(item)) for item in self._request.items])
        self._heart.tell(fraction=1.0, stage="place", message="putting the results into the project's folder")
        self._place_all()

    def _connect(self, client: Client) -> None:
        until = time.monotonic() + _START_S
        while not client.connected:
            self._tick()
            if time.monotonic() > until:
                from foleyspace_host.errors import HostNotRunning

                raise HostNotRunning(client.problem, cure="run `foleyspace doctor`")
            time.sleep(_TICK_S)
        self._capabilities = list(client.hello.get("capabilities", ()))
        self._host_version = str(client.hello.get("host_version", ""))
        self._warnings += map(str, client.hello.get("warnings", ()))  # such as a folder that the host's owner forbids

    def _do_all(self, waiting: list[tuple[Item, Steps]]) -> None:
        """Do the steps of all items, several at a time."""
        n_items = len(waiting)
        waiting.reverse()
        active: list[tuple[Item, Steps, Job]] = []
        while waiting or active:
            if waiting and len(active) < _AT_A_TIME:
                item, steps = waiting.pop()
                self._say(n_items, [job for _, _, job in active], f"preparing {item.name or 'an item'}", "prepare")
                if (job := self._advance(item, steps, None)) is not None:
                    active.append((item, steps, job))
                self._tick()
                if waiting and len(active) < _AT_A_TIME:
                    continue
            self._tick()
            for entry in [entry for entry in active if entry[2].finished]:
                active.remove(entry)
                item, steps, job = entry
                if (following := self._advance(item, steps, job)) is not None:
                    active.append((item, steps, following))
            jobs = [job for _, _, job in active]
            running = [job for job in jobs if job.state == "running"]
            names = [item.name for item, _, job in active if job.state == "running"]
            stage = running[0].latest.stage if running and running[0].latest else ""
            self._say(n_items, jobs, f"working on {names[0]}" if names and names[0] else "", stage, bool(running))
            if active:
                time.sleep(_TICK_S)

    def _advance(self, item: Item, steps: Steps, finished: Job | None) -> Job | None:
        """Do an item's steps up to the next job, or to its end; what goes wrong concerns this item alone."""
        try:
            if finished is None:
                job = next(steps)
            elif finished.error is not None:
                job = steps.throw(finished.error)
            else:
                job = steps.send(finished.result())
        except StopIteration as end:
            self._outcomes[item.id] = {"ok": True, "error": None, **end.value}
            return None
        except Exception as problem:
            self._outcomes[item.id] = _failed(self._explained(problem))
            return None
        self._jobs[job] = None
        return job

    def _say(self, n_items: int, jobs: list[Job], message: str, stage: str, running: bool = True) -> None:
        done = len(self._outcomes)
        part = sum(job.latest.fraction if job.latest is not None else 0.0 for job in jobs)
        self._heart.tell(
            state="running" if running else "waiting",
            fraction=0.98 * min(1.0, (done + 0.9 * part) / max(n_items, 1)),
            stage=stage,
            item=min(done + 1, n_items),
            items=n_items,
            message=message or ("waiting for the host" if jobs else ""),
        )

    def _tick(self) -> None:
        """Keep in touch with the host, and look whether the script still wants this; raises `Stop` if not."""
        from foleyspace_host.client import HostNotRunning

        self._heart.alive()
        now = time.monotonic()
        if now - self._looked_at > _LOOK_S:
            self._looked_at = now
            if self._mailbox.gone:
                raise Stop("the job's folder was removed")
            if self._mailbox.cancelled:
                raise Stop("cancelled")
        if self._client is None:
            return
        try:
            self._client.poll()
            if self._client.connected:
                self._refused_at = 0.0
        except HostNotRunning:  # two starts may get in each other's way; one that fails again is told
            self._refused_at = self._refused_at or now
            if now - self._refused_at > _AGAIN_S:
                raise

    def _end_jobs(self) -> None:
        """Cancel what the host still does, and wait a little until it has heard."""
        left = [job for job in self._jobs if not job.finished]
        for job in left:
            job.cancel()
        until = time.monotonic() + _FAREWELL_S
        with suppress(Exception):
            while self._client is not None and self._client.connected and time.monotonic() < until:
                if all(job.finished for job in left):
                    break
                self._heart.alive()
                self._client.poll()
                time.sleep(_TICK_S)

    # --- results -----------------------------------------------------------------------------------------------

    def _place_all(self) -> None:
        """Move the results into the project's folder, all or none."""
        from foleyspace_host.bridges.reaper.place import folder_for, place

        request = self._request
        if request is None or not any(outcome["outputs"] for outcome in self._outcomes.values()):
            return
        folder, made = folder_for(request.output_folder)
        self._made_folder = folder if made else None
        for outcome in self._outcomes.values():
            for output in outcome["outputs"]:
                path = place(Path(output["path"]), folder, self._tick)
                self._placed.append(path)
                output["path"] = str(path)

    def _response(self, error: dict[str, Any] | None) -> dict[str, Any]:
        items = []
        for item in self._request.items if self._request is not None else ():
            outcome = self._outcomes.get(item.id)
            if outcome is None or (error is not None and outcome["outputs"]):
                outcome = _failed(error)
            items.append({"id": item.id, **outcome})
        versions = {"foleyspace": __version__, "host": self._host_version, "python": platform.python_version()}
        return {
            "foleyspace_mailbox": 1,
            "ok": error is None and all(item["ok"] for item in items),
            "error": error,
            "items": items,
            "warnings": self._warnings,
            "capabilities": self._capabilities,
            "versions": {**versions, "bridge_protocol": 1},
        }

    def _explained(self, problem: BaseException) -> dict[str, Any]:
        """Return an error as the response tells it; of one that nobody foresaw, leave more for developers."""
        error = _told(problem)
        if error["code"] == "internal":
            with suppress(OSError), (self._mailbox.folder / "bridge.log").open("a", encoding="utf-8") as log:
                log.writelines(traceback.format_exception(problem))
        return error


def _failed(error: dict[str, Any] | None) -> Outcome:
    return {"ok": False, "error": error, "outputs": [], "trajectory": None, "warnings": []}


def _told(problem: BaseException) -> dict[str, Any]:
    from foleyspace_host.client import ClientError
    from foleyspace_host.errors import FoleySpaceError

    if isinstance(problem, FoleySpaceError | ClientError):
        message = problem.problem if isinstance(problem, FoleySpaceError) else problem.message
        return {"code": problem.code, "message": message, "where": problem.where, "cure": problem.cure}
    if isinstance(problem, MemoryError):
        return {"code": "out_of_memory", "message": "there is not enough memory", "where": None, "cure": None}
    if isinstance(problem, OSError):
        message = problem.strerror or str(problem)
        return {"code": "output_unwritable", "message": message, "where": problem.filename, "cure": None}
    text = f"{type(problem).__name__}: {problem}"
    return {
        "code": "internal",
        "message": f"the bridge failed ({text[:300]})",
        "where": None,
        "cure": "please report this; bridge.log in the job's folder says more",
    }
