"""What passes is waited out; what does not ends the watcher in good order."""

from __future__ import annotations

import threading

import pytest

from job_watcher.parts import Limits
from lib.errors import Unavailable
from lib.jobqueue import JobState
from lib.spool import HostUnreachable, SpoolFull
from lib.storage import StorageUnavailable
from tests.unit.watcher.bench import Bench, Refusal, spec


class TestTrouble:
    @pytest.mark.parametrize(
        ("owner", "name", "error"),
        [
            ("queue", "heartbeat_watcher", Unavailable("No server.")),
            ("queue", "complete", Unavailable("No server.")),
            ("queue", "claim", Unavailable("No server.")),
            ("spool", "entries", SpoolFull("No descriptors.")),
            ("spool", "entries", HostUnreachable("No answer.")),
            ("journal", "write", SpoolFull("No space.")),
        ],
    )
    def test_that_passes_is_waited_out_by_the_daemon(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, owner: str, name: str, error: Exception
    ) -> None:
        jobs = [spec(f"job-{number}") for number in range(3)]
        bench.enqueue(*jobs)
        watcher = bench.watcher()
        refusal = Refusal(monkeypatch, getattr(bench, owner), name, error)
        refusal.on = name not in ("heartbeat_watcher", "entries")  # a start would call these first
        real = bench.worker.script

        def script() -> None:
            refusal.on = not refusal.refused
            real()
            if all(bench.job(job).state is JobState.DONE for job in jobs):
                watcher.drain()

        bench.worker.script = script
        monkeypatch.setattr("job_watcher.watcher._PAUSE", 0.01)
        monkeypatch.setattr("job_watcher.intake._PAUSE", 0.01)
        watcher._pause = 0.01

        watcher.run()

        assert refusal.refused >= 1
        assert [bench.job(job).state for job in jobs] == [JobState.DONE] * 3
        assert all(bench.output(job).exists() for job in jobs)

    def test_a_queue_that_stays_away_ends_the_daemon_after_five_minutes(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watcher = bench.watcher()
        monkeypatch.setattr("job_watcher.intake._BLOCK", 0.05)
        watcher._pause = 0.001
        Refusal(monkeypatch, bench.queue, "heartbeat_watcher", Unavailable("No server."))
        monkeypatch.setattr(type(bench.queue), "register_watcher", lambda *args: None)
        bench.worker.script = lambda: bench.clock.advance(20)

        with pytest.raises(Unavailable, match="No server"):
            watcher.run()

        assert 300 <= bench.clock.monotonic() <= 400

    def test_a_host_that_stays_away_ends_no_daemon(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watcher = bench.watcher()
        monkeypatch.setattr("job_watcher.intake._BLOCK", 0.05)
        watcher._pause = 0.001
        Refusal(monkeypatch, bench.spool, "entries", HostUnreachable("No answer."))
        monkeypatch.setattr(watcher, "resume", lambda: None)

        def script() -> None:
            bench.clock.advance(20)
            if bench.clock.monotonic() > 1000:
                watcher.drain()

        bench.worker.script = script
        watcher.run()

        assert bench.clock.monotonic() > 1000

    def test_a_lease_that_cannot_be_written_down_goes_back_at_once(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jobs = [spec("a"), spec("b")]
        bench.enqueue(*jobs)
        watcher = bench.watcher()
        watcher.resume()
        Refusal(monkeypatch, bench.journal, "write", SpoolFull("No space."))

        with pytest.raises(SpoolFull):
            watcher._intake.look()

        assert [bench.job(job).state for job in jobs] == [JobState.WAITING] * 2
        assert len(bench.holdings) == 0

    def test_while_the_journal_has_no_room_nothing_is_claimed_just_to_be_handed_back(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.enqueue(spec())
        monkeypatch.setattr("job_watcher.intake._PAUSE", 0.001)
        write = Refusal(monkeypatch, bench.journal, "write", SpoolFull("No space."))
        probe = Refusal(monkeypatch, bench.journal, "probe", SpoolFull("No space."))
        tried = threading.Event()
        real = bench.journal.probe

        def count() -> None:
            if probe.calls == 5:
                tried.set()
            real()

        monkeypatch.setattr(bench.journal, "probe", count)
        watcher = bench.watcher()
        watcher._intake.start()

        assert tried.wait(10)
        watcher._intake.stop()

        assert write.calls == 1

    def test_an_intake_that_failed_is_heard_of_in_the_loop(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Refusal(monkeypatch, bench.queue, "claim", KeyError("odd reply"))

        with pytest.raises(KeyError, match="odd reply"):
            bench.watcher().run()


class TestLeaving:
    def test_work_that_outlasts_the_drain_limit_is_handed_back(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        bench.limits = Limits(lease_ms=10_000_000, drain_s=600.0)
        watcher = bench.watcher()
        bench.enqueue(job)

        def never_ends() -> None:
            for _ in bench.worker.take():
                watcher.drain()
            for entry in bench.spool.entries():
                bench.worker.beat(entry)
            bench.clock.advance(30)
            assert bench.clock.monotonic() < 5_000, "the drain limit is not kept"

        bench.worker.script = never_ends
        monkeypatch.setattr("job_watcher.watcher._LOOK_EVERY", 0.01)
        watcher.run()

        record = bench.job(job)
        assert (record.state, record.attempt - record.excused) == (JobState.WAITING, 0)
        assert 600 <= bench.clock.monotonic() < 1200
        assert list(bench.journal.leases()) == []

    def test_after_an_error_every_lease_is_handed_back_but_those_of_finished_audio(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That one waits here in the spool: the next watcher settles it without speaking it again."""
        done, begun, waiting = [spec(name) for name in ("done", "begun", "waiting")]
        watcher = bench.holding(done, begun, waiting)
        by_id = {taken.job.request_id: taken for taken in bench.worker.spool.take(3) if taken.job}
        bench.worker.speak(by_id[done.request_id])
        bench.worker.script = lambda: None
        Refusal(monkeypatch, bench.queue, "heartbeat_watcher", KeyError("odd"))
        Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No."))
        bench.clock.advance(6)

        with pytest.raises(KeyError, match="odd"):
            watcher.run()

        assert bench.job(begun).state is bench.job(waiting).state is JobState.WAITING
        assert bench.job(done).state is JobState.RUNNING
        assert [lease.request_id for _, lease in bench.journal.leases()] == [done.request_id]

    def test_a_queue_that_is_away_does_not_keep_it_from_leaving(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        watcher = bench.holding(job)
        bench.worker.script = lambda: None
        monkeypatch.setattr(bench.queue, "register_watcher", lambda *args: None)
        for name in ("release", "remove_watcher", "heartbeat_watcher"):
            Refusal(monkeypatch, bench.queue, name, Unavailable("No server."))
        Refusal(monkeypatch, bench.spool, "heartbeat", KeyError("odd"))
        bench.clock.advance(6)

        with pytest.raises(KeyError, match="odd"):
            watcher.run()

        assert bench.worker.stops == 1
        assert len(list(bench.journal.leases())) == 1
