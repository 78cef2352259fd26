"""The work of a job, in a worker process: from a request to finished files, through the same pipeline as the commands.

An attempt that died resumes where it was: every finished stage is in the cache (`pipeline.stage_cache`), under a
key that says what it was made from, for this job as for any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from foleyspace_host.errors import InvalidInput
from foleyspace_host.jobs.artifacts import place, result_name, work_folder
from foleyspace_host.jobs.inputs import Inputs, span_of
from foleyspace_host.jobs.model import Assignment, OnProgress, Outcome
from foleyspace_host.jobs.preview import PreviewHead, PreviewWriter
from foleyspace_host.jobs.timelines import run_timeline
from foleyspace_host.pipeline.stage_cache import StageCache
from foleyspace_host.protocol import messages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foleyspace_host.models.session import Device
    from foleyspace_host.pipeline.generated import GenerateResult
    from foleyspace_host.pipeline.results import LocalizeResult, RenderResult

__all__ = ["run"]

# about how long the stages take beside each other, for the fraction of the whole
_SHARES = {
    "localize": {"localize": 0.96, "write": 0.02, "place": 0.02},
    "render": {"decode": 0.2, "render": 0.6, "write": 0.1, "place": 0.1},
    "generate": {"localize": 0.4, "watch": 0.15, "generate": 0.4, "write": 0.03, "place": 0.02},
    "spatialize": {"decode": 0.05, "localize": 0.7, "render": 0.15, "write": 0.08, "place": 0.02},
    "timeline": {"look": 0.4, "foley": 0.1, "clips": 0.36, "mix": 0.03, "adm": 0.03, "write": 0.03, "place": 0.05},
    "spatialize made": {
        "localize": 0.4,
        "watch": 0.1,
        "generate": 0.25,
        "decode": 0.05,
        "render": 0.1,
        "write": 0.08,
        "place": 0.02,
    },
}


def run(assignment: Assignment, on_progress: OnProgress) -> Outcome:
    """Do a job.

    Parameters
    ----------
    assignment : Assignment
        The job.
    on_progress : callable
        See `jobs.model.OnProgress`.

    Returns
    -------
    Outcome
        What the command line's ``--json`` would say, with the files under the names that they have now.

    Raises
    ------
    FoleySpaceError
        As the pipeline does; Conflict if an input is not what it was.
    """
    request = msgspec.msgpack.decode(assignment.body, type=messages.JobSubmit)
    job = request.job
    kind = str(job.__struct_config__.tag)
    made_for_it = getattr(job, "generate", None) is not None
    progress = _Progress(f"{kind} made" if made_for_it else kind, on_progress)
    with work_folder(assignment) as work:
        inputs = Inputs(assignment, request, work)
        made: dict[str, Path] = {}
        if isinstance(job, messages.TimelineJob):
            how = _rendering(job.settings, inputs)
            return run_timeline(job, assignment, inputs, work, how, _cache(assignment), progress)
        if isinstance(job, messages.LocalizeJob):
            result: LocalizeResult | RenderResult | GenerateResult = _localize(
                job, assignment, inputs, made, work, progress
            )
        elif isinstance(job, messages.RenderJob):
            result = _render(job, assignment, inputs, made, work, progress)
        elif isinstance(job, messages.GenerateJob):
            result = _generate(job, assignment, inputs, made, work, progress)
        else:
            result = _spatialize(job, assignment, inputs, made, work, progress)
        inputs.check("while it was read")
        artifacts = tuple(
            place(path, role, assignment, lambda done, total: progress("place", done, total))
            for role, path in made.items()
        )
    progress("place", 1, 1)
    from foleyspace_host.models.session import fallbacks

    said = asdict(result)
    if isinstance(job, messages.RenderJob | messages.SpatializeJob) and job.audio and job.audio.path is None:
        said["sound"]["path"] = "$.job.audio.buffers"
    final = {str(path): artifact.path for path, artifact in zip(made.values(), artifacts, strict=True)}
    for name in ("output", "trajectory", "envelope"):
        if said.get(name) in final:
            said[name] = final[said[name]]
    return Outcome(artifacts, json.loads(json.dumps(said, allow_nan=False)), result.warnings, fallbacks())


def _localize(
    job: messages.LocalizeJob,
    assignment: Assignment,
    inputs: Inputs,
    made: dict[str, Path],
    work: Path,
    progress: _Progress,
) -> LocalizeResult:
    from foleyspace_host.pipeline.localize import localize_file

    if (suffix := job.output.suffix) not in (None, ".json"):
        raise InvalidInput(f"a trajectory is no {suffix} file", where="$.job.output.suffix", cure="leave it out")
    made["trajectory"] = work / result_name(assignment, ".trajectory.json")
    return localize_file(
        inputs.file("$.job.video.path"),
        made["trajectory"],
        **_looking(job.settings, inputs, "$.job.settings"),
        span=span_of(job.video.span),
        device=cast("Device", assignment.device),
        cache=_cache(assignment),
        on_progress=progress,
    )


def _render(
    job: messages.RenderJob,
    assignment: Assignment,
    inputs: Inputs,
    made: dict[str, Path],
    work: Path,
    progress: _Progress,
) -> RenderResult:
    from foleyspace_host.pipeline.render import render_file

    path, span = inputs.audio(job.audio)
    made["audio"] = work / result_name(assignment, job.output.suffix or ".wav")
    with _Preview(assignment) as preview:
        return render_file(
            path,
            inputs.trajectory(job.trajectory),
            made["audio"],
            **_rendering(job.settings, inputs),
            span=span,
            device=cast("Device", assignment.device),
            cache=_cache(assignment),
            tee=preview,
            on_progress=progress,
        )


def _spatialize(
    job: messages.SpatializeJob,
    assignment: Assignment,
    inputs: Inputs,
    made: dict[str, Path],
    work: Path,
    progress: _Progress,
) -> RenderResult:
    from foleyspace_host.pipeline.outputs import VIDEO_SUFFIXES
    from foleyspace_host.pipeline.spatialize import spatialize
    from foleyspace_host.pipeline.spatialize_made import Wish, spatialize_made

    work_of: Callable[..., RenderResult] = spatialize
    if job.generate is not None:
        work_of = partial(spatialize_made, wish=Wish(**_plain(job.generate)))
    audio, audio_span = (None, None) if job.audio is None else inputs.audio(job.audio)
    suffix = job.output.suffix or ".wav"
    role: Literal["audio", "video"] = "video" if suffix in VIDEO_SUFFIXES else "audio"
    made[role] = work / result_name(assignment, suffix)
    made["trajectory"] = work / result_name(assignment, ".trajectory.json")
    with _Preview(assignment) as preview:
        return work_of(
            inputs.file("$.job.video.path"),
            made[role],
            audio=audio,
            keys=None if job.trajectory is None else inputs.trajectory(job.trajectory),
            bed_db=job.bed_db,
            trajectory_out=made["trajectory"],
            **_looking(job.localize, inputs, "$.job.localize"),
            **_rendering(job.settings, inputs),
            span=span_of(job.video.span),
            audio_span=audio_span,
            device=cast("Device", assignment.device),
            cache=_cache(assignment),
            tee=preview,
            on_progress=progress,
        )


def _generate(
    job: messages.GenerateJob,
    assignment: Assignment,
    inputs: Inputs,
    made: dict[str, Path],
    work: Path,
    progress: _Progress,
) -> GenerateResult:
    from foleyspace_host.pipeline.generate import generate_file

    names = ("duration_s", "engine", "seed", "negative", "loop", "quality", "label", "source")
    given = {name: value for name in names if (value := getattr(job, name)) is not None}
    made["audio"] = work / result_name(assignment, job.output.suffix or ".wav")
    made["envelope"] = work / result_name(assignment, ".envelope.csv")
    return generate_file(
        job.prompt,
        made["audio"],
        video=None if job.video is None else inputs.file("$.job.video.path"),
        envelope=None if job.envelope is None else inputs.file("$.job.envelope.path"),
        envelope_out=made["envelope"],
        **given,
        span=None if job.video is None else span_of(job.video.span),
        device=cast("Device", assignment.device),
        cache=_cache(assignment),
        on_progress=progress,
    )


def _cache(assignment: Assignment) -> StageCache:
    return StageCache(assignment.cache_folder, assignment.cache_limit_bytes)


def _plain(settings: messages.LocalizeSettings | messages.RenderSettings | messages.GenerateSettings) -> dict[str, Any]:
    """Return the settings that were given; the others take the pipeline's defaults."""
    return {name: value for name, value in msgspec.structs.asdict(settings).items() if value is not None}


def _looking(settings: messages.LocalizeSettings, inputs: Inputs, where: str) -> dict[str, Any]:
    """Return the settings of localization as the pipeline's keywords."""
    from foleyspace_host.models.slots import named_model

    given = _plain(settings)
    if "detector" in given:
        given["detector"] = inputs.file(f"{where}.detector")
    if "depth" in given:
        named_model("depth", given["depth"], f"{where}.depth")
    if "open_vocabulary" in given:
        named_model("open-vocabulary", given["open_vocabulary"], f"{where}.open_vocabulary")
    return given


def _rendering(settings: messages.RenderSettings, inputs: Inputs) -> dict[str, Any]:
    """Return the settings of a rendering as the pipeline's keywords."""
    given = _plain(settings)
    if given.get("room", "").strip().lower().endswith(".json"):
        raise InvalidInput("a room is not read from a file here", where="$.job.settings.room", cure="describe it")
    for name in ("hrtf", "listener", "flow_model"):
        if name in given:
            given[name] = inputs.file(f"$.job.settings.{name}")
    if "air" in given:
        given["air"] = _air(given["air"])
    return given


def _air(air: bool | str) -> object:
    from foleyspace_host.render.air import Air

    if isinstance(air, bool):
        return Air() if air else None
    try:
        temperature, humidity = (float(part) for part in air.split(","))
    except ValueError:
        raise InvalidInput(
            f"{air!r} is not two numbers", where="$.job.settings.air", cure="give for example 20,50"
        ) from None
    return Air(temperature, humidity)


class _Progress:
    """Turns the progress of stages into that of the whole, which never falls."""

    def __init__(self, kind: str, on_progress: OnProgress) -> None:
        self._shares = _SHARES[kind]
        self._on_progress = on_progress
        self._furthest = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        before = 0.0
        for name, share in self._shares.items():
            if name == stage:
                self._furthest = max(self._furthest, min(1.0, before + share * min(done / max(total, 1), 1.0)))
                break
            before += share
        self._on_progress(stage, done, total, self._furthest)


class _Preview:
    """Lets those who listen in hear what is rendered, if that was asked for."""

    def __init__(self, assignment: Assignment) -> None:
        self._path = assignment.preview
        self._writer: PreviewWriter | None = None

    def __enter__(self) -> _Preview:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def begin(self, sample_rate_hz: int, n_channels: int, n_samples: int) -> None:
        """Make the file."""
        if self._path is not None:
            self._writer = PreviewWriter(self._path, PreviewHead(sample_rate_hz, n_channels, n_samples))

    def write(self, block: NDArray[np.float32]) -> None:
        """Append a piece of shape (n_channels, n)."""
        if self._writer is not None:
            self._writer.write(block.T.astype("float32", order="C").data)
