"""Pages of jobs by their state, and how many had ended when; a look costs the same however many there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from lib.errors import BadInput
from lib.jobqueue.admin.observed import EndedJobs, ListedJobs
from lib.jobqueue.model import PRIORITIES, JobState
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.rows import state_in
from lib.redislink.transport import Transport

_MOST_RUNNING: Final = 1000
_ENTRY: Final = re.compile(r"([0-2]):([0-9]{1,15}-[0-9]{1,10})")
_PLACE: Final = re.compile(r"([0-9]{1,15}):(.+)")


def listed(transport: Transport, keys: Keys, state: JobState | None, behind: str, count: int) -> ListedJobs:
    """As the port's. Raises BadInput where `behind` is none of this state's."""
    try:
        match state:
            case JobState.WAITING:
                return _waiting(transport, keys, behind, count)
            case JobState.RUNNING:
                return _running(transport, keys, behind, count)
            case _:
                return _timed(transport, keys, state, behind, count)
    except ValueError:
        of_which = f"{state.value} jobs" if state else "the history"
        raise BadInput(f"{behind!r} is where no page of {of_which} ended") from None


def _in_state(transport: Transport, keys: Keys, state: JobState, ids: Sequence[str]) -> tuple[str, ...]:
    """Those of the ids that are in that state."""
    if not ids:
        return ()
    rows = _one(transport, "HMGET", keys["state"], *ids)
    return tuple(
        name for name, raw in zip(ids, rows, strict=True) if raw and state_in(str(raw)) == state.value
    )


def _waiting(transport: Transport, keys: Keys, behind: str, count: int) -> ListedJobs:
    """In a stream are those that wait and those that run; what is handed back stands there as before."""
    told = _ENTRY.fullmatch(behind or "0:0-0")
    if told is None:
        raise ValueError(behind)
    at, start = int(told[1]), f"({told[2]}"
    found: list[str] = []
    for index in range(at, len(PRIORITIES)):
        left = count - len(found)
        page = _one(transport, "XRANGE", keys[PRIORITIES[index]], start, "+", "COUNT", left)
        found += [str(fields[1]) for _, fields in page]
        if len(page) == left:
            ids = _in_state(transport, keys, JobState.WAITING, found)
            return ListedJobs(ids, f"{index}:{page[-1][0]}")
        start = "-"
    return ListedJobs(_in_state(transport, keys, JobState.WAITING, found))


def _timed(transport: Transport, keys: Keys, state: JobState | None, behind: str, count: int) -> ListedJobs:
    """Delayed ones as they come due, finished ones from the latest back.

    Never by offset: those that come or go meanwhile would push others from one page into the one before.
    """
    told = _PLACE.fullmatch(behind)
    if behind and told is None:
        raise ValueError(behind)
    last = (float(told[1]), told[2]) if told else None
    later = state is JobState.DELAYED
    bad = state in (JobState.FAILED, JobState.CANCELED)
    key = keys["delayed" if later else "history_failed" if bad else "history"]
    command, first, end = ("ZRANGEBYSCORE", "-inf", "+inf") if later else ("ZREVRANGEBYSCORE", "+inf", "-inf")
    reach = count
    while True:
        start = first if last is None else last[0]
        flat = _one(transport, command, key, start, end, "WITHSCORES", "LIMIT", 0, reach)
        found = [(float(at), str(name)) for name, at in zip(flat[::2], flat[1::2], strict=True)]
        fresh = [place for place in found if last is None or (place > last if later else place < last)]
        if fresh or len(found) < reach:
            break
        reach *= 2  # so many of the same millisecond
    page = fresh[:count]
    ids = tuple(name for _, name in page)
    if state is not None:
        ids = _in_state(transport, keys, state, ids)
    more = len(found) == reach or len(fresh) > count
    return ListedJobs(ids, f"{round(page[-1][0])}:{page[-1][1]}" if more else "")


def _running(transport: Transport, keys: Keys, behind: str, count: int) -> ListedJobs:
    """By their ids: the order of their leases changes with each renewal."""
    ids = sorted(map(str, _one(transport, "ZRANGE", keys["leases"], 0, _MOST_RUNNING - 1)))
    page = [name for name in ids if name > behind][:count]
    more = bool(page) and page[-1] != ids[-1]
    return ListedJobs(_in_state(transport, keys, JobState.RUNNING, page), page[-1] if more else "")


def ended(transport: Transport, keys: Keys, moments: Sequence[float]) -> list[EndedJobs]:
    """As the port's."""
    if not moments:
        return []
    asked = [
        ("ZCOUNT", keys[name], "-inf", f"({round(moment * 1000)}")
        for name in ("history", "history_failed")
        for moment in moments
    ]
    counts = [int(count) for count in transport.together(*asked)]
    return [EndedJobs(*each) for each in zip(counts[: len(moments)], counts[len(moments) :], strict=True)]


def _one(transport: Transport, *command: str | int | float) -> Any:
    return transport.repeat(lambda: transport.ask(*command))
