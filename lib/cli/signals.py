"""Turns SIGTERM into an interrupt, so that a command that waits says its last sentence then, too."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
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
