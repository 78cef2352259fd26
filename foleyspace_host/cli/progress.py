"""Progress bars on a terminal, silence anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foleyspace_host.batch.results import BatchProgress

__all__ = ["item_bar", "stage_bars"]


@contextmanager
def stage_bars() -> Iterator[Callable[[str, int, int], None] | None]:
    """Show one bar for each stage on standard error while the block runs.

    Yields
    ------
    callable or None
        What to call with (stage, done, total); None where standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:>9}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=max(total, 1))
            bars.update(tasks[stage], completed=done, total=max(total, 1))

        yield show


@contextmanager
def item_bar() -> Iterator[Callable[[BatchProgress], None] | None]:
    """Show one bar over the items of a batch on standard error while the block runs.

    Yields
    ------
    callable or None
        What to call with a `BatchProgress`; None where standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def show(progress: BatchProgress) -> None:
            failed = f", {progress.failed} failed" if progress.failed else ""
            text = f"{progress.done} of {progress.total} done{failed}, {progress.running} at work"
            bars.update(task, completed=progress.share, total=max(progress.total, 1), description=text)

        yield show
