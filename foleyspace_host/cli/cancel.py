"""``foleyspace cancel``: stop jobs of the host."""

from __future__ import annotations

import json

import click

from foleyspace_host.cli import options

__all__ = ["command"]


@click.command("cancel", short_help="Stop a job of the host.")
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@options.profile_option()
@options.json_option()
def command(job_ids: tuple[str, ...], profile: str, as_json: bool) -> None:
    """Stop the jobs ID, as `foleyspace jobs` shows them; the first few letters will do."""
    from foleyspace_host.cli.through_host import host_client

    done = []
    with host_client(profile, start=False) as client:
        for given in job_ids:
            job_id = _whole(given, [job["job_id"] for job in client.jobs(limit=1000)])
            answer = client.request("job.cancel", {"job_id": job_id})
            done.append({"job_id": job_id, "state": answer["state"], "already_finished": False} | answer)
    if as_json:
        click.echo(json.dumps({"cancelled": done}))
        return
    for answer in done:
        text = f"was {answer['state']} already" if answer["already_finished"] else "cancelled"
        click.echo(f"{answer['job_id']} {text}")


def _whole(given: str, known: list[str]) -> str:
    """Return the id that begins so; what fits none is left for the host to judge."""
    from foleyspace_host.errors import InvalidInput

    if not given:
        raise InvalidInput("the name of a job is empty", cure="see `foleyspace jobs` for those there are")
    fitting = [job_id for job_id in known if job_id.startswith(given)]
    if given in known or not fitting:
        return given
    if len(fitting) > 1:
        raise InvalidInput(f"{len(fitting)} jobs begin so", where=given, cure="give more of the id")
    return fitting[0]
