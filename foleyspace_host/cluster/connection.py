"""The way to the scheduler of a cluster: by TCP, or by TLS with certificates that both sides know."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace_host import __version__
from foleyspace_host.errors import HostError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distributed import Client

__all__ = ["Tls", "connect"]

_PATIENCE_S = 10.0
_WORKERS_S = 30.0
_INSTALL = "install it: pip install 'foleyspace-host[cluster]'"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM for a connection by TLS.

    Parameters
    ----------
    ca : Path, optional
        Certificate of the authority that signed those of all parts of the cluster.
    cert : Path, optional
        Our own certificate.
    key : Path, optional
        Its key; may stand in `cert` too.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


def connect(address: str, tls: Tls | None = None, *, workers_s: float = _WORKERS_S) -> Client:
    """Connect to a scheduler that has workers which can do this program's work.

    Parameters
    ----------
    address : str
        Such as ``tcp://10.0.0.5:8786`` or ``tls://10.0.0.5:8786``.
    tls : Tls, optional
        Certificates; what the configuration of Dask names is taken where none are given.
    workers_s : float
        How long to wait for a first worker [s].

    Returns
    -------
    distributed.Client
        To be closed by the caller.

    Raises
    ------
    InvalidInput
        If Dask is not installed, the address is none, or a certificate is missing.
    HostError
        If nobody answers, the certificates do not fit, there is no worker, or one has another version of this
        program or none.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidInput(
            "a cluster needs Dask, which is not installed", where="--scheduler", cure=_INSTALL
        ) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is told once, and by us
    scheme, separator, _ = address.partition("://")
    if not separator or scheme not in ("tcp", "tls"):
        cure = "give it as the scheduler prints it, for example tcp://10.0.0.5:8786"
        raise InvalidInput(f"{address!r} is no address of a scheduler", where="--scheduler", cure=cure)
    security = _security(scheme, tls or Tls())
    try:
        client = Client(
            address,
            security=security,
            timeout=_PATIENCE_S,
            name="foleyspace",
            set_as_default=False,
            heartbeat_interval=5000,
        )
    except (OSError, TimeoutError, ValueError) as error:  # of TLS too
        raise _unreachable(address, error) from error
    try:
        _check_workers(client, address, workers_s)
    except BaseException:
        client.close()
        raise
    return client


def _security(scheme: str, tls: Tls) -> Any:
    from distributed.security import Security

    given = {"--tls-ca": tls.ca, "--tls-cert": tls.cert, "--tls-key": tls.key}
    if scheme == "tcp":
        if name := next((name for name, path in given.items() if path is not None), None):
            cure = "begin the address with tls://, or leave the certificates out"
            raise InvalidInput("an address of tcp:// is not encrypted", where=name, cure=cure)
        return None
    for name, path in given.items():
        if path is not None and not path.is_file():
            raise InvalidInput("there is no such file", where=f"{name} {path}", cure="check the path")
    files = {
        "tls_ca_file": tls.ca,
        "tls_client_cert": tls.cert,
        "tls_client_key": tls.key or tls.cert,
    }
    security = Security(**{name: str(path) for name, path in files.items() if path}, require_encryption=True)
    if security.tls_ca_file is None or security.tls_client_cert is None:
        cure = "give --tls-ca, --tls-cert and --tls-key, or name them in Dask's configuration (distributed.comm.tls)"
        raise InvalidInput("tls:// needs certificates", where="--scheduler", cure=cure)
    try:
        security.get_connection_args("client")["ssl_context"]
    except (OSError, ValueError, KeyError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise InvalidInput(
            f"the certificates cannot be used ({reason})", where="--tls-cert", cure="give certificate and key in PEM"
        ) from error
    return security


def _unreachable(address: str, error: Exception) -> HostError:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return HostError(
            "the scheduler and this machine do not accept each other's certificates",
            where=address,
            cure="use certificates of the authority that signed the scheduler's",
        )
    cure = "start one with `dask scheduler`, or check the address and whether it wants tls://"
    return HostError("no scheduler answers there", where=address, cure=cure)


def _check_workers(client: Client, address: str, workers_s: float) -> None:
    """Wait for a worker, and see that all of them can do this program's work."""
    from foleyspace_host.cluster.worker import identify

    try:
        client.wait_for_workers(1, timeout=workers_s)
    except TimeoutError as error:
        cure = f"start some with `dask worker {address} --nthreads 1`, as docs/cluster.md says"
        raise HostError("the scheduler has no workers", where=address, cure=cure) from error
    told: Mapping[str, Any] = client.run(identify, on_error="return")
    for worker, answer in sorted(told.items()):
        cure = f"install foleyspace-host {__version__} there, in the Python that runs `dask worker`"
        if isinstance(answer, BaseException):
            reason = " ".join(str(answer).split())[:200]
            raise HostError(f"the worker cannot do the work ({reason})", where=worker, cure=cure)
        if answer != __version__:
            raise HostError(f"the worker has FoleySpace {answer}", where=worker, cure=cure)
