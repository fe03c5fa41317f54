"""A worker process stopped for longer than its lease, and woken again, changes nothing (Q33)."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from lib.jobqueue import Changed, JobQueue
from tests.contract.jobqueue.jobs import job

# Claims one job, says so, waits to be told to go on, then tries each write and says what came of it.
WORKER = """
import sys
from lib.jobqueue import ErrorClass, Failure, LeaseLost, connect
queue = connect(sys.argv[1])
(lease,) = queue.claim("zombie", block_s=10, lease_ms=300)
lease = queue.begin(lease)
print("claimed", flush=True)
sys.stdin.readline()
def tried(write):
    try:
        write()
        return "wrote"
    except LeaseLost:
        return "lost"
print(
    "lost" if queue.renew([lease]) else "wrote",
    tried(lambda: queue.begin(lease)),
    tried(lambda: queue.progress(lease, {"by": "zombie"})),
    tried(lambda: queue.complete(lease, {"by": "zombie"})),
    tried(lambda: queue.fail(lease, Failure(ErrorClass.TRANSIENT, "zombie"))),
    tried(lambda: queue.release(lease, "zombie")),
    flush=True,
)
queue.close()
"""


def one_round(
    queue: JobQueue, redis_url: str, request_id: str, *, finish_before_it_wakes: bool, replaced: bool
) -> None:
    queue.enqueue([job(request_id)])
    command = [sys.executable, "-c", WORKER, redis_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin
        assert worker.stdout
        assert worker.stdout.readline() == "claimed\n"
        worker.send_signal(signal.SIGSTOP)
        if replaced:  # which ends its lease at once
            queue.enqueue([job(request_id, text="Another line.")], changed=Changed.REPLACE)
        (lease,) = queue.claim("ann", block_s=10)
        assert lease.request_id == request_id
        if finish_before_it_wakes:
            queue.complete(lease, {"by": "ann"})
        worker.send_signal(signal.SIGCONT)
        worker.stdin.write("go on\n")
        worker.stdin.flush()
        assert worker.stdout.readline().split() == ["lost"] * 6
    if not finish_before_it_wakes:
        queue.complete(lease, {"by": "ann"})
    finished = queue.result(request_id)
    assert finished is not None
    assert finished.result == {"by": "ann"}
    assert (finished.lease_no, finished.revision) == (2, 2 if replaced else 1)


def rounds(queue: JobQueue, redis_url: str, count: int) -> None:
    for number in range(count):
        first, replaced = number % 2 == 0, number % 3 == 0
        one_round(queue, redis_url, f"j{number}", finish_before_it_wakes=first, replaced=replaced)
    assert queue.snapshot().outstanding == 0
    assert queue.snapshot().done == count


def test_a_zombie_process_can_change_nothing(queue: JobQueue, redis_url: str) -> None:
    rounds(queue, redis_url, 5)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_fifty_zombie_processes_can_change_nothing(queue: JobQueue, redis_url: str) -> None:
    rounds(queue, redis_url, 50)
