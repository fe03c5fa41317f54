"""Where events go: one sink in front, which logs, counts and passes on to whoever else listens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from lib.events.model import LifecycleEvent

log = logging.getLogger(__name__)

#: The attribute of a log record that holds `{"event": ..., ...}`; records without it are only words.
TRANSITION: Final = "transition"


class EventSink(Protocol):
    """Hears of each event once, in the thread in which it happened; it must be quick and never raises."""

    def emit(self, event: LifecycleEvent) -> None:
        """Take note of it."""
        ...


class LogSink:
    """Writes each event into the log: its sentence as the line, its fields beside it for programs.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._log = logger or logging.getLogger("lib.events")

    def emit(self, event: LifecycleEvent) -> None:
        """Write it."""
        self._log.log(event.level, "%s", event.sentence(), extra={TRANSITION: event.to_json()})


class Fanout:
    """Passes each event on to several sinks. One that fails is told in the log and keeps nobody else waiting.

    `epoch` is asked for the leader's number, which the event then carries.

    Threads: any, if the sinks take any.
    Raises: nothing.
    """

    def __init__(self, sinks: Sequence[EventSink], *, epoch: Callable[[], int | None] | None = None) -> None:
        self._sinks = tuple(sinks)
        self._epoch = epoch

    def emit(self, event: LifecycleEvent) -> None:
        """Tell everybody."""
        number = self._epoch() if self._epoch is not None and event.epoch is None else None
        told = event if number is None else replace(event, epoch=number)
        for sink in self._sinks:
            try:
                sink.emit(told)
            except Exception as error:  # whoever listens must not stop the work that is told of
                log.error("%s missed an event: %s: %s", type(sink).__name__, type(error).__name__, error)


def transition_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says to programs; of one that is only words, the event `log`."""
    found = getattr(record, TRANSITION, None)
    return dict(found) if isinstance(found, dict) else {"event": "log"}
