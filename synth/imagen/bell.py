"""Wakes the worker: rung by whoever hears of rows, and by whoever asks it to stop."""

from __future__ import annotations

import contextlib
import os
import select
from typing import Protocol


class StopFlag(Protocol):
    """Whether to stop, and a descriptor that is readable from then on."""

    fd: int

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        ...


class PictureBell:
    """Rung any number of times between two waits it wakes once. `ring` may be called by any thread."""

    def __init__(self, stop: StopFlag) -> None:
        self._stop = stop
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def ring(self, _payload: str = "") -> None:
        """Wake whoever waits, or the next who does."""
        with contextlib.suppress(BlockingIOError):  # it has been rung often enough
            os.write(self._write, b"!")

    def wait(self, seconds: float) -> None:
        """Wait for a ring, for the order to stop, or for so long."""
        ready, _, _ = select.select([self._read, self._stop.fd], [], [], seconds)
        if self._read in ready:
            self._empty()

    def _empty(self) -> None:
        while True:
            try:
                if len(os.read(self._read, 4096)) < 4096:
                    return
            except BlockingIOError:
                return

    def close(self) -> None:
        """Give back its descriptors; nobody rings any more."""
        os.close(self._read)
        os.close(self._write)
