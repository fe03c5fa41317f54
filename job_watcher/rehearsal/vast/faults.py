"""Faults of the fake Vast's web server, each for a route and some calls of it.

The first fault that fits a call is the one that happens. Routes are named in `routes`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RequestFault:
    """What goes wrong with the calls `nth` to `nth + times - 1` of a route, counted from when it was added.

    With `effect`, the call has its effect first; without, none. Then `delay_s` real seconds pass. Then the
    connection is dropped without an answer, or what the call answered is changed: by `edit`, which gets the
    answer's body; by `status`, `body` (text as it is, anything else as JSON) and `headers`; and cut after
    `cut_after` bytes. `times` 0 is for ever; the route "*" is every one.
    """

    route: str
    nth: int = 1
    times: int = 1
    effect: bool = False
    delay_s: float = 0.0
    drop: bool = False
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    edit: Callable[[Any], Any] | None = None
    cut_after: int | None = None
    name: str = "fault"


class FaultPlan:
    """The faults that are still to happen.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[tuple[RequestFault, list[int]]] = []

    def add(self, *faults: RequestFault) -> None:
        """Have these happen too."""
        with self._lock:
            self._planned += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        """Have nothing go wrong any more."""
        with self._lock:
            self._planned.clear()

    def next(self, route: str) -> RequestFault | None:
        """What goes wrong with this call; every fault of its route counts it."""
        hit = None
        with self._lock:
            for fault, seen in self._planned:
                if fault.route in ("*", route):
                    seen[0] += 1
                    last = float("inf") if fault.times == 0 else fault.nth + fault.times - 1
                    if hit is None and fault.nth <= seen[0] <= last:
                        hit = fault
        return hit


def lost_reply(route: str, nth: int = 1, times: int = 1) -> RequestFault:
    """It was done, and nobody was told: the connection ends without an answer."""
    return RequestFault(route, nth, times, effect=True, drop=True, name="lost reply")


def no_answer(route: str, nth: int = 1, times: int = 1) -> RequestFault:
    """Nothing was done, and the connection ends without an answer."""
    return RequestFault(route, nth, times, drop=True, name="no answer")


def hang(route: str, delay_s: float, nth: int = 1, times: int = 1, *, effect: bool = False) -> RequestFault:
    """The answer comes after `delay_s` real seconds: longer than the client waits."""
    return RequestFault(route, nth, times, effect=effect, delay_s=delay_s, name="hang")


def server_error(
    route: str, status: int = 502, nth: int = 1, times: int = 1, *, effect: bool = False
) -> RequestFault:
    """A page of a web server on the way, with or without the effect."""
    page = f"<html><body><h1>{status} Bad Gateway</h1></body></html>"
    headers = {"Content-Type": "text/html"}
    return RequestFault(
        route, nth, times, effect=effect, status=status, body=page, headers=headers, name=f"{status}"
    )


def html_page(route: str, nth: int = 1, times: int = 1, *, effect: bool = False) -> RequestFault:
    """Status 200, and a web page instead of JSON."""
    return RequestFault(
        route, nth, times, effect=effect, status=200, body="<html>Just a moment...</html>", name="html"
    )


def truncated(route: str, cut_after: int = 40, nth: int = 1, times: int = 1) -> RequestFault:
    """It was done, and the JSON ends in the middle."""
    return RequestFault(route, nth, times, effect=True, cut_after=cut_after, name="truncated")


def rate_limited(
    route: str, nth: int = 1, times: int = 1, *, retry_after: str | None = None, plain: bool = False
) -> RequestFault:
    """Status 429 in one of the two forms, with or without Retry-After."""
    text = "API requests too frequent endpoint threshold=4.5"
    body: Any = text.replace("frequent", "frequent:") if plain else {"detail": text}
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return RequestFault(route, nth, times, status=429, body=body, headers=headers, name="429")


def refused(route: str, status: int, error: str, msg: str, nth: int = 1, times: int = 1) -> RequestFault:
    """One of Vast's refusals, with nothing done."""
    body = {"success": False, "error": error, "msg": msg}
    return RequestFault(route, nth, times, status=status, body=body, name=error)


def redirect(route: str, status: int, location: str, nth: int = 1, times: int = 1) -> RequestFault:
    """The client is sent elsewhere."""
    return RequestFault(
        route, nth, times, status=status, body="", headers={"Location": location}, name=f"{status}"
    )


def edited(route: str, edit: Callable[[Any], Any], nth: int = 1, times: int = 1) -> RequestFault:
    """It was done, and the answer is odd: `edit` gets its body and returns another."""
    return RequestFault(route, nth, times, effect=True, edit=edit, name="edited")


def silent_failure(route: str, nth: int = 1, times: int = 1, *, effect: bool = True) -> RequestFault:
    """Status 200 with success:false and no id, and (with `effect`) it was done all the same."""
    return RequestFault(
        route, nth, times, effect=effect, status=200, body={"success": False}, name="success:false"
    )
