from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from foleyspace_host.timeline.adm.dry import dry_voice
from foleyspace_host.timeline.layers import Rendered
from foleyspace_host.timeline.mixdown import Playing
from foleyspace_host.timeline.model import AUDIO, Piece

RATE = 48_000


@pytest.mark.parametrize(("speed", "frequency_hz"), [(1, 500), (2, 1000), (-1, 500), (-2, 1000)])
def test_a_clip_is_there_at_its_speed(tmp_path: Path, speed: int, frequency_hz: int) -> None:
    t = np.arange(10 * RATE) / RATE
    soundfile.write(tmp_path / "a.wav", 0.05 * t * np.sin(2 * np.pi * 500 * t), RATE, subtype="FLOAT")
    source_s = Fraction(2) if speed > 0 else Fraction(6)
    piece = Piece(
        AUDIO,
        "A1/a",
        "A1",
        {},
        Fraction(1),
        Fraction(1),
        source_s,
        Fraction(24),
        Fraction(speed),
        tmp_path / "a.wav",
    )
    rendered = Rendered(piece, tmp_path / "r.wav", Fraction(1, 2), RATE, 2 * RATE, {})
    with ExitStack() as copies:
        voice = dry_voice(rendered, tmp_path / "out.wav", copies)
        playing = Playing(voice, RATE)
        assert (playing.first, playing.stop) == (RATE, 2 * RATE)
        block = np.zeros((1, RATE), np.float32)
        playing.add(block, RATE)
    assert not list(tmp_path.glob("*out*"))
    spectrum = np.abs(np.fft.rfft(block[0]))
    assert spectrum.argmax() == frequency_hz
    first, last = (float(np.sqrt(np.mean(part**2) * 2)) for part in np.split(block[0], 20)[::19])
    at = [0.05 * (float(source_s) + speed * t) for t in (0.025, 0.975)]
    assert (first, last) == pytest.approx(at, rel=0.02)
