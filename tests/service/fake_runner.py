"""Does the work of jobs in tests: steps of a known length, and on wish everything that can go wrong.

A job is of the kind "generate" and its prompt holds JSON, see `Plan`. Finished stages are kept in the cache of
stages, so a job that was interrupted goes on where it was.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from foleyspace_host.errors import Cancelled, MediaDamaged, NonFinite
from foleyspace_host.jobs.model import Assignment, OnProgress, Outcome
from foleyspace_host.protocol.messages import Artifact, GenerateJob, JobSubmit

IMPORTED_S = time.monotonic()
JOBS_OF_THIS_PROCESS = 0


@dataclass
class Plan:
    """What a job does; times in milliseconds, steps counted from 0."""

    name: str = ""  # jobs of the same name and seed share finished stages; the job's own if empty
    stages: int = 1  # steps that are kept when they are done
    step_ms: float = 1.0
    count: str = ""  # folder: a file for each step, a byte for each time that it was done
    preview: int = 0  # samples of two channels to put into the preview for each step
    fail: int = -1  # damaged media
    nonfinite: int = -1
    bug: int = -1  # an exception that nobody foresaw
    segv: int = -1
    crash_at: int = -1
    oom: int = -1  # more memory than the machine has
    grow: int = -1  # takes memory in steps of 32 MiB, reporting progress
    hang: int = -1  # sleeps, and hears nothing
    hold: int = -1  # the same with the interpreter's lock held
    deaf: bool = False  # goes on after a cancel
    noisy: bool = False  # prints
    long_result: bool = False
    forget: bool = False  # another attempt finds nothing
    once: str = ""  # file: goes wrong only as long as it is not there
    fallback: str = ""  # why models did not run on the GPU


def run(assignment: Assignment, on_progress: OnProgress) -> Outcome:
    global JOBS_OF_THIS_PROCESS
    JOBS_OF_THIS_PROCESS += 1
    request = msgspec.msgpack.decode(assignment.body, type=JobSubmit)
    assert isinstance(request.job, GenerateJob)
    plan = Plan(**json.loads(request.job.prompt or "{}"))
    wrong = not (plan.once and Path(plan.once).exists())
    if plan.once:
        Path(plan.once).touch()
    name = f"{assignment.stem}-{assignment.job_id[:8]}"
    partial = assignment.output_folder / f".{name}.0123456789ab.part.bin"
    partial.write_bytes(b"half")
    key = f"{plan.name or assignment.job_id} {request.job.seed}"
    if plan.forget:
        key += f" {assignment.attempt}"
    kept = assignment.cache_folder / "fake" / hashlib.sha256(key.encode()).hexdigest()
    kept.mkdir(parents=True, exist_ok=True)
    preview = _preview(assignment, plan)
    total = hashlib.sha256()
    for step in range(plan.stages):
        done = kept / str(step)
        if not done.exists():
            _tell(plan, on_progress, "fake", step, plan.stages)
            if wrong:
                _go_wrong(plan, step, on_progress)
            time.sleep(plan.step_ms / 1000.0)
            if plan.count:
                with (Path(plan.count) / str(step)).open("ab") as file:
                    file.write(b"x")
            _keep(done, hashlib.sha256(f"{key} {step}".encode()).digest())
        total.update(done.read_bytes())
        if preview:
            preview.write(bytes(8 * plan.preview))
    _tell(plan, on_progress, "write", 1, 1)
    result = assignment.output_folder / f"{name}.bin"
    partial.write_bytes(total.digest() + b"".join((assignment.folder / "buffers" / f"{number:02d}.buf").read_bytes()
                                                  for number in range(len(request.buffers))))  # fmt: skip
    with result.open("xb") as file:
        file.write(partial.read_bytes())
    partial.unlink()
    data = result.read_bytes()
    artifact = Artifact(role="audio", path=str(result), n_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    facts = {
        "attempt": assignment.attempt,
        "pid": os.getpid(),
        "jobs": JOBS_OF_THIS_PROCESS,
        "device": assignment.device,
    }
    long = {"long": "x" * 1_000_000} if plan.long_result else {}
    return Outcome((artifact,), facts | long, fallbacks=(plan.fallback,) if plan.fallback else ())


def _tell(plan: Plan, on_progress: OnProgress, stage: str, done: int, total: int) -> None:
    if plan.noisy:
        print("{'not': 'for the host'}", flush=True)
        os.write(1, b"nor this\n")
    try:
        on_progress(stage, done, total, done / total)
    except Cancelled:
        if not plan.deaf:
            raise


def _go_wrong(plan: Plan, step: int, on_progress: OnProgress) -> None:
    if step == plan.fail:
        raise MediaDamaged("the file is damaged", where="clip.wav", cure="use another")
    if step == plan.nonfinite:
        raise NonFinite("a sample is not a number", where="render")
    if step == plan.bug:
        raise ZeroDivisionError("secret")
    if step == plan.segv:
        ctypes.string_at(0)
    if step == plan.crash_at:
        os._exit(3)
    if step == plan.oom:
        bytearray(1 << 46)
    if step == plan.grow:
        kept = []
        for number in range(10_000):
            kept.append(b"\x01" * (32 << 20))
            on_progress("grow", number, 10_000, 0.0)
    if step == plan.hang:
        time.sleep(1e6)
    if step == plan.hold:
        ctypes.PyDLL(None).sleep(1_000_000)


def _keep(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".part")
    partial.write_bytes(data)
    os.replace(partial, path)


def _preview(assignment: Assignment, plan: Plan):
    if assignment.preview is None or not plan.preview:
        return None
    from foleyspace_host.jobs.preview import PreviewHead, PreviewWriter

    return PreviewWriter(assignment.preview, PreviewHead(48_000, 2, plan.preview * plan.stages))
