"""Starts child processes that end when their parent does, and waits for, ends and describes them.

A child gets a pipe as its standard input that nobody writes to. When the parent ends, however it ends
(SIGKILL too), the kernel closes the pipe, and a child that called `when_parent_exits` learns of it.
This is portable and has no race, unlike watching the parent's process id.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lib.units import MIB

_TAIL_BYTES = 8192
_LOG_BYTES = 5 * MIB  # what is older is kept once beside the log, as `.1`


class ChildProcess:
    """One child with its own session (Ctrl-C in the terminal reaches only us) and its log file."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        log_bytes: int = _LOG_BYTES,
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._log = log
        self._log_start = 0
        self._log_bytes = log_bytes
        self._rotate()
        with log.open("ab") as sink:
            self._log_start = sink.tell()
            self._process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=sink,
                env=None if environ is None else dict(environ),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status (negative: the signal that ended it), or None while it runs.

        To be called now and then: this is also where a log that has grown too long is cut.
        """
        self._rotate()
        status = self._process.poll()
        if status is not None:
            self._close_lifeline()
        return status

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait up to `timeout` seconds; the exit status, or None when it still runs."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self) -> None:
        """Ask it to end (SIGTERM). Asking one that has ended does nothing."""
        if self._process.poll() is None:
            self._process.terminate()

    def stop(self, grace: float) -> int:
        """Ask it to end, wait up to `grace` seconds, then kill it. Returns the exit status."""
        self.terminate()
        status = self.wait(grace)
        if status is None:
            self._process.kill()
            status = self._process.wait()
        self._close_lifeline()
        return status

    def log_tail(self, lines: int = 20) -> list[str]:
        """The last lines this process wrote, oldest first."""
        with self._log.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(max(self._log_start, end - _TAIL_BYTES))
            text = stream.read(_TAIL_BYTES).decode("utf-8", "replace")
        return text.splitlines()[-lines:]

    def _rotate(self) -> None:
        """Keep what was written so far as `.1` and begin the log again, when it is too long.

        The child has the file open, so it is copied and emptied; it appends, so it goes on at the new end. A
        line it writes in between is lost. A disk that has no room for the copy has none for the log either.
        """
        with contextlib.suppress(OSError):
            if self._log.stat().st_size <= self._log_bytes:
                return
            older = self._log.with_name(f"{self._log.name}.1")
            try:
                shutil.copyfile(self._log, older)
            except OSError:
                older.unlink(missing_ok=True)
            os.truncate(self._log, 0)
            self._log_start = 0

    def _close_lifeline(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()


def exit_sentence(status: int) -> str:
    """Say how a process ended: "exit status 3" or "signal SIGSEGV"."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


def when_parent_exits(callback: Callable[[], None]) -> None:
    """Call `callback` from a thread once standard input ends. For processes started by `ChildProcess`."""

    def watch() -> None:
        descriptor = sys.stdin.fileno()
        while os.read(descriptor, 1024):
            pass
        callback()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def parent_has_exited() -> bool:
    """Whether standard input has ended already. For processes started by `ChildProcess`."""
    descriptor = sys.stdin.fileno()
    while select.select([descriptor], [], [], 0)[0]:
        if not os.read(descriptor, 1024):
            return True
    return False
