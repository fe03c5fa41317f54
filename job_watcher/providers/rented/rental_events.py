"""Tells events of what the loop for rented machines does: money refused, orphans, each machine's life."""

from __future__ import annotations

from collections.abc import Callable

from lib.events import EventSink
from lib.events.model import (
    BudgetReached,
    LifecycleEvent,
    MachineLeftOut,
    OrphanFound,
    RentedMachineMoved,
)
from lib.events.watchers import LeaderBegan, LeaderEnded, WatcherTrouble

_MONEY = frozenset({"cap", "credit"})
#: Told by the dispatcher itself, or by nobody: a pass is no event.
_TOLD_ELSEWHERE = frozenset({"pass", "adopted"})
_REFUSED = _MONEY | {"no_offer", "account", "image", "programs"}
_BATCH_CAP = "batch_cap"  # of one batch: others go on being rented for


class EventTeller:
    """`Tell` of the loop, as events. `refused` is the last reason for which nothing was rented.

    `moved` is called for each step in the life of a machine: the next may follow at once.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self, events: EventSink, moved: Callable[[], None]) -> None:
        self._events, self._moved = events, moved
        self.refused: tuple[str, str] | None = None

    def __call__(self, kind: str, text: str, token: str) -> None:
        """Tell of one thing."""
        if kind in _TOLD_ELSEWHERE:
            return
        if kind in _REFUSED:
            self.refused = (kind, text)
        elif kind == "planned":
            self.refused = None
        if token:
            self._moved()
        self._events.emit(self._event(kind, text, token))

    def _event(self, kind: str, text: str, token: str) -> LifecycleEvent:
        if kind in _MONEY or kind == _BATCH_CAP:
            return BudgetReached(kind=kind, reason=text)
        if kind == "orphan":
            return OrphanFound(machine=text.partition(" ")[0], reason=text)
        if kind == "leading":
            return LeaderBegan(reason=text)
        if kind == "abdicated":
            return LeaderEnded(reason=text)
        if token:
            return RentedMachineMoved(machine=token, change=kind, reason=text)
        return WatcherTrouble(reason=f"nothing is rented: {text}" if kind in _REFUSED else text)


class QuietWhileStarting:
    """Passes events on, but for those of a machine that cannot be used yet: rented ones start so.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self, events: EventSink) -> None:
        self._events = events

    def emit(self, event: LifecycleEvent) -> None:
        """Pass it on."""
        if not isinstance(event, MachineLeftOut):
            self._events.emit(event)
