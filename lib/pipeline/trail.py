"""The trail: events in one order that never changes, none lost and none twice."""

from __future__ import annotations

from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import TrailEvent
from lib.pipeline.rows import event_of

_PAGE = 1000
_BEHIND_ALL = 10**15


def place_events(ledger: PipelineLedger) -> int:
    """Give events that have none their place in the order of all; how many.

    A transaction's number says nothing about when it became visible. Here one process at a time looks at what
    is visible and numbers it behind all that was numbered before, so that a reader who remembers the last
    position never misses one. What caused an event was visible before it and gets the lower number.
    """
    if not ledger.look(lambda transaction: transaction.all("unplaced", count=1)):
        return 0  # who follows asks often, and mostly in vain: looking takes nobody's turn to write
    placed = 0
    while True:
        count = ledger.change(_place)
        placed += count
        if count < _PAGE:
            return placed


def _place(transaction: Transaction) -> int:
    transaction.all("lock_order")
    rows = transaction.all("unplaced", count=_PAGE)
    if rows:
        last = transaction.all("last_position")[0]["position"]
        transaction.run("place", [{"id": row["id"], "position": last + 1 + i} for i, row in enumerate(rows)])
    return len(rows)


def events_after(
    ledger: PipelineLedger, position: int, *, run: str | None = None, count: int = _PAGE
) -> list[TrailEvent]:
    """The trail behind `position` (0: from its begin), of one run or of all, in order; `count` at most."""
    place_events(ledger)

    def work(transaction: Transaction) -> list[TrailEvent]:
        if run is None:
            rows = transaction.all("events_after", position=position, count=count)
        else:
            rows = transaction.all("events_of", run=run, position=position, count=count)
        return [event_of(row) for row in rows]

    return ledger.look(work)


def newest_events(
    ledger: PipelineLedger, run: str, *, count: int = 100, before: int | None = None
) -> list[TrailEvent]:
    """The end of a run's trail, or what stands before a position: `count` events at most, in order."""
    place_events(ledger)
    at = _BEHIND_ALL if before is None else before
    rows = ledger.look(
        lambda transaction: transaction.all("newest_events_of", run=run, position=at, count=count)
    )
    return [event_of(row) for row in reversed(rows)]
