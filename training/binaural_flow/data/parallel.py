"""The same work for many things, in several processes at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import torch

from foleyspace_host.errors import InvalidInput

__all__ = ["forks", "mapped"]

T = TypeVar("T")
R = TypeVar("R")

_work: list[Callable[[Any], Any]] = []  # what the processes inherit


def forks(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes that are copies of this one, with one thread each.

    Parameters
    ----------
    workers : int
        How many, at least 1.

    Returns
    -------
    ProcessPoolExecutor

    Raises
    ------
    InvalidInput
        If the system cannot copy processes (only Linux can).
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise InvalidInput("this system cannot copy processes", where="workers", cure="train without workers")
    context = multiprocessing.get_context("fork")
    return ProcessPoolExecutor(max(workers, 1), context, initializer=torch.set_num_threads, initargs=(1,))


def mapped(
    work: Callable[[T], R], things: Sequence[T], workers: int = 0, on_progress: Callable[[int, int], None] | None = None
) -> list[R]:
    """Return what work makes of each thing.

    Parameters
    ----------
    work : callable
        What to do; need not be picklable.
    things : sequence
        What to do it with.
    workers : int
        Processes; this one alone if 0 or 1.
    on_progress : callable, optional
        Called as on_progress(done, total).

    Returns
    -------
    list
        In the order of the things.
    """
    told = on_progress or (lambda _done, _total: None)
    found: list[R] = []
    if workers <= 1:
        for thing in things:
            found.append(work(thing))
            told(len(found), len(things))
        return found
    _work.append(work)
    try:
        with forks(min(workers, len(things))) as pool:
            for one in pool.map(_called, things):
                found.append(one)
                told(len(found), len(things))
    finally:
        _work.pop()
    return found


def _called(thing: Any) -> Any:
    return _work[-1](thing)
