"""What the end, the silence and the refusals of the resident worker mean for the jobs it has."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count

import pytest

from lib.fleet import Policy
from lib.jobqueue import JobState
from lib.jobspec.fields import FIELDS
from lib.spool import WorkerState
from lib.workers import WorkerDeath
from tests.unit.dispatch.bench import KILLED, Bench, spec

CRASHED = WorkerDeath(70, "exit status 70", ("loading", "error: the model is broken"))
REFUSED = WorkerDeath(75, "exit status 75", ("error: no space left on device",))


def _dying(bench: Bench, death: WorkerDeath = KILLED, *, takes: int = 1) -> Callable[[], WorkerDeath]:
    def die() -> WorkerDeath:
        bench.host.take(takes)
        return death

    return die


class TestADeath:
    def test_is_blamed_on_the_job_at_hand_alone(self, bench: Bench) -> None:
        """Two others lie in work/, spoken already and only being written."""
        jobs = [spec(name) for name in "abc"]
        dispatcher = bench.holding(*jobs)
        for age, path in enumerate(sorted((bench.root / "spool" / "inbox").iterdir())):
            os.utime(path, (age, age))
        at_hand = bench.host.take(3)[-1]
        bench.host.script = lambda: KILLED

        dispatcher.step()

        assert at_hand.job is not None
        poisoned = {job.request_id: bench.job(job).poisoned for job in jobs}
        assert poisoned == {job.request_id: int(job.request_id == at_hand.job.request_id) for job in jobs}
        bench.host.script = bench.host.speak_all
        for _ in range(3):
            dispatcher.step()
        assert [bench.job(job).state for job in jobs].count(JobState.DONE) == 2

    def test_before_the_worker_said_anything_is_nobodys_fault(self, bench: Bench) -> None:
        """What its predecessor last said is no evidence against the job that it left."""
        job = spec()
        dispatcher = bench.holding(job)
        bench.host.script = _dying(bench, REFUSED)
        dispatcher.step()
        bench.host.script = lambda: CRASHED

        dispatcher.step()

        assert (bench.job(job).state, bench.job(job).poisoned) == (JobState.RUNNING, 0)

    def test_while_loading_is_nobodys_fault(self, bench: Bench) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        bench.host.spool.take(1)
        bench.host.beat(state=WorkerState.LOADING)
        bench.host.script = lambda: CRASHED

        dispatcher.step()

        assert bench.job(job).poisoned == 0

    def test_the_second_one_on_the_same_job_is_final(self, bench: Bench) -> None:
        """Q35."""
        job = spec()
        dispatcher = bench.holding(job)
        bench.host.script = _dying(bench)
        dispatcher.step()
        assert bench.job(job).state in (JobState.WAITING, JobState.DELAYED)
        bench.clock.advance(3600)
        dispatcher.claim()
        bench.host.script = lambda: None
        for taken in bench.host.spool.take(9):
            if bench.host.spool.canceled(taken.entry):
                bench.host.speak(taken)
            else:
                bench.host.spool.begin(taken.entry)
                bench.host.beat(taken.entry)
        bench.host.script = lambda: KILLED

        dispatcher.step()

        assert bench.job(job).state is JobState.FAILED
        assert bench.error(job).error_class == "poison"
        assert "SIGKILL" in bench.error(job).message


class TestAWorkerThatCannotStart:
    def test_a_finished_job_between_starts_the_count_anew(self, bench: Bench) -> None:
        dispatcher = bench.dispatcher()
        dispatcher.resume()
        for round_ in range(3):
            job = spec(f"round-{round_}")
            bench.enqueue(job)
            dispatcher.claim()
            bench.host.script = lambda: CRASHED
            for _ in range(4):
                dispatcher.step()
            bench.host.script = bench.host.speak_all
            dispatcher.step()
            assert bench.job(job).state is JobState.DONE


class TestAWorkerThatRefusesForNow:
    """A full disk: exit status 75."""

    def test_is_waited_for_and_no_job_is_blamed(self, bench: Bench) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        bench.host.script = _dying(bench, REFUSED)
        for _ in range(20):
            dispatcher.step()
            bench.clock.advance(10)
        assert (bench.job(job).state, bench.job(job).poisoned) == (JobState.RUNNING, 0)

        bench.host.script = bench.host.speak_all
        dispatcher.step()

        assert bench.job(job).state is JobState.DONE


class TestSilence:
    def test_a_worker_that_stands_still_is_replaced_and_its_job_goes_elsewhere_at_once(
        self, bench: Bench
    ) -> None:
        """SIGSTOP, or a driver that never returns. The job is not to blame for the machine."""
        at_hand, other = spec("a"), spec("b")
        dispatcher = bench.holding(at_hand)
        bench.host.take()
        bench.enqueue(other)
        dispatcher.claim()
        bench.host.script = lambda: None
        bench.clock.advance(1)
        dispatcher.step()
        bench.clock.advance(119)
        dispatcher.step()
        assert bench.host.restarts == 0

        bench.clock.advance(2)
        dispatcher.step()

        assert bench.host.restarts == 1
        record = bench.job(at_hand)
        assert (record.state, record.lost, record.poisoned) == (JobState.WAITING, 1, 0)
        assert bench.job(other).state is JobState.RUNNING
        dispatcher.step()
        assert bench.host.restarts == 1

    def test_a_worker_that_beats_is_left_alone_however_long_it_takes(self, bench: Bench) -> None:
        dispatcher = bench.holding(spec())
        (taken,) = bench.host.take()
        bench.host.script = lambda: bench.host.beat(taken.entry)

        for _ in range(20):
            bench.clock.advance(60)
            dispatcher.renew_if_due()
            dispatcher.step()

        assert bench.host.restarts == 0

    def test_a_worker_whose_clock_is_wrong_is_judged_by_ours(self, bench: Bench) -> None:
        dispatcher = bench.holding(spec())
        bench.host.clock = type(bench.clock)(now=5.0)
        (taken,) = bench.host.take()

        def beat_slowly() -> None:
            bench.host.clock.advance(1)
            bench.host.beat(taken.entry)

        bench.host.script = beat_slowly
        for _ in range(5):
            bench.clock.advance(50)
            dispatcher.renew_if_due()
            dispatcher.step()

        assert bench.host.restarts == 0

    def test_a_worker_without_work_may_be_as_silent_as_it_likes(self, bench: Bench) -> None:
        dispatcher = bench.dispatcher()
        dispatcher.resume()
        bench.host.script = lambda: None

        for _ in range(5):
            bench.clock.advance(100)
            dispatcher.step()

        assert bench.host.restarts == 0


def test_a_job_without_a_timeout_may_take_as_long_as_its_worker_works(bench: Bench) -> None:
    """What the page of fields says of `timeout_s` left out; the limit of a rented machine is its policy's."""
    said = FIELDS["timeout_s"].described()
    assert "Left out: no limit; a rented machine is given back when no piece is spoken for ten min" in said
    assert "and after ten times the usual, a quarter of an hour at least" in said
    assert Policy().still_limit_s == 10 * 60
    assert (Policy().job_limit_factor, Policy().job_limit_s) == (10, 15 * 60)
    job = spec()
    dispatcher = bench.holding(job)
    (taken,) = bench.host.take()
    pieces = count(1)
    bench.host.script = lambda: bench.host.beat(taken.entry, pieces_done=next(pieces))

    for _ in range(900):  # 25 hours: longer than any timeout_s that may be asked for
        bench.clock.advance(100)
        dispatcher.step()

    assert (bench.job(job).state, bench.job(job).attempt) == (JobState.RUNNING, 1)
    assert (bench.host.restarts, dispatcher.held) == (0, 1)


def test_a_job_far_over_its_time_is_taken_from_a_worker_that_hangs(bench: Bench) -> None:
    job = spec(timeout_s=5)
    dispatcher = bench.holding(job)
    (taken,) = bench.host.take()
    bench.host.script = lambda: bench.host.beat(taken.entry)  # alive, but it does not end the job
    dispatcher.step()
    bench.clock.advance(14)
    dispatcher.step()
    assert (bench.job(job).state, bench.host.restarts) == (JobState.RUNNING, 0)

    bench.clock.advance(2)
    dispatcher.step()

    assert (bench.job(job).state, bench.host.restarts) == (JobState.DELAYED, 1)
    assert "timeout_s of 5 s" in str(bench.job(job).last_error)


def test_the_time_of_a_job_begins_when_its_model_is_loaded(bench: Bench) -> None:
    """A second checkpoint may have to be downloaded: that is no work on the job."""
    job = spec(timeout_s=5)
    dispatcher = bench.holding(job)
    (taken,) = bench.host.take()
    bench.host.script = lambda: bench.host.beat(taken.entry, state=WorkerState.LOADING)
    for _ in range(30):  # five minutes
        dispatcher.step()
        bench.clock.advance(10)
    view = dispatcher.view(bench.host.name)
    assert view is not None
    assert (bench.job(job).state, bench.host.restarts) == (JobState.RUNNING, 0)
    assert view.oldest_job_s <= 10
    assert view.still_for >= 290  # a rented machine is given back when it loads for too long

    bench.host.script = lambda: bench.host.beat(taken.entry)
    dispatcher.step()
    bench.clock.advance(16)
    dispatcher.step()
    assert (bench.job(job).state, bench.host.restarts) == (JobState.DELAYED, 1)


def test_a_model_that_is_never_loaded_holds_a_job_for_an_hour_at_most(bench: Bench) -> None:
    job = spec(timeout_s=5)
    dispatcher = bench.holding(job)
    (taken,) = bench.host.take()
    bench.host.script = lambda: bench.host.beat(taken.entry, state=WorkerState.LOADING)
    for _ in range(355):
        dispatcher.step()
        bench.clock.advance(10)
    assert bench.host.restarts == 0
    for _ in range(10):
        dispatcher.step()
        bench.clock.advance(10)
    assert (bench.job(job).state, bench.host.restarts) == (JobState.DELAYED, 1)


class TestWhatIsLogged:
    def test_of_a_machine_that_was_started_anew_is_a_warning_without_the_workers_words(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        dispatcher = bench.holding(spec())
        ended = WorkerDeath(69, "its machine was started anew", ("ready: engine hibari",), True)
        bench.host.script = lambda: ended

        dispatcher.step()

        (told,) = [record for record in caplog.records if record.name.endswith("worker_supervisor")]
        words = f"the worker of {bench.host.name} is gone: its machine was started anew; another is started"
        assert (told.levelname, told.getMessage()) == ("WARNING", words)

    def test_of_a_crash_is_an_error_with_its_last_words(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        dispatcher = bench.holding(spec())
        bench.host.script = lambda: CRASHED

        dispatcher.step()

        (told,) = [record for record in caplog.records if record.name.endswith("worker_supervisor")]
        assert told.levelname == "ERROR"
        assert told.getMessage().endswith("ended (exit status 70): loading | error: the model is broken")
