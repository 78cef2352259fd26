"""``foleyspace host``: the process that does the jobs of DAWs, Blender and scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from foleyspace_host.cli import options
from foleyspace_host.errors import HostRunning

if TYPE_CHECKING:
    from foleyspace_host.protocol.connection import Connection

__all__ = ["command"]

_PORT = click.IntRange(0, 65_535)


@click.command("host", short_help="Run the host for DAWs, Blender and scripts.")
@click.option(
    "--profile", default="default", show_default=True, metavar="NAME", help="Host, jobs and settings of its own."
)
@click.option("--port", type=_PORT, default=0, metavar="N", help="Port of the work socket; any free one if not given.")
@click.option("--control-port", type=_PORT, default=0, metavar="N", help="Port of the control socket, likewise.")
@click.option(
    "--idle-exit", "idle_exit_s", type=float, metavar="S", help="End after S seconds without jobs and requests."
)
@click.option("--parent-pid", type=click.IntRange(min=1), metavar="PID", help="End when this process ends.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where models run.")
@click.option("--workers", type=int, metavar="N", help="How many jobs are worked on at the same time.")
@click.option("--stop", is_flag=True, help="End the running host instead, after the jobs that it works on.")
@click.option("--runner", hidden=True, help="Module that does the jobs' work, for tests.")
@options.json_option()
def command(
    profile: str,
    port: int,
    control_port: int,
    idle_exit_s: float | None,
    parent_pid: int | None,
    device: str | None,
    workers: int | None,
    stop: bool,
    runner: str | None,
    as_json: bool,
) -> None:
    """Run the host in the foreground until Ctrl-C.

    Programs that need it start it by themselves. There is one for each profile; a second one says where the
    first is and ends.
    """
    if stop:
        from foleyspace_host.cli.through_host import host_client

        with host_client(profile, start=False) as client:
            client.shutdown()
        click.echo(json.dumps({"ending": True}) if as_json else "ending")
        return
    from foleyspace_host.config import load_config
    from foleyspace_host.host.server import RUNNER, Options, serve

    def tell(connection: Connection) -> None:
        if as_json:
            shown = ("profile", "pid", "instance_id", "host_version", "work", "control")
            click.echo(json.dumps({"ready": {name: getattr(connection, name) for name in shown}}))
        else:
            click.echo(f"ready: {connection.control} (process {connection.pid}); Ctrl-C ends it")

    config = load_config(profile, {"idle_exit_s": idle_exit_s, "device": device, "workers": workers})
    try:
        reason = serve(Options(profile, config, port, control_port, parent_pid, runner or RUNNER), tell)
    except HostRunning as running:  # the user has what he wants
        fields = {"code": running.code, "message": running.problem}
        click.echo(json.dumps({"running": fields}) if as_json else running.problem)
        return
    click.echo(json.dumps({"ended": reason}) if as_json else f"ended: {reason}")
