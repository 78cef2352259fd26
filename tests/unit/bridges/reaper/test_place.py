"""Results on their way: whole, under free names, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from foleyspace_host.bridges.reaper.place import folder_for, place
from foleyspace_host.errors import Cancelled, OutputUnwritable


def test_nothing_is_replaced(tmp_path: Path) -> None:
    folder, made = folder_for(str(tmp_path / "Média" / "new"))
    assert made
    for number in range(3):
        source = tmp_path / "step.wav"
        source.write_text(str(number))
        place(source, folder, lambda: None)
        assert not source.exists()
    found = {path.name: path.read_text() for path in folder.iterdir()}
    assert found == {"step.wav": "0", "step-2.wav": "1", "step-3.wav": "2"}
    assert folder_for(str(folder)) == (folder, False)


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for text in ("relative", str(tmp_path / "file" / "inside"), str(tmp_path / "file")):
        with pytest.raises(OutputUnwritable):
            folder_for(text)


def test_another_disk_gets_a_copy_and_keeps_nothing_of_half_a_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foleyspace_host.bridges.reaper import place as module

    other = Path("/dev/shm")  # noqa: S108 - a folder on another disk, where there is one
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk")
    monkeypatch.setattr(module, "_CHUNK_BYTES", 10)
    source = tmp_path / "step.wav"
    source.write_text("x" * 35)
    folder = other / f"foleyspace-{tmp_path.name}-{id(source)}"
    folder.mkdir()
    try:

        def stop() -> None:
            raise Cancelled("stop")

        with pytest.raises(Cancelled):
            place(source, folder, stop)
        assert list(folder.iterdir()) == []
        assert source.exists()
        assert place(source, folder, lambda: None).read_text() == "x" * 35
        assert [path.name for path in folder.iterdir()] == ["step.wav"]
        assert not source.exists()
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
