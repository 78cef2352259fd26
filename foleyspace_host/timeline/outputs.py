"""Which outputs a timeline has, and what is checked before any work is done for them."""

from __future__ import annotations

from pathlib import Path

from foleyspace_host.errors import InvalidInput
from foleyspace_host.pipeline.outputs import check_coding, check_format, check_outputs, output_kind
from foleyspace_host.pipeline.settings import RenderSettings

__all__ = ["check_timeline_outputs"]


def check_timeline_outputs(
    path: Path,
    out: Path | None,
    mixdown: Path | None,
    settings: RenderSettings,
    handles_s: float,
    *,
    dry_run: bool,
    adm: Path | None = None,
) -> None:
    """Refuse, before any work, what cannot be written.

    Parameters
    ----------
    path : Path
        The timeline that is read.
    out, mixdown : Path or None
        What is to be written.
    settings : RenderSettings
        How it is rendered.
    handles_s : float
        Length of the handles [s].
    dry_run : bool
        Whether nothing will be written.
    adm : Path or None
        The ADM file that is to be written.

    Raises
    ------
    InvalidInput, OutputUnwritable
    """
    if not 0 <= handles_s <= 60:
        raise InvalidInput(f"handles of {handles_s:g} s", where="handles", cure="give 0 to 60 s")
    if out is None and not dry_run:
        raise InvalidInput("there is no output", where="output", cure="name an .otio file with -o, or use --dry-run")
    if out is not None and out.suffix.lower() != ".otio":
        raise InvalidInput(f"cannot write timelines of type {out.suffix!r}", where=str(out), cure="end it with .otio")
    if settings.bed_db is not None or settings.time_reference is not None:
        raise InvalidInput("a timeline takes neither a bed nor a time reference", where="settings", cure="leave it out")
    if mixdown is not None:
        if output_kind(mixdown) != "sound":
            raise InvalidInput("a mix is a sound", where=str(mixdown), cure="end its name with .wav or .flac")
        check_format(settings.format, mixdown)
        check_coding(mixdown, settings.bit_depth, None)
    if adm is not None and adm.suffix.lower() != ".wav":
        raise InvalidInput("ADM objects lie in a WAV file", where=str(adm), cure="end its name with .wav")
    check_format(settings.format, Path("render.wav"))
    if not dry_run:
        check_outputs([out, mixdown, adm], [path if path.is_file() else None])
