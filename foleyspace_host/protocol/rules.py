"""What a job must be beyond its schema: one source and not two, and buffers that are what they are said to be."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace_host.errors import LimitExceeded, ProtocolError
from foleyspace_host.protocol.limits import MAX_BUFFERS_BYTES
from foleyspace_host.protocol.messages import (
    AudioInput,
    BufferSpec,
    JobSubmit,
    RenderSettings,
    SpatializeJob,
    TrajectoryInput,
)
from foleyspace_host.protocol.trajectory import check_trajectory

__all__ = ["check_buffers", "check_submit"]

_SAMPLE_BYTES = 4


def check_buffers(specs: Sequence[BufferSpec], frames: Sequence[bytes | bytearray | memoryview]) -> None:
    """Check that the raw frames have the sizes that the body says.

    Parameters
    ----------
    specs : sequence of BufferSpec
        What the body says.
    frames : sequence of bytes or memoryview
        What came behind it. Their digests are checked by who stores them.

    Raises
    ------
    ProtocolError
        If there are more or fewer, or one is of another size; ``where`` names it.
    LimitExceeded
        If they are too long together.
    """
    if len(specs) != len(frames):
        raise ProtocolError(
            f"describes {len(specs)} buffers, and {len(frames)} came",
            where="$.buffers",
            cure="send one frame for each, in this order",
        )
    for index, (spec, frame) in enumerate(zip(specs, frames, strict=True)):
        where, size = f"$.buffers[{index}]", memoryview(frame).nbytes
        if spec.n_bytes != size:
            raise ProtocolError(f"says {spec.n_bytes} bytes, and {size} came", where=f"{where}.n_bytes")
        if spec.dtype == "f32le":
            if spec.shape is None:
                raise ProtocolError("is missing", where=f"{where}.shape", cure="give [channels, samples]")
            if spec.shape[0] * spec.shape[1] * _SAMPLE_BYTES != spec.n_bytes:
                raise ProtocolError(
                    f"{spec.shape[0]} x {spec.shape[1]} samples are not {spec.n_bytes} bytes", where=f"{where}.shape"
                )
        elif spec.shape is not None:
            raise ProtocolError("text has no shape", where=f"{where}.shape", cure="leave it out")
    if (total := sum(spec.n_bytes for spec in specs)) > MAX_BUFFERS_BYTES:
        raise LimitExceeded(
            f"{total} bytes are more than {MAX_BUFFERS_BYTES}", where="$.buffers", cure="give longer sounds as files"
        )


def check_submit(submit: JobSubmit) -> None:
    """Check what the schema of ``job.submit`` cannot say.

    Parameters
    ----------
    submit : JobSubmit
        The body.

    Raises
    ------
    ProtocolError
        If an input has no source or several, or names a buffer that is not there or not of its kind.
    """
    job, where = submit.job, "$.job"
    audio = getattr(job, "audio", None)
    if isinstance(audio, AudioInput):
        _check_audio(audio, submit.buffers, f"{where}.audio")
    if isinstance(job, SpatializeJob) and job.generate is not None and job.audio is not None:
        raise ProtocolError("a given sound leaves none to be made", where=f"{where}.generate", cure="give one of both")
    trajectory = getattr(job, "trajectory", None)
    if isinstance(trajectory, TrajectoryInput):
        _check_trajectory(trajectory, submit.buffers, f"{where}.trajectory")
    settings = getattr(job, "settings", None)
    if isinstance(settings, RenderSettings) and (settings.room or "").strip().lower().endswith(".json"):
        raise ProtocolError(
            "a room is not read from a file here",
            where=f"{where}.settings.room",
            cure="name a preset or describe it, for example hall:rt60=1.6",
        )


def _check_audio(audio: AudioInput, specs: Sequence[BufferSpec], where: str) -> None:
    _one_of(where, path=audio.path, buffers=audio.buffers)
    if audio.buffers is None:
        if audio.rate_hz is not None:
            raise ProtocolError("a file says its own rate", where=f"{where}.rate_hz", cure="leave it out")
        return
    if audio.rate_hz is None:
        raise ProtocolError("is missing", where=f"{where}.rate_hz", cure="give the sampling rate of the buffers")
    if not audio.buffers:
        raise ProtocolError("is empty", where=f"{where}.buffers", cure="name at least one buffer")
    channels = None
    for place, index in enumerate(audio.buffers):
        spec = _spec(index, specs, "f32le", f"{where}.buffers[{place}]")
        if spec.shape is None:
            raise ProtocolError("is missing", where=f"$.buffers[{index}].shape", cure="give [channels, samples]")
        if channels not in (None, spec.shape[0]):
            raise ProtocolError(
                f"has {spec.shape[0]} channels, and the first has {channels}", where=f"{where}.buffers[{place}]"
            )
        channels = spec.shape[0]


def _check_trajectory(trajectory: TrajectoryInput, specs: Sequence[BufferSpec], where: str) -> None:
    _one_of(where, path=trajectory.path, buffer=trajectory.buffer, inline=trajectory.inline)
    if trajectory.buffer is not None:
        _spec(trajectory.buffer, specs, "json", f"{where}.buffer")
    if trajectory.inline is not None:
        check_trajectory(trajectory.inline, f"{where}.inline")


def _one_of(where: str, **choices: object) -> None:
    given = [name for name, value in choices.items() if value is not None]
    if len(given) != 1:
        raise ProtocolError(
            f"gives {' and '.join(given) or 'nothing'}", where=where, cure=f"give one of: {', '.join(choices)}"
        )


def _spec(index: int, specs: Sequence[BufferSpec], dtype: str, where: str) -> BufferSpec:
    if index >= len(specs):
        raise ProtocolError(
            f"there is no buffer {index}", where=where, cure="describe it in $.buffers; they count from 0"
        )
    if specs[index].dtype != dtype:
        raise ProtocolError(f"buffer {index} holds {specs[index].dtype}, not {dtype}", where=where)
    return specs[index]
