"""What passes is waited out; what does not ends the watcher in good order."""

from __future__ import annotations

import threading

import pytest

from lib.dispatch import Dispatcher, DispatchIntervals, DispatchLimits
from lib.errors import Unavailable
from lib.jobqueue import JobState
from lib.spool import SpoolFull
from lib.storage import StorageUnavailable
from tests.unit.dispatch.bench import Refusal, spec
from tests.unit.watcher.bench import WatcherBench


def _note(patch: pytest.MonkeyPatch, order: list[str], name: str, *, fails: int) -> None:
    """Write down the calls of a dispatcher's method; the first ones fail."""
    real = getattr(Dispatcher, name)

    def call(self: Dispatcher) -> None:
        order.append(name)
        if order.count(name) <= fails:
            raise Unavailable("away")
        real(self)

    patch.setattr(Dispatcher, name, call)


class TestTrouble:
    @pytest.mark.parametrize(
        ("owner", "name", "error"),
        [
            ("queue", "heartbeat_watcher", Unavailable("No server.")),
            ("queue", "complete", Unavailable("No server.")),
            ("queue", "claim", Unavailable("No server.")),
            ("host", "files", SpoolFull("No descriptors.")),
            ("journal", "write", SpoolFull("No space.")),
        ],
    )
    def test_that_passes_is_waited_out_by_the_daemon(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch, owner: str, name: str, error: Exception
    ) -> None:
        jobs = [spec(f"job-{number}") for number in range(3)]
        bench.enqueue(*jobs)
        watcher = bench.watcher()
        refusal = Refusal(monkeypatch, getattr(bench, owner), name, error)
        refusal.on = name not in ("heartbeat_watcher", "files")  # a start would call these first
        real = bench.host.script

        def script() -> None:
            refusal.on = not refusal.refused
            bench.clock.advance(6)  # the next sign of life is due
            real()
            if all(bench.job(job).state is JobState.DONE for job in jobs):
                watcher.drain()

        bench.host.script = script
        watcher.run()

        assert refusal.refused >= 1
        assert [bench.job(job).state for job in jobs] == [JobState.DONE] * 3
        assert all(bench.output(job).exists() for job in jobs)

    def test_a_queue_that_stays_away_ends_the_daemon_after_five_minutes(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.intervals = DispatchIntervals(busy_s=0.01, block_s=0.05, pause_s=0.001)
        watcher = bench.watcher()
        Refusal(monkeypatch, bench.queue, "heartbeat_watcher", Unavailable("No server."))
        monkeypatch.setattr(type(bench.queue), "register_watcher", lambda *args: None)
        bench.host.script = lambda: bench.clock.advance(20)

        with pytest.raises(Unavailable, match="No server"):
            watcher.run()

        assert 300 <= bench.clock.monotonic() <= 400

    def test_a_lease_that_cannot_be_written_down_goes_back_at_once(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jobs = [spec("a"), spec("b")]
        bench.enqueue(*jobs)
        dispatcher = bench.dispatcher()
        dispatcher.resume()
        Refusal(monkeypatch, bench.journal, "write", SpoolFull("No space."))

        with pytest.raises(SpoolFull):
            dispatcher.claim()

        assert [bench.job(job).state for job in jobs] == [JobState.WAITING] * 2
        assert dispatcher.held == 0

    def test_while_the_journal_has_no_room_nothing_is_claimed_just_to_be_handed_back(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.enqueue(spec())
        bench.intervals = DispatchIntervals(pause_s=0.001)
        write = Refusal(monkeypatch, bench.journal, "write", SpoolFull("No space."))
        probe = Refusal(monkeypatch, bench.journal, "probe", SpoolFull("No space."))
        tried = threading.Event()
        real = bench.journal.probe

        def count() -> None:
            if probe.calls == 5:
                tried.set()
            real()

        monkeypatch.setattr(bench.journal, "probe", count)
        dispatcher = bench.dispatcher()
        dispatcher.start_renewing()
        dispatcher.start_claiming()

        assert tried.wait(10)
        dispatcher.close()

        assert write.calls == 1

    def test_what_was_taken_over_is_renewed_before_the_first_pass_and_nothing_new_is_claimed_before_it(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order: list[str] = []
        for name in ("resume", "start_renewing", "step"):
            _note(monkeypatch, order, name, fails=2 if name == "step" else 0)
        watcher = bench.watcher()

        def claim(_: Dispatcher) -> None:
            order.append("claim")
            watcher.drain()

        monkeypatch.setattr(Dispatcher, "start_claiming", claim)

        watcher.run()

        assert order[:6] == ["resume", "start_renewing", "step", "step", "step", "claim"]

    def test_an_intake_that_failed_is_heard_of_in_the_loop(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Refusal(monkeypatch, bench.queue, "claim", KeyError("odd reply"))

        with pytest.raises(KeyError, match="odd reply"):
            bench.watcher().run()


class TestLeaving:
    def test_work_that_outlasts_the_drain_limit_is_handed_back(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        bench.limits = DispatchLimits(lease_ms=10_000_000, drain_s=600.0)
        watcher = bench.watcher()
        bench.enqueue(job)

        def never_ends() -> None:
            for _ in bench.host.take():
                watcher.drain()
            for entry in bench.spool.entries():
                bench.host.beat(entry)
            bench.clock.advance(30)
            assert bench.clock.monotonic() < 5_000, "the drain limit is not kept"

        bench.host.script = never_ends
        watcher.run()

        record = bench.job(job)
        assert (record.state, record.attempt - record.excused) == (JobState.WAITING, 0)
        assert 600 <= bench.clock.monotonic() < 1200
        assert list(bench.journal.leases()) == []

    def test_after_an_error_every_lease_is_handed_back_but_those_of_finished_audio(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That one waits here in the spool: the next watcher settles it without speaking it again."""
        done, begun, waiting = [spec(name) for name in ("done", "begun", "waiting")]
        watcher = bench.watching(done, begun, waiting)
        by_id = {taken.job.request_id: taken for taken in bench.host.spool.take(3) if taken.job}
        bench.host.speak(by_id[done.request_id])
        bench.host.script = lambda: None
        Refusal(monkeypatch, bench.queue, "heartbeat_watcher", KeyError("odd"))
        Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No."))
        bench.clock.advance(6)

        with pytest.raises(KeyError, match="odd"):
            watcher.run()

        assert bench.job(begun).state is bench.job(waiting).state is JobState.WAITING
        assert bench.job(done).state is JobState.RUNNING
        assert [lease.request_id for _, lease, _ in bench.journal.leases()] == [done.request_id]

    def test_a_queue_that_is_away_does_not_keep_it_from_leaving(
        self, bench: WatcherBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        watcher = bench.watching(job)
        bench.host.script = lambda: None
        monkeypatch.setattr(bench.queue, "register_watcher", lambda *args: None)
        for name in ("release", "remove_watcher", "heartbeat_watcher"):
            Refusal(monkeypatch, bench.queue, name, Unavailable("No server."))
        Refusal(monkeypatch, bench.host, "tend", KeyError("odd"))
        bench.clock.advance(6)

        with pytest.raises(KeyError, match="odd"):
            watcher.run()

        assert bench.host.stops == 1
        assert len(list(bench.journal.leases())) == 1
