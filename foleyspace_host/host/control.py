"""What the control socket does: short questions, answered at once however much work there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from foleyspace_host.host.endpoint import Call, Handler, Reply
from foleyspace_host.host.greeting import Greeter
from foleyspace_host.host.lifecycle import Ending
from foleyspace_host.host.log import note
from foleyspace_host.jobs.service import JobService
from foleyspace_host.protocol.messages import (
    Hello,
    JobAck,
    JobAckOk,
    JobCancel,
    JobList,
    JobStatus,
    Shutdown,
    ShutdownOk,
)

__all__ = ["control_handlers"]


def control_handlers(service: JobService, greeter: Greeter, ending: Ending) -> Mapping[str, Handler]:
    """Return what is done for each type of message.

    Parameters
    ----------
    service : JobService
        The jobs.
    greeter : Greeter
        What the host tells of itself.
    ending : Ending
        Set by ``shutdown``.
    """

    def hello(call: Call) -> Reply:
        return Reply(greeter.hello(cast(Hello, call.message.body))[0])

    def health(_call: Call) -> Reply:
        return Reply(greeter.health())

    def status(call: Call) -> Reply:
        return Reply(service.status(cast(JobStatus, call.message.body).job_id))

    def listing(call: Call) -> Reply:
        wanted = cast(JobList, call.message.body)
        return Reply(service.list(call.message.header.client_id if wanted.mine else None, wanted))

    def cancel(call: Call) -> Reply:
        header, job_id = call.message.header, cast(JobCancel, call.message.body).job_id
        answer = service.cancel(job_id)
        note("job.cancel", job_id=job_id, client_id=header.client_id, state=answer.state)
        return Reply(answer)

    def ack(call: Call) -> Reply:
        job_id = cast(JobAck, call.message.body).job_id
        service.ack(job_id)
        return Reply(JobAckOk(job_id=job_id))

    def shutdown(call: Call) -> Reply:
        ending.ask("shutdown", **({"drain_s": 0.0} if cast(Shutdown, call.message.body).now else {}))
        return Reply(ShutdownOk())

    return {
        "hello": hello,
        "health": health,
        "job.status": status,
        "job.list": listing,
        "job.cancel": cancel,
        "job.ack": ack,
        "shutdown": shutdown,
    }
