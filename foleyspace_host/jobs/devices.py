"""Which workers there are, and what the models in each of them run on."""

from __future__ import annotations

import os
from pathlib import Path

from foleyspace_host.config import Config
from foleyspace_host.jobs.process import Slot
from foleyspace_host.models.hardware import find_cuda

__all__ = ["gpus", "slots"]

_THREADS = (
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "VECLIB_MAXIMUM_THREADS",
)
_VISIBLE = "CUDA_VISIBLE_DEVICES"


def slots(config: Config) -> list[Slot]:
    """Return the places for workers on this machine.

    Each GPU gets one worker, which alone holds models there; the others compute on the processor. Its cores are
    shared out among the workers, by the variables that its libraries read when they are loaded; what the user
    has set stands.

    Parameters
    ----------
    config : Config
        Number of workers, and the device.

    Returns
    -------
    list of Slot
        As many as the configuration says.
    """
    share = str(max(1, (os.cpu_count() or 1) // config.workers))
    threads = {name: share for name in _THREADS if name not in os.environ}
    found = gpus() if config.device != "cpu" else []
    places = []
    for number in range(config.workers):
        name = f"worker-{number + 1}"
        if number < len(found):
            environment = threads | {_VISIBLE: found[number]}
            places.append(Slot(name, f"cuda:{number}", config.device, environment))
        else:
            # without a GPU "cuda" is passed on, for the user is to be told that there is none
            places.append(Slot(name, "cpu", "cpu" if found else config.device, threads))
    return places


def gpus() -> list[str]:
    """Return the names, as CUDA wants them, of the GPUs that models can be expected to run on."""
    if not find_cuda().available:
        return []
    if (visible := os.environ.get(_VISIBLE)) is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1", "NoDevFiles")]
    driver = Path("/proc/driver/nvidia/gpus")
    number = len(list(driver.iterdir())) if driver.is_dir() else len(list(Path("/dev").glob("nvidia[0-9]*")))
    return [str(index) for index in range(max(number, 1))]
