"""A receiver is told of failures that the queue recorded by itself, once each (W19)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from job_watcher.queue_failures import QueueFailures
from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, QueueOptions
from lib.jobqueue.memory.queue import MemoryQueue
from lib.webhooks import Outbox, WebhookSink
from tests.unit.dispatch.bench import spec


class Office:
    """A queue on a clock, an outbox, and who looks for failures."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.queue = MemoryQueue(QueueOptions(lost_limit=1), now_ms=lambda: round(self.clock.now() * 1000))
        self.outbox = Outbox(folder)
        self.leads = True
        self.restart()

    def restart(self) -> None:
        """Another process looks from now on."""
        sink = WebhookSink(self.outbox, self.clock, deployment="d", watcher="w", wake=lambda: None)
        self.follower = QueueFailures(self._open, sink, self.outbox.folder, may=lambda: self.leads)

    @contextlib.contextmanager
    def _open(self) -> Iterator[MemoryQueue]:
        yield self.queue

    def lose(self, name: str) -> None:
        """A job whose worker goes away for good."""
        self.queue.enqueue([spec(name)])
        (lease,) = self.queue.claim("ann")
        self.queue.begin(lease)
        self.clock.advance(1000)
        assert self.queue.claim("bob") == []

    def told(self) -> list[str]:
        """The jobs that a receiver would be told of; they are taken."""
        waiting = self.outbox.waiting()
        bodies = [json.loads(self.outbox.body(item) or b"") for item in waiting]
        for item in waiting:
            self.outbox.remove(item)
        assert all("were lost while working" in body["reason"] for body in bodies)
        return [body["request_id"] for body in bodies]


def test_each_is_told_once_also_across_a_restart_and_what_a_watcher_told_is_not(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.lose("before")
    office.follower.turn()
    assert office.told() == []  # it was there before anybody was to be told

    office.lose("first")
    office.queue.enqueue([spec("judged")])
    (lease,) = office.queue.claim("ann")
    office.queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "It cannot be read."))
    for _ in range(2):
        office.follower.turn()
    assert office.told() == [spec("first").request_id]

    office.lose("between")
    office.restart()
    for _ in range(2):
        office.follower.turn()
    assert office.told() == [spec("between").request_id]


def test_one_that_was_told_and_not_noted_has_the_same_id(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.follower.turn()
    noted = (tmp_path / "queue-failures").read_bytes()
    office.lose("first")
    office.follower.turn()
    (first,) = office.outbox.waiting()
    (tmp_path / "queue-failures").write_bytes(noted)  # as if it had been killed in between
    office.outbox.remove(first)

    office.restart()
    office.follower.turn()

    (second,) = office.outbox.waiting()
    assert first.id == second.id


def test_a_server_whose_clock_was_set_back_a_little_hides_none(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.follower.turn()
    office.lose("first")
    office.follower.turn()
    office.clock.advance(-1030)
    office.lose("second")
    office.follower.turn()

    assert sorted(office.told()) == sorted(spec(name).request_id for name in ("first", "second"))


def test_only_the_process_that_sends_looks(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.follower.turn()
    office.lose("first")
    office.leads = False

    office.follower.turn()

    assert office.told() == []
