"""Work one step behind: in order, one at a time, and no error is lost."""

from __future__ import annotations

import threading
import time

import pytest

from foleyspace_host.media.behind import OneBehind


def test_all_pieces_are_worked_on_in_order_in_another_thread() -> None:
    seen: list[tuple[int, int]] = []
    with OneBehind[int](lambda piece: seen.append((piece, threading.get_ident()))) as behind:
        for piece in range(500):
            behind.put(piece)
    assert [piece for piece, _ in seen] == list(range(500))
    assert {thread for _, thread in seen} - {threading.get_ident()}
    assert len({thread for _, thread in seen}) == 1


def test_it_is_never_more_than_one_piece_behind() -> None:
    done: list[int] = []
    with OneBehind[int](lambda piece: (time.sleep(0.002), done.append(piece))) as behind:
        for piece in range(20):
            behind.put(piece)
            assert len(done) >= piece - 2  # one is worked on, one waits


def put_all(behind: OneBehind[int], count: int) -> None:
    for piece in range(count):
        behind.put(piece)


@pytest.mark.parametrize("at", [0, 1, 7, 19])
def test_an_error_of_the_work_comes_out_and_ends_it(at: int) -> None:
    done: list[int] = []

    def work(piece: int) -> None:
        if piece == at:
            raise KeyError("bad piece")
        done.append(piece)

    before = threading.active_count()
    with pytest.raises(KeyError, match="bad piece"), OneBehind[int](work) as behind:
        put_all(behind, 20)
    assert done == list(range(at))
    assert threading.active_count() == before


@pytest.mark.parametrize("after", [0, 1, 2, 10])
def test_an_error_of_the_caller_ends_it(after: int) -> None:
    def make(behind: OneBehind[int]) -> None:
        put_all(behind, after)
        raise InterruptedError

    done: list[int] = []
    before = threading.active_count()
    with (
        pytest.raises(InterruptedError),
        OneBehind[int](lambda piece: (time.sleep(0.001), done.append(piece))) as behind,
    ):
        make(behind)
    assert done == list(range(len(done)))
    assert len(done) <= after
    assert threading.active_count() == before


def test_no_piece_at_all() -> None:
    with OneBehind[int](lambda piece: None):
        pass
