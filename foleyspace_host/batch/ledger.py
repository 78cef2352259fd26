"""The record of a batch: one SQLite file beside the results, which is the truth about every item and stage.

What is on record survives the client, the workers and the scheduler. One process at a time has it; the operating
system gives it free again whatever becomes of that process. Its journal is of the kind that network file systems
bear, and all that happens within a moment is written in one transaction.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from foleyspace_host.batch.rows import COLUMNS, TABLES, StageRow
from foleyspace_host.errors import Conflict, DiskFull, JobsDamaged, JobsUnusable
from foleyspace_host.pipeline.stage_cache import file_digest
from foleyspace_host.protocol.messages import Error

__all__ = ["RECORD", "Ledger", "record_folder"]

RECORD = "batch.db"
SCHEMA_VERSION = 1
_APPLICATION = 0x464F4C42  # "FOLB"


def record_folder(folder: Path) -> Path:
    """Return where a batch keeps its record and what lies between stages: below the folder of its results."""
    return folder / ".foleyspace-batch"


class Ledger:
    """The record, open; may be used from several threads.

    Parameters
    ----------
    path : Path or None
        The file, made if it is not there; None for one that is forgotten in the end.

    Raises
    ------
    Conflict
        If another process has it.
    JobsUnusable, JobsDamaged
        If it cannot be opened or written, or was written by a later version; if it is damaged, or no such record.
    DiskFull
        If there is no space; every method that writes may raise these.
    """

    def __init__(self, path: Path | None) -> None:
        self._where = "the record of the batch" if path is None else str(path)
        self._lock = threading.RLock()
        self._depth = 0
        with self._told():
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=0.5
            )
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    @classmethod
    def copy_of(cls, path: Path) -> Ledger:
        """Return a record that is forgotten in the end, with what is in a file if there is one."""
        copy = cls(None)
        if path.is_file():
            original = cls(path)
            try:
                with copy._told():
                    original._db.backup(copy._db)
            finally:
                original.close()
        return copy

    def close(self) -> None:
        """Close it; everything is in it already."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._db.close()

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Write all changes within the block together, and to the disk."""
        with self._told(), self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._db.execute("BEGIN IMMEDIATE")
                yield
                if self._depth == 1:
                    self._db.execute("COMMIT")
            except BaseException:
                if self._depth == 1 and self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    # --- files -------------------------------------------------------------------------------------------------

    def digest(self, path: Path) -> str:
        """Return the digest of a file's content; the file is read only if it is new or was changed.

        Raises
        ------
        MediaMissing
            If it cannot be read.
        """
        try:
            found = path.stat()
        except OSError:
            return file_digest(path)  # which says what is wrong
        row = self._ask("SELECT n_bytes, mtime_ns, sha256 FROM files WHERE path = ?", str(path))
        if row and row[0][:2] == (found.st_size, found.st_mtime_ns):
            return str(row[0][2])
        digest = file_digest(path)
        self._do(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", str(path), found.st_size, found.st_mtime_ns, digest
        )
        return digest

    # --- items -------------------------------------------------------------------------------------------------

    def note_item(self, item_id: str, name: str, asked_by: str, out: Path, stages: Iterable[str]) -> None:
        """Put an item on record, or bring it up to date."""
        keys = msgspec.json.encode(list(stages)).decode()
        self._do(
            "INSERT OR REPLACE INTO items (item_id, name, asked_by, out, stages, state) "
            "VALUES (?, ?, ?, ?, ?, 'queued')",
            *(item_id, name, asked_by, str(out), keys),
        )

    def end_item(self, item_id: str, state: Literal["done", "failed"], error: Error | None, now_s: float) -> None:
        """Note how an item ended."""
        said = None if error is None else msgspec.json.encode(error).decode()
        self._do("UPDATE items SET state = ?, error = ?, finished_s = ? WHERE item_id = ?", state, said, now_s, item_id)

    # --- stages ------------------------------------------------------------------------------------------------

    def note_stage(self, key: str, kind: str, body: str, out: Path) -> StageRow:
        """Put a stage on record, or find it there; its paths may have become others meanwhile."""
        self._do(
            "INSERT INTO stages (key, kind, body, out) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET body = excluded.body, out = excluded.out",
            *(key, kind, body, str(out)),
        )
        row = self.stage(key)
        assert row is not None  # noqa: S101 - it was just put there
        return row

    def stage(self, key: str) -> StageRow | None:
        """Return a stage."""
        rows = self._ask(f"SELECT {COLUMNS} FROM stages WHERE key = ?", key)  # noqa: S608 - names of columns
        return StageRow(*rows[0]) if rows else None

    def stages(self) -> list[StageRow]:
        """Return all stages."""
        return [StageRow(*row) for row in self._ask(f"SELECT {COLUMNS} FROM stages ORDER BY rowid")]  # noqa: S608

    def begin(self, key: str, now_s: float) -> int:
        """Start an attempt at a stage, and return its number."""
        self._do(
            "UPDATE stages SET state = 'running', attempts = attempts + 1, started_s = ?, finished_s = NULL, "
            "error = NULL WHERE key = ?",
            *(now_s, key),
        )
        return int(self._ask("SELECT attempts FROM stages WHERE key = ?", key)[0][0])

    def began(self, key: str, worker: str | None, now_s: float) -> None:
        """Note who is at a running stage, and since when."""
        self._do("UPDATE stages SET worker = ?, started_s = ? WHERE key = ? AND state = 'running'", worker, now_s, key)

    def requeue(self, keys: Iterable[str]) -> None:
        """Put stages back that are to be done (again)."""
        with self.at_once():
            for key in keys:
                self._do("UPDATE stages SET state = 'queued', error = NULL WHERE key = ?", key)

    def interrupted(self) -> int:
        """Put back what an earlier run was at when it ended, and return how many stages that were."""
        with self.at_once():
            return self._do("UPDATE stages SET state = 'queued' WHERE state = 'running'")

    def finish(
        self, key: str, n_bytes: int, mtime_ns: int, result: dict[str, Any], warnings: Iterable[str], now_s: float
    ) -> None:
        """Note that a stage is done, and what its result looked like to the worker that made it."""
        self._do(
            "UPDATE stages SET state = 'done', finished_s = ?, n_bytes = ?, mtime_ns = ?, result = ?, warnings = ?, "
            "error = NULL WHERE key = ?",
            *(now_s, n_bytes, mtime_ns, msgspec.json.encode(result).decode()),
            *(msgspec.json.encode(list(warnings)).decode(), key),
        )

    def fail(self, key: str, error: Error, now_s: float) -> None:
        """Note that a stage failed for good."""
        self._do(
            "UPDATE stages SET state = 'failed', finished_s = ?, error = ? WHERE key = ?",
            *(now_s, msgspec.json.encode(error).decode(), key),
        )

    # --- inside ------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        db = self._db
        # the lock is held until the file is closed, and the journal needs no memory shared among processes
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = TRUNCATE")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN EXCLUSIVE")
        (version,), (application,) = (
            db.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")
        )
        if (version, application) == (0, 0) and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif application != _APPLICATION:
            raise JobsDamaged("this is no record of a batch", where=self._where, cure=_CURE)
        elif version > SCHEMA_VERSION:
            problem = f"the record was written by a later version (schema {version}; known is {SCHEMA_VERSION})"
            raise JobsUnusable(problem, where=self._where, cure="install that version, or choose another folder")
        db.execute("COMMIT")

    def _ask(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._told(), self._lock:
            return self._db.execute(text, values).fetchall()

    def _do(self, text: str, *values: Any) -> int:
        with self._told(), self._lock:
            return self._db.execute(text, values).rowcount

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Say SQLite's errors in the project's way."""
        try:
            yield
        except sqlite3.Error as error:
            where, code = self._where, getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                cure = "wait for it, or choose another folder for the results"
                raise Conflict("another batch is at work in this folder", where=where, cure=cure) from error
            if code == sqlite3.SQLITE_FULL:
                raise DiskFull("the disk is full", where=where, cure="free some space") from error
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise JobsDamaged("the record of the batch is damaged", where=where, cure=_CURE) from error
            problem = f"the record of the batch cannot be used ({error})"
            raise JobsUnusable(problem, where=where, cure="make the folder writable") from error


_CURE = "move it aside; everything is done again then"
