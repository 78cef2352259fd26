"""What the host tells of itself: what was agreed at ``hello``, what it can do, and how it is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from foleyspace_host import __version__
from foleyspace_host.config import Config
from foleyspace_host.host.lifecycle import Ending
from foleyspace_host.host.roots import Roots, allow
from foleyspace_host.jobs.service import JobService
from foleyspace_host.protocol.messages import Capability, HealthOk, Hello, HelloOk
from foleyspace_host.protocol.versions import negotiate

__all__ = ["Greeter"]

_FRESH_S = 30.0  # what can be done changes when the user installs something
_ESSENTIAL = ("localize", "render", "spatialize")


class Greeter:
    """Answers ``hello`` and ``health``; for both sockets' threads.

    Parameters
    ----------
    profile : str
        The host's profile.
    config : Config
        Its settings.
    service : JobService
        Its jobs.
    ending : Ending
        Whether it is about to end.
    find_capabilities : callable
        Says what can be done here.
    """

    def __init__(
        self,
        profile: str,
        config: Config,
        service: JobService,
        ending: Ending,
        find_capabilities: Callable[[], list[Capability]],
    ) -> None:
        self._profile = profile
        self._config = config
        self._service = service
        self._ending = ending
        self._essential = _ESSENTIAL + (("device:cuda",) if config.device == "cuda" else ())
        self._find = find_capabilities
        self._finding = threading.Lock()
        self._found: tuple[float, list[Capability]] = (-_FRESH_S, [])
        self._started_s = time.monotonic()

    def hello(self, hello: Hello) -> tuple[HelloOk, Roots]:
        """Agree on a version and on the folders that the connection may use.

        Raises
        ------
        VersionUnsupported
            There is no version that both speak.
        """
        version = negotiate(hello.versions)
        roots, warnings = allow(hello.roots, self._config.roots)
        answer = HelloOk(
            version=version,
            host_version=__version__,
            profile=self._profile,
            roots=[str(folder) for folder in roots.folders],
            capabilities=self.capabilities(),
            warnings=warnings,
        )
        return answer, roots

    def health(self) -> HealthOk:
        """Say how the host is: ``degraded`` if anything that it should do is not possible, with the reasons."""
        capabilities = self.capabilities()
        warnings = [
            *self._service.warnings(),
            *(
                f"{one.name}: {one.reason or 'not available'}"
                for one in capabilities
                if one.name in self._essential and not one.available
            ),
        ]
        queued, running = self._service.counts()
        workers = self._service.workers()
        return HealthOk(
            state="draining" if self._ending else "degraded" if warnings else "serving",
            pid=os.getpid(),
            uptime_s=time.monotonic() - self._started_s,
            device=self._service.device(),
            queued=queued,
            running=running,
            workers=workers,
            capabilities=capabilities,
            warnings=warnings,
        )

    def capabilities(self) -> list[Capability]:
        """Say what this host can do, and why not the rest."""
        with self._finding:
            if time.monotonic() - self._found[0] > _FRESH_S:
                self._found = time.monotonic(), self._find()
            return self._found[1]
