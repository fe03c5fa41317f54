"""Spaces the calls to Vast, which refuses those that come too fast; destroying goes before all else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final, NamedTuple

from lib.clock import Clock
from lib.providers.rental import RateLimited

_MARGIN: Final = 1.1  # of the company's own threshold: calls do not take the same time to arrive
_FIRST_REST_S: Final = 5.0
_LONGEST_REST_S: Final = 300.0
_OTHERS_REST_S: Final = 30.0
_SOON_S: Final = 1e-3  # a shorter wait need not move a clock


class CallSpacing(NamedTuple):
    """The least seconds between two calls, and how many may come at once after a pause."""

    spacing_s: float
    burst: int = 1


class Route(Enum):
    """What is called; Vast counts each by itself."""

    DESTROY = "destroy"
    RENT = "rent"
    LIST = "list"
    SHOW = "show"
    OFFERS = "offers"
    ACCOUNT = "account"
    KEYS = "keys"
    LOGS = "logs"
    CHARGES = "charges"


SPACINGS: Final = {
    Route.DESTROY: CallSpacing(3.0),
    Route.RENT: CallSpacing(4.5),
    Route.LIST: CallSpacing(1.0),
    Route.SHOW: CallSpacing(2.0),
    Route.OFFERS: CallSpacing(6.0, burst=2),  # ten a minute
    Route.ACCOUNT: CallSpacing(1.0, burst=2),  # at the start, and before the first rent
    Route.KEYS: CallSpacing(1.0),
    Route.LOGS: CallSpacing(1.5),
    Route.CHARGES: CallSpacing(1.0),
}


class CallLimiter:
    """Lets one call at a time through, each when its route's turn has come.

    Of those whose turn has come a destroy goes first: what bills is ended before anything else is asked.
    After a refusal for too many calls its route rests for as long as Vast says, and others for a moment;
    destroying rests only where it was refused itself.

    Threads: any.

    Raises, from `turn`:
        RateLimited: its turn does not come in time; nothing was called.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._freed = threading.Condition()
        self._due: dict[Route, float] = {}  # when a route had its turn without a burst
        self._rest_until: dict[Route, float] = {}
        self._refusals = 0
        self._busy = False
        self._waiting: Counter[Route] = Counter()

    @contextmanager
    def turn(self, route: Route, until: float) -> Iterator[None]:
        """Wait for the turn, at most until that time of the monotonic clock, and hold it."""
        self._enter(route, until)
        try:
            yield
        finally:
            with self._freed:
                self._busy = False
                self._freed.notify_all()

    def refused(self, route: Route, after_s: float | None) -> None:
        """A call of that route came too fast; `after_s` is what Vast said about when to come again."""
        with self._freed:
            self._refusals += 1
            own = min(_LONGEST_REST_S, _FIRST_REST_S * 2 ** min(self._refusals - 1, 10))
            now = self._clock.monotonic()
            for other in Route:
                rest = max(after_s or 0.0, own) if other is route else min(own, _OTHERS_REST_S)
                if other is route or other is not Route.DESTROY:
                    self._rest_until[other] = max(now + rest, self._rest_until.get(other, 0.0))

    def answered(self) -> None:
        """A call was not refused for its pace."""
        with self._freed:
            self._refusals = 0

    def waiting(self) -> int:
        """How many calls wait for their turn."""
        with self._freed:
            return self._waiting.total()

    def _enter(self, route: Route, until: float) -> None:
        with self._freed:
            self._waiting[route] += 1
        try:
            while (wait := self._try(route, until)) > 0:
                self._clock.sleep(wait)
        finally:
            with self._freed:
                self._waiting[route] -= 1
                self._freed.notify_all()

    def _try(self, route: Route, until: float) -> float:
        """Take the turn and return 0, or the seconds until it may come."""
        with self._freed:
            while True:
                now = self._clock.monotonic()
                wait = self._wait_s(route, now)
                if now + wait > until:
                    raise RateLimited(
                        f"Vast is not asked for {wait:.0f} s more, or it would refuse ({route.value}).", wait
                    )
                if wait > 0:
                    return wait
                if not self._busy and not self._gives_way(route, now):
                    self._take(route, now)
                    return 0.0
                if not self._freed.wait(max(0.0, until - now)):
                    raise RateLimited(f"Vast is busy with other calls of ours ({route.value}).", 1.0)

    def _wait_s(self, route: Route, now: float) -> float:
        pace = SPACINGS[route]
        early = (pace.burst - 1) * pace.spacing_s * _MARGIN
        due = max(self._due.get(route, now) - early, self._rest_until.get(route, now))
        return due - now if due - now > _SOON_S else 0.0

    def _gives_way(self, route: Route, now: float) -> bool:
        if route is Route.DESTROY or not self._waiting[Route.DESTROY]:
            return False
        return self._wait_s(Route.DESTROY, now) <= 0

    def _take(self, route: Route, now: float) -> None:
        self._busy = True
        self._due[route] = max(now, self._due.get(route, now)) + SPACINGS[route].spacing_s * _MARGIN
