"""Whose jobs are in line: what a watcher rents for, learned without claiming anything."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.jobqueue import Changed, ErrorClass, Failure, JobQueue
from lib.jobqueue.admin.observed import BatchInLine, StretchOfLine
from lib.jobqueue.redis.queue import RedisQueue
from tests.contract.jobqueue.jobs import job, known


def batches(queue: JobQueue) -> tuple[BatchInLine, ...]:
    found = queue.look_along()
    assert found.behind == ""
    return found.batches


def test_jobs_are_counted_by_batch_the_first_in_line_first(queue: JobQueue) -> None:
    queue.enqueue([job("a", batch="film", priority="low"), job("b"), job("c", batch="book")])
    queue.enqueue([job("d", batch="film", priority="high"), job("e", batch="book")])

    assert batches(queue) == (BatchInLine("film", 2, 0), BatchInLine("", 1, 0), BatchInLine("book", 2, 0))
    assert known(queue, "a").lease_no == 0


def test_nothing_is_in_line_of_an_empty_queue(queue: JobQueue) -> None:
    assert batches(queue) == ()


def test_only_what_is_due_and_not_finished_counts(queue: JobQueue, clock: ManualClock) -> None:
    names = ("done", "bad", "later", "out", "back", "held")
    queue.enqueue([job(name, batch=name) for name in names])
    queue.enqueue([job("tomorrow", batch="tomorrow", not_before=clock.now() + 86_400)])
    done, bad, later = queue.claim("ann", count=3)
    queue.complete(done, {})
    queue.fail(bad, Failure(ErrorClass.BAD_INPUT, "No."))
    queue.fail(later, Failure(ErrorClass.TRANSIENT, "Not now."))
    queue.cancel("out")
    back, _held = queue.claim("ann", count=2)
    queue.release(back, "drain")

    assert set(batches(queue)) == {BatchInLine("back", 1, 0), BatchInLine("held", 0, 1)}


def test_a_batch_that_stands_elsewhere_in_a_job_is_not_its_own(queue: JobQueue) -> None:
    queue.enqueue(
        [
            job("a", callback_data={"batch": "of the caller"}),
            job("b", text='She said: {"batch":"of the text"}.'),
            job("c", batch="film", callback_data={"batch": "of the caller"}),
        ]
    )

    assert batches(queue) == (BatchInLine("", 2, 0), BatchInLine("film", 1, 0))


def test_a_job_that_was_given_another_batch_counts_there(queue: JobQueue) -> None:
    queue.enqueue([job("a", batch="film")])
    queue.enqueue([job("a", batch="book")], changed=Changed.REPLACE)

    assert batches(queue) == (BatchInLine("book", 1, 0),)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_a_long_line_is_looked_along_in_stretches(queue: JobQueue, count: int) -> None:
    for priority in ("low", "normal", "high"):  # the front of the line came last
        queue.enqueue([job(f"{priority}-{at}", batch=f"b{at}", priority=priority) for at in range(4)])

    waiting: dict[str, int] = {}
    behind, looks = "", 0
    while True:
        found = queue.look_along(behind, count=count)
        assert sum(item.waiting for item in found.batches) <= count
        for item in found.batches:
            waiting[item.batch] = waiting.get(item.batch, 0) + item.waiting
        looks, behind = looks + 1, found.behind
        assert looks <= 13
        if not behind:
            break

    assert waiting == {"b0": 3, "b1": 3, "b2": 3, "b3": 3}
    assert looks >= 12 // count


def test_long_specifications_make_the_stretch_shorter(queue: JobQueue) -> None:
    """The server answers nobody else while it reads them."""
    queue.enqueue([job(f"j{at}", batch="film", text="Word. " * 50_000) for at in range(4)])

    first = queue.look_along()
    rest = queue.look_along(first.behind) if first.behind else StretchOfLine(())

    assert sum(item.waiting for item in (*first.batches, *rest.batches)) == 4
    assert bool(rest.batches) is isinstance(queue, RedisQueue)


def test_what_is_damaged_on_the_server_hides_nothing_else(queue: JobQueue) -> None:
    """A row and a specification that cannot be read, one that is gone, and entries of no job in line."""
    if not isinstance(queue, RedisQueue):
        return
    names = ("done", "row", "unread", "gone", "whole")
    queue.enqueue([job(name, batch="film", callback_data={"of": name}) for name in names])
    (lease,) = queue.claim("ann")
    queue.complete(lease, {})
    transport, keys, _ = queue.parts()
    damage: list[tuple[str, ...]] = [
        ("XADD", keys["normal"], "*", "id", "done"),
        ("XADD", keys["normal"], "*", "id", "stray"),
        ("HSET", keys["state"], "row", "no row"),
        ("HSET", keys["spec"], "unread", '{"batch":'),
        ("HDEL", keys["spec"], "gone"),
    ]
    for command in damage:
        transport.ask(*command)

    assert batches(queue) == (BatchInLine("", 2, 0), BatchInLine("film", 1, 0))
