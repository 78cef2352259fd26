"""What this host can do now, and why not the rest; found out without loading what does it."""

from __future__ import annotations

from collections.abc import Iterator

from foleyspace_host.errors import ModelUnavailable
from foleyspace_host.generate.engine import DEFAULT, ENGINES
from foleyspace_host.generate.engine import availability as engine_available
from foleyspace_host.models.hardware import Finding, find_cuda, find_runtime
from foleyspace_host.models.registry import ENTRIES, entry, find
from foleyspace_host.models.slots import installed
from foleyspace_host.protocol.messages import Capability
from foleyspace_host.render.formats import FORMAT_NAMES

__all__ = ["capabilities"]

_FLOW_MODEL = "binaural-flow"


def capabilities() -> list[Capability]:
    """Return what this host can do and what not.

    Returns
    -------
    list of Capability
        The kinds of jobs, then ``format:NAME``, ``renderer:NAME``, ``engine:NAME`` and ``device:NAME``; last the
        models that the user added, as ``depth:NAME`` and ``open-vocabulary:NAME``.
    """
    return [Capability(name=name, available=f.available, reason=f.reason, cure=f.cure) for name, f in _findings()]


def _findings() -> Iterator[tuple[str, Finding]]:
    ears = _shipped("kemar")
    sight = _all(find_runtime(), _shipped("centernet"), _shipped("yamnet"))
    yield "localize", sight
    yield "render", ears
    yield "spatialize", _all(sight, ears)
    engines = {entry.name: engine_available(entry.name) for entry in ENGINES}
    yield "generate", next((found for found in engines.values() if found.available), engines[DEFAULT])
    yield "timeline", ears
    for name in FORMAT_NAMES:
        yield f"format:{name}", ears if name == "binaural" else Finding(True)
    yield "renderer:hrtf", ears
    yield "renderer:diffusion", _all(find_runtime(), _flow_model(), ears)
    for engine, found in engines.items():
        yield f"engine:{engine}", found
    yield "device:cpu", Finding(True)
    yield "device:cuda", find_cuda()
    for model in installed():
        gone = Finding(False, "its file is gone", f"foleyspace models remove {model.name}, and add it again")
        yield f"{model.slot}:{model.name}", Finding(True) if model.path.is_file() else gone


def _shipped(name: str) -> Finding:
    """Return whether a shipped file is there and as long as it should be; `foleyspace models check` reads it."""
    try:
        n_bytes = find(name).stat().st_size
    except (ModelUnavailable, OSError) as error:
        return Finding(False, str(getattr(error, "problem", error)), getattr(error, "cure", None))
    if n_bytes != entry(name).size_bytes:
        return Finding(False, f"the {name} model is damaged", "install the package again")
    return Finding(True)


def _flow_model() -> Finding:
    """Return whether a flow model ships; without one, a job may bring its own."""
    if _FLOW_MODEL not in {entry.name for entry in ENTRIES}:
        return Finding(False, "this version ships no model for it", "give a job its own with `flow_model`")
    return _shipped(_FLOW_MODEL)


def _all(*findings: Finding) -> Finding:
    """Return the first thing that is missing."""
    return next((finding for finding in findings if not finding.available), Finding(True))
