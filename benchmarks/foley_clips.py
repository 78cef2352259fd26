"""Measures whether foley made for clips begins where the picture has its events: a row of ``docs/foley.md`` for each.

``python benchmarks/foley_clips.py CLIP... [--engine NAME]`` runs ``foleyspace generate --video`` as users do, and looks
in the sound for the steepest rise of the level around each onset of the curve that was seen in the picture.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from foley_metrics import envelope_correlation, onset_errors_s  # noqa: E402

from foleyspace_host.generate.envelope import frame_levels_db, read_envelope  # noqa: E402


def row_of(clip: Path, engine: str) -> str:
    """Make the sound of a clip and return its row."""
    import soundfile

    with TemporaryDirectory() as folder:
        sound, curve = Path(folder) / "sound.wav", Path(folder) / "curve.csv"
        command = ["generate", "--video", str(clip), "--engine", engine, "-o", str(sound), "--envelope-out", str(curve)]
        told = subprocess.run(
            [sys.executable, "-m", "foleyspace_host", *command, "--json"], capture_output=True, text=True, check=False
        )
        if told.returncode:
            return f"| {clip.stem} | {told.stderr.strip().splitlines()[-1]} | | | | |"
        result = json.loads(told.stdout)
        samples = soundfile.read(sound, dtype="float32")[0]
        envelope = read_envelope(curve)
    errors = np.abs(onset_errors_s(samples, envelope.onsets_s.tolist())) * 1000.0
    onsets = f"{np.median(errors):.0f} ms, {np.percentile(errors, 90):.0f} ms" if len(errors) else "it lasts"
    follows = envelope_correlation(samples, frame_levels_db(envelope, -(-len(samples) // 256)))
    prompts = "; ".join(dict.fromkeys(one["prompt"] for one in result["sounds"]))
    seen = sum(one["seen_events"] or 0 for one in result["sounds"])
    return f"| {clip.stem} | {prompts} | {seen} | {len(errors)} | {onsets} | {follows:.3f} |"


def main() -> int:
    """Measure all clips and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--engine", default="foley")
    told = parser.parse_args()
    print(
        "| clip | prompt | events seen | onsets of the curve | off, median and 90 % | envelope r |\n" + "|---" * 6 + "|"
    )
    for clip in told.clips:
        print(row_of(clip, told.engine), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
