"""What the end of a worker means for its jobs and its machine, where there may be others (Q35)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from lib.dispatch import Dispatcher, HostView
from lib.jobqueue import JobState
from lib.jobspec import JobSpec
from lib.spool import SpoolJob
from lib.workers import WorkerDeath
from tests.unit.dispatch.bench import KILLED, Bench, ScriptedHost, spec


def dies_with(host: ScriptedHost, *jobs: JobSpec) -> Callable[[], WorkerDeath]:
    """A script: what was canceled is let go of, these jobs are taken up together, and end the worker."""

    def die() -> WorkerDeath:
        at_hand = []
        for taken in host.spool.take(9):
            assert taken.job is not None
            if host.spool.canceled(taken.entry):
                host.speak(taken)
            elif taken.job.request_id in {job.request_id for job in jobs}:
                host.spool.begin(taken.entry)
                at_hand.append(taken.entry)
        assert len(at_hand) == len(jobs)
        host.beat(*at_hand)
        return KILLED

    return die


def die_with(bench: Bench, dispatcher: Dispatcher, host: ScriptedHost, *jobs: JobSpec) -> None:
    """Let the worker of `host` die of these jobs, which it holds; then its next one does nothing."""
    bench.clock.advance(2)
    host.script = dies_with(host, *jobs)
    dispatcher.step()
    host.script = lambda: None


def view_of(dispatcher: Dispatcher, name: str) -> HostView:
    view = dispatcher.view(name)
    assert view is not None
    return view


class Rooms:
    """A dispatcher over two machines whose rooms a test opens and closes: jobs go where it wants."""

    def __init__(self, bench: Bench, *, machine: str = "there") -> None:
        self.bench = bench
        self.here, self.there = bench.host, bench.another_host("there", machine)
        self.open = {self.here}
        self.dispatcher = Dispatcher(bench.parts())
        for host in bench.hosts:
            host.script = lambda: None
            self.dispatcher.add(host, partial(self._room, host))
        self.dispatcher.resume()

    def _room(self, host: ScriptedHost) -> int:
        return 4 if host in self.open else 0

    def give(self, *hosts: ScriptedHost) -> None:
        """Give what waits and is due to these hosts, an hour later."""
        self.open = set(hosts)
        self.bench.clock.advance(3600)
        for host in hosts:
            host.beat()
        self.dispatcher.renew_if_due()
        self.dispatcher.claim()
        self.dispatcher.step()

    def die(self, host: ScriptedHost, *jobs: JobSpec) -> None:
        die_with(self.bench, self.dispatcher, host, *jobs)


class TestAJobThatEndsWorkers:
    JOB = spec(max_attempts=10)

    def test_twice_on_one_machine_is_not_poison_where_there_is_another(self, bench: Bench) -> None:
        """It may be the machine; on a second one it is the job."""
        rooms = Rooms(bench)
        bench.enqueue(self.JOB)
        for poisoned in (1, 2):
            rooms.give(rooms.here)
            rooms.die(rooms.here, self.JOB)
            assert (bench.job(self.JOB).state, bench.job(self.JOB).poisoned) == (JobState.DELAYED, poisoned)

        rooms.give(rooms.there)
        rooms.die(rooms.there, self.JOB)

        assert bench.job(self.JOB).state is JobState.FAILED
        assert bench.error(self.JOB).error_class == "poison"
        assert bench.error(self.JOB).log == KILLED.log_tail

    def test_on_two_hosts_of_one_machine_did_so_on_one_machine(self, bench: Bench) -> None:
        """There is no other: then twice is enough."""
        rooms = Rooms(bench, machine="here")
        bench.enqueue(self.JOB)
        for host in (rooms.here, rooms.there):
            rooms.give(host)
            rooms.die(host, self.JOB)

        assert bench.job(self.JOB).state is JobState.FAILED

    def test_on_two_hosts_of_one_machine_is_no_poison_where_there_is_another_machine(
        self, bench: Bench
    ) -> None:
        bench.another_host("far")
        rooms = Rooms(bench, machine="here")
        bench.enqueue(self.JOB)
        for host in (rooms.here, rooms.there):
            rooms.give(host)
            rooms.die(host, self.JOB)

        assert (bench.job(self.JOB).state, bench.job(self.JOB).poisoned) == (JobState.DELAYED, 2)

    def test_twice_here_is_not_poison_while_another_watcher_has_a_machine(self, bench: Bench) -> None:
        dispatcher = bench.holding(self.JOB)
        for _ in range(2):
            bench.queue.register_watcher("bob", {"machines": ["far away"]})
            die_with(bench, dispatcher, bench.host, self.JOB)
            bench.clock.advance(3600)
            dispatcher.claim()
            dispatcher.step()

        assert (bench.job(self.JOB).state, bench.job(self.JOB).poisoned) == (JobState.RUNNING, 2)

    def test_twice_here_is_poison_where_another_watcher_uses_this_machine(self, bench: Bench) -> None:
        """Two watchers of one machine are one place to try a job."""
        dispatcher = bench.holding(self.JOB)
        for _ in range(2):
            bench.queue.register_watcher("bob", {"machines": ["here"]})
            die_with(bench, dispatcher, bench.host, self.JOB)
            bench.clock.advance(3600)
            dispatcher.claim()
            dispatcher.step()

        assert bench.job(self.JOB).state is JobState.FAILED

    def test_twice_here_is_poison_once_the_other_watcher_is_gone(self, bench: Bench) -> None:
        bench.queue.register_watcher("bob", {"machines": ["far away"]})
        bench.clock.advance(21)  # it gave no sign of life since
        dispatcher = bench.holding(self.JOB)
        for _ in range(2):
            die_with(bench, dispatcher, bench.host, self.JOB)
            bench.clock.advance(3600)
            dispatcher.claim()
            dispatcher.step()

        assert bench.job(self.JOB).state is JobState.FAILED

    def test_goes_to_a_machine_where_it_ended_none_though_that_has_more_to_do(self, bench: Bench) -> None:
        rooms = Rooms(bench)
        others = [spec(f"other-{number}") for number in range(3)]
        bench.enqueue(*others)
        rooms.open = {rooms.there}
        rooms.dispatcher.claim()
        bench.enqueue(self.JOB)
        rooms.open = {rooms.here}
        rooms.dispatcher.claim()
        rooms.die(rooms.here, self.JOB)
        bench.clock.advance(50)

        rooms.open = {rooms.here, rooms.there}
        rooms.dispatcher.claim()

        assert (view_of(rooms.dispatcher, "here").busy, view_of(rooms.dispatcher, "there").busy) == (0, 4)
        assert bench.job(self.JOB).host == "there"

    def test_goes_back_to_that_machine_where_there_is_no_other(self, bench: Bench) -> None:
        rooms = Rooms(bench)
        bench.enqueue(self.JOB)
        rooms.give(rooms.here)
        rooms.die(rooms.here, self.JOB)

        rooms.give(rooms.here)

        assert bench.job(self.JOB).host == "here"


class TestAMachineOnWhichTwoJobsEndWorkers:
    A, B = spec("a"), spec("b")

    def fell(self, bench: Bench) -> Rooms:
        """Both jobs were given to one machine, where each ended a worker."""
        rooms = Rooms(bench)
        bench.enqueue(self.A, self.B)
        rooms.give(rooms.here)
        rooms.die(rooms.here, self.A)
        assert bench.job(self.A).poisoned == 1
        rooms.die(rooms.here, self.B)
        return rooms

    def test_is_accused_and_neither_job_is_charged(self, bench: Bench) -> None:
        rooms = self.fell(bench)

        assert view_of(rooms.dispatcher, "here").accused
        assert not view_of(rooms.dispatcher, "there").accused
        first, second = bench.job(self.A), bench.job(self.B)
        assert (first.poisoned, first.attempt - first.excused) == (0, 0)
        assert (second.poisoned, second.lost, second.attempt - second.excused) == (0, 1, 0)
        assert second.last_error is not None
        assert second.last_error["class"] == "lost_machine"

    def test_gets_one_job_at_a_time_until_it_has_finished_one(self, bench: Bench) -> None:
        rooms = self.fell(bench)
        rooms.give(rooms.here)
        assert view_of(rooms.dispatcher, "here").busy == 1

        rooms.here.script = rooms.here.speak_all
        for _ in range(3):
            rooms.dispatcher.step()

        assert not view_of(rooms.dispatcher, "here").accused
        rooms.here.script = lambda: None
        bench.enqueue(spec("c"), spec("d"))
        rooms.give(rooms.here)
        assert view_of(rooms.dispatcher, "here").busy >= 2

    def test_takes_the_blame_for_the_next_death_too(self, bench: Bench) -> None:
        rooms = self.fell(bench)
        rooms.there.script = rooms.there.speak_all
        rooms.give(rooms.there)
        third = spec("c")
        bench.enqueue(third)
        rooms.give(rooms.here)

        rooms.die(rooms.here, third)

        record = bench.job(third)
        assert (record.poisoned, record.attempt - record.excused) == (0, 0)
        assert record.last_error is not None
        assert record.last_error["class"] == "lost_machine"

    def test_is_not_accused_where_a_job_was_finished_between(self, bench: Bench) -> None:
        rooms = Rooms(bench)
        bench.enqueue(self.A)
        rooms.give(rooms.here)
        rooms.die(rooms.here, self.A)
        bench.enqueue(spec("good"))
        rooms.open = {rooms.here}
        rooms.dispatcher.claim()
        rooms.here.script = rooms.here.speak_all
        rooms.dispatcher.step()
        rooms.here.script = lambda: None
        bench.enqueue(self.B)
        rooms.dispatcher.claim()

        rooms.die(rooms.here, self.B)

        assert not view_of(rooms.dispatcher, "here").accused
        assert bench.job(self.B).poisoned == 1

    def test_is_not_accused_where_there_is_no_other(self, bench: Bench) -> None:
        """Then the jobs go on being tried where they are, and each is charged with its own death."""
        dispatcher = bench.holding(self.A, self.B)
        die_with(bench, dispatcher, bench.host, self.A)
        die_with(bench, dispatcher, bench.host, self.B)

        assert not view_of(dispatcher, "here").accused
        assert [bench.job(job).poisoned for job in (self.A, self.B)] == [1, 1]


class TestADeathOfABatch:
    A, B = spec("a"), spec("b")

    def submitted(self, bench: Bench) -> dict[str, SpoolJob]:
        """What waits in the inbox, by request id."""
        files = (bench.root / "spool" / "inbox").glob("*.json")
        jobs = [SpoolJob.from_bytes(path.read_bytes()) for path in files]
        return {job.request_id: job for job in jobs}

    def test_sends_both_back_to_run_by_themselves_and_costs_no_attempt(self, bench: Bench) -> None:
        """Nobody knows which of them it was."""
        dispatcher = bench.holding(self.A, self.B)
        assert [job.alone for job in self.submitted(bench).values()] == [False, False]
        bench.clock.advance(2)
        bench.host.script = dies_with(bench.host, self.A, self.B)
        dispatcher.step()
        bench.host.script = lambda: None
        for job in (self.A, self.B):
            record = bench.job(job)
            assert (record.state, record.poisoned, record.lost) == (JobState.WAITING, 0, 0)
            assert record.attempt - record.excused == 0

        dispatcher.claim()

        assert {name: job.alone for name, job in self.submitted(bench).items()} == {
            self.A.request_id: True,
            self.B.request_id: True,
        }

    def test_is_not_remembered_against_the_machine(self, bench: Bench) -> None:
        rooms = Rooms(bench)
        bench.enqueue(self.A, self.B)
        rooms.give(rooms.here)
        rooms.die(rooms.here, self.A, self.B)
        rooms.give(rooms.here)

        rooms.die(rooms.here, self.A)

        assert not view_of(rooms.dispatcher, "here").accused
        assert [bench.job(job).poisoned for job in (self.A, self.B)] == [1, 0]

    def test_does_not_touch_a_third_job_that_waits(self, bench: Bench) -> None:
        third = spec("c")
        dispatcher = bench.holding(self.A, self.B)
        bench.clock.advance(2)
        bench.host.script = dies_with(bench.host, self.A, self.B)
        bench.enqueue(third)

        dispatcher.step()
        dispatcher.claim()

        assert self.submitted(bench)[third.request_id].alone is False


class TestAWorkerThatAnotherOneFollowed:
    """Its host kept it going by itself: nobody reported the death, only the heartbeat is another's."""

    @pytest.mark.parametrize("replaceable", [False, True])
    def test_died_of_the_job_that_still_lies_in_its_hands(self, bench: Bench, replaceable: bool) -> None:
        job = spec()
        dispatcher = bench.holding(job, replaceable=replaceable)
        bench.host.script = lambda: None
        bench.host.take()
        bench.clock.advance(2)
        dispatcher.step()
        assert bench.job(job).poisoned == 0

        bench.host.restart()
        bench.host.beat()  # the next one
        bench.clock.advance(2)
        dispatcher.step()

        assert (bench.job(job).state, bench.job(job).poisoned) == (JobState.DELAYED, 1)
        assert view_of(dispatcher, "here").deaths == 1

    def test_did_not_die_of_a_job_that_it_had_finished(self, bench: Bench) -> None:
        job, other = spec("a"), spec("b")
        dispatcher = bench.holding(job, other)
        bench.host.script = lambda: None
        (taken,) = bench.host.take()
        bench.clock.advance(2)
        dispatcher.step()
        bench.host.speak(taken)

        bench.host.restart()
        bench.host.beat()  # the next one
        bench.clock.advance(2)
        dispatcher.step()

        assert [bench.job(each).poisoned for each in (job, other)] == [0, 0]

    def test_is_counted_once_where_the_death_was_reported_too(self, bench: Bench) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        die_with(bench, dispatcher, bench.host, job)

        bench.host.beat()  # the next one
        for _ in range(3):
            bench.clock.advance(2)
            dispatcher.step()

        assert bench.job(job).poisoned == 1
        assert view_of(dispatcher, "here").deaths == 1

    def test_did_not_end_where_it_only_beats_on(self, bench: Bench) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        (taken,) = bench.host.take()
        bench.host.script = lambda: bench.host.beat(taken.entry)
        for _ in range(5):
            bench.clock.advance(2)
            dispatcher.step()

        assert (bench.job(job).poisoned, view_of(dispatcher, "here").deaths) == (0, 0)
