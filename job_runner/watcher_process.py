"""The watcher that `up` runs beside itself, as a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from lib.child import ChildProcess, exit_sentence
from lib.errors import BadConfiguration, ExitStatus, Unavailable

#: On one machine nobody else is there to wait for: a lost lease is taken up again after 15 s.
LEASE_MS = "15000"
_MOST_RESTARTS = 3


class WatcherProcess:
    """`job-watcher run`, restarted a few times when it dies. It ends with us, however we end."""

    def __init__(self, *, log: Path, environ: Mapping[str, str]) -> None:
        self._log = log
        self._environ = {"WATCHER_LEASE_IDLE_MS": LEASE_MS, **os.environ, **environ}
        self._restarts = 0
        self._child = self._start()

    def check(self) -> None:
        """Restart it if it died.

        Raises:
            BadConfiguration: it says that it cannot run here.
            Unavailable: it keeps dying.
        """
        status = self._child.poll()
        if status is None:
            return
        last_words = " ".join(self._child.log_tail(1))
        if status == ExitStatus.BAD_CONFIGURATION:
            raise BadConfiguration(f"The watcher cannot run here: {last_words}")
        if self._restarts == _MOST_RESTARTS:
            raise Unavailable(
                f"The watcher ended with {exit_sentence(status)} {_MOST_RESTARTS + 1} times; "
                f"its log is {self._log}. Last line: {last_words}"
            )
        self._restarts += 1
        self._child = self._start()

    def stop(self, grace: float) -> None:
        """Let it finish the work at hand, at most `grace` seconds."""
        self._child.stop(grace)

    def _start(self) -> ChildProcess:
        argv = [sys.executable, "-m", "job_watcher.main", "run", "--exit-with-parent"]
        return ChildProcess(argv, log=self._log, environ=self._environ)
