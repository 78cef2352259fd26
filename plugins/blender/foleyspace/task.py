"""From strips to results: one state machine that a modal operator, a script in the background and tests drive alike.

    collect -> sample -> submit -> wait -> place -> done | failed | cancelled

Nothing in the file is changed before `place`, which is a matter of milliseconds for each strip and is not cancelled;
whoever drives the task makes one step of undo of it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from . import bindings, connection, leftovers
from .client import ClientError, JobCancelled
from .kinds import KINDS, Work
from .strips import Refused
from .wanted import BUDGET_S, Item, Order

__all__ = ["FINISHED", "Item", "Task"]

FINISHED = ("done", "failed", "cancelled")

TRIES = 2  # how often a job is handed in
WORTH_A_RETRY = ("worker_died", "not_found", "busy", "host", "host_not_running", "timeout")  # codes; not its own fault
SAMPLED, RENDERED = 0.3, 0.98  # of the whole


class Task:
    """Something that an editor asked for.

    Parameters
    ----------
    kind : {"spatialize", "localize", "generate"}
        What to do.
    scene_name : str
        Scene of the sequencer.
    uuids : sequence of str
        Strips: bound sound strips to spatialize, movie strips to localize or to generate sound for, sound strips that
        were generated to generate them anew.
    settings : dict
        ``settings`` of the job, in the words of the protocol.
    folder : str
        Where results are written: absolute, or ``//`` and relative to the file; the extension's own folder if the
        file was never saved.
    distance_scale : float
        Factor on distances, on top of the unit scale of each scene.
    only_changed : bool
        Leave out strips that would sound as they do.
    mute_source : bool
        Whether the source is muted when its result is placed.
    prompt, duration_s, seed, engine : optional
        Of "generate"; `duration_s` is left out if there is a movie strip.
    follow_curve : bool
        Whether a sound that is generated anew becomes as loud as its curve is drawn.
    host : connection.Connection, optional
        That of the session if not given.

    Attributes
    ----------
    state : str
        "collect", "sample", "submit", "wait", "place", "done", "failed" or "cancelled". Done means that at least one
        strip is, or that nothing had changed.
    fraction : float
        How far, 0 to 1; never falls.
    message : str
        What is going on, for the status bar.
    error : str
        Why it failed, or why the first strip failed that did; one sentence.
    items : list of Item
        How each strip is.
    documents : dict of str to dict
        Trajectories that were found, by UUID of the movie strip ("localize").
    files : dict of str to str
        Files that were made, by UUID of their strip.
    warnings : list of str
        What the host or Blender had to remark.
    """

    def __init__(
        self,
        kind: str,
        scene_name: str,
        uuids: Sequence[str] = (),
        settings: dict[str, Any] | None = None,
        *,
        folder: str = "//foleyspace/",
        distance_scale: float = 1.0,
        only_changed: bool = False,
        mute_source: bool = True,
        prompt: str = "",
        duration_s: float | None = None,
        seed: int | None = None,
        engine: str | None = None,
        follow_curve: bool = True,
        host: connection.Connection | None = None,
    ) -> None:
        self.order = Order(
            kind,
            scene_name,
            dict(settings or {}),
            folder=folder,
            distance_scale=distance_scale,
            only_changed=only_changed,
            mute_source=mute_source,
            prompt=prompt,
            duration_s=duration_s,
            seed=seed,
            engine=engine,
            follow_curve=follow_curve,
        )
        self.kind, self.state, self.message, self.error = kind, "collect", "", ""
        self.items = [Item(uuid) for uuid in dict.fromkeys(uuids)] or ([Item("")] if kind == "generate" else [])
        self.files: dict[str, str] = {}
        self.warnings: list[str] = []
        self.longest_s = 0.0
        self._how = KINDS[kind](self.order)
        self.documents: dict[str, dict[str, Any]] = self._how.documents
        self._works: list[Work] = []
        self._host = host
        self._fraction, self._losses = 0.0, 0
        self._course = self._run()

    @property
    def finished(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in FINISHED

    @property
    def fraction(self) -> float:
        """How far, 0 to 1; never falls."""
        if self.state == "done":
            share = 1.0
        elif self.state == "sample":
            share = SAMPLED * self._how.share()
        elif self.state in ("submit", "wait", "place"):
            share = SAMPLED + (RENDERED - SAMPLED) * sum(map(_share_of, self._works)) / max(len(self._works), 1)
        else:
            share = 0.0
        self._fraction = max(self._fraction, share)
        return self._fraction

    def step(self, budget_s: float = BUDGET_S) -> bool:
        """Go on for about so long at most, and return whether there is more to do; never raises, never waits."""
        start = time.perf_counter()
        while not self.finished:
            begun = time.perf_counter()
            self._how.budget_s = max(budget_s - (begun - start), 0.0)
            try:
                waits = next(self._course)
            except StopIteration:
                if not self.finished:  # something unforeseen was raised in an earlier step
                    self._fail("It was broken off by a fault of the extension")
                waits = True
            except (Refused, ClientError, OSError, ReferenceError) as error:
                self._fail(str(error))
                waits = True
            now = time.perf_counter()
            self.longest_s = max(self.longest_s, now - begun)
            if waits or now - start + (now - begun) > budget_s:
                break
        return not self.finished

    def cancel(self) -> None:
        """Stop; the host is told, nothing is placed, and `state` is "cancelled" at once.

        Where results are being placed already it is too late: the others are placed too, and it is done.
        """
        while self.state == "place":
            self.step()
        if self.finished:
            return
        self._course.close()
        self._stop_jobs()
        self._end("cancelled", "Cancelled")

    def run(self, timeout_s: float | None = None, pause_s: float = 0.005) -> Task:
        """Go on until it has finished, for scripts; the task is returned. Cancelled after `timeout_s`."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while self.step():
            if end is not None and time.monotonic() > end:
                self.cancel()
            time.sleep(pause_s)
        return self

    # --- its course; each step yields whether there is nothing to do until later ---

    def _run(self) -> Any:
        yield from self._collect()
        yield from self._sample()
        yield from self._submit()
        yield from self._wait()
        self.state, self.message = "place", "Placing the results"
        yield True
        yield from self._place()

    def _collect(self) -> Any:
        self.message = "Looking at the strips"
        bindings.reconcile()
        for item in self.items:
            try:
                self._works.append(self._how.collect(item))
            except (Refused, OSError) as error:
                item.state, item.error = "failed", str(error)
            yield False

    def _sample(self) -> Any:
        self.state = "sample"
        for paused in self._how.prepare(self._open()):
            self.message = paused or f"Following the objects: {self._how.share():.0%}"
            yield bool(paused)

    def _submit(self) -> Any:
        self.state = "submit"
        for work in self._open():
            self._hand_in(work)
            yield False

    def _wait(self) -> Any:
        self.state = "wait"
        while any(work.item.state == "running" for work in self._works):
            host = self._connection()
            host.tick()
            if host.hopeless:
                for work in self._open():
                    work.item.state, work.item.error = "failed", _joined(host.problem, host.cure)
                break
            for work in self._open():
                if work.job is not None and work.job.finished:
                    self._take(work)
            self._tell(host)
            yield True

    def _place(self) -> Any:
        for work in self._works:
            if not work.item.path or work.item.state not in ("done", "skipped"):
                continue
            try:
                self._how.place(work)
            except (Refused, OSError) as error:
                work.item.state, work.item.error = "failed", str(error)
            else:
                work.item.state = "done"
                self.files[work.item.uuid] = work.item.path
            yield False
        if any(item.state in ("done", "skipped") for item in self.items):
            self._end("done", "Done")
        else:
            self._end("failed", "Failed")

    # --- particulars ---

    def _hand_in(self, work: Work) -> None:
        """Ask the host for it, unless there is nothing to be made."""
        try:
            request = self._how.request(work)
            if request is None:
                work.item.state = "skipped"
                return
            kind = "render" if self.kind == "spatialize" else self.kind
            work.job = self._connection().submit(kind, **request)
        except (Refused, ClientError, OSError) as error:
            work.item.state, work.item.error = "failed", _sentence(error)
            return
        work.tries += 1
        work.item.state = "running"

    def _take(self, work: Work) -> None:
        """Take what became of a job; one that failed by no fault of its own is handed in once more."""
        try:
            work.result = work.job.result()
            if self.kind != "localize":
                leftovers.note([work.result.path, *(one.path for one in work.result.artifacts if one.role != "audio")])
            self._how.take(work, work.result)
        except JobCancelled:
            work.item.state, work.item.error = "failed", "The job was cancelled in the host"
        except ClientError as error:
            if error.code in WORTH_A_RETRY and work.tries < TRIES:
                self._remark(f"{work.item.name}: {error.message}; it was tried once more")
                self._hand_in(work)
            else:
                work.item.state, work.item.error = "failed", _sentence(error)
        except (Refused, OSError) as error:
            work.item.state, work.item.error = "failed", str(error)
        else:
            work.item.state = "done"
            work.item.warnings += work.result.warnings

    def _tell(self, host: connection.Connection) -> None:
        """Say what is waited for."""
        if host.losses > self._losses:
            self._losses = host.losses
            self._remark("The host ended in the middle of the work; it was started again")
        done = sum(not work.open for work in self._works)
        if host.state == "READY":
            self.message = self._how.doing + (f" {done + 1} of {len(self._works)}" if len(self._works) > 1 else "")
        elif self._losses:
            self.message = f"The host has ended; {host.problem or 'it is being started again'}"
        else:
            self.message = host.problem or "Connecting to the host"

    def _open(self) -> list[Work]:
        return [work for work in self._works if work.open]

    def _connection(self) -> connection.Connection:
        if self._host is None:
            self._host = connection.current()
            self._losses = self._host.losses
        return self._host

    def _remark(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def _stop_jobs(self) -> None:
        for work in self._works:
            if work.job is not None and not work.job.finished:
                work.job.cancel()
        if self._host is not None:
            self._host.tick()

    def _fail(self, sentence: str) -> None:
        self._stop_jobs()
        for item in self.items:
            if item.state in ("waiting", "running"):
                item.state, item.error = "failed", sentence
        self._end("failed", sentence)

    def _end(self, state: str, message: str) -> None:
        """Note how it ended, also on the strips that failed."""
        self._how.close()
        for item in self.items:
            if state == "cancelled" and item.state != "failed":
                item.state = "cancelled"
            if item.state == "failed" and self.kind == "spatialize" and state != "cancelled":
                found = bindings.find(item.uuid)
                if found is not None and found[1].foleyspace.role != "RESULT":
                    bindings.mark(found[1], "FAILED", item.error)
            for sentence in item.warnings:
                self._remark(sentence)
        self.error = next((item.error for item in self.items if item.error), "" if self.items else "Select strips")
        self.state, self.message = state, message


def _share_of(work: Work) -> float:
    """Return how much of a job is done."""
    if not work.open:
        return 1.0
    return work.job.latest.fraction if work.job is not None and work.job.latest is not None else 0.0


def _sentence(error: Exception) -> str:
    """Return what went wrong, for people: without places in messages, which are for programmers."""
    if isinstance(error, ClientError) and (error.where or "").startswith("$"):
        return error.message[:1].upper() + error.message[1:]
    return str(error)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
