"""Keeps a trouble that lasts from filling the disk: what is told again and again is told ever less often."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from lib.clock import Clock
from lib.events import TRANSITION
from lib.events.model import StorageRefused
from lib.events.watchers import WatcherTrouble

_FIRST_PAUSE_S: Final = 60.0  # doubled by each line
_LONGEST_PAUSE_S: Final = 3600.0
_QUIET_S: Final = 120.0  # not told for so long: it is news again
_MOST: Final = 500
_WAITS: Final = re.compile(r"\bin \d+ s\b")
#: Events that are told at each try, and what makes two of them the same.
_REPEATED: Final = {WatcherTrouble.name: ("reason",), StorageRefused.name: ("request_id", "reason")}


@dataclass(slots=True)
class _Told:
    at: float  # the last line, in monotonic seconds
    seen_at: float
    pause_s: float = _FIRST_PAUSE_S
    more: int = 0  # since the last line


class QuietRepeats(logging.Filter):
    """Lets a warning or an error pass when it is news, and after a minute, two, four, up to an hour.

    The line then says how many were left out. Transitions of jobs and machines pass always. It comes behind
    the filter that takes secrets out, which makes the sentence.

    Threads: any; logging calls a handler's filters with no lock, and a count that is off by one is no harm.
    Raises: nothing.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._known: OrderedDict[tuple[object, ...], _Told] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write this one."""
        key = _key_of(record)
        if key is None:
            return True
        now = self._clock.monotonic()
        told = self._known.get(key)
        if told is None or now - told.seen_at > _QUIET_S:
            self._known[key] = _Told(now, now)
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
            return True
        told.seen_at = now
        if now - told.at < told.pause_s:
            told.more += 1
            return False
        record.msg, record.args = f"{record.getMessage()} (and {told.more} times since the last line)", None
        told.at, told.more, told.pause_s = now, 0, min(2 * told.pause_s, _LONGEST_PAUSE_S)
        return True


def _key_of(record: logging.LogRecord) -> tuple[object, ...] | None:
    """What makes this one the same as another; None: it always passes."""
    told = getattr(record, TRANSITION, None)
    if isinstance(told, dict):
        names = _REPEATED.get(told.get("event", ""))
        return None if names is None else (told["event"], *(told.get(name) for name in names))
    if record.levelno < logging.WARNING:
        return None
    return record.name, record.levelno, _WAITS.sub("in # s", record.getMessage())
