"""How a resident worker is asked to stop: a flag, a time, and a descriptor that wakes whoever waits."""

from __future__ import annotations

import os
import signal
from types import FrameType

from lib.clock import Clock


class StopSignal:
    """Asked once, by a signal or by a thread; asking again changes nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked_at: float | None = None
        self.fd, self._write_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        return self._asked_at is not None

    def seconds_since(self) -> float:
        """How long ago it was asked; 0 when it was not."""
        return 0.0 if self._asked_at is None else self._clock.monotonic() - self._asked_at

    def ask(self) -> None:
        """Ask to stop. Safe in a signal handler and from any thread."""
        if self._asked_at is None:
            self._asked_at = self._clock.monotonic()
            os.write(self._write_fd, b"!")

    def on_signals(self, *numbers: signal.Signals) -> None:
        """Be asked by these signals. Only in the main thread."""

        def handle(number: int, frame: FrameType | None) -> None:
            self.ask()

        for number in numbers:
            signal.signal(number, handle)
