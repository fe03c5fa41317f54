"""The queue as a leader sees it: what it may change, it changes only while it leads (W15)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from job_watcher.provisioning.adapters import LEADERS_ONLY, OPEN_TO_ALL, leaders_queue
from job_watcher.provisioning.ports import Leadership, NotLeading
from lib.jobqueue import JobQueue
from lib.jobqueue.memory.queue import MemoryQueue
from lib.leadership.lock import LeaderLock
from tests.unit.jobs.jobs import spec

METHODS = sorted(name for name, _ in inspect.getmembers(JobQueue, inspect.isfunction) if name[0] != "_")

# Each that a watcher which does not lead may call, as it is called.
OPEN: dict[str, Callable[[JobQueue], object]] = {
    "close": lambda queue: queue.close(),
    "ended": lambda queue: queue.ended([0.0]),
    "follow_events": lambda queue: queue.follow_events("0-0"),
    "heartbeat_watcher": lambda queue: queue.heartbeat_watcher("w"),
    "history": lambda queue: queue.history(),
    "ids_under": lambda queue: queue.ids_under("a:"),
    "job": lambda queue: queue.job("a"),
    "jobs": lambda queue: queue.jobs(["a"]),
    "last_event_id": lambda queue: queue.last_event_id(),
    "latest_events": lambda queue: queue.latest_events(1),
    "listed": lambda queue: queue.listed(None),
    "look_along": lambda queue: queue.look_along(),
    "nearest": lambda queue: queue.nearest("a"),
    "place": lambda queue: queue.place("a"),
    "register_watcher": lambda queue: queue.register_watcher("w", {}),
    "remove_watcher": lambda queue: queue.remove_watcher("w"),
    "result": lambda queue: queue.result("a"),
    "results": lambda queue: queue.results(["a"]),
    "revisions": lambda queue: queue.revisions("a"),
    "server_health": lambda queue: queue.server_health(),
    "snapshot": lambda queue: queue.snapshot(),
    "specs": lambda queue: queue.specs(["a"]),
    "wake": lambda queue: queue.wake(),
    "watchers": lambda queue: queue.watchers(),
}


def guarded(queue: MemoryQueue, *, leads: bool) -> JobQueue:
    lock = cast(LeaderLock, SimpleNamespace(epoch=3))
    leadership = cast(Leadership, SimpleNamespace(held=lambda epoch: leads and epoch == 3))
    return leaders_queue(queue, lock, leadership)


def test_every_method_of_the_port_stands_in_one_of_the_two_lists() -> None:
    assert set(METHODS) == OPEN_TO_ALL | LEADERS_ONLY
    assert not OPEN_TO_ALL & LEADERS_ONLY
    assert set(OPEN) == OPEN_TO_ALL


def test_a_method_of_neither_list_is_nobodys() -> None:
    class NewQueue(MemoryQueue):
        def forget(self) -> None:
            """What the port learned today."""

    with pytest.raises(AttributeError, match="not decided who may call forget"):
        cast(NewQueue, guarded(NewQueue(), leads=True)).forget()


@pytest.mark.parametrize("method", [name for name in METHODS if name not in OPEN])
def test_what_is_not_known_to_be_harmless_is_refused_to_who_does_not_lead(method: str) -> None:
    call: Any = getattr(guarded(MemoryQueue(), leads=False), method)

    with pytest.raises(NotLeading, match="does not lead any more"):
        call()


@pytest.mark.parametrize("method", OPEN)
def test_what_is_open_to_all_changes_no_job(method: str) -> None:
    queue = MemoryQueue()
    queue.enqueue([spec("a")])
    before = (queue.last_event_id(), queue.job("a"))

    OPEN[method](guarded(queue, leads=False))

    assert (queue.last_event_id(), queue.job("a")) == before


def test_a_leader_is_hindered_by_nothing() -> None:
    queue = MemoryQueue()
    queue.enqueue([spec("a")])
    ours = guarded(queue, leads=True)

    (lease,) = ours.claim("w")

    assert ours.renew([lease]) == []
    assert ours.admin() is None
