"""What a command prints when it is done: a few lines for people, or one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from foleyspace_host.pipeline.generated import GenerateResult
    from foleyspace_host.pipeline.results import (
        LocalizeResult,
        RenderResult,
        SourceSummary,
        SpatializeResult,
    )

__all__ = [
    "generated_lines",
    "localized_lines",
    "loudness_told",
    "print_host_result",
    "print_result",
    "rendered_lines",
]

_Result = TypeVar("_Result")


def print_result(
    result: GenerateResult | LocalizeResult | RenderResult | SpatializeResult, lines: list[str], as_json: bool
) -> None:
    """Print a result.

    Parameters
    ----------
    result : dataclass
        What ``--json`` prints.
    lines : list of str
        What people read.
    as_json : bool
        Whether ``--json`` was given.
    """
    click.echo(json.dumps(asdict(result), allow_nan=False) if as_json else "\n".join(lines))


def print_host_result(
    details: dict[str, Any], kind: type[_Result], lines: Callable[[_Result], list[str]], as_json: bool
) -> None:
    """Print a result that the host has sent.

    Parameters
    ----------
    details : dict
        The result's fields.
    kind : type
        What it was before it was sent.
    lines : callable
        What people read of it.
    as_json : bool
        Whether ``--json`` was given.
    """
    import msgspec

    click.echo(json.dumps(details, allow_nan=False) if as_json else "\n".join(lines(msgspec.convert(details, kind))))


class Levels(Protocol):
    """What is known of how loud a sound is; see `RenderResult`."""

    @property
    def true_peak_db(self) -> float | None: ...
    @property
    def loudness_lufs(self) -> float | None: ...
    @property
    def gain_db(self) -> float: ...


def loudness_told(levels: Levels) -> str:
    """Return peak and loudness of a sound in words, and what was done about them."""
    told = "silence" if levels.true_peak_db is None else f"{levels.true_peak_db:.1f} dBTP"
    if levels.loudness_lufs is not None:
        told += f", loudness {levels.loudness_lufs:.1f} LUFS"
    if levels.gain_db < 0.0:
        told += f" (the whole turned down by {-levels.gain_db:.1f} dB)"
    return told


def rendered_lines(result: RenderResult) -> list[str]:
    """Return the summary of a rendered sound or spatialized video.

    Parameters
    ----------
    result : RenderResult or SpatializeResult
        The result.

    Returns
    -------
    list of str
    """
    generated = getattr(result, "generated", None)
    lines = [
        f"{result.output}",
        *([] if generated is None else _made_lines(generated)),
        *_source_lines(result.sources),
        *_reasons(getattr(result, "heard", ()), getattr(result, "why", "")),
        *_also_seen(getattr(result, "also_seen", ())),
    ]
    if result.format != "binaural":
        lines.append(_line("format", f"{result.format}: {' '.join(result.channels)}"))
    if result.sound.fit != "exact":
        lines.append(_line("sound", f"{result.sound.path} {result.sound.fit} to {result.duration_s:.3f} s"))
    lines.append(_line("peak", loudness_told(result)))
    if trajectory := getattr(result, "trajectory", None):
        lines.append(_line("trajectory", trajectory))
    if page := getattr(result, "report", None):
        lines.append(_line("report", page))
    return [*lines, *_last_lines(result)]


def generated_lines(result: GenerateResult) -> list[str]:
    """Return the summary of a generated sound.

    Parameters
    ----------
    result : GenerateResult
        The result.

    Returns
    -------
    list of str
    """
    lines = [result.output, *_made_lines(result)]
    if result.envelope:
        lines.append(_line("envelope", result.envelope))
    return [*lines, *_last_lines(result)]


def _made_lines(result: GenerateResult) -> list[str]:
    """Return what was made, and by what."""
    lines = []
    for one in result.sounds:
        where = f", {one.start_s:.2f} to {one.start_s + one.duration_s:.2f} s" if len(result.sounds) > 1 else ""
        seen = f", {one.seen_events} events seen" if one.seen_events else ""
        lines.append(_line("sound", f"{one.prompt}{where}{seen}, seed {one.seed}"))
    if not result.sounds:
        lines.append(_line("sound", "silence"))
    accepted = f", accepted on {result.licence_accepted}" if result.licence_accepted else ""
    lines.append(_line("engine", result.engine))
    lines.append(_line("licence", f"{result.licence}{accepted}"))
    return lines


def localized_lines(result: LocalizeResult) -> list[str]:
    """Return the summary of a trajectory.

    Parameters
    ----------
    result : LocalizeResult
        The result.

    Returns
    -------
    list of str
    """
    lines = [result.output, *_source_lines(tuple(s for s in result.sources if s.selected))]
    lines += _reasons(result.heard, result.why)
    lines += _also_seen([source for source in result.sources if not source.selected])
    if result.report:
        lines.append(_line("report", result.report))
    return [*lines, *_last_lines(result)]


def _last_lines(result: GenerateResult | LocalizeResult | RenderResult) -> list[str]:
    """Return how long it took, what of it was known already, and what the user should know."""
    time = f"{result.times_s['total']:.1f} s for {result.duration_s:.1f} s"
    if result.reused:
        time += f" ({', '.join(result.reused)}: known from before)"
    return [_line("time", time), *(_line("warning", warning) for warning in result.warnings)]


def _reasons(heard: Sequence[str], why: str) -> list[str]:
    """Return what was heard, and why the source is it."""
    said = (("because", why), ("heard", ", ".join(heard)))
    return [_line(name, text) for name, text in said if text]


def _also_seen(sources: Sequence[SourceSummary]) -> list[str]:
    """Return what else could be chosen."""
    others = [f"{source.id} ({source.confidence:.2f})" for source in sources]
    return [_line("also seen", f"{', '.join(others)}; choose with --source")] if others else []


def _source_lines(sources: tuple[SourceSummary, ...]) -> list[str]:
    lines = []
    for source in sources:
        name = f"{source.label} ({source.id})" if source.label not in ("", source.id) else source.id
        how = {
            "seen": f", seen {100 * source.detected_share:.0f} % of the time, confidence {source.confidence:.2f}",
            "edited": "",
        }
        seen = how.get(source.basis, f": nothing to see, so straight ahead, confidence {source.confidence:.2f}")
        (low, high), (near, far) = source.azimuth_deg, source.distance_m
        lines.append(_line("source", f"{name}{seen}"))
        lines.append(_line("azimuth", f"{low:+.1f}° to {high:+.1f}° (left positive)"))
        lines.append(_line("distance", f"{near:.1f} m to {far:.1f} m"))
    return lines


def _line(name: str, text: str) -> str:
    return f"  {name:<11}{text}"
