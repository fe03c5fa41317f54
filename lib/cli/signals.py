"""Turns SIGTERM into an interrupt, so that a command that waits says its last sentence; or has both wait."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType


class Terminated(KeyboardInterrupt):
    """Raised by SIGTERM. What handles Ctrl-C handles it, too; the exit status is 75."""


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Within the block, in the main thread, SIGTERM raises `Terminated`."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Terminated

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


@contextlib.contextmanager
def signals_wait() -> Iterator[Callable[[], None]]:
    """Within the block, in the main thread, Ctrl-C and SIGTERM wait until the caller asks for them.

    What the block gets is called where an exception does no harm: it raises `KeyboardInterrupt` or
    `Terminated` when one came. For C that calls back into Python, where an exception is lost. It is called
    once more where the block ends; a second signal of a kind waits for nothing.
    """
    came: list[type[KeyboardInterrupt]] = []

    def note(number: int, frame: FrameType | None) -> None:
        kind = KeyboardInterrupt if number == signal.SIGINT else Terminated
        if kind in came:
            raise kind
        came.append(kind)

    def ask() -> None:
        if came:
            raise came[0]

    former = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ask
        ask()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
