"""What a user may set for the host, and where its files lie.

``config.toml`` in the profile's configuration folder holds any of the fields of `Config`::

    workers = 2
    device = "cpu"
    roots = ["~/projects", "/media/sound"]

Each profile has a host, a job database and settings of its own; finished stages are shared by all.
"""

from __future__ import annotations

import math
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from foleyspace_host.errors import InvalidInput, OutputUnwritable

__all__ = ["CACHE_VARIABLE", "HOME_VARIABLE", "Config", "Device", "Folders", "load_config"]

HOME_VARIABLE = "FOLEYSPACE_HOME"
"""Environment variable that names one folder for everything, instead of the system's own."""

CACHE_VARIABLE = "FOLEYSPACE_CACHE_DIR"
"""Environment variable that names a folder for what can be made again alone."""

Device = Literal["auto", "cpu", "cuda"]

_PROFILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def _default_workers() -> int:
    return max(1, min(4, (os.cpu_count() or 1) - 1))


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one profile, none of which need exist.

    Parameters
    ----------
    profile : str
        Name of the profile: letters, digits, dot, dash and underline.

    Raises
    ------
    InvalidInput
        If the name cannot be a folder's.
    """

    profile: str = "default"

    def __post_init__(self) -> None:
        if not _PROFILE.fullmatch(self.profile):
            raise InvalidInput(
                f"{self.profile!r} cannot be the name of a profile",
                where="profile",
                cure="use up to 64 letters, digits, dots, dashes and underlines, with no dot first",
            )

    @property
    def config(self) -> Path:
        """What the user sets: ``config.toml``."""
        return self._of_profile("config")

    @property
    def state(self) -> Path:
        """What belongs to a running host: ``host.json``, ``host.lock``, ``host.log``."""
        return self._of_profile("state")  # `foleyspace_host.client` finds it by the same rule

    @property
    def data(self) -> Path:
        """What must not be lost: ``jobs.db``, the jobs' own folders, sounds on their way in."""
        return self._of_profile("data")

    @property
    def cache(self) -> Path:
        """What can be made again; the same for every profile."""
        return _base("cache")

    def make(self) -> None:
        """Create the folders; those of state and data can be entered by their owner alone.

        Raises
        ------
        OutputUnwritable
            If one of them cannot be made.
        """
        for folder, mode in ((self.state, 0o700), (self.data, 0o700), (self.cache, 0o777)):
            try:
                folder.mkdir(mode=mode, parents=True, exist_ok=True)
            except OSError as error:
                raise OutputUnwritable(
                    f"the folder cannot be made ({error.strerror})",
                    where=str(folder),
                    cure=f"make it writable, or name another place with the environment variable {HOME_VARIABLE}",
                ) from error

    def _of_profile(self, kind: str) -> Path:
        # the default profile's files stand where people look for them
        return _base(kind) if self.profile == "default" else _base(kind) / "profiles" / self.profile


def _base(kind: str) -> Path:
    if home := os.environ.get(HOME_VARIABLE):
        return Path(home).absolute() / kind
    if kind == "state":
        return _state() / "foleyspace"
    if kind == "cache" and (named := os.environ.get(CACHE_VARIABLE)):
        return Path(named).absolute()
    import platformdirs

    find: Callable[..., Path] = getattr(platformdirs, f"user_{kind}_path")
    return find("foleyspace", appauthor=False)


def _state() -> Path:
    """Return where programs keep state; spelt out because clients in other languages must find ``host.json``."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    named = os.environ.get("XDG_STATE_HOME", "")
    return Path(named) if os.path.isabs(named) else Path.home() / ".local" / "state"


@dataclass(frozen=True, slots=True)
class Config:
    """How a host works.

    Parameters
    ----------
    workers : int
        Processes that work on jobs at the same time, 1 to 64; as many as suit this machine if not given.
    device : {"auto", "cpu", "cuda"}
        Where models compute; "auto" takes CUDA where there is one.
    memory_limit_mb : int, optional
        Memory that one worker may use [MiB]; a job that needs more fails.
    stage_deadline_s : float
        A job which reports no progress for so long is stopped, and fails [s].
    attempts : int
        How often a job may be started whose worker dies, 1 to 10.
    retention_days : float
        How long finished jobs, and results in the host's own folder, are kept [days].
    cache_limit_mb : int
        Size of the cache of finished stages beyond which the least recently used go [MiB]; 0 turns it off.
    roots : tuple of Path, optional
        The only folders that clients may ask for; what they ask for in them if not given.
    idle_exit_s : float, optional
        End after so long without jobs and requests [s]; never if not given.

    Raises
    ------
    InvalidInput
        If a value is of the wrong kind or out of range.
    """

    workers: int = 0
    device: Device = "auto"
    memory_limit_mb: int | None = None
    stage_deadline_s: float = 1800.0
    attempts: int = 2
    retention_days: float = 7.0
    cache_limit_mb: int = 4096
    roots: tuple[Path, ...] | None = None
    idle_exit_s: float | None = None

    def __post_init__(self) -> None:
        if self.workers == 0:
            object.__setattr__(self, "workers", _default_workers())
        for name, (kind, low, high) in _NUMBERS.items():
            _check_number(name, getattr(self, name), kind, low, high)
        if self.device not in ("auto", "cpu", "cuda"):
            raise InvalidInput(f"{self.device!r} is unknown", where="device", cure="use one of: auto, cpu, cuda")


_NUMBERS: dict[str, tuple[type, float, float]] = {
    "workers": (int, 1, 64),
    "memory_limit_mb": (int, 64, 1 << 24),
    "stage_deadline_s": (float, 0.05, 1e7),
    "attempts": (int, 1, 10),
    "retention_days": (float, 0.0, 36_500.0),
    "cache_limit_mb": (int, 0, 1 << 24),
    "idle_exit_s": (float, 0.05, 1e7),
}
_OPTIONAL = ("memory_limit_mb", "idle_exit_s")


def _check_number(name: str, value: object, kind: type, low: float, high: float) -> None:
    if value is None and name in _OPTIONAL:
        return
    wanted = "a whole number" if kind is int else "a number"
    kinds = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise InvalidInput(f"{value!r} is not {wanted}", where=name, cure=f"give {wanted}, {low:g} to {high:g}")
    if not (math.isfinite(value) and low <= value <= high):
        raise InvalidInput(f"{value!r} is out of range", where=name, cure=f"give {wanted}, {low:g} to {high:g}")


def load_config(profile: str = "default", overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a profile's settings.

    Parameters
    ----------
    profile : str
        Name of the profile.
    overrides : mapping of str to object, optional
        Fields of `Config` that win over the file, such as options of a command; None leaves the file's.

    Returns
    -------
    Config
        The defaults where there is no file.

    Raises
    ------
    InvalidInput
        If the file is no TOML, cannot be read, or holds a key that is unknown or a value that cannot be used;
        the message names file and key.
    """
    path = Folders(profile).config / "config.toml"
    settings: dict[str, Any] = {}
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:  # ValueError: of TOML and of UTF-8
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"cannot be read ({reason})", where=str(path), cure="mend or remove it") from error
    known = [field.name for field in fields(Config)]
    for name in settings:
        if name not in known:
            cure = f"remove it, or use one of: {', '.join(known)}"
            raise InvalidInput(f"the key {name!r} is unknown", where=str(path), cure=cure)
    try:
        settings = _converted(settings)
        Config(**settings)  # so that a wrong value is told as the file's own
    except InvalidInput as error:
        raise InvalidInput(f"{error.where}: {error.problem}", where=str(path), cure=error.cure) from None
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    return Config(**(settings | _converted(given)))


def _converted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Read the list of folders; everything else is as TOML gives it."""
    converted = dict(settings)
    if (roots := converted.get("roots")) is not None:
        cure = 'give a list of absolute folders, for example ["~/projects"]'
        if not isinstance(roots, list | tuple):
            raise InvalidInput(f"{roots!r} is not a list", where="roots", cure=cure)
        converted["roots"] = tuple(_root(root, cure) for root in roots)
    if converted.get("workers") == 0:
        raise InvalidInput("0 is out of range", where="workers", cure="give a whole number, 1 to 64")
    return converted


def _root(root: object, cure: str) -> Path:
    if not isinstance(root, str | Path) or "\0" in str(root):
        raise InvalidInput(f"{root!r} is not a folder", where="roots", cure=cure)
    path = Path(root)
    try:
        path = path.expanduser()
    except RuntimeError as error:
        raise InvalidInput(f"{root!r}: {error}", where="roots", cure=cure) from None
    if not path.is_absolute():
        raise InvalidInput(f"{str(root)!r} is not absolute", where="roots", cure=cure)
    return path
