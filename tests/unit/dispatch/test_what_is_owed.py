"""What the queue did not hear is told when it answers again, once and in full."""

from __future__ import annotations

import pytest

from lib.errors import Unavailable
from lib.jobqueue import JobState
from tests.unit.dispatch.bench import Bench, Refusal, spec
from tests.unit.dispatch.test_blame import die_with


def test_a_worker_that_hangs_is_replaced_once_however_long_the_queue_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec(timeout_s=5)
    dispatcher = bench.holding(job)
    (taken,) = bench.host.take()
    bench.host.script = lambda: bench.host.beat(taken.entry)  # alive, but it does not end the job
    dispatcher.step()
    refusal = Refusal(monkeypatch, bench.queue, "fail", Unavailable("No server."))
    for _ in range(3):
        bench.clock.advance(16)
        with pytest.raises(Unavailable):
            dispatcher.step()
    assert (bench.job(job).state, bench.host.restarts) == (JobState.RUNNING, 1)

    refusal.on = False
    dispatcher.step()

    assert (bench.job(job).state, bench.host.restarts) == (JobState.DELAYED, 1)


def test_every_job_that_a_machine_ended_workers_of_is_excused_when_the_machine_is_accused(
    bench: Bench,
) -> None:
    """While it was the only one, each of them was charged with a death."""
    first, second, third = (spec(name, max_attempts=10) for name in "abc")
    dispatcher = bench.holding(first, second, third)
    bench.host.script = lambda: None
    for job in (first, second):
        die_with(bench, dispatcher, bench.host, job)
    assert [bench.job(job).poisoned for job in (first, second)] == [1, 1]
    other = bench.another_host("there")
    other.script = lambda: None
    dispatcher.add(other, lambda: 0)

    die_with(bench, dispatcher, bench.host, third)
    dispatcher.step()

    assert [bench.job(job).poisoned for job in (first, second, third)] == [0, 0, 0]
    assert bench.job(third).lost == 1


def test_a_job_whose_host_went_with_the_process_before_is_handed_back_and_forgotten(bench: Bench) -> None:
    """Fewer workers than before: nobody looks after that spool, and the journal owes nothing of it."""
    job = spec()
    bench.holding(job)
    bench.hosts = [bench.another_host("another")]
    bench.hosts[0].script = lambda: None

    following = bench.dispatcher("next")
    following.resume()

    assert (bench.job(job).state, following.held) == (JobState.WAITING, 0)
    assert list(bench.journal.leases()) == []
    following.claim()
    assert bench.job(job).attempt - bench.job(job).excused == 0
    assert (bench.job(job).state, bench.job(job).host) == (JobState.RUNNING, "another")
