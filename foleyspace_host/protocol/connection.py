"""The connection file: where the host listens and the keys to talk to it, readable by its user alone.

Who can read this file can talk to the host; there is no other way in. So it is written with the mode 0600 from its
first byte, in a folder of the mode 0700, and replaced as a whole; readers refuse one that another user could have
written or read. On Windows the folder of the user's profile keeps others out, by its access list.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from foleyspace_host.errors import HostError, HostNotRunning
from foleyspace_host.protocol.scalars import Count, Id, Seconds, Version, Word

__all__ = ["FILE_NAME", "Connection", "read_connection", "remove_connection", "write_connection"]

FILE_NAME = "host.json"

_MAX_BYTES = 64 << 10
_OTHERS = 0o077
_HAS_OWNERS = hasattr(os, "geteuid")

Endpoint = Annotated[str, Meta(max_length=64, pattern=r"^tcp://127\.0\.0\.1:[1-9][0-9]{0,4}\Z")]
CurveKey = Annotated[str, Meta(min_length=40, max_length=40, description="Z85")]


class Connection(Struct, frozen=True, kw_only=True):
    """How to reach the host."""

    protocol: Annotated[tuple[Version, Version], Meta(description="lowest and highest version that the host serves")]
    host_version: Word  # of the program
    instance_id: Id  # another one after each start
    pid: Count  # of the host's process
    started_s: Seconds  # seconds since 1970, UTC
    work: Endpoint  # of the work socket
    control: Endpoint  # of the control socket
    server_public: CurveKey  # ZMQ_CURVE_SERVERKEY
    client_public: CurveKey  # ZMQ_CURVE_PUBLICKEY
    client_secret: CurveKey  # ZMQ_CURVE_SECRETKEY
    profile: Word  # which host it is

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"Connection(profile={self.profile!r}, instance_id={self.instance_id!r}, pid={self.pid})"


def write_connection(folder: Path, connection: Connection) -> Path:
    """Write the connection file of a host that listens already, in the place of any other.

    Parameters
    ----------
    folder : Path
        The profile's state folder; made if need be, and closed to other users.
    connection : Connection
        What to write.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    HostError
        If the folder belongs to another user, or cannot be written.
    """
    folder, path = Path(folder), Path(folder) / FILE_NAME
    temporary = folder / f".{FILE_NAME}.{secrets.token_hex(8)}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(folder)
        if _HAS_OWNERS and stat.S_IMODE(folder.stat().st_mode) & _OTHERS:
            folder.chmod(0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                if hasattr(os, "fchmod"):
                    os.fchmod(file.fileno(), 0o600)  # a umask can take rights away, even the owner's
                file.write(msgspec.json.format(msgspec.json.encode(connection), indent=1) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise HostError(
            f"the connection file cannot be written ({error.strerror})",
            where=str(path),
            cure="check the folder's rights",
        ) from error
    return path


def read_connection(folder: Path) -> Connection:
    """Read the connection file of a profile.

    Parameters
    ----------
    folder : Path
        The profile's state folder.

    Returns
    -------
    Connection
        What stands there; whether that host is alive is not known by it.

    Raises
    ------
    HostNotRunning
        If there is none.
    HostError
        If it is a link, belongs to another user, is open to others, or holds something else.
    """
    folder, path = Path(folder), Path(folder) / FILE_NAME
    try:
        _check_folder(folder)
        # not to wait for who writes into a pipe that someone put there
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        if path.is_symlink():
            raise HostError("is a link", where=str(path), cure="remove it and start the host again")
        with os.fdopen(os.open(path, flags), "rb") as file:
            _check_file(os.fstat(file.fileno()), path)
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise HostNotRunning(
            "the host is not running", where=str(path), cure="start it with `foleyspace host`"
        ) from None
    except OSError as error:
        raise HostError(f"cannot be read ({error.strerror})", where=str(path)) from error
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError("too long")
        return msgspec.json.decode(data, type=Connection)
    except (ValueError, RecursionError) as error:
        # the reason, but not the file's content: it may hold keys
        reason = type(error).__name__
        raise HostError(
            f"is no connection file ({reason})", where=str(path), cure="remove it and start the host again"
        ) from None


def remove_connection(folder: Path, instance_id: str) -> bool:
    """Remove the connection file if it is that of this host.

    Parameters
    ----------
    folder : Path
        The profile's state folder.
    instance_id : str
        The host that ends.

    Returns
    -------
    bool
        True if it was there and is gone.
    """
    with contextlib.suppress(HostError, OSError):
        if read_connection(folder).instance_id == instance_id:
            (Path(folder) / FILE_NAME).unlink()
            return True
    return False


def _check_owner(folder: Path) -> os.stat_result:
    info = folder.stat()  # through links: a user may keep his state elsewhere
    if _HAS_OWNERS and info.st_uid != os.geteuid():
        raise HostError("the folder belongs to another user", where=str(folder), cure="use a folder of your own")
    return info


def _check_folder(folder: Path) -> None:
    if _HAS_OWNERS and _check_owner(folder).st_mode & 0o022:
        raise HostError("other users may write in the folder", where=str(folder), cure=f"chmod 700 {folder}")


def _check_file(info: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise HostError("is no file", where=str(path), cure="remove it and start the host again")
    if not _HAS_OWNERS:
        return
    if info.st_uid != os.geteuid():
        raise HostError("belongs to another user", where=str(path), cure="remove it and start the host again")
    if stat.S_IMODE(info.st_mode) & _OTHERS:
        raise HostError(
            "is open to other users", where=str(path), cure="stop the host, and start it again for new keys"
        )
