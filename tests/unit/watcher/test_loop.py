"""The loop's promises: publishing, holding, telling, waiting trouble out, and leaving in good order."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from job_watcher.intake import Intake
from job_watcher.parts import Limits
from job_watcher.renewal import Renewal
from lib.errors import Unavailable
from lib.jobqueue import JobState, Lease, LeaseLost
from lib.spool import Phase, SpoolFull
from lib.storage import StorageUnavailable
from tests.unit.watcher.bench import Bench, spec


class Refusal:
    """Makes a method of an object fail until it is told to stop; counts the calls."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str, error: Exception) -> None:
        self.calls, self.refused, self.on = 0, 0, True
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.on:
                self.refused += 1
                raise error
            return real(*args, **kwargs)

        patch.setattr(owner, name, call)


class TestPublishing:
    def test_follows_the_record_and_never_comes_before_it(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        watcher = bench.holding(job)
        seen = []
        real = bench.queue.complete

        def complete(lease: Lease, result: Any) -> None:
            seen.append(bench.output(job).exists())
            real(lease, result)

        monkeypatch.setattr(bench.queue, "complete", complete)
        watcher.step(wait_s=0)

        assert seen == [False]
        assert bench.output(job).exists()

    def test_is_not_done_by_a_watcher_that_lost_its_lease(self, bench: Bench) -> None:
        """Q33: what the zombie would publish differs from what the other one did."""
        job = spec()
        zombie = bench.holding(job)
        for taken in bench.worker.spool.take(1):
            bench.worker.speak(taken, audio=b"of the zombie")
        bench.worker.script = lambda: None
        bench.clock.advance(61)
        (lease,) = bench.queue.claim("bob")
        bench.queue.begin(lease)
        bench.queue.complete(lease, {"takes": []})

        zombie.step(wait_s=0)

        finished = bench.queue.result(job.request_id)
        assert finished is not None
        assert (finished.consumer, finished.result) == ("bob", {"takes": []})
        assert not bench.output(job).exists()

    def test_that_fails_leaves_the_job_done_and_is_tried_again_with_growing_pauses(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        job = spec()
        watcher = bench.holding(job)
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No room."))
        watcher.step(wait_s=0)
        assert bench.job(job).state is JobState.DONE
        assert "done and stored but not published" in caplog.text
        assert bench.spool.entries() == {}

        for _ in range(60):
            bench.clock.advance(1)
            watcher.step(wait_s=0)
        assert 5 <= refusal.calls <= 8  # after 1, 2, 4, 8, 16, 32 s

        refusal.on = False
        bench.clock.advance(64)
        watcher.step(wait_s=0)
        assert bench.output(job).exists()
        assert list(bench.journal.publications()) == []

    @pytest.mark.parametrize(
        "error", [StorageUnavailable("No."), ValueError("odd name"), OSError(36, "long")]
    )
    def test_that_fails_for_ever_stops_no_watcher_from_starting(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        job, other = spec("a"), spec("b")
        watcher = bench.holding(job)
        with monkeypatch.context() as patched:
            Refusal(patched, bench.storage, "publish", error)
            watcher.step(wait_s=0)
            for number in range(3):
                following = bench.watcher(f"next-{number}")
                following.resume()
                following.step(wait_s=0)
        bench.enqueue(other)

        bench.watcher("last").run_once()

        assert bench.output(job).exists()
        assert bench.output(other).exists()

    def test_is_made_up_for_after_a_crash_between_record_and_publication(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            """As SIGKILL: nothing catches it."""

        def die(*args: object) -> None:
            raise Killed

        job = spec()
        watcher = bench.holding(job)
        with monkeypatch.context() as patched:
            patched.setattr("job_watcher.publications.publish_takes", die)
            with pytest.raises(Killed):
                watcher.step(wait_s=0)
        assert bench.job(job).state is JobState.DONE

        bench.watcher("next").resume()

        assert bench.output(job).exists()
        assert list(bench.journal.leases()) == []

    def test_does_not_replace_what_a_later_run_of_the_job_made(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        watcher = bench.holding(job)
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No."))
        watcher.step(wait_s=0)
        refusal.on = False
        finished = bench.queue.result(job.request_id)
        assert finished is not None
        later = type(finished)(**{f: getattr(finished, f) for f in finished.__slots__} | {"lease_no": 9})
        monkeypatch.setattr(bench.queue, "result", lambda request_id: later)
        bench.clock.advance(5)

        watcher.step(wait_s=0)

        assert not bench.output(job).exists()
        assert list(bench.journal.publications()) == []


class TestHolding:
    def test_a_job_that_vanished_from_the_spool_is_submitted_again(self, bench: Bench) -> None:
        job = spec()
        watcher = bench.holding(job)
        bench.worker.script = lambda: None
        for path in (bench.root / "spool" / "inbox").iterdir():
            path.unlink()
        for _ in range(2):
            watcher.step(wait_s=0)

        assert list(bench.spool.entries().values()) == [Phase.INBOX]
        bench.worker.script = bench.worker.speak_all
        watcher.step(wait_s=0)
        assert (bench.job(job).state, bench.job(job).attempt) == (JobState.DONE, 1)

    def test_an_attempt_that_could_not_be_told_is_told_later(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        watcher = bench.holding(job)
        bench.worker.script = lambda: None
        bench.worker.take()
        refusal = Refusal(monkeypatch, bench.queue, "begin", Unavailable("No server."))
        with pytest.raises(Unavailable):
            watcher.step(wait_s=0)
        refusal.on = False

        watcher.step(wait_s=0)

        assert bench.job(job).attempt == 1

    def test_a_job_lost_to_another_watcher_is_dropped(self, bench: Bench) -> None:
        watcher = bench.holding(spec())
        bench.worker.script = lambda: None
        bench.holdings.mark_lost([holding.lease for holding in bench.holdings.all()])

        watcher.step(wait_s=0)

        assert len(bench.holdings) == 0
        assert bench.spool.entries() == {}

    def test_renewing_goes_on_after_an_error_that_nobody_foresaw(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench.holding(spec())
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
        renewal = Renewal(bench.queue, bench.holdings, lease_ms=30)
        renewal.start()

        assert renewed.wait(10)
        renewal.stop()
        assert "KeyError" in caplog.text


class TestTelling:
    def test_a_busy_watcher_stays_in_the_registry(self, bench: Bench) -> None:
        """Without its heartbeats it would count as dead after twenty seconds."""
        watcher = bench.holding(spec())
        bench.worker.script = lambda: None

        for _ in range(12):
            bench.clock.advance(5)
            watcher.step(wait_s=0)

            assert bench.queue.snapshot().lock_owner == "ann"
            assert bench.queue.watchers()[0].data["holding"] == 1

    def test_progress_is_told_once_for_each_piece(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        watcher = bench.holding(job)
        (taken,) = bench.worker.take()
        told = Refusal(monkeypatch, bench.queue, "progress", Unavailable("never"))
        told.on = False
        bench.worker.script = lambda: bench.worker.beat(taken.entry)

        for _ in range(10):
            bench.clock.advance(2)
            watcher.step(wait_s=0)

        assert bench.job(job).progress == {"pieces_done": 1, "pieces": 2}
        assert told.calls == 1


class TestTrouble:
    @pytest.mark.parametrize(
        ("owner", "name", "error"),
        [
            ("queue", "heartbeat_watcher", Unavailable("No server.")),
            ("queue", "complete", Unavailable("No server.")),
            ("queue", "claim", Unavailable("No server.")),
            ("spool", "entries", SpoolFull("No descriptors.")),
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


def test_a_watcher_that_is_full_asks_for_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [spec(f"job-{number}") for number in range(6)]
    watcher = bench.watcher()
    bench.enqueue(*jobs)
    watcher.resume()
    assert watcher._intake.look() == 4
    asked = Refusal(monkeypatch, bench.queue, "claim", LeaseLost("a", 1, "b"))

    assert watcher._intake.look() == 0

    assert asked.calls == 0


def test_once_ends_when_nothing_waits_and_nothing_is_held(bench: Bench, tmp_path: Path) -> None:
    jobs = [spec(f"job-{number}") for number in range(9)]
    bench.enqueue(*jobs)

    assert bench.watcher().run_once() == 9

    assert all(bench.output(job).exists() for job in jobs)
    assert bench.watcher("again").run_once() == 0


def test_the_intake_says_nothing_to_the_queue_while_it_waits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One claim that waits, not one look after another; and a job that comes is taken at once."""
    caplog.set_level(logging.INFO)
    watcher = bench.watcher()
    watcher.resume()
    claims = Refusal(monkeypatch, bench.queue, "claim", Unavailable("never"))
    claims.on = False
    come = threading.Event()
    real = Intake._take_up

    def take_up(intake: Intake, lease: Lease) -> None:
        real(intake, lease)
        come.set()

    monkeypatch.setattr(Intake, "_take_up", take_up)
    watcher._intake.start()
    for _ in range(20):
        watcher.step(wait_s=0.01)
    bench.enqueue(spec())

    assert come.wait(4)  # less than one claim waits
    watcher._intake.stop()
    assert claims.calls <= 2
