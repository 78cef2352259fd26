"""What is told of sounds that were generated: ``--json`` prints `GenerateResult`."""

from __future__ import annotations

from dataclasses import dataclass

from foleyspace_host.pipeline.provenance import Provenance

__all__ = ["GenerateResult", "SoundMade"]


@dataclass(frozen=True, slots=True)
class SoundMade:
    """A sound that was generated; of one thing in one shot, where there is a picture.

    Parameters
    ----------
    prompt, source : str
        What it should sound like, and the id of the thing that makes it (empty if there is none).
    seed : int
        Of its noise.
    start_s, duration_s : float
        Where it begins, and how long it is [s].
    seen_events : int
        How many events were seen of the thing.
    details : dict
        What the engine tells of it.
    """

    prompt: str
    source: str
    seed: int
    start_s: float
    duration_s: float
    seen_events: int
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class GenerateResult:
    """A generated sound.

    Parameters
    ----------
    output, codec, duration_s, sample_rate_hz, n_samples, true_peak_db, loudness_lufs, gain_db
        As for `RenderResult`.
    engine, licence : str
        What made it, and the terms of its weights.
    licence_accepted : str or None
        The day on which these were accepted, where they must be.
    sounds : tuple of SoundMade
        What was made.
    envelope, video : str or None
        The file of its loudness over time, and the video that it goes with.
    settings, provenance, times_s, reused, warnings
        As for `RenderResult`.
    """

    output: str
    codec: str
    duration_s: float
    sample_rate_hz: int
    n_samples: int
    true_peak_db: float | None
    loudness_lufs: float | None
    gain_db: float
    engine: str
    licence: str
    licence_accepted: str | None
    sounds: tuple[SoundMade, ...]
    envelope: str | None
    video: str | None
    settings: dict[str, object]
    provenance: Provenance
    times_s: dict[str, float]
    reused: tuple[str, ...]
    warnings: tuple[str, ...]
