"""Programs that scripts start: really started, waited for, and never left behind."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import dataclass, field

from .errors import Violation
from .splitting import split_command

NO_WAIT = (-1, -2)


@dataclass
class Processes:
    """All that ExecProcess started.

    Attributes
    ----------
    commands
        Every command line, cut into words.
    running
        Those started without waiting.
    environment
        Environment of the programs; None for this process's.
    refuse
        Answer as REAPER does when nothing can be started.
    no_wait_answer
        What a start without waiting answers; no document says what it is, so no script may rely on it.
    """

    commands: list[list[str]] = field(default_factory=list)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    environment: dict[str, str] | None = None
    refuse: bool = False
    no_wait_answer: str = "0\n"

    def execute(self, line: str, timeout_ms: int) -> str | None:
        words = split_command(line)
        self.commands.append(words)
        if timeout_ms < -2:
            raise Violation(f"ExecProcess knows no timeout {timeout_ms}")
        if not words or self.refuse:
            return None
        quiet = subprocess.DEVNULL
        try:
            if timeout_ms in NO_WAIT:
                process = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, env=self.environment)
                self.running.append(process)
                return self.no_wait_answer
            done = subprocess.run(
                words,
                stdin=quiet,
                capture_output=True,
                env=self.environment,
                timeout=timeout_ms / 1000 or None,
                check=False,
            )
        except OSError:
            return None
        except subprocess.TimeoutExpired as slow:
            return "-1\n" + (slow.stdout or b"").decode("utf-8", "replace")
        return f"{done.returncode}\n" + (done.stdout + done.stderr).decode("utf-8", "replace")

    def end(self) -> None:
        """Kill what still runs and collect it."""
        for process in self.running:
            with contextlib.suppress(OSError):
                process.kill()
            process.wait()
        self.running.clear()
