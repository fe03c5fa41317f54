"""SIGTERM as Ctrl-C: commands that wait for others leave with a word, whoever asks them to."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM came. Whoever has something to say on Ctrl-C says it now, too; the exit status is 75."""


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
