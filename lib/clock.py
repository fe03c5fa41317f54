"""The clock as a value that is passed in, so that tests and simulations set the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The two times a program needs. Code that waits or stamps takes one of these."""

    def now(self) -> float:
        """Wall time, seconds since the epoch. May jump; for records and people."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed point. Never goes back; for deadlines and durations."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Wall time, seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to: for tests and the simulation."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._start = now
        self._now = now

    def now(self) -> float:
        """The time it was set to, seconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._now - self._start

    def sleep(self, seconds: float) -> None:
        """Move the clock instead of waiting."""
        self._now += seconds

    advance = sleep


def rfc3339(seconds: float) -> str:
    """Format seconds since the epoch as RFC 3339 in UTC, to the millisecond: 2026-11-22T01:02:03.456Z."""
    stamp = datetime.fromtimestamp(seconds, tz=UTC)
    return stamp.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_rfc3339(text: str) -> float:
    """Parse an RFC 3339 time with a zone into seconds since the epoch.

    Raises:
        ValueError: not such a time, or without a zone.
    """
    stamp = datetime.fromisoformat(text)
    if stamp.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it like 2026-11-22T09:00:00Z")
    return stamp.timestamp()
