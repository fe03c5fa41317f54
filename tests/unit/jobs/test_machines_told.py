"""What is told of machines, and with how much doubt; and that all of them are out."""

from __future__ import annotations

from typing import Any

import pytest

from lib.clock import ManualClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.explain import Reason, explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.machines import machines_of
from lib.jobs.overview import overview_of
from lib.processes import this_process
from tests.unit.jobs.jobs import Shelf, spec

OUT = "No machine of SSH_MACHINES can be used. me@gpu:22 refuses connections: start its SSH server."


def leader(silent_s: float = 0.0, stage: str = "ready", **data: Any) -> dict[str, Any]:
    """What a leader says of its one machine."""
    fleet = {"machine": "me@gpu:22", "stage": stage, "silent_seconds": silent_s, "workers": []}
    return {"role": "leader", "provider": "ssh", "fleet": [fleet], **data}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> MemoryQueue:
    return MemoryQueue(now_ms=lambda: round(clock.now() * 1000))


class TestDoubt:
    def test_there_is_none_of_what_was_said_just_now(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader())

        (line,) = machines_of(queue).machines

        assert (line.stage, line.doubt, line.known_s) == ("ready", "", 0.0)

    def test_a_watcher_that_was_not_heard_of_for_some_seconds_may_be_gone(
        self, queue: MemoryQueue, clock: ManualClock
    ) -> None:
        queue.register_watcher("w", leader())
        clock.advance(15)

        (line,) = machines_of(queue).machines

        assert line.doubt == "its watcher was heard of 15 s ago and may be gone"
        assert line.to_json()["known_seconds"] == 15.0

    def test_a_machine_that_does_not_answer_its_watcher_is_doubted(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader(silent_s=7.0))

        (line,) = machines_of(queue).machines

        assert (line.stage, line.doubt) == ("ready", "it has not answered for 7 s")

    def test_the_machines_of_a_watcher_that_was_killed_here_are_not_listed(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader(process={**(this_process() or {}), "started": "1"}))

        assert machines_of(queue).machines == ()


class TestThatAllAreOut:
    def test_is_said_by_status_and_explain(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader(stage="out", no_machine=OUT))
        queue.enqueue([spec("a")])

        told = explain(evidence_of(queue, Shelf(), "a"))

        assert overview_of(queue).sentence == f"1 job is outstanding; the watcher says: {OUT}"
        assert told.reason is Reason.NO_MACHINE
        assert "me@gpu:22 refuses connections: start its SSH server; it goes on by itself" in told.sentence

    def test_is_said_of_an_idle_queue_too(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader(stage="out", no_machine=OUT))

        assert overview_of(queue).sentence == f"Nothing to do; the watcher says: {OUT}"

    def test_is_not_said_where_another_watcher_has_one(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader(stage="out", no_machine=OUT))
        queue.register_watcher("here", {"provider": "local"})
        queue.enqueue([spec("a")])

        assert "No machine" not in overview_of(queue).sentence
        assert explain(evidence_of(queue, Shelf(), "a")).reason is Reason.IN_LINE

    def test_is_said_where_others_only_stand_by(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader(stage="out", no_machine=OUT))
        queue.register_watcher("other", {"provider": "ssh", "role": "standby"})
        queue.enqueue([spec("a")])

        assert explain(evidence_of(queue, Shelf(), "a")).reason is Reason.NO_MACHINE


class TestThatOneDoesNotAnswer:
    """Its jobs are taken from it only after minutes; nobody shall have to guess meanwhile."""

    def test_is_said_by_status_and_explain(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader(silent_s=26.4))
        queue.enqueue([spec("a"), spec("b")])
        queue.claim("w", count=1)
        words = "the watcher says: the machine me@gpu:22 has not answered for 26 s"

        told = [explain(evidence_of(queue, Shelf(), name)).sentence for name in ("a", "b")]

        assert overview_of(queue).sentence == f"2 jobs are outstanding; {words}"
        assert any(f"its turn comes, but {words}." in sentence for sentence in told)

    def test_is_said_of_the_job_that_is_worked_on(self, queue: MemoryQueue) -> None:
        queue.register_watcher("w", leader(silent_s=26.4))
        queue.enqueue([spec("a")])
        (lease,) = queue.claim("w", count=1)
        queue.begin(lease)

        told = explain(evidence_of(queue, Shelf(), "a"))

        assert told.reason is Reason.RUNNING
        assert "the machine me@gpu:22 has not answered for 26 s" in told.sentence

    @pytest.mark.parametrize(("silent_s", "stage"), [(1.0, "ready"), (60.0, "out")])
    def test_is_not_said_of_one_that_is_back_at_once_or_given_up(
        self, queue: MemoryQueue, silent_s: float, stage: str
    ) -> None:
        queue.register_watcher("w", leader(silent_s=silent_s, stage=stage))

        assert "answered" not in overview_of(queue).sentence
