"""Wakes whoever waits at a FIFO, at once and without polling.

A byte in a FIFO stays until it is read, so a ring just before the wait is not lost. Whoever cannot ring (a
client over SFTP) is heard at the next look, so waits are bounded.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
from collections.abc import Sequence
from pathlib import Path

_CAPACITY = 1 << 16  # bytes; what a FIFO holds where nobody changed it


class Bell:
    """The end of a FIFO that waits. Open for reading and writing, so that it never sees an end of file."""

    def __init__(self, path: Path) -> None:
        """Make the FIFO where it is missing. Raises OSError when the folder cannot hold one."""
        if not _is_fifo(path):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            with contextlib.suppress(FileExistsError):
                os.mkfifo(path, 0o600)
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def wait(self, timeout_s: float, also: Sequence[int] = ()) -> bool:
        """Return when it rings, when a descriptor of `also` is readable, or after `timeout_s` seconds.

        Returns whether anything happened.
        """
        ready, _, _ = select.select([self._fd, *also], [], [], max(0.0, timeout_s))
        if self._fd in ready:
            self.hear()
        return bool(ready)

    def fileno(self) -> int:
        """A descriptor that is readable from a ring until `hear`."""
        return self._fd

    def hear(self) -> None:
        """Take the rings in. One read: whoever rings without end must not keep us here."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, _CAPACITY)

    def close(self) -> None:
        """Let go of the FIFO; it stays in the folder."""
        os.close(self._fd)


def ring(path: Path) -> None:
    """Wake whoever waits at `path`; nobody waiting, or no such FIFO, is fine."""
    try:
        if not _is_fifo(path):
            return
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return  # nobody has it open
    try:
        os.write(fd, b"!")
    except OSError:
        pass  # full: it has been rung already
    finally:
        os.close(fd)


def _is_fifo(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.lstat().st_mode)
    except FileNotFoundError:
        return False
