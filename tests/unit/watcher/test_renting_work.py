"""Jobs handed to rented machines: one that does not answer costs the others nothing."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from job_watcher.provisioning.rented_work import RentedWork
from lib.clock import ManualClock
from lib.dispatch import Dispatcher, DispatchLimits, DispatchParts, MemoryJournal, StorageDelivery
from lib.fleet import Policy, State
from lib.fleet.speeds import Speeds
from lib.jobqueue import JobState, Term
from lib.jobqueue.memory.queue import MemoryQueue
from lib.spool import HostUnreachable, LocalFiles
from lib.storage import MemoryStorage
from lib.voices import engine_facts, estimated_audio_s
from tests.unit.dispatch.bench import ScriptedHost
from tests.unit.jobs.jobs import spec

NAMES = [f"j{number:02}" for number in range(40)]


class Access:
    """Files of machines, of which some do not answer. `slow` happens at each look."""

    def __init__(self, root: Path, *silent: str) -> None:
        self._root, self.silent = root, set(silent)
        self.asked: list[str] = []
        self.slow: Callable[[], None] = lambda: None
        self._files: dict[str, LocalFiles] = {}

    def look(self, row: Any, rental: Any) -> Any:
        self.slow()
        if row.instance in self.silent:
            raise HostUnreachable(f"{row.instance} does not answer.")
        return SimpleNamespace(gate=None)

    def files(self, instance: str) -> LocalFiles:
        self.asked.append(instance)
        if instance in self.silent:
            raise HostUnreachable(f"{instance} does not answer.")
        return self._files.setdefault(instance, LocalFiles(self._root / instance))

    def tend(self, instance: str) -> None:
        return

    def let_go(self) -> None:
        return


class Stage:
    """A queue, machines by name, and the work of one term over them."""

    def __init__(self, root: Path) -> None:
        self.root, self.clock = root, ManualClock()
        self.queue = MemoryQueue(now_ms=lambda: round(self.clock.now() * 1000))
        self.access = Access(root)
        self.workers: list[ScriptedHost] = []
        self.limits = DispatchLimits(lease_ms=180_000)
        self.dispatchers: list[Dispatcher] = []
        self.speeds = Speeds()

    def work(self) -> RentedWork:
        config = SimpleNamespace(
            **{"name": "w", "lease_ms": self.limits.lease_ms, "engine": "hibari", "batch": "b"},
            audio_s_per_job=2.0,
            policy=Policy(speed=8.0),
        )
        observations = SimpleNamespace(by_token=defaultdict(lambda: SimpleNamespace(rental=None)))
        parts = SimpleNamespace(
            queue=self.queue,
            access=self.access,
            clock=self.clock,
            make_dispatcher=self._dispatcher,
            incoming=None,
        )
        return RentedWork(cast(Any, parts), cast(Any, config), cast(Any, observations), self.speeds)

    def _dispatcher(self, heard: Any) -> Dispatcher:
        delivery = StorageDelivery(
            MemoryStorage(signs=False), provider="vast", scratch=self.root / "scratch", clock=self.clock
        )
        parts = DispatchParts(
            name="w",
            provider="vast",
            queue=self.queue,
            delivery=delivery,
            journal=MemoryJournal(),
            clock=self.clock,
            limits=self.limits,
            on_settled=heard,
        )
        self.dispatchers.append(Dispatcher(parts))
        return self.dispatchers[-1]

    def worker(self, name: str) -> ScriptedHost:
        """The worker on a machine, as a test moves it."""
        self.workers.append(ScriptedHost(self.root / name, self.clock, name))
        return self.workers[-1]

    def pass_over(self, work: RentedWork, *machines: Any) -> None:
        """One pass, as the reconciler makes it."""
        work.keep_hosts(machines)
        work.ask(machines)
        work.do(Term(1, "t"), self.queue.snapshot(), claims=True)

    def state(self, name: str) -> JobState:
        record = self.queue.job(name)
        assert record is not None
        return record.state

    def close(self) -> None:
        for dispatcher in self.dispatchers:
            dispatcher.close()
        for worker in self.workers:
            worker.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.close()


def machine(name: str, state: State = State.READY) -> Any:
    intent = SimpleNamespace(gpu="RTX 3090", machine_id=f"physical-{name}")
    return SimpleNamespace(token=name, instance=name, state=state.value, intent=intent)


class TestLeasesOfALoopThatIsHeldUp:
    """Five machines answer late, one after the other; meanwhile the lease and the silence limit run out."""

    @pytest.fixture
    def held_up(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
        """A pass over slow machines while the renewing thread goes on; the argument happens at each."""
        stage.limits = DispatchLimits(lease_ms=30, silence_s=0.05)
        stage.queue.enqueue([spec("a")])
        work = stage.work()
        stage.pass_over(work, machine("busy"))
        assert work.held() == 1
        turns, again = [0], threading.Condition()
        roster = stage.dispatchers[0]._roster
        real = roster.listen

        def listen(name: str) -> None:
            """Every turn of the renewing thread listens to the one busy machine."""
            with again:
                turns[0] += 1
                again.notify_all()
            real(name)

        monkeypatch.setattr(roster, "listen", listen)
        stage.dispatchers[0].start_renewing()

        def run(at_each: Callable[[], None]) -> None:
            def slow() -> None:
                stage.clock.advance(0.02)
                at_each()
                with again:  # the turn after the next began after all this, and the next one is over
                    seen = turns[0]
                    assert again.wait_for(lambda: turns[0] >= seen + 3, 20)

            stage.access.slow = slow
            work.ask([machine(f"m{number}", State.RENTED) for number in range(5)])

        return run

    def test_outlast_it_where_the_worker_gives_signs_of_life(
        self, stage: Stage, held_up: Callable[[Callable[[], None]], None]
    ) -> None:
        held_up(stage.worker("busy").beat)

        assert stage.queue.claim("another") == []

    def test_run_out_where_it_gives_none(
        self, stage: Stage, held_up: Callable[[Callable[[], None]], None]
    ) -> None:
        """The thread lives, the machine does not: the job goes on elsewhere."""
        held_up(lambda: None)

        assert [lease.request_id for lease in stage.queue.claim("another")] == ["a"]


def test_leases_are_renewed_between_passes_of_machines_that_vouch_only(stage: Stage) -> None:
    stage.queue.enqueue([spec("a"), spec("b")])
    work = stage.work()
    stage.pass_over(work, machine("well"), machine("ill"))
    view = work.view("well")
    assert view is not None
    assert (view.busy, work.held()) == (1, 2)
    beating = stage.worker("well")
    stage.access.silent.add("ill")

    for _ in range(6):
        stage.clock.advance(61)
        beating.beat()
        work.go_on(claims=False)

    lost = stage.queue.claim("another", count=9)
    assert len(lost) == 1
    assert lost[0].host == "ill"


def test_a_machine_that_does_not_answer_is_asked_once_in_a_pass_and_gets_no_job(stage: Stage) -> None:
    stage.access.silent.add("silent")
    stage.queue.enqueue([spec(name) for name in NAMES])
    work = stage.work()

    for _ in range(2):
        stage.access.asked.clear()
        stage.pass_over(work, machine("silent"), machine("well"))

        assert stage.access.asked.count("silent") == 1

    silent, well = work.view("silent"), work.view("well")
    assert silent is not None
    assert well is not None
    assert silent.busy == 0
    assert well.busy > 2
    assert [stage.state(name) for name in NAMES].count(JobState.RUNNING) == well.busy


def test_a_machine_that_answers_again_gets_jobs_again(stage: Stage) -> None:
    stage.access.silent.add("m")
    stage.queue.enqueue([spec("a")])
    work = stage.work()
    stage.pass_over(work, machine("m"))
    assert stage.state("a") is JobState.WAITING

    stage.access.silent.clear()
    stage.pass_over(work, machine("m"))

    assert stage.state("a") is JobState.RUNNING


def test_a_machine_that_is_to_leave_keeps_its_jobs_and_gets_no_more(stage: Stage) -> None:
    stage.queue.enqueue([spec("a")])
    work = stage.work()
    stage.pass_over(work, machine("m"))
    stage.queue.enqueue([spec("b")])

    stage.pass_over(work, machine("m", State.DRAINING))

    assert [stage.state("a"), stage.state("b")] == [JobState.RUNNING, JobState.WAITING]


def test_jobs_of_a_machine_that_the_ledger_has_no_more_go_on_elsewhere_in_the_same_pass(stage: Stage) -> None:
    stage.queue.enqueue([spec("a")])
    work = stage.work()
    stage.pass_over(work, machine("first"))
    stage.worker("first").take()
    work.go_on(claims=False)

    stage.pass_over(work, machine("second"))

    assert work.view("first") is None
    second = work.view("second")
    assert second is not None
    assert second.busy == 1
    record = stage.queue.job("a")
    assert record is not None
    assert (record.host, record.lost, record.attempt - record.excused) == ("second", 0, 0)


def test_a_look_for_delayed_jobs_outlasts_one_that_is_canceled_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.queue.enqueue([spec("a")])
    work, claim = stage.work(), stage.queue.claim

    def claim_and_cancel(*args: Any, **kwargs: Any) -> Any:
        leases = claim(*args, **kwargs)
        stage.queue.cancel("a")
        return leases

    monkeypatch.setattr(stage.queue, "claim", claim_and_cancel)

    assert work.stir()
    assert stage.state("a") is JobState.CANCELED


def test_what_is_leased_by_somebody_else_is_work_that_waits(stage: Stage) -> None:
    """He may be dead; and what is on our machines wants no machine any more."""
    stage.queue.enqueue([spec("theirs"), spec("ours")])
    stage.queue.claim("another")
    work = stage.work()
    stage.pass_over(work, machine("m"))

    demand = work.demand(stage.queue.snapshot())

    assert (demand.waiting, demand.running) == (1, 1)


def test_how_long_a_job_should_take_goes_by_its_own_text_and_the_machines_speed(stage: Stage) -> None:
    job = replace(spec("a"), text="Ten words of it. " * 100, variants=2)
    stage.queue.enqueue([job])
    work, worker = stage.work(), stage.worker("m")
    stage.pass_over(work, machine("m"))
    assert work.job_due_s("m") == 0.0  # nothing was begun
    worker.take()
    stage.pass_over(work, machine("m"))

    rate = engine_facts("hibari").letters_per_second
    assert work.job_due_s("m") == pytest.approx(2 * estimated_audio_s(job.text, rate) / 8.0)
    assert work.job_due_s("nobody") == 0.0


def test_what_a_machine_finishes_teaches_how_fast_it_is(stage: Stage) -> None:
    stage.queue.enqueue([spec("a")])
    work = stage.work()
    stage.pass_over(work, machine("m"))
    worker = stage.worker("m")
    (taken,) = worker.take()

    worker.speak(taken, took_s=0.5)
    stage.pass_over(work, machine("m"))

    assert stage.state("a") is JobState.DONE
    assert stage.speeds.audio == {("hibari", "RTX 3090"): 3.0}  # 1.5 s of audio in half a second
    assert work.audio_s_per_job == 1.5


def test_a_leader_that_leaves_hands_leases_back_and_leaves_the_work_to_the_next(stage: Stage) -> None:
    stage.queue.enqueue([spec("a")])
    work = stage.work()
    stage.pass_over(work, machine("m"))
    worker = stage.worker("m")
    (taken,) = worker.take()

    work.leave()
    work.close()

    assert stage.state("a") is JobState.WAITING
    assert not worker.spool.canceled(taken.entry)
    worker.speak(taken)
    following = stage.work()
    stage.pass_over(following, machine("m"))
    stage.pass_over(following, machine("m"))
    assert stage.state("a") is JobState.DONE
    assert stage.workers[0].spool.take(9) == []  # it was spoken once
