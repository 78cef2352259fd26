"""The record of jobs: one SQLite file, one row for each job, which is the truth about it.

A row is both the request and the job, so that the two are accepted in one transaction, and the pair of
``client_id`` and ``request_id`` is unique, so that the same request never makes a second job. Every change of
state names the states that it may come from (compare and set), and a trigger refuses to change a state that is
an end: a job ends exactly once, whoever may ask. What was promised to a client (that a job is accepted, that it
will be cancelled, how it ended) is on the disk before it is said; a power cut may undo what can be done again
(that an attempt began, that an end was acknowledged), a crash of the program undoes nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from foleyspace_host.errors import Conflict, DiskFull, JobsDamaged, JobsUnusable
from foleyspace_host.jobs.model import Submission
from foleyspace_host.jobs.record import ENDS, TABLE, Ending, JobRow
from foleyspace_host.protocol.messages import JobState

__all__ = ["SCHEMA_VERSION", "Store"]

SCHEMA_VERSION = 1
_APPLICATION = 0x464F4C59  # "FOLY": says whose file this is

_COLUMNS = ", ".join(JobRow.__slots__)
_encode = msgspec.msgpack.encode


class Store:
    """The record, open. Safe to use from several threads; readers do not wait for writers.

    Parameters
    ----------
    path : Path
        The file; made if it is not there.

    Raises
    ------
    JobsUnusable
        If it cannot be opened or written, or was written by a later version; names the file.
    JobsDamaged
        If it is damaged, or another program's.
    DiskFull
        If there is no space; every method that writes may raise all three.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing, self._reading = threading.Lock(), threading.Lock()
        with self._told():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer = self._connect()
            try:
                self._prepare()
                self._reader = self._connect()
            except BaseException:
                self._writer.close()
                raise
            # times of creation order the jobs, so they must differ
            self._last_s: float = self._writer.execute("SELECT coalesce(max(created_s), 0) FROM jobs").fetchone()[0]

    def close(self) -> None:
        """Close the file; everything is in it already."""
        with self._reading, self._writing, contextlib.suppress(sqlite3.Error):
            self._reader.close()
            self._writer.close()

    # --- what changes a job ------------------------------------------------------------------------------------

    def accept(self, submission: Submission, job_id: str, now_s: float) -> JobRow:
        """Put a job on record, or find the one that the same request made before.

        Returns
        -------
        JobRow
            Its ``job_id`` is another one if the request was known.

        Raises
        ------
        Conflict
            If a request of this name asked for something else.
        """
        with self._change() as db:
            known = _rows(db, "WHERE client_id = ? AND request_id = ?", submission.client_id, submission.request_id)
            if known:
                _check_same(known[0], submission.payload_hash)
                return known[0]
            body = submission.body
            created_s = max(now_s, self._last_s + 1e-6)
            values = {
                "job_id": job_id,
                "client_id": submission.client_id,
                "client_name": submission.client_name,
                "request_id": submission.request_id,
                "payload_hash": submission.payload_hash,
                "kind": body.job.__struct_config__.tag,
                "body": _encode(body),
                "inputs": _encode(submission.inputs),
                "output_folder": str(submission.output_folder) if submission.output_folder else None,
                "priority": body.priority,
                "deadline_s": None if body.deadline_s is None else now_s + body.deadline_s,
                "created_s": created_s,
                "with_client": int(submission.with_client),
            }
            marks = ", ".join(f":{name}" for name in values)
            db.execute(f"INSERT INTO jobs ({', '.join(values)}) VALUES ({marks})", values)  # noqa: S608
            (row,) = _rows(db, "WHERE job_id = ?", job_id)
        self._last_s = created_s
        return row

    def begin(self, job_id: str, now_s: float) -> JobRow | None:
        """Start an attempt at a queued job; None if it is not queued any more."""
        change = "state = 'running', attempts = attempts + 1, started_s = coalesce(started_s, ?)"
        return self._set(change, "job_id = ? AND state = 'queued'", now_s, job_id, sure=False)

    def requeue(self, job_id: str, *, died: bool) -> JobRow | None:
        """Put a running job back into the queue, because its worker died or because the host ends."""
        change = "state = 'queued', deaths = deaths + ?"
        return self._set(change, "job_id = ? AND state = 'running'", died, job_id, sure=False)

    def note_cancel(self, job_id: str) -> JobRow | None:
        """Note that a running job is to be cancelled, so that it is not started again after a crash."""
        return self._set("cancelling = 1", "job_id = ? AND state = 'running'", job_id)

    def note_reached(self, job_id: str, share: float) -> JobRow | None:
        """Note how far a running job is, for another attempt to tell nothing less."""
        return self._set("reached = ?", "job_id = ? AND state = 'running'", share, job_id, sure=False)

    def bind(self, client_id: str, with_client: bool) -> None:
        """Note whether the jobs of a client that have not ended are to end when it is gone."""
        other = "client_id = ? AND finished_s IS NULL AND with_client != ?"
        if self._ask(f"WHERE {other} LIMIT 1", client_id, with_client):
            with self._change(sure=False) as db:
                db.execute(f"UPDATE jobs SET with_client = ? WHERE {other}", (with_client, client_id, with_client))  # noqa: S608

    def finish(self, job_id: str, state: JobState, ending: Ending, now_s: float) -> JobRow | None:
        """End a job; None if it has ended already."""
        return self._set(
            "state = ?, ending = ?, finished_s = ?",
            "job_id = ? AND state IN ('queued', 'running')",
            *(state, _encode(ending), now_s, job_id),
        )

    def ack(self, job_id: str) -> JobRow | None:
        """Note that the client knows the end; None if there is no such job or it has not ended."""
        return self._set("acked = 1", "job_id = ? AND finished_s IS NOT NULL", job_id, sure=False)

    def forget(self, job_ids: Iterable[str]) -> None:
        """Delete jobs that have ended."""
        with self._change() as db:
            ids = [(job_id,) for job_id in job_ids]
            db.executemany("DELETE FROM jobs WHERE job_id = ? AND finished_s IS NOT NULL", ids)

    # --- what asks ---------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> JobRow | None:
        """Return a job."""
        rows = self._ask("WHERE job_id = ?", job_id)
        return rows[0] if rows else None

    def known(self, client_id: str, request_id: str, payload_hash: str) -> JobRow | None:
        """Return the job that a request made before; raises Conflict as `accept`."""
        rows = self._ask("WHERE client_id = ? AND request_id = ?", client_id, request_id)
        if not rows:
            return None
        _check_same(rows[0], payload_hash)
        return rows[0]

    def unfinished(self) -> list[JobRow]:
        """Return the jobs that have not ended, oldest first."""
        return self._ask("WHERE state IN ('queued', 'running') ORDER BY created_s")

    def unacked(self, client_id: str) -> list[JobRow]:
        """Return the jobs of a client whose end it has not acknowledged, oldest first."""
        return self._ask("WHERE finished_s IS NOT NULL AND acked = 0 AND client_id = ? ORDER BY created_s", client_id)

    def finished_before(self, then_s: float) -> list[JobRow]:
        """Return the jobs that ended before a time [s since 1970]."""
        return self._ask("WHERE finished_s < ?", then_s)

    def page(
        self, client_id: str | None, states: Sequence[JobState], before_s: float | None, limit: int
    ) -> list[JobRow]:
        """Return at most `limit` jobs, newest first: of one client or all, in some states or all."""
        where, values = ["1"], list[Any]()
        if client_id is not None:
            where, values = [*where, "client_id = ?"], [*values, client_id]
        if before_s is not None:
            where, values = [*where, "created_s < ?"], [*values, before_s]
        if states:
            where, values = [*where, f"state IN ({', '.join('?' * len(states))})"], [*values, *states]
        return self._ask(f"WHERE {' AND '.join(where)} ORDER BY created_s DESC LIMIT ?", *values, limit)

    def bound_clients(self) -> set[str]:
        """Return the clients without whom jobs of theirs that have not ended are to end."""
        return {row.client_id for row in self._ask("WHERE finished_s IS NULL AND with_client")}

    def job_ids(self) -> set[str]:
        """Return the names of all jobs on record."""
        with self._told(), self._reading:
            return {name for (name,) in self._reader.execute("SELECT job_id FROM jobs")}

    # --- inside ------------------------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA fullfsync = ON")  # macOS has two kinds of fsync
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self) -> None:
        """Make the table in a new file; check an old one."""
        db = self._writer
        (version,), (application,) = (
            db.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")
        )
        if (version, application) == (0, 0) and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
            db.executescript(
                f"BEGIN IMMEDIATE; {TABLE} PRAGMA application_id = {_APPLICATION};"
                f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
            return
        if application != _APPLICATION:
            raise JobsDamaged("this is not a record of FoleySpace's jobs", where=str(self.path), cure=_CURE)
        if version > SCHEMA_VERSION:
            raise JobsUnusable(
                f"the record of jobs was written by a later version (schema {version}; known is {SCHEMA_VERSION})",
                where=str(self.path),
                cure="install the version of FoleySpace that wrote it, or a later one",
            )
        (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise JobsDamaged("the record of jobs is damaged", where=str(self.path), cure=_CURE)
        try:
            for row in _rows(db, ""):
                if row.state in ENDS:
                    row.report()
                else:
                    _ = row.request, row.files
        except (ValueError, TypeError) as error:
            raise JobsDamaged("a job on record is damaged", where=str(self.path), cure=_CURE) from error

    def _ask(self, where: str, *values: Any) -> list[JobRow]:
        with self._told(), self._reading:
            return _rows(self._reader, where, *values)

    def _set(self, change: str, where: str, *values: Any, sure: bool = True) -> JobRow | None:
        with self._change(sure=sure) as db:
            # the id is the last value; `RETURNING` would need a later SQLite
            if not db.execute(f"UPDATE jobs SET {change} WHERE {where}", values).rowcount:  # noqa: S608
                return None
            return _rows(db, "WHERE job_id = ?", values[-1])[0]

    @contextlib.contextmanager
    def _change(self, *, sure: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction; if `sure`, it is on the disk when the block has ended, power cut or not."""
        with self._told(), self._writing:
            self._writer.execute(f"PRAGMA synchronous = {'FULL' if sure else 'NORMAL'}")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Say SQLite's errors in the project's way."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            where, code = str(self.path), getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_FULL:
                problem = "the disk is full, so that jobs cannot be recorded"
                raise DiskFull(problem, where=where, cure="free some space") from error
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise JobsDamaged("the record of jobs is damaged", where=where, cure=_CURE) from error
            reason = getattr(error, "strerror", None) or str(error)
            cure = "make the folder writable, and end other programs that use the file"
            raise JobsUnusable(f"the record of jobs cannot be used ({reason})", where=where, cure=cure) from error


_CURE = 'move it aside with "foleyspace doctor --repair"'


def _rows(db: sqlite3.Connection, where: str, *values: Any) -> list[JobRow]:
    return [JobRow(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM jobs {where}", values)]  # noqa: S608


def _check_same(row: JobRow, payload_hash: str) -> None:
    if row.payload_hash != payload_hash:
        problem = "another request was sent with the same request_id before"
        raise Conflict(problem, where=row.request_id, cure="give every request a request_id of its own")
