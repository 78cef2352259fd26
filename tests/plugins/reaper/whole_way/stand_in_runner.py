"""Does the work of jobs in tests: waits as long as it is told, then does what the real one does; makes a tone of words.

A host takes it with ``--runner stand_in_runner``. The length of the pause is in FOLEYSPACE_TEST_PAUSE_S.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import soundfile

from foleyspace_host.jobs import run as real
from foleyspace_host.jobs.model import Assignment, OnProgress, Outcome
from foleyspace_host.protocol.messages import Artifact, GenerateJob, JobSubmit

TONE_HZ = 440.0
TONE_RATE_HZ = 32_000


def run(assignment: Assignment, on_progress: OnProgress) -> Outcome:
    for _ in range(round(float(os.environ.get("FOLEYSPACE_TEST_PAUSE_S", "0")) / 0.02)):
        on_progress("pause", 0, 1, 0.0)
        time.sleep(0.02)
    job = msgspec.msgpack.decode(assignment.body, type=JobSubmit).job
    if not isinstance(job, GenerateJob):
        return real.run(assignment, on_progress)
    assert job.duration_s is not None
    t = np.arange(round(job.duration_s * TONE_RATE_HZ)) / TONE_RATE_HZ
    path = assignment.output_folder / f"{assignment.stem}-{assignment.job_id[:8]}.wav"
    soundfile.write(path, 0.25 * np.sin(2 * np.pi * TONE_HZ * t), TONE_RATE_HZ, subtype="FLOAT")
    on_progress("generate", 1, 1, 1.0)
    curve = path.with_suffix(".csv")
    drawn = "" if job.envelope is None else Path(job.envelope.path).read_text(encoding="utf-8")
    curve.write_text(drawn or "t_s,level_db,onset\n0,-100,0\n0.5,-100,1\n0.5,-3,0\n1,-60,0\n", encoding="utf-8")
    artifacts = (_artifact("audio", path), _artifact("envelope", curve))
    said = {"prompt": job.prompt, "seed": job.seed, "video": job.video and job.video.path}
    warnings = (f"made of the words {job.prompt!r}", *([f"as loud as {drawn.split()}"] if drawn else []))
    return Outcome(artifacts, said, warnings)


def _artifact(role: Literal["audio", "envelope"], path: Path) -> Artifact:
    data = path.read_bytes()
    return Artifact(role=role, path=str(path), n_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
