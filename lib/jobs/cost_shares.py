"""Shares out what a machine cost over what it did and over its jobs: values in, values out.

Money is whole micro-dollars, and the shares of a charge add up to it exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from lib.fleet.lifecycle import State
from lib.machines.model import Charge, FinishedWork, HistoryEvent, MachineRow

HOUR_S: Final = 3600

Name = TypeVar("Name")


class PaidFor(StrEnum):
    """What a machine did in time that was paid for."""

    STARTING = "starting"  # the cold start: until it passed its checks
    WORKING = "working"  # on jobs that it finished
    IDLE = "idle"  # ready, and at no job that it finished
    LEAVING = "leaving"  # it was given back, until it was seen absent
    WASTED = "wasted"  # all the time of a machine that was given back and never ready


_DOES: Final[Mapping[str, PaidFor]] = {
    **dict.fromkeys((State.PLANNED, State.UNKNOWN, State.RENTED), PaidFor.STARTING),
    **dict.fromkeys((State.READY, State.DRAINING), PaidFor.IDLE),
    State.LEAVING: PaidFor.LEAVING,
}

#: What was done, from when to when.
Span = tuple[PaidFor, float, float]


def spans_of(
    life: Sequence[HistoryEvent], work: Iterable[FinishedWork], row: MachineRow, now: float
) -> list[Span]:
    """What the machine did from when to when, in the order of time."""
    over = any(event.state in (State.LEAVING, State.GONE) for event in life)
    wasted = over and not any(event.state == State.READY for event in life)
    ends = [*(event.at for event in life[1:]), row.closed_at or now]
    busy = [*busy_times(work)]
    found: list[Span] = []
    for event, end in zip(life, ends, strict=True):
        what = _DOES.get(event.state)
        if what is None or end <= event.at:
            continue
        if wasted:
            found.append((PaidFor.WASTED, event.at, end))
        elif what is PaidFor.IDLE:
            found.extend(_ready(event.at, end, busy))
        else:
            found.append((what, event.at, end))
    return found


def busy_times(work: Iterable[FinishedWork]) -> Sequence[tuple[float, float]]:
    """When the machine worked: one job after another, each ended at the latest when its audio was taken in.

    Several that were taken in at once were spoken one before the other, so they are laid end to end, from the
    last one backwards.
    """
    found: list[tuple[float, float]] = []
    for job in sorted(work, key=lambda one: one.at, reverse=True):
        end = min(job.at, found[-1][0]) if found else job.at
        begin = end - max(0, job.work_ms) / 1000
        if found and found[-1][0] == end:
            found[-1] = (begin, found[-1][1])
        else:
            found.append((begin, end))
    return found[::-1]


def _ready(begin: float, end: float, busy: Iterable[tuple[float, float]]) -> Iterator[Span]:
    """A stretch in which the machine was ready, as work and as waiting."""
    at = begin
    for since, till in busy:
        since, till = max(since, at), min(till, end)
        if till <= since:
            continue
        if since > at:
            yield PaidFor.IDLE, at, since
        yield PaidFor.WORKING, since, till
        at = till
    if end > at:
        yield PaidFor.IDLE, at, end


def by_time(charge: Charge, spans: Sequence[Span]) -> Iterator[tuple[PaidFor, int]]:
    """The hour's charge by the seconds of each span in it.

    A charge of an hour in which the machine did nothing, as a bill may have it, goes to what is nearest.
    """
    begin, end = charge.hour * HOUR_S, (charge.hour + 1) * HOUR_S
    seconds: dict[PaidFor, float] = {}
    for what, since, till in spans:
        inside = min(till, end) - max(since, begin)
        if inside > 0:
            seconds[what] = seconds.get(what, 0.0) + inside
    if not seconds:
        near = min(spans, key=lambda span: max(span[1] - end, begin - span[2]), default=None)
        yield (PaidFor.WASTED if near is None else near[0]), charge.micros
        return
    yield from shares(charge.micros, seconds)


def by_work(
    work: Iterable[FinishedWork], name_of: Callable[[FinishedWork], str]
) -> Mapping[str, Mapping[str, float]]:
    """For each machine, how long it worked for each name: the weights by which its cost is shared out."""
    weights: dict[str, dict[str, float]] = defaultdict(dict)
    for job in work:
        mine, name = weights[job.token], name_of(job)
        mine[name] = mine.get(name, 0.0) + max(1, job.work_ms)  # a job that took no time is one still
    return weights


def shares(micros: int, weights: Mapping[Name, float]) -> Iterator[tuple[Name, int]]:
    """The amount by weight, in whole micro-dollars that add up to it: a rounding is made good by the next."""
    whole, so_far, told = sum(weights.values()), 0.0, 0
    *most, last = weights
    for name in most:
        so_far += weights[name]
        share = int(micros * (so_far / whole)) - told
        told += share
        yield name, share
    yield last, micros - told
