"""The watcher that `up`, or a demo of pipelines, runs beside itself, as a process of its own."""

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
_HAND_BACK_S = 30.0  # after its limit: releasing leases, ending the worker


class WatcherProcess:
    """`job-watcher run`, restarted a few times when it dies. It ends with us, however we end."""

    def __init__(self, *, log: Path, environ: Mapping[str, str], drain_s: float) -> None:
        self._log = log
        self.drain_s = drain_s
        self._environ = {
            "WATCHER_LEASE_IDLE_MS": LEASE_MS,
            "LOG_FORMAT": "text",  # people read the log, and its last line here
            **os.environ,
            **environ,
        }
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
        last_words = " ".join(self._child.log_tail(1)).removeprefix("error: ")
        if status == ExitStatus.BAD_CONFIGURATION:
            raise BadConfiguration(f"The watcher cannot run here: {last_words}")
        if self._restarts == _MOST_RESTARTS:
            raise Unavailable(
                f"The watcher ended with {exit_sentence(status)} {_MOST_RESTARTS + 1} times; "
                f"its log is {self._log}. Last line: {last_words}"
            )
        self._restarts += 1
        self._child = self._start()

    def stop(self) -> None:
        """Let it finish the work at hand within its own limit, and hand back what remains after that."""
        self._child.stop(self.drain_s + _HAND_BACK_S)

    def hand_back(self) -> None:
        """Do not wait for the work at hand: it goes back to the queue now."""
        self._child.stop(_HAND_BACK_S)  # the second request to end since `stop`

    def _start(self) -> ChildProcess:
        # -P: a file of the user's folder must not stand in for a module of ours
        argv = [sys.executable, "-P", "-m", "job_watcher.main", "run", "--exit-with-parent"]
        return ChildProcess(argv, log=self._log, environ=self._environ)
