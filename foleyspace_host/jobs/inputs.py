"""What a job works on, as the pipeline takes it: checked files, buffers as a sound file, trajectories as files."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

from foleyspace_host.errors import Conflict, DiskFull, InvalidInput, NonFinite, UnauthorizedPath
from foleyspace_host.geometry.timebase import Span
from foleyspace_host.jobs.model import Assignment
from foleyspace_host.protocol import messages

__all__ = ["Inputs", "span_of"]


class Inputs:
    """The files of an assignment.

    Parameters
    ----------
    assignment : Assignment
        The job.
    request : JobSubmit
        What it is.
    work : Path
        Folder of the job's own for files that are made of its inputs.

    Raises
    ------
    Conflict
        If a file is not what it was when the job was accepted.
    """

    def __init__(self, assignment: Assignment, request: messages.JobSubmit, work: Path) -> None:
        self._assignment = assignment
        self._request = request
        self._work = work
        self.check("since the job was accepted")

    def check(self, when: str) -> None:
        """Refuse files that were changed.

        Parameters
        ----------
        when : str
            What the message says of the time.

        Raises
        ------
        Conflict
        """
        for file in self._assignment.inputs:
            try:
                found = os.stat(file.path)
                # the number of the device is another one after the machine was restarted
                same = (found.st_ino, found.st_size, found.st_mtime_ns) == (file.inode, file.n_bytes, file.mtime_ns)
            except OSError:
                same = False
            if not same:
                raise Conflict(f"the file was changed or removed {when}", where=file.path, cure="send the job again")

    def file(self, field: str) -> Path:
        """Return the file that was accepted for a field.

        Parameters
        ----------
        field : str
            Such as ``$.job.audio.path``.

        Returns
        -------
        Path
            With all links followed, as it was when the job was accepted.

        Raises
        ------
        UnauthorizedPath
            If none was.
        """
        for file in self._assignment.inputs:
            if file.field == field:
                return Path(file.path)
        raise UnauthorizedPath("this file was not accepted", where=field, cure="send the job again")

    def audio(self, sound: messages.AudioInput) -> tuple[Path, Span | None]:
        """Return a sound as a file, and the part of it that is meant.

        Parameters
        ----------
        sound : AudioInput
            A file, or buffers, which are joined.

        Returns
        -------
        path : Path
            The file.
        span : Span or None
            None for the whole.

        Raises
        ------
        InvalidInput, NonFinite
            If the buffers are no sound.
        """
        if sound.path is not None:
            return self.file("$.job.audio.path"), span_of(sound.span)
        return self._joined(sound), span_of(sound.span)

    def trajectory(self, given: messages.TrajectoryInput) -> Path:
        """Return a trajectory as a file.

        Parameters
        ----------
        given : TrajectoryInput
            A file, a buffer of JSON, or the document itself.

        Returns
        -------
        Path
        """
        if given.path is not None:
            return self.file("$.job.trajectory.path")
        path = self._work / "trajectory.json"
        if given.buffer is not None:
            path.write_bytes(self._buffer(given.buffer).read_bytes())
        else:
            path.write_text(json.dumps(given.inline), encoding="utf-8")
        return path

    def _buffer(self, index: int) -> Path:
        return self._assignment.folder / "buffers" / f"{index:02}.buf"

    def _joined(self, sound: messages.AudioInput) -> Path:
        """Write buffers, which follow each other in time, as one float WAV file."""
        import numpy as np

        from foleyspace_host.media.wav import WavWriter

        field = "$.job.audio.buffers"
        specs = [self._request.buffers[index] for index in sound.buffers or ()]
        shapes = [spec.shape for spec in specs if spec.shape is not None]
        if not shapes or len(shapes) < len(specs) or sound.rate_hz is None or len({shape[0] for shape in shapes}) > 1:
            raise InvalidInput(
                "sound in buffers needs a rate, and shapes with one number of channels",
                where=field,
                cure="say rate_hz, and the shape of each buffer as [channels, samples]",
            )
        path = self._work / "sound.wav"
        try:
            with path.open("wb") as file:
                writer = WavWriter(file, sound.rate_hz, shapes[0][0], "FLOAT")
                for index, shape in zip(sound.buffers or (), shapes, strict=True):
                    samples = np.fromfile(self._buffer(index), "<f4").reshape(shape)
                    if not np.isfinite(samples).all():
                        raise NonFinite(
                            f"buffer {index} holds NaN or infinite samples", where=field, cure="render it again"
                        )
                    writer.write(samples.astype(np.float32, copy=False))
                writer.finish(None)
        except OSError as error:
            raise DiskFull(f"the sound cannot be laid down ({error.strerror})", where=field) from error
        except ValueError as error:  # fewer bytes than the shape says
            raise InvalidInput(f"a buffer is not what its shape says ({error})", where=field) from error
        return path


def span_of(span: messages.Span | None) -> Span | None:
    """Return a span of the protocol as exact times.

    Parameters
    ----------
    span : messages.Span or None
        Fractions of a second.

    Returns
    -------
    Span or None

    Raises
    ------
    InvalidInput
        If it starts before the file, or is empty.
    """
    return None if span is None else Span(Fraction(*span.start), Fraction(*span.duration))
