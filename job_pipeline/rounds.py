"""The loop of a program that does the same round again and again until it is asked to stop."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from job_pipeline.database_trouble import DatabaseTrouble
from lib.errors import JobRunnerError


class Rounds:
    """Calls `step` every `poll_s` seconds; while the database is away it tries again and says so once.

    Threads: `run` is one thread's; `stop` any's, and a signal handler's.
    Raises: nothing of the database's, once the first round was made; what the first one raises.
    """

    def __init__(
        self,
        step: Callable[[], None],
        *,
        poll_s: float,
        log: logging.Logger,
        what: str,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._step, self._poll_s, self._log, self._what = step, poll_s, log, what
        self._trouble = DatabaseTrouble(log, "orchestrator", what, chance)
        self._stopped = threading.Event()

    def run(self) -> None:
        """Make rounds until somebody stops them; what is begun is ended."""
        self._step()
        while not self._stopped.wait(self._poll_s):
            self._round()

    def _round(self) -> None:
        while not self._stopped.is_set():
            try:
                self._step()
            except JobRunnerError as error:
                self._stopped.wait(self._trouble.failed(error))
            except Exception:  # of one run, maybe; the others must not wait for somebody who starts us anew
                self._log.exception("a round of %s went wrong", self._what)
                return
            else:
                self._trouble.over()
                return

    def stop(self) -> None:
        """Have the loop end after the round at hand."""
        self._stopped.set()
