"""What the end, the silence and the refusals of the resident worker mean for the jobs it has."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from job_watcher.tending import WorkerGivenUp
from lib.errors import BadConfiguration
from lib.jobqueue import JobState
from lib.providers import WorkerDeath
from lib.spool import WorkerState
from tests.unit.watcher.bench import KILLED, Bench, spec

CRASHED = WorkerDeath(70, "exit status 70", ("loading", "error: the model is broken"))
REFUSED = WorkerDeath(75, "exit status 75", ("error: no space left on device",))


def _dying(bench: Bench, death: WorkerDeath = KILLED, *, takes: int = 1) -> Callable[[], WorkerDeath]:
    def die() -> WorkerDeath:
        bench.worker.take(takes)
        return death

    return die


class TestADeath:
    def test_is_blamed_on_the_job_at_hand_alone(self, bench: Bench) -> None:
        """Two others lie in work/, spoken already and only being written."""
        jobs = [spec(name) for name in "abc"]
        watcher = bench.holding(*jobs)
        for age, path in enumerate(sorted((bench.root / "spool" / "inbox").iterdir())):
            os.utime(path, (age, age))
        at_hand = bench.worker.take(3)[-1]
        bench.worker.script = lambda: KILLED

        watcher.step(wait_s=0)

        assert at_hand.job is not None
        poisoned = {job.request_id: bench.job(job).poisoned for job in jobs}
        assert poisoned == {job.request_id: int(job.request_id == at_hand.job.request_id) for job in jobs}
        bench.worker.script = bench.worker.speak_all
        for _ in range(3):
            watcher.step(wait_s=0)
        assert [bench.job(job).state for job in jobs].count(JobState.DONE) == 2

    def test_before_the_worker_said_anything_is_nobodys_fault(self, bench: Bench) -> None:
        """What its predecessor last said is no evidence against the job that it left."""
        job = spec()
        watcher = bench.holding(job)
        bench.worker.script = _dying(bench, REFUSED)
        watcher.step(wait_s=0)
        bench.worker.script = lambda: CRASHED

        watcher.step(wait_s=0)

        assert (bench.job(job).state, bench.job(job).poisoned) == (JobState.RUNNING, 0)

    def test_while_loading_is_nobodys_fault(self, bench: Bench) -> None:
        job = spec()
        watcher = bench.holding(job)
        bench.worker.spool.take(1)
        bench.worker.beat(None, WorkerState.LOADING)
        bench.worker.script = lambda: CRASHED

        watcher.step(wait_s=0)

        assert bench.job(job).poisoned == 0

    def test_the_second_one_on_the_same_job_is_final(self, bench: Bench) -> None:
        """Q35."""
        job = spec()
        watcher = bench.holding(job)
        bench.worker.script = _dying(bench)
        watcher.step(wait_s=0)
        assert bench.job(job).state in (JobState.WAITING, JobState.DELAYED)
        bench.clock.advance(3600)
        watcher._intake.look()
        bench.worker.script = lambda: None
        for taken in bench.worker.spool.take(9):
            if bench.worker.spool.canceled(taken.entry):
                bench.worker.speak(taken)
            else:
                bench.worker.spool.begin(taken.entry)
                bench.worker.beat(taken.entry)
        bench.worker.script = lambda: KILLED

        watcher.step(wait_s=0)

        assert bench.job(job).state is JobState.FAILED
        assert bench.error(job)["class"] == "poison"
        assert "SIGKILL" in bench.error(job)["message"]


class TestAWorkerThatCannotStart:
    @pytest.mark.parametrize("once", [False, True])
    def test_is_given_up_after_five_times_and_the_leases_go_back(
        self, bench: Bench, once: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("job_watcher.watcher._LOOK_EVERY", 0.01)  # the dead ring no bell
        job = spec()
        bench.enqueue(job)
        bench.worker.script = lambda: CRASHED
        watcher = bench.watcher()

        with pytest.raises(WorkerGivenUp, match=r"5 times in a row.*the model is broken") as caught:
            watcher.run_once() if once else watcher.run()

        assert caught.value.exit_status == 69
        assert (bench.job(job).state, bench.job(job).attempt) == (JobState.WAITING, 0)
        assert bench.queue.watchers() == []
        assert bench.spool.entries() == {}
        assert list(bench.journal.leases()) == []

    def test_a_finished_job_between_starts_the_count_anew(self, bench: Bench) -> None:
        watcher = bench.watcher()
        watcher.resume()
        for round_ in range(3):
            job = spec(f"round-{round_}")
            bench.enqueue(job)
            watcher._intake.look()
            bench.worker.script = lambda: CRASHED
            for _ in range(4):
                watcher.step(wait_s=0)
            bench.worker.script = bench.worker.speak_all
            watcher.step(wait_s=0)
            assert bench.job(job).state is JobState.DONE

    def test_wrong_settings_end_the_watcher_and_the_leases_go_back(self, bench: Bench) -> None:
        job = spec()
        bench.enqueue(job)
        bench.worker.script = lambda: WorkerDeath(78, "exit status 78", ("error: no such voice",))

        with pytest.raises(BadConfiguration, match="no such voice"):
            bench.watcher().run()

        assert bench.job(job).state is JobState.WAITING


class TestAWorkerThatRefusesForNow:
    """A full disk: exit status 75."""

    def test_is_waited_for_and_no_job_is_blamed(self, bench: Bench) -> None:
        job = spec()
        watcher = bench.holding(job)
        bench.worker.script = _dying(bench, REFUSED)
        for _ in range(20):
            watcher.step(wait_s=0)
            bench.clock.advance(10)
        assert (bench.job(job).state, bench.job(job).poisoned) == (JobState.RUNNING, 0)

        bench.worker.script = bench.worker.speak_all
        watcher.step(wait_s=0)

        assert bench.job(job).state is JobState.DONE

    def test_ends_once_after_five_minutes(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> WorkerDeath:
            bench.clock.advance(20)
            return REFUSED

        bench.enqueue(spec())
        bench.worker.script = refuse
        monkeypatch.setattr("job_watcher.watcher._LOOK_EVERY", 0.01)

        with pytest.raises(WorkerGivenUp, match="no space left"):
            bench.watcher().run_once()


class TestSilence:
    def test_a_worker_that_stands_still_is_replaced_and_its_job_goes_elsewhere_at_once(
        self, bench: Bench
    ) -> None:
        """SIGSTOP, or a driver that never returns. The job is not to blame for the machine."""
        at_hand, other = spec("a"), spec("b")
        watcher = bench.holding(at_hand)
        bench.worker.take()
        bench.enqueue(other)
        watcher._intake.look()
        bench.worker.script = lambda: None
        bench.clock.advance(1)
        watcher.step(wait_s=0)
        bench.clock.advance(119)
        watcher.step(wait_s=0)
        assert bench.worker.restarts == 0

        bench.clock.advance(2)
        watcher.step(wait_s=0)

        assert bench.worker.restarts == 1
        record = bench.job(at_hand)
        assert (record.state, record.lost, record.poisoned) == (JobState.WAITING, 1, 0)
        assert bench.job(other).state is JobState.RUNNING
        watcher.step(wait_s=0)
        assert bench.worker.restarts == 1

    def test_a_worker_that_beats_is_left_alone_however_long_it_takes(self, bench: Bench) -> None:
        watcher = bench.holding(spec())
        (taken,) = bench.worker.take()
        bench.worker.script = lambda: bench.worker.beat(taken.entry)

        for _ in range(20):
            bench.clock.advance(60)
            bench.queue.renew([holding.lease for holding in bench.holdings.all()])
            watcher.step(wait_s=0)

        assert bench.worker.restarts == 0

    def test_a_worker_whose_clock_is_wrong_is_judged_by_ours(self, bench: Bench) -> None:
        watcher = bench.holding(spec())
        bench.worker.clock = type(bench.clock)(now=5.0)
        (taken,) = bench.worker.take()

        def beat_slowly() -> None:
            bench.worker.clock.advance(1)
            bench.worker.beat(taken.entry)

        bench.worker.script = beat_slowly
        for _ in range(5):
            bench.clock.advance(50)
            bench.queue.renew([holding.lease for holding in bench.holdings.all()])
            watcher.step(wait_s=0)

        assert bench.worker.restarts == 0

    def test_a_worker_without_work_may_be_as_silent_as_it_likes(self, bench: Bench) -> None:
        watcher = bench.watcher()
        watcher.resume()
        bench.worker.script = lambda: None

        for _ in range(5):
            bench.clock.advance(100)
            watcher.step(wait_s=0)

        assert bench.worker.restarts == 0


def test_a_job_far_over_its_time_is_taken_from_a_worker_that_hangs(bench: Bench) -> None:
    job = spec(timeout_s=5)
    watcher = bench.holding(job)
    (taken,) = bench.worker.take()
    bench.worker.script = lambda: bench.worker.beat(taken.entry)  # alive, but it does not end the job
    watcher.step(wait_s=0)
    bench.clock.advance(14)
    watcher.step(wait_s=0)
    assert (bench.job(job).state, bench.worker.restarts) == (JobState.RUNNING, 0)

    bench.clock.advance(2)
    watcher.step(wait_s=0)

    assert (bench.job(job).state, bench.worker.restarts) == (JobState.DELAYED, 1)
    assert "timeout of 5 s" in str(bench.job(job).last_error)
