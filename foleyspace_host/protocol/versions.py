"""Which version of the protocol two sides speak."""

from __future__ import annotations

from foleyspace_host.errors import ProtocolError, VersionUnsupported
from foleyspace_host.protocol.messages import SERVED

__all__ = ["negotiate", "version_name"]

Range = tuple[tuple[int, int], tuple[int, int]]


def version_name(version: tuple[int, int]) -> str:
    """Return a version as people write it: ``1.0``."""
    return f"{version[0]}.{version[1]}"


def negotiate(client: Range, served: Range = SERVED) -> tuple[int, int]:
    """Return the highest version that both sides speak.

    Parameters
    ----------
    client : ((int, int), (int, int))
        Lowest and highest (major, minor) that the client speaks; it speaks all between.
    served : ((int, int), (int, int))
        The same of the host.

    Returns
    -------
    (int, int)

    Raises
    ------
    ProtocolError
        If the client's range is upside down.
    VersionUnsupported
        If there is no version in common; the message has both ranges and says which side is to be updated.
    """
    (low, high), (served_low, served_high) = client, served
    if low > high:
        raise ProtocolError(
            f"{version_name(low)} to {version_name(high)} is no range",
            where="$.versions",
            cure="give lowest and highest",
        )
    if high < served_low or low > served_high:
        older = "client (the plugin or script)" if high < served_low else "host (foleyspace-host)"
        raise VersionUnsupported(
            f"the client speaks {version_name(low)} to {version_name(high)}, "
            f"the host {version_name(served_low)} to {version_name(served_high)}",
            where="$.versions",
            cure=f"update the {older}",
        )
    return min(high, served_high)
