"""A whole batch in one call: lists and timelines in, results and their record out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace_host.batch.items import Item, items_of
from foleyspace_host.batch.ledger import RECORD, Ledger, record_folder
from foleyspace_host.batch.listing import wanted
from foleyspace_host.batch.results import BatchProgress, BatchResult
from foleyspace_host.batch.run import BatchRun, MakeEngine
from foleyspace_host.batch.settings import BatchSettings
from foleyspace_host.batch.work import RUNNER
from foleyspace_host.config import Config, Folders, load_config
from foleyspace_host.errors import InvalidInput
from foleyspace_host.pipeline.outputs import check_format, output_kind

if TYPE_CHECKING:
    from foleyspace_host.cluster.connection import Tls
    from foleyspace_host.jobs.engine import Engine
    from foleyspace_host.jobs.process import End
    from foleyspace_host.jobs.talk import Advanced

__all__ = ["run_batch"]


def run_batch(
    what: Sequence[str | Path],
    folder: str | Path,
    *,
    suffix: str = ".wav",
    workers: int | None = None,
    scheduler: str | None = None,
    tls: Tls | None = None,
    device: str | None = None,
    dry_run: bool = False,
    retry_failed: bool = False,
    on_progress: Callable[[BatchProgress], None] | None = None,
    **settings: Any,
) -> BatchResult:
    """Spatialize many clips and timelines; a second call goes on where the first one was.

    Parameters
    ----------
    what : sequence of str or Path
        Lists, timelines, videos, folders and patterns, see `listing.wanted`.
    folder : str or Path
        Where results go that are not named, and where the record lies.
    suffix : str
        Type of results that are not named.
    workers : int, optional
        Processes on this machine, 1 to 64; as configured if not given.
    scheduler : str, optional
        Address of a Dask scheduler to give the work to instead.
    tls : Tls, optional
        Certificates for it.
    device : {"auto", "cpu", "cuda"}, optional
        Where models compute; as configured if not given.
    dry_run : bool
        Only tell what would be done.
    retry_failed : bool
        Whether what failed in an earlier run is tried again.
    on_progress : callable, optional
        Called with a `BatchProgress`; raises Cancelled to stop.
    **settings
        How: keywords of `pipeline.spatialize`, and ``engine`` and ``negative`` for sounds that are made.

    Returns
    -------
    BatchResult
        An item that failed is in it with the reason; the others go on.

    Raises
    ------
    FoleySpaceError
        If a list or a setting cannot be used, before anything is done; if the record cannot be written; if the
        cluster cannot be reached, or one of its workers does not see the folders.
    """
    target = Path(folder).absolute()
    if scheduler is not None and workers is not None:
        raise InvalidInput("a cluster has workers of its own", where="--workers", cure="leave it or --scheduler out")
    if tls is not None and scheduler is None:
        raise InvalidInput("certificates are for a scheduler", where="--tls-ca", cure="name one with --scheduler")
    config = load_config(overrides={"workers": workers, "device": device})
    checked = BatchSettings.of(settings)
    output_kind(Path(f"result{suffix}"))
    check_format(settings.get("format", "binaural"), Path(f"result{suffix}"))
    items = items_of(wanted(what, target), target, suffix)
    record = record_folder(target) / RECORD
    if dry_run:
        ledger = Ledger.copy_of(record)
        try:
            return _batch_run(items, checked, ledger, target, config, scheduler, retry_failed, on_progress).plan()
        finally:
            ledger.close()
    _make(record.parent)
    ledger = Ledger(record)
    try:
        run = _batch_run(items, checked, ledger, target, config, scheduler, retry_failed, on_progress)
        return run.run(_engine(items, target, config, scheduler, tls))
    finally:
        ledger.close()


def _batch_run(
    items: Sequence[Item],
    settings: BatchSettings,
    ledger: Ledger,
    target: Path,
    config: Config,
    scheduler: str | None,
    retry_failed: bool,
    on_progress: Callable[[BatchProgress], None] | None,
) -> BatchRun:
    # what this machine's commands have seen is known here; a cluster needs a place that all of it sees
    cache = (Folders().cache if scheduler is None else record_folder(target)) / "stages"
    return BatchRun(
        items,
        settings,
        ledger,
        target,
        config,
        device=config.device,
        cache_folder=cache,
        retry_failed=retry_failed,
        on_progress=on_progress,
    )


def _make(folder: Path) -> None:
    from foleyspace_host.media.atomic import write_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error


def _engine(items: Sequence[Item], target: Path, config: Config, scheduler: str | None, tls: Tls | None) -> MakeEngine:
    memory = None if config.memory_limit_mb is None else config.memory_limit_mb << 20
    if scheduler is None:
        from foleyspace_host.jobs.devices import slots
        from foleyspace_host.jobs.engine import LocalEngine

        places = slots(replace(config, workers=min(config.workers, max(2 * len(items), 1))))
        logs = record_folder(target) / "logs"

        def local(on_progress: Callable[[str, Advanced], None], on_end: Callable[[str, End], None]) -> Engine:
            return LocalEngine(RUNNER, places, logs, memory_limit_bytes=memory, on_progress=on_progress, on_end=on_end)

        return local

    from foleyspace_host.cluster.connection import connect

    client = connect(scheduler, tls)

    def cluster(on_progress: Callable[[str, Advanced], None], on_end: Callable[[str, End], None]) -> Engine:
        from foleyspace_host.cluster.engine import DaskEngine
        from foleyspace_host.cluster.storage import check_storage

        try:
            outs = {item.out.parent for item in items}
            writable = {record_folder(target), *(folder for folder in outs if folder.is_dir())}
            paths = (
                path
                for item in items
                for path in (item.wanted.video, item.wanted.sound, item.wanted.trajectory, item.wanted.timeline)
                if path is not None
            )
            check_storage(client, writable, paths)
            return DaskEngine(client, RUNNER, memory_limit_bytes=memory, on_progress=on_progress, on_end=on_end)
        except BaseException:
            client.close()
            raise

    return cluster
