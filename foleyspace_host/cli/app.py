"""The command ``foleyspace``: its sub-commands, its exit codes, and errors as one line.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click

from foleyspace_host import __version__
from foleyspace_host.cli.quiet import quiet_libraries
from foleyspace_host.errors import Cancelled, FoleySpaceError

__all__ = ["COMMANDS", "group", "main"]

COMMANDS = (
    *(
        "demo",
        "spatialize",
        "localize",
        "generate",
        "render",
        "timeline",
        "batch",
        "library",
        "hrtf",
        "listener",
        "models",
    ),
    *("host", "status", "jobs", "cancel", "doctor", "cache"),
    *("blender", "reaper"),
)
"""Each is a module of this package that holds a `click.Command` called ``command``."""

DONE, FAILED, USAGE, CANCELLED = 0, 1, 2, 130


class _LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"foleyspace_host.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong module is a bug, not bad input
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # click would print an empty line of its own
            raise Cancelled("stopped by the user") from None


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="foleyspace")
@click.pass_context
def group(context: click.Context) -> None:
    """Put a sound where the picture shows it: binaural audio that follows the thing on screen."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after the program's name; those of the process if not given.

    Returns
    -------
    int
        Exit code: 0 done, 1 failed, 2 wrong usage, 130 cancelled.
    """
    if arguments is None:
        _make_the_process_quick()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may not fit the terminal's encoding
    with _terminable(), quiet_libraries():
        return _run(words)


def _make_the_process_quick() -> None:
    """Leave out what a process of its own need not do at its start and at its end."""
    # modules are many small objects that stay: no use to look through them for garbage again and again, nor to
    # take them apart in the end
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    # no large matrix is multiplied here, and the threads that OpenBLAS starts for that delay the import of numpy
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _run(words: list[str]) -> int:
    as_json = "--json" in words
    try:
        code = group.main(words, prog_name="foleyspace", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except click.ClickException as error:
        line = " ".join(error.format_message().split())
        context = getattr(error, "ctx", None)
        program = context.command_path if context is not None else "foleyspace"
        _report(f"{line} See `{program} --help`.", {"code": "usage", "message": line}, as_json)
        return USAGE
    except (_Stopped, KeyboardInterrupt, click.Abort, Cancelled):
        _report("cancelled", {"code": Cancelled.code, "message": "cancelled"}, as_json)
        return CANCELLED
    except FoleySpaceError as error:
        fields = {"code": error.code, "message": error.problem, "where": error.where, "cure": error.cure}
        _report(str(error), fields, as_json)
        return FAILED


class _Stopped(BaseException):
    """The user pressed Ctrl-C, or the system asked the process to end.

    Not a KeyboardInterrupt: where that passes through a library's ``exec`` (dataclasses use it),
    Python ends the process by the signal at exit, even though it was caught.
    """


@contextmanager
def _terminable() -> Iterator[None]:
    """Let Ctrl-C and a request to end unwind the stack, so that temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():  # Python lets no other thread do this
        yield
        return
    before = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(_signal_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped


def _report(line: str, fields: dict[str, str | None], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": fields}))
    click.echo(f"foleyspace: error: {line}", err=True)
