"""The books of what is leased and not settled."""

from __future__ import annotations

from dataclasses import replace

from lib.dispatch.inflight import InFlightJob, InFlightJobs
from lib.jobqueue.memory.queue import MemoryQueue
from tests.unit.dispatch.bench import spec


def test_a_lost_job_that_came_back_under_another_lease_of_ours_is_not_lost() -> None:
    """Else the loop would stop the work that goes on under the new one."""
    queue = MemoryQueue()
    queue.enqueue([spec()])
    (lease,) = queue.claim("ann")
    jobs = InFlightJobs()
    jobs.add(InFlightJob("entry", lease, "here", 0.0))
    jobs.mark_lost([lease])
    assert [job.entry for job in jobs.lost()] == ["entry"]

    jobs.give("entry", replace(lease, lease_no=2))

    assert jobs.lost() == []
    jobs.mark_lost([lease])  # an answer about the old lease that comes late
    assert jobs.lost() == []


def test_a_host_is_counted_by_what_lies_on_it_now() -> None:
    queue = MemoryQueue()
    queue.enqueue([spec("a"), spec("b")])
    jobs = InFlightJobs()
    for lease in queue.claim("ann", count=2):
        jobs.add(InFlightJob(lease.request_id, lease, "here", 0.0))
    first, second = jobs.all()

    jobs.add(replace(first, host="there"))
    jobs.drop(second.entry)
    jobs.drop(second.entry)

    assert (jobs.count("here"), jobs.count("there"), len(jobs)) == (0, 1, 1)
