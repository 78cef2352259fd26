"""The file that holds a listener's code: sixteen numbers that tell a flow model whose ears it renders for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

from foleyspace_host.errors import InvalidInput

__all__ = ["SCHEMA", "Listener", "listener_of", "read_listener"]

SCHEMA = "foleyspace.listener/1"
"""What such a file says that it is, under ``schema``."""

_N_NUMBERS = 16  # condition.N_LISTENER, which this module does without to stay cheap to import
_LARGEST = 100.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Whose ears.

    Parameters
    ----------
    code : tuple of 16 floats
        The code.
    sparse : bool
        Whether it, and the set that is rendered with, were made from few measurements.
    name : str
        Whose.

    Raises
    ------
    InvalidInput
        If the code is not 16 numbers within +-100.
    """

    code: tuple[float, ...]
    sparse: bool = True
    name: str = ""

    def __post_init__(self) -> None:
        if len(self.code) != _N_NUMBERS or not all(isfinite(x) and abs(x) <= _LARGEST for x in self.code):
            raise InvalidInput(f"a code is {_N_NUMBERS} numbers within +-{_LARGEST:g}", where="listener")

    def to_json(self) -> str:
        """Return the file's text."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


def listener_of(given: Listener | Path | str | None) -> Listener | None:
    """Return a listener, reading the file if it is one.

    Parameters
    ----------
    given : Listener, path-like or None
        What was asked for.

    Returns
    -------
    Listener or None

    Raises
    ------
    InvalidInput
        As `read_listener`.
    """
    return given if given is None or isinstance(given, Listener) else read_listener(Path(given))


def read_listener(path: Path) -> Listener:
    """Read a listener's code.

    Parameters
    ----------
    path : Path
        JSON as `Listener.to_json` gives it, and ``foleyspace listener fit`` writes it.

    Returns
    -------
    Listener

    Raises
    ------
    InvalidInput
        If it is not there or something else.
    """
    cure = "make one with: foleyspace listener fit MEASUREMENTS.sofa"
    try:
        if path.stat().st_size > 1 << 20:
            raise ValueError("too long")
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["schema"] != SCHEMA:
            raise ValueError(f"its schema is {told['schema']!r}")
        code = tuple(float(number) for number in told["code"])
        return Listener(code, bool(told.get("sparse", True)), str(told.get("name", "")))
    except OSError as error:
        raise InvalidInput(f"cannot be read ({error.strerror})", where=str(path), cure=cure) from None
    except InvalidInput as error:
        raise InvalidInput(error.problem, where=str(path), cure=cure) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(f"is no listener's code ({error})", where=str(path), cure=cure) from None
