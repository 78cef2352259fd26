"""All checks in their order, none of which can keep the others from running."""

from __future__ import annotations

from collections.abc import Iterator

from foleyspace_host.doctor.host import check_connection_file, check_host, check_jobs, check_ports
from foleyspace_host.doctor.installation import check_ffmpeg, check_models, check_packages, check_python, check_runtime
from foleyspace_host.doctor.machine import check_disk, check_folders, check_settings
from foleyspace_host.doctor.programs import check_blender, check_reaper
from foleyspace_host.doctor.verdict import Check, Verdict

__all__ = ["CHECKS", "check_up"]

CHECKS: tuple[Check, ...] = (
    check_python,
    check_packages,
    check_runtime,
    check_models,
    check_ffmpeg,
    check_settings,
    check_folders,
    check_disk,
    check_ports,
    check_connection_file,
    check_host,
    check_jobs,
    check_reaper,
    check_blender,
)


def check_up(profile: str, checks: tuple[Check, ...] = CHECKS) -> Iterator[Verdict]:
    """Run the checks.

    Parameters
    ----------
    profile : str
        Profile of the host.
    checks : tuple of callable
        Those to run.

    Yields
    ------
    Verdict
    """
    for check in checks:
        try:
            yield from check(profile)
        except Exception as error:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            yield Verdict(name, "yellow", f"could not be looked at ({type(error).__name__}: {error})")
