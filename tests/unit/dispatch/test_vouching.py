"""A lease is renewed only while the host where its work lies vouches for it (Q34)."""

from __future__ import annotations

import pytest

from lib.jobqueue import JobState
from lib.spool import HostUnreachable
from lib.storage import StorageUnavailable
from tests.unit.dispatch.bench import KILLED, Bench, Refusal, spec


class TestAHostThatIsNotHeardOf:
    def test_has_its_leases_run_out_and_its_job_goes_to_another(self, bench: Bench) -> None:
        """The worker's machine is cut off: the bench's limit is 120 s, its leases last for 60 s."""
        dispatcher = bench.holding(spec())
        for seconds in (20, 20, 20, 20, 20, 20, 20, 39):
            bench.clock.advance(seconds)
            dispatcher.renew_if_due()
        assert bench.queue.claim("bob") == []  # renewed when it was silent for 120 s, for the last time

        bench.clock.advance(2)
        dispatcher.renew_if_due()
        (lease,) = bench.queue.claim("bob")

        assert (lease.request_id, lease.host) == (spec().request_id, "here")

    def test_keeps_its_leases_while_the_loop_hears_of_it_at_long_intervals(self, bench: Bench) -> None:
        dispatcher = bench.holding(spec())
        for turn in range(30):
            bench.clock.advance(20)
            if turn % 5 == 0:
                bench.host.beat()
            dispatcher.renew_if_due()

        assert bench.queue.claim("bob") == []

    def test_is_not_heard_of_by_the_ends_of_its_workers(self, bench: Bench) -> None:
        """Each starts, says nothing, and ends: none of them will do the job."""
        dispatcher = bench.holding(spec(), replaceable=True)
        bench.host.script = lambda: KILLED
        for _ in range(12):
            bench.clock.advance(20)
            dispatcher.renew_if_due()
            dispatcher.step()

        assert len(bench.queue.claim("bob")) == 1

    def test_gets_no_more_jobs_while_it_owes_work(self, bench: Bench) -> None:
        dispatcher = bench.holding(spec("a"), replaceable=True)
        bench.clock.advance(121)
        bench.enqueue(spec("b"))

        assert dispatcher.claim() == 0

    def test_does_not_cost_the_jobs_of_others_their_leases(self, bench: Bench) -> None:
        bench.another_host("there")
        dispatcher = bench.holding(spec("a"), spec("b"))
        for _ in range(12):
            bench.clock.advance(20)
            bench.hosts[1].beat()
            dispatcher.renew_if_due()

        assert [lease.host for lease in bench.queue.claim("bob", count=9)] == ["here"]


class TestFinishedAudio:
    def test_is_vouched_for_by_a_machine_that_answers_though_its_worker_is_dead(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The store is full for an hour; the worker ended, and no other one came to life."""
        job = spec()
        dispatcher = bench.holding(job)
        refusal = Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No room."))
        bench.host.speak_all()
        bench.host.script = lambda: KILLED
        dispatcher.step()
        bench.host.script = lambda: None
        for _ in range(180):
            bench.clock.advance(20)
            dispatcher.renew_if_due()
            dispatcher.step()
        assert bench.queue.claim("bob") == []
        assert bench.host.restarts == 0

        refusal.on = False
        bench.clock.advance(61)
        dispatcher.renew_if_due()
        dispatcher.step()

        assert (bench.job(job).state, bench.job(job).attempt) == (JobState.DONE, 1)

    def test_of_a_machine_that_does_not_answer_is_spoken_again_elsewhere(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        dispatcher = bench.holding(job, replaceable=True)
        store = Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No room."))
        dispatcher.step()
        Refusal(monkeypatch, bench.host, "files", HostUnreachable("No answer."))
        for _ in range(12):
            bench.clock.advance(20)
            dispatcher.renew_if_due()
            dispatcher.step()

        assert store.refused == 1
        assert [lease.request_id for lease in bench.queue.claim("bob")] == [job.request_id]


class TestAJobThatWasJustPlaced:
    def test_is_renewed_although_its_host_was_idle_and_silent_for_long(self, bench: Bench) -> None:
        """A worker without work may say nothing; it gets the limit's time to be heard of."""
        dispatcher = bench.dispatcher()
        bench.host.script = lambda: None
        bench.clock.advance(3600)
        bench.enqueue(spec())
        dispatcher.claim()

        for _ in range(5):
            bench.clock.advance(20)
            dispatcher.renew_if_due()

        assert bench.queue.claim("bob") == []

    def test_is_renewed_no_longer_than_that(self, bench: Bench) -> None:
        dispatcher = bench.dispatcher()
        bench.clock.advance(3600)
        bench.enqueue(spec())
        dispatcher.claim()

        for _ in range(12):
            bench.clock.advance(20)
            dispatcher.renew_if_due()

        assert len(bench.queue.claim("bob")) == 1
