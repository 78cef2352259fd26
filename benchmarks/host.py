"""Measure the host: how soon it is ready, how quickly it answers, what many and large requests cost.

    python benchmarks/host.py [--rounds 5] [--json]

Real process, real sockets, encrypted; jobs are pretended ones (``tests/service/fake_runner.py``), so that what is
measured is the host. Every figure is a median over rounds with its range; the 99th percentile of pings is over all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import zmq

ROOT = Path(__file__).resolve().parents[1]
FAKE = ROOT / "tests" / "service"
sys.path.insert(0, str(ROOT))

from foleyspace_host.client import Client, Job, _Request, described, sound_buffers  # noqa: E402

CLIENTS, REQUESTS = 64, 100
STEREO_MINUTE = (2, 60 * 48_000)


@contextmanager
def running_host(home: str) -> Iterator[subprocess.Popen[str]]:
    """Run a host with homes of its own; the process is ready."""
    os.environ["FOLEYSPACE_HOME"] = home
    os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(FAKE)))
    command = [sys.executable, "-m", "foleyspace_host", "host", "--json", "--runner", "fake_runner"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert '"ready"' in process.stdout.readline()
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def start_up_s() -> float:
    """Time from starting the process to its word that clients can connect [s]."""
    with tempfile.TemporaryDirectory() as home:
        begun = time.perf_counter()
        with running_host(home):
            return time.perf_counter() - begun


class Pings:
    """Asks for the host's health all the while, as a heartbeat does; from a process of its own."""

    took_s: list[float]

    def __enter__(self) -> Pings:
        """Begin to ask."""
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--pings"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it is connected
        return self

    def __exit__(self, *_: object) -> None:
        """End, and learn how long each answer took."""
        self.took_s = json.loads(self._process.communicate("end\n")[0])

    def percentile_ms(self, share: float) -> float:
        """Return how long so many percent of the answers took at most [ms]."""
        return 1000.0 * float(np.percentile(self.took_s, share))


def ping_until_told() -> None:
    """Ask until a line comes in, then print how long each answer took."""
    ending = threading.Event()

    def wait() -> None:
        sys.stdin.readline()
        ending.set()

    threading.Thread(target=wait, daemon=True).start()
    took_s = []
    with Client("pings", start=False) as client:
        print("ready", flush=True)
        while not ending.is_set():
            begun = time.perf_counter()
            client.request("health", {})
            took_s.append(time.perf_counter() - begun)
            time.sleep(0.01)
    print(json.dumps(took_s))


def idle_pings() -> dict[str, float]:
    """Answers of a host that has nothing else to do [ms]."""
    with Pings() as pings:
        time.sleep(2.0)
    return {"p50": pings.percentile_ms(50), "p99": pings.percentile_ms(99)}


def busy_pings() -> dict[str, float]:
    """Answers while a worker computes [ms]."""
    with Client("work", start=False) as client:
        job = client.submit("generate", prompt=json.dumps({"stages": 4000, "step_ms": 1}))
        with Pings() as pings:
            time.sleep(3.0)
        job.cancel()
    return {"p50": pings.percentile_ms(50), "p99": pings.percentile_ms(99)}


def many_clients() -> dict[str, float]:
    """64 clients with 100 requests each, four of which are jobs, all at the same time and from one thread."""
    clients = [Client(f"client-{number}", start=False).connect() for number in range(CLIENTS)]
    crossed = lost = 0
    begun = time.perf_counter()
    with Pings() as pings:
        waiting: dict[int, tuple[Any, ...]] = dict.fromkeys(range(CLIENTS), ())
        left = dict.fromkeys(range(CLIENTS), REQUESTS)
        jobs: dict[int, list[Job]] = {number: [] for number in range(CLIENTS)}
        end = time.perf_counter() + 120
        while any(left.values()) and time.perf_counter() < end:
            for number, client in enumerate(clients):
                client.poll()
                if waiting[number]:
                    kind, asked = waiting[number]
                    if kind == "job":
                        if not asked.job_id:
                            continue
                    elif asked.reply is None:
                        continue
                    elif kind == "status" and asked.reply["client_id"] != client.client_id:
                        crossed += 1
                    left[number] -= 1
                    waiting[number] = ()
                if not left[number]:
                    continue
                if left[number] % 25 == 0:
                    job = client.submit("generate", prompt=json.dumps({"name": f"{number}"}), wait=False)
                    jobs[number].append(job)
                    waiting[number] = ("job", job)
                elif jobs[number] and left[number] % 2:
                    body = {"job_id": jobs[number][-1].job_id}
                    waiting[number] = ("status", client._connection.ask(_Request("job.status", body)))
                else:
                    waiting[number] = ("health", client._connection.ask(_Request("health", {})))
        took_s = time.perf_counter() - begun
    lost = sum(left.values())
    ids = [job.job_id for made in jobs.values() for job in made]
    crossed += len(ids) - len(set(ids))
    for client in clients:
        client.close()
    return {
        "lost": lost,
        "crossed": crossed,
        "requests_per_s": CLIENTS * REQUESTS / took_s,
        "p50": pings.percentile_ms(50),
        "p99": pings.percentile_ms(99),
    }


def inline_round_trip() -> dict[str, float]:
    """Send a minute of stereo sound along and read it back [ms]: 23 MB each way, checked, on disk in between."""
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, STEREO_MINUTE).astype(np.float32)
    with Client("inline", start=False) as client:
        begun = time.perf_counter()
        pieces = sound_buffers(sound)
        body = {"job": {"kind": "generate", "prompt": "{}"}, "buffers": described(pieces)}
        job = Job(client, "generate")
        frames = [data for _, data in pieces]
        client._connection.wait(client._connection.ask(_Request("job.submit", body, "work", frames, job._accepted)), 60)
        sent_s = time.perf_counter() - begun
        job.result(timeout_s=60)
        begun = time.perf_counter()
        data = job.read()
        read_s = time.perf_counter() - begun
        sent = hashlib.sha256(b"".join(frames)).digest()
        assert hashlib.sha256(data[32:]).digest() == sent
    return {"there": 1000 * sent_s, "back": 1000 * read_s, "both": 1000 * (sent_s + read_s)}


def bare_echo(*, curve: bool) -> float:
    """Send the same bytes through a bare pair of sockets in two threads, for comparison [ms]."""
    context = zmq.Context()
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    if curve:
        public, secret = zmq.curve_keypair()
        router.curve_server, router.curve_publickey, router.curve_secretkey = True, public, secret
        dealer.curve_serverkey, (dealer.curve_publickey, dealer.curve_secretkey) = public, zmq.curve_keypair()
    port = router.bind_to_random_port("tcp://127.0.0.1")
    dealer.connect(f"tcp://127.0.0.1:{port}")

    def echo() -> None:
        for _ in range(2):
            router.send_multipart(router.recv_multipart(copy=False), copy=False)

    thread = threading.Thread(target=echo)
    thread.start()
    dealer.send(b"x")
    dealer.recv()
    frames = [bytes(8 << 20), bytes(8 << 20), bytes(8 * STEREO_MINUTE[1] - (16 << 20))]
    begun = time.perf_counter()
    dealer.send_multipart(frames, copy=False)
    dealer.recv_multipart(copy=False)
    took_s = time.perf_counter() - begun
    thread.join()
    context.destroy(linger=0)
    return 1000 * took_s


def timer_ticks() -> dict[str, float]:
    """Time `Client.poll` as in a DAW's timer, from the start of the host to the result of a job [ms]."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["FOLEYSPACE_HOME"] = home
        os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(FAKE)))
        script = Path(home) / "start.py"
        script.write_text(
            "import sys\nfrom foleyspace_host.cli import main\n"
            "sys.exit(main([*sys.argv[1:], '--runner', 'fake_runner']))\n"
        )
        client = Client("timer", command=[sys.executable, str(script)])
        ticks = []
        job = client.submit("generate", prompt=json.dumps({"stages": 20, "step_ms": 20}), wait=False)
        while not job.finished:
            begun = time.perf_counter()
            client.poll()
            ticks.append(time.perf_counter() - begun)
            time.sleep(0.02)
        pid = client.health()["pid"]
        client.shutdown(now=True)
        client.close()
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)
    return {"p50": 1000 * statistics.median(ticks), "worst": 1000 * max(ticks)}


def over(rounds: int, measure: Callable[[], Any]) -> Any:
    """Measure several times and return what came out, field by field."""
    results = [measure() for _ in range(rounds)]
    if isinstance(results[0], dict):
        return {name: [result[name] for result in results] for name in results[0]}
    return results


def measure(rounds: int) -> dict[str, Any]:
    """Measure everything.

    Parameters
    ----------
    rounds : int
        How often.

    Returns
    -------
    dict
        Lists of figures, one for each round.
    """
    found: dict[str, Any] = {"start_up_s": over(rounds, start_up_s), "timer_ms": over(rounds, timer_ticks)}
    with tempfile.TemporaryDirectory() as home, running_host(home):
        found["idle_ping_ms"] = over(1, idle_pings)
        found["busy_ping_ms"] = over(1, busy_pings)
        found["many"] = over(rounds, many_clients)
        found["inline_ms"] = over(rounds, inline_round_trip)
    found["bare_curve_ms"] = over(rounds, lambda: bare_echo(curve=True))
    found["bare_plain_ms"] = over(rounds, lambda: bare_echo(curve=False))
    return found


def rows(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what was measured as (what, promised, figure)."""
    many, inline = found["many"], found["inline_ms"]
    return [
        ("ready after its start", "1 s", f"{span(found['start_up_s'], 2)} s"),
        (
            f"{CLIENTS} clients x {REQUESTS} requests: lost, crossed",
            "0, 0",
            f"{sum(many['lost'])}, {sum(many['crossed'])} (at {span(many['requests_per_s'], 0)} requests/s)",
        ),
        ("answer to a ping meanwhile, 99th percentile", "50 ms", f"{span(many['p99'], 1)} ms"),
        (
            "the same while a worker computes",
            "50 ms",
            f"{span(found['busy_ping_ms']['p99'], 1)} ms",
        ),
        ("answer to a ping of an idle host, median", "", f"{span(found['idle_ping_ms']['p50'], 1)} ms"),
        ("60 s of stereo float (23 MB) inline, there and back", "200 ms", f"{span(inline['both'], 0)} ms"),
        ("of that, until the job is accepted and on disk", "", f"{span(inline['there'], 0)} ms"),
        ("the same bytes through bare encrypted sockets", "", f"{span(found['bare_curve_ms'], 0)} ms"),
        ("the same bytes through bare plain sockets", "", f"{span(found['bare_plain_ms'], 0)} ms"),
        ("`Client.poll` in a timer, starting the host included: median", "", f"{span(found['timer_ms']['p50'], 2)} ms"),
        ("`Client.poll` in a timer: longest", "20 ms", f"{span(found['timer_ms']['worst'], 1)} ms"),
    ]


def span(values: list[float], digits: int) -> str:
    """Return the median, and the range if there is one."""
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pings", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pings:
        ping_until_told()
        return
    found = measure(options.rounds)
    if options.json:
        print(json.dumps(found))
        return
    for what, promised, figure in rows(found):
        print(f"{what:<62} {promised:>8}  {figure}")


if __name__ == "__main__":
    main()
