"""A strip through a render that changes nothing is the strip: where it is, how long, how loud, to the sample.

Blender's own mixer plays a trimmed strip up to a sample beside its place, depending on frame rate and frames, so
results are compared with where the samples belong, and with the strip as Blender plays it.
"""

from __future__ import annotations

from math import floor, sqrt
from typing import Any

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender's Python module is not installed")

RATE_HZ = 48_000
RATES = [(24, 1.0), (25, 1.0), (30, 1.001), (60, 1.0), (24, 1.001), (50, 1.0)]
LENGTH = 40  # frames


def lag_of(heard: np.ndarray, reference: np.ndarray) -> int:
    """By how many samples `heard` is later."""
    size = 1 << (2 * len(reference) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(reference, size)), size)
    best = int(np.argmax(product))
    return best - size if best > size // 2 else best


def residual_db(heard: np.ndarray, reference: np.ndarray) -> float:
    return float(10 * np.log10(np.sum((heard - reference) ** 2) / np.sum(reference**2) + 1e-30))


def ideal(source: np.ndarray, n: int, content: int, left: int, fps: float) -> np.ndarray:
    """Return a mixdown from frame 1 as it should be: each sample of it is that of the source which is due then."""
    time = np.arange(n) + floor(RATE_HZ / fps)  # samples since frame 0; the mixdown begins at a whole one
    due = np.floor(time - content / fps * RATE_HZ + 0.01).astype(int)
    inside = (time >= left / fps * RATE_HZ) & (time < (left + LENGTH) / fps * RATE_HZ) & (due >= 0)
    return np.where(inside, source[np.clip(due, 0, len(source) - 1)], 0.0) * sqrt(0.5)


def inside(trim: int, fps: float) -> slice:
    """Return the samples that are surely the strip's: the mixer begins and ends one at the edges of its buffers."""
    return slice(floor((5 + trim) / fps * RATE_HZ) + 1024, floor((5 + trim + LENGTH) / fps * RATE_HZ) - 1024)


def spatialized(studio: Any, identity: Any, strip: Any) -> None:
    from foleyspace.task import Task

    uuid = studio.bind(strip, studio.thing("Car", f1=(0.0, 3.0, 0.0)))
    task = Task("spatialize", "Scene", [uuid], folder=str(studio.folder), host=identity).run(30)
    assert (task.state, task.error) == ("done", "")
    assert strip.mute


@pytest.mark.parametrize(("fps", "base"), RATES)
@pytest.mark.parametrize("trim", [0, 5, 13, 22])
def test_the_result_is_where_it_belongs_to_the_sample(
    studio: Any, identity: Any, fps: int, base: float, trim: int
) -> None:
    from foleyspace import compat

    studio.fps(fps, base)
    studio.camera()
    source = studio.noise(4.0)
    strip = studio.strip(studio.sound(source), frame=6)
    compat.set_left(strip, 6 + trim)
    compat.set_right(strip, 6 + trim + LENGTH)
    dry = studio.listen(1, 90)
    spatialized(studio, identity, strip)
    heard = studio.listen(1, 90)
    assert np.array_equal(heard[0], heard[1])

    reference = ideal(source, heard.shape[1], 6, 6 + trim, fps / studio.scene.render.fps_base)
    inner = inside(trim, fps / base)
    assert lag_of(heard[0, inner], reference[inner]) == 0
    assert residual_db(heard[0, inner], reference[inner]) < -80
    off = lag_of(dry[0, inner], reference[inner])
    assert abs(off) <= 1  # Blender's own
    assert lag_of(heard[0, inner], dry[0, inner]) == -off


@pytest.mark.parametrize(("fps", "base"), RATES[:4])
def test_no_lag_against_the_strip_as_blender_plays_it(studio: Any, identity: Any, fps: int, base: float) -> None:
    from foleyspace import compat

    studio.fps(fps, base)
    studio.camera()
    source = studio.noise(4.0)
    strip = studio.strip(studio.sound(source), frame=6)
    for trim in (13, 5, 22, 9):  # of which Blender plays most where they belong
        compat.set_left(strip, 6 + trim)
        compat.set_right(strip, 6 + trim + LENGTH)
        dry, inner = studio.listen(1, 90), inside(trim, fps / base)
        reference = ideal(source, dry.shape[1], 6, 6 + trim, fps / studio.scene.render.fps_base)
        if lag_of(dry[0, inner], reference[inner]) == 0:
            break
    else:
        pytest.fail("Blender plays none of them where it belongs")
    spatialized(studio, identity, strip)
    heard = studio.listen(1, 90)
    assert lag_of(heard[0], dry[0]) == lag_of(heard[1], dry[1]) == 0
    assert residual_db(heard[:, inner], dry[:, inner]) < -80
