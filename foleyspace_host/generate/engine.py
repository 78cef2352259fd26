"""The engines: one interface, and a list of those there are, with their terms and why one cannot be used now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from foleyspace_host.errors import InvalidInput, ModelUnavailable
from foleyspace_host.generate.setup import EngineSetup, library_path, read_setup
from foleyspace_host.models.hardware import Finding, find_runtime
from foleyspace_host.models.registry import ENTRIES
from foleyspace_host.models.registry import entry as shipped_entry

if TYPE_CHECKING:
    from foleyspace_host.generate.request import Generated, GenerateRequest
    from foleyspace_host.models.session import Device

__all__ = ["DEFAULT", "ENGINES", "Engine", "EngineEntry", "availability", "engine_entry", "licence_of", "open_engine"]

DEFAULT = "foley"
"""The engine that is taken if none is named."""

Terms = Literal["free", "own", "restricted"]


class Engine(Protocol):
    """What makes sounds."""

    name: str
    device: str

    def generate(self, request: GenerateRequest, *, on_progress: Callable[[int, int], None] | None = None) -> Generated:
        """Make a sound.

        Parameters
        ----------
        request : GenerateRequest
            What is wanted.
        on_progress : callable, optional
            Called as on_progress(done, total); raises Cancelled to stop.

        Returns
        -------
        Generated
            Exactly as long as was asked for.

        Raises
        ------
        FoleySpaceError
            InvalidInput for words that it does not understand, ModelUnavailable for what is missing or broken.
        """


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine and its terms.

    Parameters
    ----------
    name : str
        Its name.
    about : str
        What it is.
    weights : str
        Where its weights come from.
    licence : str
        Terms of the weights.
    terms : {"free", "own", "restricted"}
        Free for any use, the user's own matter, or restricted: then they must be accepted before the first use.
    """

    name: str
    about: str
    weights: str
    licence: str
    terms: Terms


ENGINES: tuple[EngineEntry, ...] = (
    EngineEntry(
        "foley",
        "flow-matching model over bands of sound, follows a loudness curve",
        "ship with the program: foleyspace models list",
        "Apache-2.0",
        "free",
    ),
    EngineEntry(
        "library",
        "your own recordings, found by words and fitted in time",
        "the folders that you add with `foleyspace library add DIR`",
        "that of your recordings",
        "own",
    ),
    EngineEntry(
        "stable-audio",
        "text to audio by latent diffusion, through the library diffusers",
        "a folder of yours: foleyspace models engine stable-audio --weights DIR",
        "Stability AI Community Licence, unless your folder says otherwise: commercial use is limited",
        "restricted",
    ),
    EngineEntry(
        "mmaudio",
        "video and text to audio, by a script that your own interpreter runs",
        "yours: foleyspace models engine mmaudio --python PYTHON --weights CHECKOUT",
        "MMAudio: code MIT, weights CC BY-NC 4.0 (no commercial use); of other models unknown",
        "restricted",
    ),
)
"""All engines; the default one first."""


def engine_entry(name: str) -> EngineEntry:
    """Return an engine's entry.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    EngineEntry

    Raises
    ------
    InvalidInput
        If there is none of that name.
    """
    for entry in ENGINES:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in ENGINES)
    raise InvalidInput(f"there is no engine {name!r}", where="engine", cure=f"use one of: {names}")


def licence_of(entry: EngineEntry) -> str:
    """Return the terms of an engine's weights; of one that ships, as the list of models states them."""
    return next((model.licence for model in ENTRIES if model.name == entry.name), entry.licence)


def availability(name: str) -> Finding:
    """Return whether an engine can be used now, found out without loading it.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    Finding

    Raises
    ------
    InvalidInput
        If there is none of that name.
    """
    entry = engine_entry(name)
    if name == "foley":
        return _shipped(name)
    if name == "library":
        return _library()
    setup = read_setup(name)
    missing = _stable_audio(setup) if name == "stable-audio" else _runner(setup)
    if missing.available and not setup.accepted:
        reason = f"its licence was not accepted: {entry.licence}"
        return Finding(False, reason, f"read it, then: foleyspace models engine {name} --accept-licence")
    return missing


def open_engine(name: str, device: Device = "auto") -> Engine:
    """Make an engine ready.

    Parameters
    ----------
    name : str
        Its name.
    device : {"auto", "cpu", "cuda"}
        Where models compute.

    Returns
    -------
    Engine

    Raises
    ------
    InvalidInput
        If there is none of that name.
    ModelUnavailable
        If it cannot be used now; says why.
    """
    found = availability(name)
    if not found.available:
        raise ModelUnavailable(found.reason or "cannot be used", where=f"engine {name}", cure=found.cure)
    if name == "foley":
        from foleyspace_host.generate.embedded.engine import EmbeddedEngine

        return EmbeddedEngine(device)
    if name == "library":
        from foleyspace_host.generate.library.engine import LibraryEngine

        return LibraryEngine(library_path())
    if name == "stable-audio":
        from foleyspace_host.generate.external.stable_audio import StableAudioEngine

        return StableAudioEngine(Path(read_setup(name).weights), device)
    from foleyspace_host.generate.external.runner import RunnerEngine

    setup = read_setup(name)
    return RunnerEngine(name, Path(setup.python), _script(setup), device, weights=setup.weights)


def _shipped(name: str) -> Finding:
    entry = shipped_entry(name)
    if not entry.path.is_file() or entry.path.stat().st_size != entry.size_bytes:
        return Finding(False, f"the {name} model is missing or damaged", "install the package again")
    return find_runtime()


def _library() -> Finding:
    from foleyspace_host.generate.library.index import count_sounds

    if count_sounds(library_path()):
        return Finding(True)
    return Finding(False, "no sounds were added to the library", "foleyspace library add DIR")


def _stable_audio(setup: EngineSetup) -> Finding:
    from importlib.util import find_spec

    cure = "foleyspace models engine stable-audio --weights DIR"
    if not setup.weights:
        return Finding(False, "no folder with its weights was named", cure)
    if not (Path(setup.weights) / "model_index.json").is_file():
        return Finding(False, f"{setup.weights} holds no model_index.json: it is no pipeline of diffusers", cure)
    missing = [name for name in ("torch", "diffusers") if find_spec(name) is None]
    if missing:
        return Finding(False, f"{' and '.join(missing)} is not installed", "pip install torch diffusers transformers")
    return Finding(True)


def _runner(setup: EngineSetup) -> Finding:
    cure = "foleyspace models engine mmaudio --python PYTHON --weights CHECKOUT"
    if not setup.python:
        return Finding(False, "no interpreter was named", cure)
    for what, path in (("interpreter", Path(setup.python)), ("runner script", _script(setup))):
        if not path.is_file():
            return Finding(False, f"the {what} {path} is not there", cure)
    return Finding(True)


def _script(setup: EngineSetup) -> Path:
    """Return the script that was named, or the shipped one."""
    return Path(setup.runner) if setup.runner else Path(__file__).parent / "external/runners/mmaudio_runner.py"
