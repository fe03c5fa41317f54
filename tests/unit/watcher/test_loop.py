"""What a watcher does with the jobs it holds, and what it tells of them."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from job_watcher.intake import Intake
from job_watcher.renewal import Renewal
from lib.errors import Unavailable
from lib.jobqueue import JobState, Lease, LeaseLost
from lib.spool import Phase
from lib.storage import StorageUnavailable
from tests.unit.watcher.bench import Bench, Refusal, spec


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

    def test_that_finished_work_cannot_be_stored_is_told_until_it_can(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watcher = bench.holding(spec())
        refusal = Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No room."))

        def told() -> object:
            bench.clock.advance(61)
            watcher.step(wait_s=0)
            watcher.step(wait_s=0)
            bench.clock.advance(6)
            watcher.step(wait_s=0)
            return bench.queue.watchers()[0].data["trouble"]

        assert "cannot be stored: No room." in str(told())
        refusal.on = False
        assert told() is None

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
