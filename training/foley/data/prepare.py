"""Make the folder that training needs: recordings that are free, sounds of our own making, and their credits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from foleyspace_host.generate.classes import NAMES
from training.flow.sounds import Sound, conditioned, pack_sounds
from training.foley.corpus.collect import Recording, recordings
from training.foley.data.bank import SOUNDS
from training.foley.invented.catalogue import invented

__all__ = ["CREDITS", "prepare"]

CREDITS = "credits.json"
"""Name of the list of recordings: class, package, path, licence, holders, sha256."""

_HELD_OUT_OF = 5
_LONGEST_S = 8.0


def prepare(packages: Path, out: Path, *, n_invented: int = 32, say: Callable[[str], None] = print) -> None:
    """Write the folder.

    Parameters
    ----------
    packages : Path
        Unpacked Debian packages, each in a folder of its name.
    out : Path
        Folder to write.
    n_invented : int
        Made sounds of each class; one in five of them, as of the recordings of a class, is held out.
    say : callable
        Told of progress.
    """
    import soundfile

    out.mkdir(parents=True, exist_ok=True)
    sounds, used = [], []
    counts = dict.fromkeys(NAMES, 0)
    for one in sorted(recordings(packages), key=lambda one: one.sha256):
        try:
            samples, rate = soundfile.read(one.path, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            continue
        mono = conditioned(samples, rate)[: int(_LONGEST_S * 48_000)]
        if len(mono):
            counts[one.sound_class] += 1
            held_out = counts[one.sound_class] % _HELD_OUT_OF == 2
            sounds.append(Sound(f"{one.sound_class}/{one.package}/{one.name}", mono, "recorded", held_out))
            used.append(one)
    say(f"{len(used)} recordings")
    for name in NAMES:
        sounds += [
            Sound(f"{name}/invented/{n}", np.asarray(invented(name, n)), "generated", n % _HELD_OUT_OF == 0)
            for n in range(n_invented)
        ]
        say(f"made {name}")
    pack_sounds(out / SOUNDS, sounds)
    (out / CREDITS).write_text(json.dumps([_credit(one) for one in used], indent=1) + "\n", encoding="utf-8")
    say(f"{len(sounds)} sounds, {(out / SOUNDS).stat().st_size / 2**20:.1f} MiB")


def _credit(one: Recording) -> dict[str, object]:
    told = asdict(one) | asdict(one.terms)
    return {key: told[key] for key in ("sound_class", "package", "name", "licence", "holders", "sha256")}
