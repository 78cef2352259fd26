r"""Make the demo's assets from their originals.

    python tools/make_demo_assets.py --horse horse.png \
        --steps 'default_sand_footstep.*.ogg' --crunch 'default_gravel_dig.*.ogg'

* ``horse.png`` is ``skimage/data/horse.png`` of scikit-image: the outline of a standing horse, CC0.
* the steps and the crunch are recordings of sand and gravel from Minetest Game, ``mods/default/sounds``, CC0.

Writes ``horse.png`` (the outline alone, cropped and smoothed, as an 8-bit mask) and ``hoof_N.flac``
(one hoof on wet sand: a step with a little gravel on top, mono, 48 kHz) to ``foleyspace_host/demo/assets``.
"""

from __future__ import annotations

import argparse
import glob
from pathlib import Path

import cv2
import numpy as np
import soundfile
import soxr

ASSETS = Path(__file__).resolve().parents[1] / "foleyspace_host" / "demo" / "assets"
RATE_HZ = 48_000
HOOF_S = 0.26
ENLARGE = 8


def outline(source: Path, target: Path) -> None:
    """Crop the outline to its box and smooth its edge."""
    picture = cv2.imread(str(source), cv2.IMREAD_UNCHANGED)
    dark = (picture[..., :3].min(axis=-1) < 128).astype(np.float32)
    rows, columns = np.nonzero(dark)
    mask = dark[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    # enlarge, then smooth and cut at one half: the stairs of the original edge become curves
    large = cv2.resize(mask, None, fx=ENLARGE, fy=ENLARGE, interpolation=cv2.INTER_CUBIC)
    smooth = (cv2.GaussianBlur(large, (0, 0), 6.0) > 0.5).astype(np.float32)
    small = cv2.resize(smooth, mask.shape[::-1], interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(target), np.round(255.0 * small).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def read_mono(path: str) -> np.ndarray:
    """Read a recording as mono at the assets' rate, shape (n_samples,)."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)


def fitted(samples: np.ndarray, n_samples: int) -> np.ndarray:
    """Cut or pad to a length with a short fade at both ends."""
    out = np.zeros(n_samples, np.float32)
    kept = samples[:n_samples]
    out[: len(kept)] = kept
    out[:48] *= np.linspace(0.0, 1.0, 48, dtype=np.float32)
    fade = n_samples // 4
    out[-fade:] *= np.cos(np.linspace(0.0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return out


def main() -> None:
    """Run the conversion."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--horse", type=Path, required=True)
    parser.add_argument("--steps", required=True, help="glob of step recordings")
    parser.add_argument("--crunch", required=True, help="glob of gravel recordings")
    parser.add_argument("-o", "--output", type=Path, default=ASSETS)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    outline(args.horse, args.output / "horse.png")
    steps, crunches = sorted(glob.glob(args.steps)), sorted(glob.glob(args.crunch))
    n_samples = round(HOOF_S * RATE_HZ)
    for index, (step, crunch) in enumerate([(s, c) for c in crunches for s in steps][:4], start=1):
        hoof = fitted(read_mono(step), n_samples) + 0.3 * fitted(read_mono(crunch), n_samples)
        soundfile.write(args.output / f"hoof_{index}.flac", 0.5 * hoof / np.abs(hoof).max(), RATE_HZ, subtype="PCM_16")


if __name__ == "__main__":
    main()
