"""Every error that FoleySpace raises on purpose.

One tree; each class has a stable ``code``, the same on the command line, in ``--json`` output and on the wire::

    FoleySpaceError            internal
     ├── InvalidInput          invalid              a value or combination that cannot be used
     │    └── TrajectoryInvalid  trajectory_invalid   keys unsorted, not finite, out of range, wrong schema
     ├── MediaError            media                a sound or video file that cannot be used
     │    ├── MediaMissing     media_missing        there is no such file
     │    ├── MediaDamaged     media_damaged        truncated, corrupt or not media at all
     │    ├── MediaEmpty       media_empty          a valid file with no samples or frames in it
     │    ├── NoAudio          no_audio             no audio stream where one is needed
     │    ├── NoVideo          no_video             no video stream where one is needed
     │    └── NonFinite        nonfinite            NaN or infinite samples
     ├── HrtfInvalid           hrtf_invalid         a SOFA file that cannot be rendered with
     ├── ModelUnavailable      model_unavailable    a model or its runtime is missing or broken
     ├── NothingFound          nothing_found        localization found nothing that matches
     ├── OutputUnwritable      output_unwritable    the result cannot be written
     │    └── DiskFull         disk_full            no space left
     └── Cancelled             cancelled            the user stopped it

A message says what is wrong, where, and what to do about it, in one line.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "Cancelled",
    "DiskFull",
    "FoleySpaceError",
    "HrtfInvalid",
    "InvalidInput",
    "MediaDamaged",
    "MediaEmpty",
    "MediaError",
    "MediaMissing",
    "ModelUnavailable",
    "NoAudio",
    "NoVideo",
    "NonFinite",
    "NothingFound",
    "OutputUnwritable",
    "TrajectoryInvalid",
]


class FoleySpaceError(Exception):
    """Base of all deliberate errors.

    Parameters
    ----------
    problem : str
        What is wrong, without a full stop.
    where : str, optional
        The file, key or option it is about; printed first.
    cure : str, optional
        What the user can do, without a full stop.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, problem: str, *, where: str | None = None, cure: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.cure = cure

    def __str__(self) -> str:
        """Return the one line that users read: ``where: problem; cure.``."""
        line = self.problem if self.where is None else f"{self.where}: {self.problem}"
        line = line if self.cure is None else f"{line}; {self.cure}"
        return " ".join(line.split())

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only fields would be lost by the default pickling, which worker processes rely on
        return _rebuild, (type(self), self.problem, self.where, self.cure)


def _rebuild(kind: type[FoleySpaceError], problem: str, where: str | None, cure: str | None) -> FoleySpaceError:
    return kind(problem, where=where, cure=cure)


class InvalidInput(FoleySpaceError):
    """A value, or a combination of values, that cannot be used."""

    code = "invalid"


class TrajectoryInvalid(InvalidInput):
    """A trajectory whose keys are unsorted, not finite, out of range, or of an unknown schema."""

    code = "trajectory_invalid"


class MediaError(FoleySpaceError):
    """A sound or video file that cannot be used."""

    code = "media"


class MediaMissing(MediaError):
    """There is no such file, or it may not be read."""

    code = "media_missing"


class MediaDamaged(MediaError):
    """The file is truncated, corrupt, or not media at all."""

    code = "media_damaged"


class MediaEmpty(MediaError):
    """The file is valid but holds no samples or no frames."""

    code = "media_empty"


class NoAudio(MediaError):
    """The file has no audio stream and one is needed."""

    code = "no_audio"


class NoVideo(MediaError):
    """The file has no video stream and one is needed."""

    code = "no_video"


class NonFinite(MediaError):
    """The audio holds NaN or infinite samples."""

    code = "nonfinite"


class HrtfInvalid(FoleySpaceError):
    """A SOFA file that is damaged, of another convention, or not usable for rendering."""

    code = "hrtf_invalid"


class ModelUnavailable(FoleySpaceError):
    """A model file or the library that runs it is missing, broken, or not what it should be."""

    code = "model_unavailable"


class NothingFound(FoleySpaceError):
    """Localization found nothing that matches the request."""

    code = "nothing_found"


class OutputUnwritable(FoleySpaceError):
    """The result cannot be written where it was asked for."""

    code = "output_unwritable"


class DiskFull(OutputUnwritable):
    """There is no space left for the result."""

    code = "disk_full"


class Cancelled(FoleySpaceError):
    """The user stopped the work."""

    code = "cancelled"
