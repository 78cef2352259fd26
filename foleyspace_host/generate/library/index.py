"""The index of the user's recordings: one SQLite file with what each sounds like and is called."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace_host.errors import InvalidInput, OutputUnwritable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Index", "Sound", "count_sounds", "open_index"]

_VERSION = 1
_SCHEMA = """
CREATE TABLE folders (path TEXT PRIMARY KEY);
CREATE TABLE sounds (
    path TEXT PRIMARY KEY, folder TEXT NOT NULL, n_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    duration_s REAL NOT NULL, name TEXT NOT NULL, told TEXT NOT NULL, tags TEXT NOT NULL, embedding BLOB NOT NULL,
    damage TEXT
);
CREATE INDEX sounds_of_folder ON sounds (folder);
"""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A recording.

    Parameters
    ----------
    path : str
        Its file, absolute.
    folder : str
        The folder that was added.
    n_bytes, mtime_ns : int
        Size and time of the last change when it was listened to.
    duration_s : float
        How long it is [s]; 0 of one that cannot be read.
    name : str
        Words of its name and of the folders within the added one.
    told : str
        What the file says of itself.
    tags : dict of str to float
        What it sounds like: mean scores of AudioSet's classes, the highest ones.
    embedding : ndarray, float32, shape (1024,)
        What it sounds like, of length 1; zeros if unknown.
    damage : str or None
        Why it cannot be read; None if it can.
    """

    path: str
    folder: str
    n_bytes: int
    mtime_ns: int
    duration_s: float
    name: str
    told: str
    tags: dict[str, float]
    embedding: NDArray[np.float32]
    damage: str | None = None


class Index:
    """An open index; see `open_index`.

    Parameters
    ----------
    connection : sqlite3.Connection
        With the tables in it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def folders(self) -> list[str]:
        """Return the folders that were added, in alphabetical order."""
        return [path for (path,) in self._connection.execute("SELECT path FROM folders ORDER BY path")]

    def add_folder(self, folder: str) -> None:
        """Remember a folder."""
        with self._connection:
            self._connection.execute("INSERT OR IGNORE INTO folders VALUES (?)", (folder,))

    def remove(self, path: str) -> int:
        """Forget a folder that was added, with all of its sounds, or one file; return how many sounds that were."""
        with self._connection:
            self._connection.execute("DELETE FROM folders WHERE path = ?", (path,))
            gone = self._connection.execute("DELETE FROM sounds WHERE folder = ? OR path = ?", (path, path))
            return gone.rowcount

    def stands(self, folder: str) -> dict[str, tuple[int, int]]:
        """Return size and time of the last change of each file of a folder, by its path."""
        rows = self._connection.execute("SELECT path, n_bytes, mtime_ns FROM sounds WHERE folder = ?", (folder,))
        return {path: (n_bytes, mtime_ns) for path, n_bytes, mtime_ns in rows}

    def put(self, sound: Sound) -> None:
        """Keep a sound, in place of what was known of its file."""
        row = (
            *(sound.path, sound.folder, sound.n_bytes, sound.mtime_ns, sound.duration_s, sound.name, sound.told),
            *(json.dumps(sound.tags), sound.embedding.astype("<f2").tobytes(), sound.damage),
        )
        with self._connection:
            self._connection.execute(f"INSERT OR REPLACE INTO sounds VALUES ({','.join('?' * 10)})", row)  # noqa: S608

    def sounds(self, *, damaged: bool = False) -> Iterator[Sound]:
        """Yield the sounds in the order of their paths: those that can be read, or the others."""
        import numpy as np  # here, for whether there are sounds at all is asked by quick commands too

        wanted = "IS NOT NULL" if damaged else "IS NULL"
        for row in self._connection.execute(f"SELECT * FROM sounds WHERE damage {wanted} ORDER BY path"):  # noqa: S608
            path, folder, n_bytes, mtime_ns, duration_s, name, told, tags, embedding, damage = row
            heard = np.frombuffer(embedding, "<f2").astype(np.float32)
            yield Sound(path, folder, n_bytes, mtime_ns, duration_s, name, told, json.loads(tags), heard, damage)

    def count(self) -> int:
        """Return the number of sounds that can be read."""
        (count,) = self._connection.execute("SELECT count(*) FROM sounds WHERE damage IS NULL").fetchone()
        return int(count)


@contextmanager
def open_index(path: Path) -> Iterator[Index]:
    """Open an index, which is made if there is none.

    Parameters
    ----------
    path : Path
        Its file.

    Yields
    ------
    Index

    Raises
    ------
    InvalidInput
        If the file is no index, damaged, or of a newer version.
    OutputUnwritable
        If it cannot be made or written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=30.0)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version = {_VERSION};COMMIT;")
            elif version != _VERSION:
                raise InvalidInput(
                    f"the index of the library has version {version}, not {_VERSION}",
                    where=str(path),
                    cure="use the newer program, or remove the file and add the folders again",
                )
            yield Index(connection)
    except (OSError, sqlite3.OperationalError) as error:
        raise OutputUnwritable(f"the index of the library cannot be used ({error})", where=str(path)) from error
    except sqlite3.DatabaseError as error:
        cure = "remove the file and add the folders again"
        raise InvalidInput(f"the index of the library is damaged ({error})", where=str(path), cure=cure) from error


def count_sounds(path: Path) -> int:
    """Return the number of sounds in an index; 0 where there is none, or it cannot be read."""
    if not path.is_file():
        return 0
    try:
        with open_index(path) as index:
            return index.count()
    except (InvalidInput, OutputUnwritable):
        return 0
