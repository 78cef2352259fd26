"""Batches made ahead by other processes, for devices that learn faster than one core makes examples."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np
import torch

from foleyspace_host.errors import InvalidInput
from training.binaural_flow.data.batches import Batch, Batches
from training.binaural_flow.data.parallel import forks

__all__ = ["Ahead"]

_AHEAD = 2  # batches that each process is ahead
_FIELDS = ("mono", "prior", "target", "condition", "task")

_made_of: dict[int, Batches] = {}  # what the processes inherit; their heads and sounds take no further memory


class Ahead:
    """The batches of a stream, made in time by several processes and handed out on the training device.

    Batch number n is the same to the bit as without processes. The processes are copies of this one, so a graphics
    processor must not have been used before.

    Parameters
    ----------
    batches : Batches
        The stream, with heads and sounds in the processor's memory.
    workers : int
        Processes, one core each.
    device : torch.device or str
        Where batches shall be.

    Raises
    ------
    InvalidInput
        If the system cannot copy processes (only Linux can), or the stream is on another device.
    """

    def __init__(self, batches: Batches, workers: int, device: torch.device | str = "cpu") -> None:
        if batches.device.type != "cpu":
            raise InvalidInput("the stream is not in the processor's memory", where="workers", cure="load it to cpu")
        self._device = torch.device(device)
        self._ahead = max(workers, 1) * _AHEAD
        self._key = id(batches)
        _made_of[self._key] = batches
        self._pool = forks(workers)
        self._pool.submit(int).result()  # all processes are there now, before a graphics processor is used
        self._waiting: dict[tuple[int, int], Future[tuple[dict[str, Any], int]]] = {}

    def batch(self, number: int, size: int) -> Batch:
        """Return batch `number` of so many examples, and have the next ones made."""
        for key in [key for key in self._waiting if not (key[1] == size and number <= key[0] < number + self._ahead)]:
            self._waiting.pop(key).cancel()
        for wanted in range(number, number + self._ahead):
            if (wanted, size) not in self._waiting:
                self._waiting[wanted, size] = self._pool.submit(_make, self._key, wanted, size)
        arrays, lead_frames = self._waiting.pop((number, size)).result()
        tensors = {name: torch.from_numpy(array).to(self._device) for name, array in arrays.items()}
        return Batch(**tensors, lead_frames=lead_frames)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)
        _made_of.pop(self._key, None)


def _make(key: int, number: int, size: int) -> tuple[dict[str, np.ndarray], int]:
    batch = _made_of[key].batch(number, size)
    return {name: getattr(batch, name).numpy() for name in _FIELDS}, batch.lead_frames
