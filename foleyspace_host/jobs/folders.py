"""The files of jobs: where they lie, what an unfinished attempt leaves behind, and when they go."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from foleyspace_host.errors import DiskFull, OutputUnwritable
from foleyspace_host.jobs.model import Assignment
from foleyspace_host.jobs.record import JobRow
from foleyspace_host.protocol.messages import JobSubmit

__all__ = ["JobFolders", "Places"]

_STEM_BYTES = 100
_NOT_IN_NAMES = '/\\:*?"<>|'
_NO_SPACE = (errno.ENOSPC, errno.EFBIG)


class Places(Protocol):
    """The folders of a profile that jobs need; `config.Folders` has them."""

    @property
    def data(self) -> Path:
        """What must not be lost."""

    @property
    def cache(self) -> Path:
        """What can be made again."""

    @property
    def state(self) -> Path:
        """What belongs to a running host."""


class JobFolders:
    """A folder for each job, named after it: its buffers, its preview, and its results if they go nowhere else.

    Parameters
    ----------
    places : Places
        The folders of the profile.
    """

    def __init__(self, places: Places) -> None:
        self._jobs = places.data / "jobs"
        self._stages = places.cache / "stages"

    def of(self, job_id: str) -> Path:
        """Return a job's own folder."""
        return self._jobs / job_id

    def preview(self, row: JobRow) -> Path | None:
        """Return the file of what is being rendered, if it was asked for; it comes with the first samples."""
        return self.of(row.job_id) / "preview.f32" if row.request.preview else None

    def take_buffers(self, job_id: str, spool: Path) -> None:
        """Make a job's folder and move its buffers there, durably.

        Raises
        ------
        OutputUnwritable
            If it cannot be made (DiskFull if there is no space).
        """
        folder = self.of(job_id)
        try:
            folder.mkdir(mode=0o700, parents=True)
            os.replace(spool, folder / "buffers")
            _flush(folder)
            _flush(self._jobs)
        except OSError as error:
            raise _unwritable(error, folder) from error

    def give_back(self, job_id: str, spool: Path) -> None:
        """Undo `take_buffers`."""
        with contextlib.suppress(OSError):
            os.replace(self.of(job_id) / "buffers", spool)
        shutil.rmtree(self.of(job_id), ignore_errors=True)

    def assignment(self, row: JobRow, cache_limit_bytes: int) -> Assignment:
        """Return what a worker needs to know for an attempt.

        Raises
        ------
        OutputUnwritable
            If the folder for the results is not there, or the job's own cannot be made.
        """
        folder = self.of(row.job_id)
        output = _output_folder(row, folder)
        try:
            (folder if row.output_folder else output).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(error, folder) from error
        if not output.is_dir():
            raise OutputUnwritable("the folder is gone", where=str(output), cure="send the job again with another")
        return Assignment(
            job_id=row.job_id,
            attempt=row.attempts,
            body=row.body,
            folder=folder,
            inputs=row.files,
            output_folder=output,
            stem=_stem(row.request),
            cache_folder=self._stages,
            cache_limit_bytes=cache_limit_bytes,
            preview=self.preview(row),
        )

    def clear_unfinished(self, row: JobRow) -> None:
        """Remove what an attempt that did not end well has put among the results, complete or not.

        Everything that a job writes is named ``<stem>-<first 8 of its name>``, hidden while it is being written,
        so nothing of anyone else's is touched.
        """
        shutil.rmtree(self.of(row.job_id) / "work", ignore_errors=True)
        output = _output_folder(row, self.of(row.job_id))
        ours = f"{_stem(row.request)}-{row.job_id[:8]}"
        with contextlib.suppress(OSError), os.scandir(output) as entries:
            for entry in entries:
                name = entry.name.removeprefix(".")
                if name.startswith(ours) and name[len(ours) :][:1] in ("", ".", "-", "_"):
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)

    def clear_inputs(self, job_id: str) -> None:
        """Remove what is of no use once a job has ended; results and preview stay."""
        folder = self.of(job_id)
        for name in ("buffers", "work"):  # the second is left by a worker that was killed
            shutil.rmtree(folder / name, ignore_errors=True)
        shutil.rmtree(folder / "work", ignore_errors=True)
        with contextlib.suppress(OSError):
            (folder / "assignment.json").unlink()

    def clear_preview(self, job_id: str) -> None:
        """Remove what was kept for listening in."""
        with contextlib.suppress(OSError):
            (self.of(job_id) / "preview.f32").unlink()

    def remove(self, job_id: str) -> None:
        """Remove a job's folder with all that is in it; results in a client's folder stay."""
        shutil.rmtree(self.of(job_id), ignore_errors=True)

    def remove_all_but(self, job_ids: Iterable[str]) -> None:
        """Remove the folders of jobs that are not on record: accepted by a host that died before it could say so."""
        known = set(job_ids)
        with contextlib.suppress(OSError), os.scandir(self._jobs) as entries:
            for entry in entries:
                if entry.name not in known:
                    shutil.rmtree(entry.path, ignore_errors=True)


def _output_folder(row: JobRow, folder: Path) -> Path:
    return Path(row.output_folder) if row.output_folder else folder / "results"


def _stem(request: JobSubmit) -> str:
    """First part of the names of results: the client's, else that of what is worked on, else the kind."""
    job = request.job
    named = [getattr(getattr(job, part, None), "path", None) for part in ("audio", "video")]
    named += [getattr(job, "timeline", None)]
    path = next((name for name in named if name), None)
    stem = job.output.stem or (Path(path).stem if path else "") or str(job.__struct_config__.tag)
    plain = "".join(letter if letter.isprintable() and letter not in _NOT_IN_NAMES else "_" for letter in stem)
    # long names must stay within the 255 bytes that file systems allow
    return plain.strip(" .").encode()[:_STEM_BYTES].decode(errors="ignore") or "result"


def _unwritable(error: OSError, folder: Path) -> OutputUnwritable:
    kind = DiskFull if error.errno in _NO_SPACE else OutputUnwritable
    return kind(f"no folder can be made for the job ({error.strerror})", where=str(folder))


def _flush(folder: Path) -> None:
    """Make the names in a folder durable where the system offers it."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
