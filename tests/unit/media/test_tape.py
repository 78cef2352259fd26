from __future__ import annotations

import errno
import gc
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foleyspace_host.errors import DiskFull, OutputUnwritable
from foleyspace_host.media.tape import Tape

SLICES = st.builds(slice, st.integers(-120, 120) | st.none(), st.integers(-120, 120) | st.none())


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.integers(1, 100), st.lists(st.tuples(SLICES, st.booleans()), max_size=12))
def test_it_answers_as_an_array_does(held: bool, n: int, steps: list[tuple[slice, bool]]) -> None:
    tape, array = Tape(n, held_samples=n if held else 0), np.zeros(n, dtype=np.float32)
    for number, (place, scaled) in enumerate(steps, 1):
        if scaled:
            tape[place] *= np.float32(0.5)
            array[place] *= np.float32(0.5)
        else:
            own = np.full(len(array[place]), number, dtype=np.float32)
            tape[place] = own
            array[place] = own
        assert tape[:].tobytes() == array.tobytes()
        assert tape[place].tobytes() == array[place].tobytes()
    assert len(tape) == n


@pytest.mark.parametrize("held_samples", [0, 100])
def test_what_is_read_is_a_copy_and_what_is_cut_is_gone(held_samples: int) -> None:
    tape = Tape(5, held_samples=held_samples)
    tape[:] = np.arange(5, dtype=np.float32)
    tape[1:3][:] = 9.0
    assert tape[:].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    tape.cut(3)
    assert len(tape) == 3
    assert tape[:].tolist() == [0.0, 1.0, 2.0]
    assert tape[-2:].tolist() == [1.0, 2.0]
    for wrong in (slice(None, None, 2), slice(None, None, -1)):
        with pytest.raises(ValueError, match="every sample"):
            tape[wrong]
    with pytest.raises(ValueError, match="does not fit"):
        tape[:2] = np.zeros(1, dtype=np.float32)


def test_a_copy_of_a_sound() -> None:
    sound = np.arange(4, dtype=np.float32)
    tape = Tape.of(sound)
    sound[:] = 0.0
    assert tape[:].tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are not listed here")
def test_its_file_is_gone_with_it(tmp_path: Path) -> None:
    def own() -> list[str]:
        found = []
        for name in os.listdir("/proc/self/fd"):
            try:
                found.append(os.readlink(f"/proc/self/fd/{name}"))
            except OSError:
                continue
        return [path for path in found if str(tmp_path) in path]

    tape = Tape(1000, tmp_path, held_samples=0)
    tape[:10] = np.ones(10, dtype=np.float32)
    assert len(own()) == 1
    assert not list(tmp_path.iterdir())  # whoever is killed leaves nothing
    del tape
    gc.collect()
    assert own() == []


def test_where_there_is_no_space_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputUnwritable, match="none"):
        Tape(10, tmp_path / "none", held_samples=0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tape = Tape(10, held_samples=0)

    class Full:
        def seek(self, _place: int) -> None: ...

        def write(self, _content: memoryview) -> int:
            raise OSError(errno.ENOSPC, "no space left on device")

        def readinto(self, _content: memoryview) -> int:
            raise OSError(errno.EIO, "input/output error")

    tape._file.close()
    tape._file = Full()  # type: ignore[assignment]
    with pytest.raises(DiskFull, match="free some space"):
        tape[:] = np.zeros(10, dtype=np.float32)
    with pytest.raises(OutputUnwritable):
        tape[:]
