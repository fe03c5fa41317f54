"""The company's time in a campaign: several times as fast as ours, and the same in all processes."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path
from typing import Final

_FORM: Final = struct.Struct("=dddd")  # began, by the computer's monotonic clock; as wall time; speed; pushed


class CompanyTime:
    """A `Clock` over a file that who follows the company's time has open, too.

    Threads: any; one process pushes.
    Raises: OSError from the constructor where the file is not there.
    """

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _FORM.size)

    @classmethod
    def begin(cls, file: Path, *, speed: float, start: float) -> CompanyTime:
        """Time that is `start` (seconds since the epoch) now and runs `speed` times as fast."""
        file.write_bytes(_FORM.pack(time.monotonic(), start, speed, 0.0))
        return cls(file)

    def now(self) -> float:
        """Seconds since the epoch."""
        began, start, speed, pushed = _FORM.unpack(self._shared)
        return float(start + (time.monotonic() - began) * speed + pushed)

    def monotonic(self) -> float:
        """The same: nobody sets it back."""
        return self.now()

    def sleep(self, seconds: float) -> None:
        """Wait that long in it."""
        _, _, speed, _ = _FORM.unpack(self._shared)
        time.sleep(seconds / speed)

    def push(self, seconds: float) -> None:
        """Let so much of it pass at once."""
        *fixed, pushed = _FORM.unpack(self._shared)
        self._shared[:] = _FORM.pack(*fixed, pushed + seconds)
