"""``foleyspace-reaper-bridge JOBDIR``: has the host do what a script in REAPER asks for.

It ends when all is done, when the script cancels, and when the job's folder is gone; whatever happens, as long as the
folder is there it leaves a response. Until then nothing lies in the project's folder: results are moved there in the
end. The host ends the jobs of a bridge that was killed.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from foleyspace_host.bridges.reaper.errand import Errand, Stop
from foleyspace_host.bridges.reaper.mailbox import Heartbeat, Mailbox

__all__ = ["main"]

DONE, FAILED, USAGE, TAKEN = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one job.

    Parameters
    ----------
    arguments : sequence of str, optional
        The job's folder; those of the process if not given.

    Returns
    -------
    int
        Exit code: 0 all done, 1 not all, 2 wrong usage, 3 another bridge works on it.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    folder = Path(words[0]).absolute() if len(words) == 1 else None
    if folder is None or not folder.is_dir():
        if sys.stderr is not None:  # there is none in a program without a console on Windows
            sys.stderr.write("usage: foleyspace-reaper-bridge JOBDIR\nJOBDIR is the folder of a job from REAPER\n")
        return USAGE
    mailbox = Mailbox(folder)
    if mailbox.answered:
        return DONE
    if not mailbox.take():
        return TAKEN
    heart = Heartbeat(mailbox)
    before = _on_signals([_stop, _stop])
    try:
        heart.start()
        errand = Errand(mailbox, heart)
        response = errand.respond()
        _on_signals([signal.SIG_IGN, signal.SIG_IGN])  # what is left to do is done in a moment
        heart.stop()
        try:
            if mailbox.gone:
                raise FileNotFoundError
            mailbox.write("response.json", response)
        except OSError:  # nobody wants it any more
            errand.take_back()
            mailbox.clear()
            return FAILED
        return DONE if response["ok"] else FAILED
    finally:
        heart.stop()
        _on_signals(before)


def _on_signals(handlers: list[Any]) -> list[Any]:
    """Say what happens at Ctrl-C and at the system's wish to end; return what would have happened before."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():  # Python lets no other thread do this
        return handlers
    return [signal.signal(number, handler) for number, handler in zip(numbers, handlers, strict=True)]


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stop("stopped")


if __name__ == "__main__":
    sys.exit(main())
