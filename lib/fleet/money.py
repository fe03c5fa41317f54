"""Caps: what may be spent, reserved before it is spent.

A machine's reservation is its price until the end of its time, plus its fee. A cap of the calendar's hour,
day or month holds for the present window and for the next: reservations only end, so no later window can
hold more than the next one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from lib.fleet.model import HOUR, Caps
from lib.units import MICROS

#: Over our own count: providers round up, and a destroy takes a moment.
MARGIN: Final = 1.03
#: A rental may be made so long after it was asked for, and pays its fee then.
_LATE_FEE_S: Final = 900.0


class Commitment(NamedTuple):
    """Money that is promised: a price until an end, and a fee that may not have been charged yet."""

    token: str
    hourly_micros: int
    fee_micros: int
    until: float
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Accounts:
    """What was spent and what is promised, at `now`."""

    now: float
    commitments: tuple[Commitment, ...] = ()
    spent_by_hour: Mapping[int, int] = field(default_factory=dict)
    spent_by_machine: Mapping[str, int] = field(default_factory=dict)
    spent_on_batch: int = 0


class Window(NamedTuple):
    """One stretch of the calendar with its cap."""

    name: str
    begin: float
    end: float
    cap: int


def windows(caps: Caps, now: float) -> tuple[Window, ...]:
    """The present and the next hour, day and month, UTC."""
    hour = now - now % HOUR
    day = now - now % 86_400
    this = datetime.fromtimestamp(day, tz=UTC).replace(day=1)
    following = (this + timedelta(days=32)).replace(day=1)
    after = (following + timedelta(days=32)).replace(day=1)
    month, next_month, third = (stamp.timestamp() for stamp in (this, following, after))
    return (
        Window("hour", hour, hour + HOUR, caps.hour),
        Window("hour", hour + HOUR, hour + 2 * HOUR, caps.hour),
        Window("day", day, day + 86_400, caps.day),
        Window("day", day + 86_400, day + 2 * 86_400, caps.day),
        Window("month", month, next_month, caps.month),
        Window("month", next_month, third, caps.month),
    )


def hours_of_interest(now: float) -> range:
    """The hours since the epoch whose spending the caps look at: from the month's first to the present."""
    first = datetime.fromtimestamp(now, tz=UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return range(int(first.timestamp()) // HOUR, int(now) // HOUR + 1)


def cost(hourly_micros: int, seconds: float) -> int:
    """Micro-dollars of that time at that price, rounded up."""
    return -int(-(hourly_micros * max(0.0, seconds)) // HOUR)


class Budget:
    """What is left under each cap. Made once of the accounts, asked for any number of wishes."""

    def __init__(self, accounts: Accounts, caps: Caps) -> None:
        self._accounts, self._caps = accounts, caps
        spent = [(hour, micros) for hour, micros in accounts.spent_by_hour.items() if micros]
        self._windows = [
            (window, _spent(spent, window) + _promised(accounts.commitments, accounts, window))
            for window in windows(caps, accounts.now)
        ]

    def refusal(self, wish: Commitment) -> str | None:
        """Why this commitment does not fit under the caps beside all others; None when it does."""
        accounts, caps = self._accounts, self._caps
        whole = (wish.fee_micros + cost(wish.hourly_micros, wish.until - accounts.now)) * MARGIN
        if wish.hourly_micros > caps.hourly_price:
            return f"its price of {dollars(wish.hourly_micros)} an hour is over the most allowed"
        if whole > caps.machine:
            return f"it could cost {dollars(int(whole))}, over the cap of one machine"
        if caps.batch is not None and whole + _batch(wish.batch, accounts) > caps.batch:
            return f"the batch {wish.batch!r} has no room left under its cap of {dollars(caps.batch)}"
        for window, taken in self._windows:
            if taken + _promised((wish,), accounts, window) > window.cap:
                return f"the cap of {dollars(window.cap)} a {window.name} has no room left"
        return None

    def claims(self, wish: Commitment) -> Iterator[tuple[str, int, float, float]]:
        """Each cap with what this commitment takes of it: (name, cap, taken already, taken by the wish).

        A window of the calendar is named once, for the present or the next one, whichever is fuller.
        """
        accounts, caps = self._accounts, self._caps
        whole = (wish.fee_micros + cost(wish.hourly_micros, wish.until - accounts.now)) * MARGIN
        yield "machine", caps.machine, 0.0, whole
        if caps.batch is not None:
            yield "batch", caps.batch, _batch(wish.batch, accounts), whole
        fullest: dict[str, tuple[str, int, float, float]] = {}
        for window, taken in self._windows:
            claim = (window.name, window.cap, taken, _promised((wish,), accounts, window))
            before = fullest.get(window.name)
            if before is None or before[2] + before[3] < claim[2] + claim[3]:
                fullest[window.name] = claim
        yield from fullest.values()

    def affordable_life(self, wish: Commitment, least_s: float) -> float:
        """The longest life, up to `wish.until`, that the caps allow; 0 when not even `least_s` fits.

        Found by halving: longer never costs less, so the answer is a border.
        """
        now = self._accounts.now
        longest = wish.until - now
        if longest < least_s or self.refusal(wish._replace(until=now + least_s)):
            return 0.0
        if self.refusal(wish) is None:
            return longest
        fits, fails = least_s, longest
        while fails - fits > 30.0:
            middle = (fits + fails) / 2
            if self.refusal(wish._replace(until=now + middle)):
                fails = middle
            else:
                fits = middle
        return fits


def _promised(commitments: Iterable[Commitment], accounts: Accounts, window: Window) -> float:
    """What the commitments may yet cost inside the window."""
    begin, end = max(window.begin, accounts.now), window.end
    fees_fall_due = window.begin - _LATE_FEE_S <= accounts.now < end
    total = 0.0
    for item in commitments:
        until = min(item.until, end)
        if until > begin:
            total += item.hourly_micros * (until - begin) / HOUR
        if fees_fall_due:
            total += max(0, item.fee_micros - accounts.spent_by_machine.get(item.token, 0))
    return total * MARGIN


def _spent(by_hour: Iterable[tuple[int, int]], window: Window) -> int:
    first, last = int(window.begin) // HOUR, int(window.end) // HOUR
    return sum(micros for hour, micros in by_hour if first <= hour < last)


def _batch(batch: str, accounts: Accounts) -> float:
    promised = sum(
        max(0, item.fee_micros - accounts.spent_by_machine.get(item.token, 0))
        + cost(item.hourly_micros, item.until - accounts.now)
        for item in accounts.commitments
        if item.batch == batch
    )
    return accounts.spent_on_batch + promised * MARGIN


def credit_refusal(credit_micros: int | None, accounts: Accounts, caps: Caps) -> str | None:
    """Why the provider's credit forbids a rental: what is promised already must leave the floor untouched.

    An unknown credit refuses: at zero every machine stops, with its work.
    """
    if credit_micros is None:
        return "the account's credit is not known"
    promised = sum(cost(item.hourly_micros, item.until - accounts.now) for item in accounts.commitments)
    if credit_micros - promised < caps.credit_floor:
        return f"the account's credit of {dollars(credit_micros)} is at its floor"
    return None


def hourly_shares(hourly_micros: int, begin: float, end: float) -> Iterable[tuple[int, int]]:
    """The cost of a stretch of time by hour since the epoch: (hour, micro-dollars)."""
    while begin < end:
        hour = int(begin) // HOUR
        stop = min(end, (hour + 1) * HOUR)
        yield hour, cost(hourly_micros, stop - begin)
        begin = stop


def dollars(micros: int) -> str:
    """Micro-dollars for people, with a digit more where cents say nothing: $1.25, $0.0031."""
    value = micros / MICROS
    return f"${value:.2f}" if abs(value) >= 0.1 or not micros else f"${value:.4f}"
