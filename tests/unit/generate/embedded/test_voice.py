from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foleyspace_host.errors import InvalidInput
from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import N_BANDS
from foleyspace_host.generate.embedded.condition import RECORDED
from foleyspace_host.generate.embedded.course import Course
from foleyspace_host.generate.embedded.model import FoleyModel, open_foley_model
from foleyspace_host.generate.embedded.voice import likeness_of, voices_of
from tests.stand_ins.foley_models import steady_onnx

COURSE = Course((np.array([-0.5, 0.0], dtype=np.float32),))


@pytest.fixture
def model(tmp_path: Path) -> FoleyModel:
    """Return a model whose birds and insects glide."""
    found, _ = open_foley_model(steady_onnx(tmp_path / "steady.onnx"), "cpu")
    for name in ("birds", "insects"):
        found.courses[NAMES.index(name)] = ([COURSE], [])
    return found


def test_what_stands_still_shares_one_portrait(model: FoleyModel) -> None:
    (voice,) = voices_of(model, {"rain": 0.25, "wind": 0.75}, np.random.default_rng(0))
    assert (voice.names, voice.share, voice.course) == (("rain", "wind"), 1.0, None)
    assert voice.portrait.loudest_db.shape == (N_BANDS,)
    assert voice.likeness[[NAMES.index("rain"), NAMES.index("wind"), RECORDED]].tolist() == [0.25, 0.75, 1.0]
    (again,) = voices_of(model, {"rain": 0.25, "wind": 0.75}, np.random.default_rng(0))
    (other,) = voices_of(model, {"rain": 0.25, "wind": 0.75}, np.random.default_rng(1))
    assert (voice.portrait.loudest_db == again.portrait.loudest_db).all()
    assert (voice.portrait.loudest_db != other.portrait.loudest_db).any()


def test_what_glides_has_a_voice_of_its_own(model: FoleyModel) -> None:
    classes = {"birds": 0.25, "rain": 0.125, "insects": 0.25, "wind": 0.375}
    found = voices_of(model, classes, np.random.default_rng(0))
    assert [(voice.names, voice.share) for voice in found] == [
        (("rain", "wind"), 0.5),
        (("birds",), 0.25),
        (("insects",), 0.25),
    ]
    assert [voice.course for voice in found] == [None, COURSE, COURSE]
    assert found[0].likeness[[NAMES.index("rain"), NAMES.index("wind")]].tolist() == [0.25, 0.75]
    for voice in found[1:]:
        assert voice.likeness[NAMES.index(voice.names[0])] == 1.0
        assert voice.likeness.sum() == 2.0  # and that it is a recording
    (alone,) = voices_of(model, {"birds": 1.0}, np.random.default_rng(0))
    assert (alone.names, alone.share, alone.course) == (("birds",), 1.0, COURSE)


def test_what_was_never_learnt_is_refused(model: FoleyModel) -> None:
    model.portraits[NAMES.index("rain")] = ([], [])
    with pytest.raises(InvalidInput, match="never learnt rain"):
        voices_of(model, {"rain": 1.0}, np.random.default_rng(0))


def test_a_likeness_holds_shares() -> None:
    found = likeness_of({"rain": 0.25, "birds": 0.75})
    assert found[NAMES.index("rain")] == 0.25
    assert found.sum() == 1.0
