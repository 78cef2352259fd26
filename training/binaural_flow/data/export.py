"""Pairs of mono and binaural sound with trajectories, as files, for other people's models."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from foleyspace_host.errors import InvalidInput
from foleyspace_host.geometry.trajectory import Trajectory
from foleyspace_host.geometry.trajectory_file import dumps
from training.binaural_flow.data.batches import Batches
from training.binaural_flow.data.listeners import ListenerBank
from training.binaural_flow.data.presets import HOP, SAMPLE_RATE_HZ, Preset
from training.binaural_flow.data.sound_bank import SoundBank

__all__ = ["export_pairs"]

_AT_A_TIME = 8
_PEAK = 0.95


def export_pairs(
    out: Path,
    heads: ListenerBank,
    sounds: SoundBank,
    preset: Preset,
    count: int,
    *,
    duration_s: float = 8.0,
    seed: int = 1,
    held_out: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write ``000000-mono.wav``, ``000000-binaural.wav``, ``000000.trajectory.json`` and so on, and ``pairs.jsonl``.

    Parameters
    ----------
    out : Path
        Folder to write; made if it is missing.
    heads, sounds : ListenerBank, SoundBank
        What pairs are made of.
    preset : Preset
        What they are like; ``paper`` gives the paper's.
    count : int
        How many.
    duration_s : float
        Duration of each, rounded down to frames of 256 samples [s].
    seed : int
        Of everything; pair k is the same however many there are.
    held_out : bool
        Whether to use the heads that are held out.
    on_progress : callable, optional
        Called as on_progress(done, count).

    Raises
    ------
    InvalidInput
        If there is nothing to write.
    """
    import soundfile

    n_frames = int(duration_s * SAMPLE_RATE_HZ) // (4 * HOP) * 4
    if count < 1 or n_frames < 4:
        raise InvalidInput(f"{count} pairs of {duration_s:g} s are nothing", where="export")
    batches = Batches(heads, sounds, replace(preset, lead_frames=0, crop_frames=n_frames), seed, held_out=held_out)
    exact_s = n_frames * HOP / SAMPLE_RATE_HZ
    out.mkdir(parents=True, exist_ok=True)
    with (out / "pairs.jsonl").open("w", encoding="utf-8") as list_file:
        for first in range(0, count, _AT_A_TIME):
            tasks, examples = batches.examples(first // _AT_A_TIME, _AT_A_TIME)
            made = batches.render(examples, first // _AT_A_TIME)
            for row in range(min(_AT_A_TIME, count - first)):
                name, example = f"{first + row:06d}", examples[row]
                mono, target = made.mono[row].cpu().numpy(), made.target[row].cpu().numpy()
                gain = min(1.0, _PEAK / max(float(abs(target).max()), float(abs(mono).max()), 1e-9))
                soundfile.write(out / f"{name}-mono.wav", mono * gain, SAMPLE_RATE_HZ, subtype="PCM_24")
                soundfile.write(out / f"{name}-binaural.wav", target.T * gain, SAMPLE_RATE_HZ, subtype="PCM_24")
                source = replace(example.source, extent_deg=example.extent_deg)
                text = dumps(Trajectory(exact_s, (source,)))
                (out / f"{name}.trajectory.json").write_text(text, encoding="utf-8")
                room = example.room
                told = {
                    "name": name,
                    "task": tasks[row].name.lower(),
                    "movement": source.id,
                    "head": heads.heads[example.own.head].name,
                    "gain": gain,
                    "room": None
                    if room is None
                    else {"size_m": room.size_m, "rt60_s": room.rt60_s, "listener_m": room.listener_m},
                }
                list_file.write(json.dumps(told) + "\n")
                if on_progress is not None:
                    on_progress(first + row + 1, count)
