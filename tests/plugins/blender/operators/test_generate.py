"""Sounds from words, with a host that pretends to know how."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import bindings, compat  # noqa: E402

RATE_HZ = 48_000


def test_generate_at_the_current_frame(studio, pretending):
    chosen, scene = studio.scene.foleyspace, studio.scene
    chosen.prompt, chosen.duration_s, chosen.generate_seed = "a beep", 1.5, 880
    scene.frame_set(25)
    assert bpy.ops.foleyspace.generate() == {"FINISHED"}
    (strip,) = compat.every(scene.sequence_editor)
    assert (compat.left(strip), compat.right(strip)) == (25, 25 + 36)
    assert strip.foleyspace.made_by == "Foley, licence: free for all"
    heard = studio.listen(first=25, last=60)[0][: RATE_HZ // 2 * 2]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(heard.size)))
    assert np.argmax(spectrum) * RATE_HZ / heard.size == pytest.approx(880.0, abs=2.0)


def test_generate_for_a_movie_and_spatialize_at_once(studio, desk, pretending):
    studio.camera()
    movie, sound = desk.film(frame=5)
    sound.mute = True
    compat.set_left(movie, 9)
    desk.select(movie)
    chosen = studio.scene.foleyspace
    chosen.prompt, chosen.generate_seed = "hooves", 500
    chosen.generate_target = studio.thing("Horse", f1=(-6, 0.1, 0))
    assert bpy.ops.foleyspace.generate() == {"FINISHED"}
    (source,) = bindings.sources(studio.scene)
    made = bindings.result_of(source)
    assert source.foleyspace.target.name == "Horse"
    assert source.mute
    assert compat.left(source) == compat.left(made) == 9
    assert compat.right(source) == compat.right(made) == compat.right(movie)
    assert desk.ild_db(studio.listen(first=9, last=50)) > 1.0, "it is on the left"


def test_generate_needs_words_or_a_movie(studio):
    with pytest.raises(RuntimeError, match="Say what it should sound like"):
        bpy.ops.foleyspace.generate()


def test_a_sound_that_cannot_be_made(studio, pretending):
    studio.scene.foleyspace.prompt = "nothing"
    with pytest.raises(RuntimeError, match="no sound is known by these words"):
        bpy.ops.foleyspace.generate()
    assert list(compat.every(studio.scene.sequence_editor)) == []
    assert "no sound is known" in bpy.context.window_manager.foleyspace.error


def test_what_the_host_cannot_do_is_greyed_with_its_reason(studio, host, patiently):
    host.connect()
    patiently(lambda: host.tick() or host.state == "READY")
    can = host.capabilities["generate"]["available"]
    assert bpy.ops.foleyspace.generate.poll() == can
    if not can:
        with pytest.raises(RuntimeError, match=host.capabilities["generate"]["reason"][1:]):
            bpy.ops.foleyspace.generate()
