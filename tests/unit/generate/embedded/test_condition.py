from __future__ import annotations

import numpy as np

from foleyspace_host.generate.classes import NAMES
from foleyspace_host.generate.embedded.bands import FLOOR_DB
from foleyspace_host.generate.embedded.condition import LEVEL, N_CONDITION, N_LIKENESS, RECORDED, rows


def test_rows_tell_class_origin_and_level() -> None:
    likeness = np.zeros(N_LIKENESS, dtype=np.float32)
    likeness[[3, RECORDED]] = 1.0
    told = rows(likeness, np.array([0.0, FLOOR_DB / 4, -500.0], dtype=np.float32))
    assert told.shape == (3, N_CONDITION)
    assert (told[:, 3] == 1.0).all()
    assert told[:, : len(NAMES)].sum() == 3.0
    assert (told[:, RECORDED] == 1.0).all()
    np.testing.assert_allclose(told[:, LEVEL], [1.0, 0.75, 0.0])
