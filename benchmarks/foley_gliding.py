"""Measures what courses of pitch bring: a table of ``docs/foley.md``.

``python benchmarks/foley_gliding.py DATA [--seeds 24]`` takes the folder that ``python -m training.foley prepare``
wrote, and makes sounds of the classes in which sounds glide: once as the program does, and once with the same network
from portraits of the same sounds as they are, without courses. The listener has heard all that was learnt from.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from foley_metrics import Listener, classes_heard, hear  # noqa: E402

from foleyspace_host.generate.classes import NAMES  # noqa: E402
from foleyspace_host.generate.embedded.engine import EmbeddedEngine  # noqa: E402
from foleyspace_host.generate.embedded.model import FoleyModel  # noqa: E402
from foleyspace_host.generate.request import GenerateRequest  # noqa: E402
from training.foley.data.bank import portraits, read_bank  # noqa: E402

_LEAST = 5  # sounds of a class that glide

Right = NDArray[np.bool_]


def measured(engine: EmbeddedEngine, listener: Listener, which: int, n_seeds: int) -> Right:
    """Return whether each sound was heard, was told apart, and was so among three, shape (3, n_seeds)."""
    heard, embeddings = [], []
    for seed in range(n_seeds):
        request = GenerateRequest(NAMES[which], 3.0, seed=seed, quality="draft")
        one = hear(engine.generate(request).samples[0])
        heard.append(NAMES[which] in classes_heard(one))
        embeddings.append(one.embedding)
    ranked = listener.ranked(np.stack(embeddings)) == which
    return np.stack([np.array(heard), ranked[:, 0], ranked[:, :3].any(axis=1)])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=24)
    told = parser.parse_args()
    bank = read_bank(told.data)
    learnt = [
        (hear(sound).embedding, which)
        for which in range(len(NAMES))
        for sound in [*bank.recorded[which], *bank.invented[which]]
    ]
    listener = Listener(np.stack([embedding for embedding, _ in learnt]), [which for _, which in learnt])
    engine, as_they_are = EmbeddedEngine("cpu"), EmbeddedEngine("cpu")
    n_gliding = [sum(course is not None for one in pair for course in one) for pair in model_of(engine).courses]
    still = portraits(bank, parting=False)
    other = model_of(as_they_are)
    other.portraits = [tuple([one.portrait for one in kind] for kind in pair) for pair in still]  # type: ignore[misc]
    other.courses = [tuple([None for _ in kind] for kind in pair) for pair in still]  # type: ignore[misc]
    print(
        "| | glide | heard, with courses | without | told apart / among 3, with | without |\n|---|---|---|---|---|---|"
    )
    both: list[tuple[Right, Right]] = []
    for which, count in enumerate(n_gliding):
        if count < _LEAST:
            continue
        own, plain = (measured(one, listener, which, told.seeds) for one in (engine, as_they_are))
        both.append((own, plain))
        n_sounds = len(bank.recorded[which]) + len(bank.invented[which])
        print(row(NAMES[which], f"{count} of {n_sounds}", own, plain), flush=True)
    own, plain = (np.concatenate(some, axis=1) for some in zip(*both, strict=True))
    print(row("all", "", own, plain))
    # classes are drawn, as sounds of one are much alike
    more = np.stack([one.mean(axis=1) - bare.mean(axis=1) for one, bare in both], axis=1)
    draws = more[:, np.random.default_rng(0).integers(more.shape[1], size=(5000, more.shape[1]))].mean(axis=2)
    for what, mean, drawn in zip(("heard", "told apart", "among 3"), more.mean(axis=1), draws, strict=True):
        low, high = np.percentile(drawn, [2.5, 97.5])
        print(f"{what}: {100 * mean:+.0f} points (95 %: {100 * low:+.0f} to {100 * high:+.0f})")
    return 0


def model_of(engine: EmbeddedEngine) -> FoleyModel:
    """Return an engine's model, to be changed."""
    return engine._model


def row(name: str, count: str, own: Right, plain: Right) -> str:
    """Return a row of the table."""
    heard, apart, among = (100.0 * own.mean(axis=1)).round()
    cells = (f"{heard:.0f} %", f"{100 * plain[0].mean():.0f} %", f"{apart:.0f} % / {among:.0f} %")
    return f"| {name} | {count} | {' | '.join(cells)} | {100 * plain[1].mean():.0f} % / {100 * plain[2].mean():.0f} % |"


if __name__ == "__main__":
    sys.exit(main())
