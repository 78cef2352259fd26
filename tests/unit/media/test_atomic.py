from __future__ import annotations

import errno
import os
import stat

import pytest

from foleyspace_host.errors import Cancelled, DiskFull, OutputUnwritable
from foleyspace_host.media.atomic import atomic_output, check_writable, scratch_file


def test_the_file_appears_only_at_the_end(tmp_path):
    target = tmp_path / "out.wav"
    with atomic_output(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".wav"
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out.wav"]


@pytest.mark.parametrize("error", [ValueError("x"), Cancelled("stop"), KeyboardInterrupt(), MemoryError()])
def test_whatever_goes_wrong_the_old_file_stays(tmp_path, error):
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")

    def fail() -> None:
        with atomic_output(target) as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.wav"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EFBIG, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EIO, OutputUnwritable),
        (errno.EROFS, OutputUnwritable),
    ],
)
def test_system_errors_get_names(tmp_path, number, kind):
    with pytest.raises(OutputUnwritable) as caught, atomic_output(tmp_path / "out.wav"):
        raise OSError(number, os.strerror(number))
    assert type(caught.value) is kind
    assert str(tmp_path / "out.wav") in str(caught.value)
    assert caught.value.cure
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written_are_refused_before_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for bad in (tmp_path / "no" / "x.wav", tmp_path / "file" / "x.wav", tmp_path / "folder", fifo):
        with pytest.raises(OutputUnwritable) as caught, atomic_output(bad):
            pytest.fail("the block ran")
        assert caught.value.where == str(bad)
    with pytest.raises(OutputUnwritable):
        check_writable("a\0b.wav")

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputUnwritable, match="permission denied"):
        check_writable(tmp_path / "x.wav")


def test_links_and_permissions_are_kept(tmp_path):
    real = tmp_path / "real.wav"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "link.wav"
    link.symlink_to(real)
    with atomic_output(link) as temporary:
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    umask = os.umask(0o022)
    try:
        with atomic_output(tmp_path / "fresh.wav"):
            pass
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "fresh.wav").stat().st_mode) == 0o644


def test_longest_names_work(tmp_path):
    target = tmp_path / ("ä" * 125 + ".wav")
    with atomic_output(target) as temporary:
        temporary.write_bytes(b"x")
    assert target.exists()


def test_scratch_files_never_stay(tmp_path):
    with scratch_file(tmp_path / "out.flac", ".wav") as scratch:
        scratch.write_bytes(b"x")
        assert scratch.suffix == ".wav"
    assert os.listdir(tmp_path) == []
    with pytest.raises(KeyboardInterrupt), scratch_file(tmp_path / "out.flac", ".wav"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []
