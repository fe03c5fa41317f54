"""What a watcher does with the jobs it holds, and what it tells of them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lib.dispatch import DispatchLimits
from lib.errors import Unavailable
from lib.jobqueue import JobState, Lease, LeaseLost, QueueOptions
from lib.jobqueue.errors import DamagedRow
from lib.spool import Phase
from lib.storage import StorageUnavailable
from tests.unit.dispatch.bench import Bench, Refusal, spec


class TestHolding:
    def test_a_job_that_vanished_from_the_spool_is_submitted_again(self, bench: Bench) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        bench.host.script = lambda: None
        for path in (bench.root / "spool" / "inbox").iterdir():
            path.unlink()
        bench.clock.advance(2.0)  # one that was just placed may only be on its way
        for _ in range(2):
            dispatcher.step()

        assert list(bench.spool.entries().values()) == [Phase.INBOX]
        bench.host.script = bench.host.speak_all
        dispatcher.step()
        assert (bench.job(job).state, bench.job(job).attempt) == (JobState.DONE, 1)

    def test_an_attempt_that_could_not_be_told_is_told_later(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        bench.host.script = lambda: None
        bench.host.take()
        refusal = Refusal(monkeypatch, bench.queue, "begin", Unavailable("No server."))
        with pytest.raises(Unavailable):
            dispatcher.step()
        refusal.on = False

        dispatcher.step()

        assert bench.job(job).attempt == 1

    def test_a_queue_that_was_away_is_not_asked_for_jobs_before_our_leases_are_renewed(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They ran out meanwhile: the claim would take our own jobs away from ourselves."""
        job = spec()
        dispatcher = bench.holding(job)
        real, over, calls = bench.queue.claim, threading.Event(), 0

        def claim(*args: Any, **kwargs: Any) -> list[Lease]:
            nonlocal calls
            calls += 1
            if calls == 1:
                bench.clock.advance(61)
                raise Unavailable("No server.")
            try:
                return real(*args, **{**kwargs, "block_s": 0.0})
            finally:
                over.set()

        monkeypatch.setattr(bench.queue, "claim", claim)
        dispatcher.start_claiming()
        assert over.wait(20)
        dispatcher.stop_claiming()

        assert bench.job(job).lease_no == 1

    def test_work_at_hand_is_not_gone_on_with_for_a_job_of_that_name_with_another_text(
        self, bench: Bench
    ) -> None:
        """The record of the first one went in the meantime, and somebody enqueued the name anew."""
        dispatcher = bench.holding(spec())
        bench.queue.cancel(spec().request_id)
        bench.clock.advance(QueueOptions().result_ttl_s)
        another = spec(text="Another text.")
        bench.enqueue(another)
        bench.host.beat()
        dispatcher.renew_if_due()

        assert dispatcher.claim() == 1

        assert len(bench.spool.entries()) == 2
        for _ in range(3):
            dispatcher.step()
        assert bench.job(another).state is JobState.DONE

    def test_a_canceled_job_ends_on_a_rented_machine_too(self, bench: Bench) -> None:
        """Other lost work there may be gone on with by the next leader; this is wanted by nobody."""
        job = spec()
        dispatcher = bench.holding(job, replaceable=True)
        bench.host.script = lambda: None
        (taken,) = bench.host.take()
        bench.queue.cancel(job.request_id)
        bench.clock.advance(21)  # the next renewal is due
        bench.host.beat()
        dispatcher.renew_if_due()

        dispatcher.step()

        assert dispatcher.held == 0
        assert bench.host.spool.canceled(taken.entry)

    def test_a_job_lost_to_another_watcher_is_dropped(self, bench: Bench) -> None:
        dispatcher = bench.holding(spec())
        bench.host.script = lambda: None
        bench.clock.advance(61)
        bench.queue.claim("bob")
        bench.host.beat()
        dispatcher.renew_if_due()

        dispatcher.step()

        assert dispatcher.held == 0
        assert bench.spool.entries() == {}

    def test_jobs_that_are_canceled_before_they_begin_free_their_slots_at_once(self, bench: Bench) -> None:
        """Not when their leases are renewed: until then nothing else would be claimed."""
        jobs = [spec(name) for name in "abcd"]
        dispatcher = bench.holding(*jobs)
        bench.host.script = lambda: None
        other = spec("other")
        bench.enqueue(other)
        for job in jobs[1:]:
            bench.queue.cancel(job.request_id)

        bench.clock.advance(bench.intervals.progress_s)
        dispatcher.step()

        assert (dispatcher.held, dispatcher.claim()) == (1, 1)
        assert len(bench.spool.entries()) == 2  # what was canceled is not spoken either
        bench.host.script = bench.host.speak_all
        for _ in range(2):
            dispatcher.step()
        assert bench.job(other).state is JobState.DONE
        assert {bench.job(job).state for job in jobs[1:]} == {JobState.CANCELED}
        assert [entry for entry, _, _ in bench.journal.leases()] == []

    def test_that_the_queue_cannot_be_asked_for_canceled_jobs_stops_nothing(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(spec())
        bench.clock.advance(bench.intervals.progress_s)
        Refusal(monkeypatch, bench.queue, "jobs", Unavailable("No server."))

        with pytest.raises(Unavailable):
            dispatcher.step()

        assert bench.job(spec()).state is JobState.DONE

    def test_a_row_that_cannot_be_read_ends_no_watcher(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(spec())
        bench.clock.advance(bench.intervals.progress_s)
        asked = Refusal(monkeypatch, bench.queue, "jobs", DamagedRow("other"))

        dispatcher.step()

        assert (asked.refused, bench.job(spec()).state) == (1, JobState.DONE)

    def test_renewing_goes_on_after_an_error_that_nobody_foresaw(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench.limits = DispatchLimits(lease_ms=30)
        dispatcher = bench.holding(spec())
        renewed = threading.Event()
        real = bench.queue.renew
        calls = []

        def renew(leases: Any, *, lease_ms: int | None = None) -> list[Lease]:
            calls.append(1)
            if len(calls) == 1:
                raise KeyError("odd reply")
            renewed.set()
            return real(leases, lease_ms=lease_ms)

        monkeypatch.setattr(bench.queue, "renew", renew)
        dispatcher.start_renewing()

        assert renewed.wait(10)
        dispatcher.close()
        assert "KeyError" in caplog.text


class TestTelling:
    def test_a_busy_watcher_stays_in_the_registry(self, bench: Bench) -> None:
        """Without its heartbeats it would count as dead after twenty seconds."""
        dispatcher = bench.holding(spec())
        bench.host.script = lambda: None

        for _ in range(12):
            bench.clock.advance(5)
            dispatcher.step()

            assert bench.queue.snapshot().lock_owner == "ann"
            assert bench.queue.watchers()[0].data["holding"] == 1

    def test_that_finished_work_cannot_be_stored_is_told_until_it_can(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(spec())
        refusal = Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No room."))

        def told() -> object:
            bench.clock.advance(61)
            dispatcher.step()
            dispatcher.step()
            bench.clock.advance(6)
            dispatcher.step()
            return bench.queue.watchers()[0].data["trouble"]

        assert "cannot be stored: No room." in str(told())
        refusal.on = False
        assert told() is None

    def test_progress_is_told_once_for_each_piece(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        (taken,) = bench.host.take()
        told = Refusal(monkeypatch, bench.queue, "progress", Unavailable("never"))
        told.on = False
        bench.host.script = lambda: bench.host.beat(taken.entry)

        for _ in range(10):
            bench.clock.advance(2)
            dispatcher.step()

        assert bench.job(job).progress == {"pieces_done": 1, "pieces": 2}
        assert told.calls == 1


def test_a_watcher_that_is_full_asks_for_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [spec(f"job-{number}") for number in range(6)]
    dispatcher = bench.dispatcher()
    bench.enqueue(*jobs)
    dispatcher.resume()
    assert dispatcher.claim() == 4
    asked = Refusal(monkeypatch, bench.queue, "claim", LeaseLost("a", 1, "b"))

    assert dispatcher.claim() == 0

    assert asked.calls == 0


def test_the_claimer_says_nothing_to_the_queue_while_it_waits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One claim that waits, not one look after another; and a job that comes is taken at once."""
    dispatcher = bench.dispatcher()
    dispatcher.resume()
    claims = Refusal(monkeypatch, bench.queue, "claim", Unavailable("never"))
    claims.on = False
    dispatcher.start_renewing()
    dispatcher.start_claiming()
    for _ in range(20):
        dispatcher.step()
    bench.enqueue(spec())

    for _ in range(400):  # 4 s: less than one claim waits
        if dispatcher.held:
            break
        dispatcher.wait(0.01)
    dispatcher.close()
    assert dispatcher.held == 1
    assert claims.calls <= 3
