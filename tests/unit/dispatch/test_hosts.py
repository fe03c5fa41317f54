"""Hosts come and go while jobs are done, and one that is in trouble costs the others nothing."""

from __future__ import annotations

import threading

import pytest

from lib.dispatch import Dispatcher, HostView
from lib.errors import ExitStatus
from lib.events.model import LifecycleEvent, MachineTransition
from lib.jobqueue import JobState
from lib.spool import HostUnreachable, SpoolFull, SpoolUnusable
from lib.workers import WorkerDeath
from tests.unit.dispatch.bench import Bench, ScriptedHost, spec

A, B, C = spec("a"), spec("b"), spec("c")
REFUSALS = [HostUnreachable("No answer."), SpoolUnusable("No folder."), SpoolFull("No space.")]


def idle(*hosts: ScriptedHost) -> None:
    """Their workers do nothing."""
    for host in hosts:
        host.script = lambda: None


def view_of(dispatcher: Dispatcher, name: str) -> HostView:
    view = dispatcher.view(name)
    assert view is not None
    return view


class MachinesHeard:
    """Keeps what is told of machines."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def emit(self, event: LifecycleEvent) -> None:
        if isinstance(event, MachineTransition):
            self.told.append((event.name, event.machine))


class TestAHostThatComes:
    def test_gets_jobs_that_found_no_room_before(self, bench: Bench) -> None:
        bench.room = 1
        dispatcher = bench.holding(A)
        idle(bench.host)
        bench.enqueue(B)
        assert dispatcher.claim() == 0

        dispatcher.add(bench.another_host("there"), lambda: 1)
        dispatcher.claim()

        assert bench.job(B).host == "there"
        dispatcher.step()
        assert bench.job(B).state is JobState.DONE

    def test_is_taken_note_of_by_a_claimer_that_sleeps(self, bench: Bench) -> None:
        """Without room it would look again only after a while; the bench makes that an hour here."""
        bench.intervals = type(bench.intervals)(look_s=3600.0, block_s=0.01)
        dispatcher = Dispatcher(bench.parts())
        asked = threading.Event()

        def no_room() -> int:
            asked.set()
            return 0

        dispatcher.add(bench.host, no_room)
        asked.clear()
        bench.enqueue(A)
        dispatcher.start_claiming()
        assert asked.wait(20)  # and goes to sleep over the answer

        dispatcher.add(bench.another_host("there"), lambda: 1)
        for _ in range(400):  # a job that came wakes the loop
            if dispatcher.held:
                break
            dispatcher.wait(0.01)

        assert dispatcher.held == 1
        dispatcher.close()

    def test_again_under_its_name_keeps_what_it_has(self, bench: Bench) -> None:
        """Whoever rents says in each pass which hosts there are."""
        dispatcher = bench.holding(A, replaceable=True)
        before = view_of(dispatcher, "here")

        dispatcher.add(bench.host, lambda: 9, replaceable=True)

        assert view_of(dispatcher, "here") == before
        assert dispatcher.hosts() == ["here"]

    def test_without_room_gets_none(self, bench: Bench) -> None:
        dispatcher = Dispatcher(bench.parts())
        dispatcher.add(bench.host, lambda: 0)
        bench.enqueue(A)

        dispatcher.step()

        assert dispatcher.claim() == 0
        assert bench.job(A).state is JobState.WAITING

    def test_gets_no_more_than_its_room_and_the_rest_goes_to_who_has_less_to_do(self, bench: Bench) -> None:
        other = bench.another_host("there")
        idle(*bench.hosts)
        dispatcher = Dispatcher(bench.parts())
        dispatcher.add(bench.host, lambda: 1)
        dispatcher.add(other, lambda: 3)
        bench.enqueue(*(spec(f"job-{number}") for number in range(6)))

        dispatcher.claim()

        assert [view_of(dispatcher, name).busy for name in ("here", "there")] == [1, 3]
        assert bench.queue.snapshot().waiting == 2

    def test_takes_nothing_from_another_whose_room_shrank(self, bench: Bench) -> None:
        """That one holds more than it should; it is not to be made up for elsewhere."""
        bench.room = 4
        dispatcher = bench.holding(*(spec(name) for name in "abcd"))
        bench.room = 1
        dispatcher.add(bench.another_host("there"), lambda: 3)
        bench.enqueue(*(spec(f"more-{number}") for number in range(5)))

        assert dispatcher.claim() == 3

        assert [view_of(dispatcher, name).busy for name in ("here", "there")] == [4, 3]

    def test_shares_jobs_evenly_with_the_others(self, bench: Bench) -> None:
        idle(bench.another_host("there"))
        dispatcher = bench.holding(*(spec(name) for name in "abcdef"))

        assert [view_of(dispatcher, name).busy for name in dispatcher.hosts()] == [3, 3]


class TestAMachineOfSeveralWorkers:
    def test_comes_and_goes_once(self, bench: Bench) -> None:
        bench.events = heard = MachinesHeard()
        dispatcher = Dispatcher(bench.parts())
        hosts = [bench.another_host(name, "me@far:22") for name in ("far/1", "far/2")]
        for host in hosts:
            dispatcher.add(host, lambda: 1, replaceable=True)
        for host in hosts:
            dispatcher.remove(host.name, why="unreachable", lost=False)

        assert heard.told == [("machine_added", "me@far:22"), ("machine_removed", "me@far:22")]


class TestAHostThatGoes:
    @pytest.mark.parametrize("lost", [False, True])
    def test_hands_its_begun_job_on_at_once_and_it_counts_as_told(self, bench: Bench, lost: bool) -> None:
        bench.host.script = lambda: None
        dispatcher = bench.holding(A, replaceable=True)
        idle(bench.host)
        bench.host.take()
        dispatcher.step()
        assert bench.job(A).attempt == 1

        dispatcher.remove("here", why="it was given back", lost=lost)

        record = bench.job(A)
        assert (record.state, record.lost) == (JobState.WAITING, int(lost))
        assert record.attempt - record.excused == 0
        assert (dispatcher.hosts(), dispatcher.held) == ([], 0)
        assert list(bench.journal.leases()) == []

    def test_leaves_its_jobs_to_the_others(self, bench: Bench) -> None:
        other = bench.another_host("there")
        dispatcher = bench.holding(A, B, replaceable=True)
        idle(bench.host)
        assert {bench.job(job).host for job in (A, B)} == {"here", "there"}

        dispatcher.remove("here", why="it was given back", lost=False)
        dispatcher.claim()
        for _ in range(2):
            dispatcher.step()

        assert [bench.job(job).state for job in (A, B)] == [JobState.DONE] * 2
        assert other.spool.take(9) == []

    def test_is_unknown_then_and_may_go_again(self, bench: Bench) -> None:
        dispatcher = bench.dispatcher()

        for _ in range(2):
            dispatcher.remove("here", why="it was given back", lost=True)

        assert dispatcher.view("here") is None
        assert dispatcher.holds_nothing("here")

    def test_holds_something_while_it_has_a_job_or_audio_that_may_be_adopted(self, bench: Bench) -> None:
        dispatcher = bench.holding(A, replaceable=True)
        idle(bench.host)
        assert not dispatcher.holds_nothing("here")
        bench.host.speak_all()

        dispatcher.hand_back("drain", keep_work=True)
        following = bench.dispatcher("next", replaceable=True)
        following.step()
        assert not following.holds_nothing("here")
        following.claim()
        for _ in range(2):
            following.step()

        assert following.holds_nothing("here")


class TestAReplaceableHostInTrouble:
    """It is whoever added it who takes it away; until then it gets nothing and the others go on."""

    @pytest.fixture
    def dispatcher(self, bench: Bench) -> Dispatcher:
        bench.another_host("there")
        made = bench.holding(A, B, replaceable=True)
        idle(bench.host)
        assert {bench.job(job).host for job in (A, B)} == {"here", "there"}
        return made

    def others_go_on(self, bench: Bench, dispatcher: Dispatcher) -> None:
        """New jobs are done, all of them on the other host."""
        jobs = [spec(f"more-{number}") for number in range(4)]
        bench.enqueue(*jobs)
        for _ in range(3):
            dispatcher.claim()
            dispatcher.step()
        assert {bench.job(job).state for job in jobs} == {JobState.DONE}
        assert view_of(dispatcher, "here").busy == 1

    def test_that_stands_still_is_told_of_and_not_restarted(
        self, bench: Bench, dispatcher: Dispatcher
    ) -> None:
        bench.host.take()
        bench.clock.advance(1)
        dispatcher.step()
        bench.clock.advance(119)
        dispatcher.step()
        assert (view_of(dispatcher, "here").failing, bench.job(B).state) == ("", JobState.DONE)

        bench.clock.advance(3)
        dispatcher.step()

        assert view_of(dispatcher, "here").failing == "wedged"
        assert view_of(dispatcher, "here").silent_for > 120
        assert bench.host.restarts == 0
        self.others_go_on(bench, dispatcher)

    @pytest.mark.parametrize("status", [1, ExitStatus.TRY_AGAIN])
    def test_whose_worker_keeps_ending_is_told_of_and_ends_nobody(
        self, bench: Bench, dispatcher: Dispatcher, status: int
    ) -> None:
        """Also one that says that it cannot work now: its jobs would wait for its full disk."""
        bench.host.script = lambda: WorkerDeath(status, f"exit status {status}", ("no driver",))
        dispatcher.step()  # the other host finishes a job: counted from here on
        for deaths in range(1, 6):
            assert view_of(dispatcher, "here").failing == ""
            dispatcher.step()
            assert view_of(dispatcher, "here").deaths == deaths

        assert view_of(dispatcher, "here").failing == "worker_ends"
        idle(bench.host)
        self.others_go_on(bench, dispatcher)

    def test_whose_worker_cannot_run_there_is_told_of_at_once(
        self, bench: Bench, dispatcher: Dispatcher
    ) -> None:
        status = int(ExitStatus.BAD_CONFIGURATION)
        bench.host.script = lambda: WorkerDeath(status, f"exit status {status}", ("no such engine",))

        dispatcher.step()

        assert view_of(dispatcher, "here").failing == "bad_configuration"
        idle(bench.host)
        self.others_go_on(bench, dispatcher)

    def test_tells_how_long_its_oldest_job_is_at_hand(self, bench: Bench, dispatcher: Dispatcher) -> None:
        bench.host.take()
        bench.clock.advance(3)
        dispatcher.step()

        bench.clock.advance(50)

        assert view_of(dispatcher, "here").oldest_job_s == 50

    def test_tells_how_long_no_piece_of_its_jobs_was_spoken(
        self, bench: Bench, dispatcher: Dispatcher
    ) -> None:
        (taken,) = bench.host.take()
        bench.clock.advance(3)
        dispatcher.step()
        bench.clock.advance(50)
        bench.host.beat(taken.entry)
        dispatcher.step()
        assert view_of(dispatcher, "here").still_for == 50  # it beats, and says what it said before

        bench.clock.advance(3)
        bench.host.beat(taken.entry, pieces_done=2)
        dispatcher.step()

        assert view_of(dispatcher, "here").still_for == 0
        bench.clock.advance(7)
        bench.host.speak(taken)
        dispatcher.step()
        bench.clock.advance(60)
        assert view_of(dispatcher, "here").still_for == 0  # nothing was begun

    def test_whose_worker_hangs_over_a_jobs_time_is_told_of(self, bench: Bench) -> None:
        slow = spec("slow", timeout_s=5)
        dispatcher = bench.holding(slow, replaceable=True)
        (taken,) = bench.host.take()
        bench.host.script = lambda: bench.host.beat(taken.entry)
        dispatcher.step()
        bench.clock.advance(16)

        dispatcher.step()

        assert (view_of(dispatcher, "here").failing, bench.host.restarts) == ("wedged", 0)
        assert bench.job(slow).state is JobState.DELAYED
