"""Does what the real runner cannot do yet, or not as fast: makes sounds from words, and finds sources at once.

Runs in a worker of the host. Renders are done by the real runner.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import time
import wave
from pathlib import Path

import msgspec

from foleyspace_host.errors import MediaDamaged
from foleyspace_host.jobs import run as real
from foleyspace_host.jobs.model import Assignment, OnProgress, Outcome
from foleyspace_host.protocol.messages import Artifact, GenerateJob, JobSubmit, LocalizeJob

RATE_HZ = 48_000
CURVE = "t_s,level_db,onset\n0,-100,0\n0.5,-100,1\n0.503,-1.2,0\n0.83,-61.2,0\n0.83,-100,0\n"  # where none is given


def run(assignment: Assignment, on_progress: OnProgress) -> Outcome:
    job = msgspec.msgpack.decode(assignment.body, type=JobSubmit).job
    if isinstance(job, GenerateJob):
        if job.prompt == "nothing":
            raise MediaDamaged("no sound is known by these words", where="prompt", cure="use others")
        span = job.video.span if job.video else None
        duration_s = span.duration[0] / span.duration[1] if span else job.duration_s
        sound = _made(assignment, ".wav", "audio", lambda path: _beep(path, duration_s, job, on_progress))
        drawn = Path(job.envelope.path).read_text() if job.envelope else CURVE
        curve = _made(assignment, ".envelope.csv", "envelope", lambda path: path.write_text(drawn))
        told = {"engine": job.engine or "foley", "licence": "free for all"}
        return Outcome(sound.artifacts + curve.artifacts, {**sound.result, **told})
    if isinstance(job, LocalizeJob):
        span = job.video.span
        duration_s = span.duration[0] / span.duration[1] if span else 2.0
        document = json.dumps(_found(duration_s, job.settings.label))
        return _made(assignment, ".trajectory.json", "trajectory", lambda path: path.write_text(document))
    return real.run(assignment, on_progress)


def _made(assignment: Assignment, suffix: str, role: str, write) -> Outcome:
    path = assignment.output_folder / f"{assignment.stem}-{assignment.job_id[:8]}{suffix}"
    write(path)
    data = path.read_bytes()
    artifact = Artifact(role=role, path=str(path), n_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    return Outcome((artifact,), {"output": str(path)})


def _beep(path: Path, duration_s: float, job: GenerateJob, on_progress: OnProgress) -> None:
    """Write a tone whose pitch is the seed; a prompt of "slow" takes its time."""
    for step in range(200 if job.prompt == "slow" else 4):
        on_progress("generate", step, 200, step / 200)
        time.sleep(0.02)
    n_samples = round(duration_s * RATE_HZ)
    tone = [0.3 * math.sin(2.0 * math.pi * (job.seed or 440) * n / RATE_HZ) for n in range(n_samples)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{n_samples}h", *(round(32_767 * value) for value in tone)))


def _found(duration_s: float, label: str | None) -> dict:
    """Return two sources: the likelier goes from left to right, the other stays."""

    def key(t_s: float, azimuth_deg: float) -> dict:
        return {"t_s": t_s, "azimuth_deg": azimuth_deg, "elevation_deg": 0.0, "distance_m": 4.0}

    name = label or "horse"
    sources = [
        {"id": "tree-1", "label": "tree", "confidence": 0.2, "selected": False, "keys": [key(0.0, 20.0)]},
        {
            "id": f"{name}-1",
            "label": name,
            "confidence": 0.8,
            "extent_deg": 12.0,
            "keys": [key(0.0, 60.0), key(duration_s, -60.0)],
        },
    ]
    return {"schema": "foleyspace.trajectory/1", "duration_s": duration_s, "sources": sources}
