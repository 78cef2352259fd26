"""What the user says of engines that do not ship: where their weights lie, what runs them, which terms were accepted.

One JSON file in the data folder, with an entry for each engine that anything was said of.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from foleyspace_host.config import Folders
from foleyspace_host.errors import InvalidInput, OutputUnwritable

__all__ = ["EngineSetup", "library_path", "read_setup", "write_setup"]


@dataclass(frozen=True, slots=True)
class EngineSetup:
    """What was said of one engine.

    Parameters
    ----------
    weights : str
        Folder of its weights; empty if not said.
    python : str
        Interpreter that runs it; empty if not said.
    runner : str
        Script that the interpreter runs; empty if not said.
    accepted : str
        Licence that was accepted, as it was shown; empty if none was.
    accepted_on : str
        The day on which that was, as yyyy-mm-dd.
    """

    weights: str = ""
    python: str = ""
    runner: str = ""
    accepted: str = ""
    accepted_on: str = ""


def library_path() -> Path:
    """Return the file of the library's index; it need not exist."""
    return Folders().data / "library.sqlite"


def read_setup(name: str) -> EngineSetup:
    """Return what was said of an engine.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    EngineSetup

    Raises
    ------
    InvalidInput
        If the file cannot be read.
    """
    return _all().get(name, EngineSetup())


def write_setup(name: str, **said: str) -> EngineSetup:
    """Keep what is said of an engine; what is not said stays.

    Parameters
    ----------
    name : str
        Its name.
    **said : str
        Fields of `EngineSetup`.

    Returns
    -------
    EngineSetup

    Raises
    ------
    InvalidInput, OutputUnwritable
        If the file cannot be read or written.
    """
    known = _all()
    known[name] = replace(known.get(name, EngineSetup()), **said)
    path = _path()
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial.write_text(json.dumps({key: asdict(one) for key, one in known.items()}, indent=1), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise OutputUnwritable(f"cannot be written ({error.strerror})", where=str(path)) from error
    return known[name]


def _path() -> Path:
    return Folders().data / "engines.json"


def _all() -> dict[str, EngineSetup]:
    path = _path()
    try:
        return {name: EngineSetup(**one) for name, one in json.loads(path.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidInput(f"cannot be read ({error})", where=str(path), cure="mend or remove it") from error
