"""The queue is fair among clients and follows each client's own wishes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.jobs.scheduler import Queue, Waiting


def waiting(
    number: int, client: str, priority: int = 0, kind: str = "render", deadline_s: float | None = None
) -> Waiting:
    return Waiting(-priority, float(number), f"j{number}", client, kind, deadline_s)


def always(kind: str) -> bool:
    return True


def drain(queue: Queue) -> list[str]:
    order = []
    while job := queue.take(Counter(), always):
        order.append(job.job_id)
    return order


def test_priority_then_age() -> None:
    queue = Queue()
    for job in (waiting(1, "a"), waiting(2, "a", 5), waiting(3, "a", -5), waiting(0, "a")):
        queue.add(job)
    queue.add(waiting(1, "a"))
    assert len(queue) == 4
    assert drain(queue) == ["j2", "j0", "j1", "j3"]


def test_five_hundred_jobs_of_one_do_not_delay_another_one() -> None:
    queue = Queue()
    for number in range(500):
        queue.add(waiting(number, "many", 10))
    for _ in range(3):
        queue.take(Counter(), always)
    queue.add(waiting(1000, "one", -10))
    assert queue.take(Counter(many=1), always).job_id == "j1000"


def test_who_has_little_running_goes_first() -> None:
    queue = Queue()
    queue.add(waiting(1, "a"))
    queue.add(waiting(2, "b"))
    assert queue.take(Counter(a=2, b=1), always).client_id == "b"
    assert queue.take(Counter(a=2, b=2), always).client_id == "a"


def test_one_job_after_the_other_is_no_way_around() -> None:
    queue = Queue()
    queue.add(waiting(0, "patient"))
    queue.add(waiting(1, "patient"))
    queue.add(waiting(2, "eager"))
    served = []
    for number in range(3, 9):
        job = queue.take(Counter(), always)
        served.append(job.client_id)
        if job.client_id == "eager":
            queue.add(waiting(number, "eager"))
    assert served[:4].count("patient") == 2


def test_a_job_that_cannot_run_now_blocks_no_other() -> None:
    queue = Queue()
    queue.add(waiting(1, "a", kind="localize"))
    queue.add(waiting(2, "a"))
    assert queue.take(Counter(), lambda kind: kind == "render").job_id == "j2"
    assert queue.take(Counter(), lambda kind: kind == "render") is None
    assert "j1" in queue


def test_deadlines() -> None:
    queue = Queue()
    assert queue.next_deadline_s() is None
    for number, deadline_s in ((1, None), (2, 20.0), (3, 10.0)):
        queue.add(waiting(number, "a", deadline_s=deadline_s))
    assert queue.next_deadline_s() == 10.0
    assert [job.job_id for job in queue.late(10.0)] == ["j3"]
    assert queue.remove("j3")
    assert not queue.remove("j3")
    assert queue.next_deadline_s() == 20.0


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2, 2)), max_size=40),
    st.integers(1, 3),
)
def test_no_job_is_lost_and_shares_are_equal(jobs: list[tuple[str, int]], slots: int) -> None:
    queue = Queue()
    for number, (client, priority) in enumerate(jobs):
        queue.add(waiting(number, client, priority))
    left = Counter(client for client, _ in jobs)
    order, running = [], []
    while True:
        while len(running) < slots and (job := queue.take(Counter(job.client_id for job in running), always)):
            order.append(job)
            running.append(job)
        if not running:
            break
        running.pop(0)
    assert sorted(job.job_id for job in order) == sorted(f"j{number}" for number in range(len(jobs)))
    for client in left:
        mine = [job for job in order if job.client_id == client]
        assert mine == sorted(mine)
    # while two clients both have jobs waiting, neither gets more than the workers' number ahead
    served: Counter[str] = Counter()
    for job in order:
        others = [name for name in left if name != job.client_id and served[name] < left[name]]
        assert all(served[job.client_id] <= served[name] + slots for name in others)
        served[job.client_id] += 1
