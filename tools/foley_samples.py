"""Makes the listening page of the embedded engine: docs/foley_samples, a sound and a picture for each of 20 prompts.

``python tools/foley_samples.py [--model MODEL.onnx]``. The same model gives the same sounds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from foleyspace_host.generate.embedded.engine import EmbeddedEngine  # noqa: E402
from foleyspace_host.generate.request import GenerateRequest  # noqa: E402

FOLDER = ROOT / "docs" / "foley_samples"
RATE_HZ = 48_000
DURATION_S = 4.0
PROMPTS = (
    "footsteps on stone",
    "footsteps on gravel",
    "horse galloping",
    "door slam",
    "breaking glass",
    "chopping wood",
    "metal clang",
    "water splash",
    "river",
    "heavy rain",
    "howling wind",
    "campfire",
    "explosion",
    "car engine",
    "truck",
    "steam train",
    "helicopter",
    "birds",
    "church bell",
    "applause",
)

_HEAD = """# What the embedded engine sounds like

Twenty prompts, four seconds each, the first seed, nothing picked: `python tools/foley_samples.py` made them, with the
model that ships. How good that is, in figures: [foley generation](../foley.md).

| prompt | sound | spectrogram: 4 s, 0 to 16 kHz, 70 dB |
|---|---|---|
"""


def picture(sound: np.ndarray, path: Path) -> None:
    """Draw a spectrogram."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, 512), 1024)[::400] * np.hanning(1024)
    level = 20.0 * np.log10(np.abs(np.fft.rfft(frames))[:, : 1024 * 16_000 // RATE_HZ].T + 1e-9)
    figure = pyplot.figure(figsize=(4.0, 1.2), dpi=75)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.imshow(level, origin="lower", aspect="auto", cmap="magma", vmin=level.max() - 70.0, vmax=level.max())
    axes.set_axis_off()
    figure.savefig(path)
    pyplot.close(figure)


def main() -> int:
    """Make the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="instead of the one that ships")
    model = parser.parse_args().model
    FOLDER.mkdir(parents=True, exist_ok=True)
    engine = EmbeddedEngine("cpu", model)
    rows = []
    for number, prompt in enumerate(PROMPTS, start=1):
        sound = engine.generate(GenerateRequest(prompt, DURATION_S, seed=1)).samples[0]
        name = f"{number:02d}-{prompt.replace(' ', '-')}"
        with soundfile.SoundFile(FOLDER / f"{name}.ogg", "w", RATE_HZ, 1, format="OGG", subtype="VORBIS") as out:
            for start in range(0, len(sound), 4096):  # some versions of the encoder fail on long pieces
                out.write(sound[start : start + 4096])
        picture(sound, FOLDER / f"{name}.png")
        rows.append(f"| {prompt} | [{name}.ogg]({name}.ogg) | ![{prompt}]({name}.png) |")
        print(name)
    (FOLDER / "README.md").write_text(_HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
