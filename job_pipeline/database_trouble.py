"""What a loop does while its database is away: it says so once, and comes back ever less often."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from job_pipeline.log_tags import tell
from lib.backoff import backoff_s
from lib.errors import JobRunnerError

_BASE_S: Final = 0.2
_CAP_S: Final = 5.0


class DatabaseTrouble:
    """Counts the failures of one loop since the last success. `chance` draws from 0 to 1.

    Threads: one.
    Raises: nothing.
    """

    def __init__(self, log: logging.Logger, tag: str, what: str, chance: Callable[[], float]) -> None:
        self._log, self._tag, self._what, self._chance = log, tag, what, chance
        self._tries = 0

    def failed(self, error: JobRunnerError) -> float:
        """Note a failure; seconds until the next try. The first one is told."""
        self._tries += 1
        if self._tries == 1:
            sentence = f"{self._what} has to wait: {error.message}"
            tell(self._log, self._tag, "database_away", sentence, level=logging.WARNING)
        return backoff_s(self._tries, self._chance(), base_s=_BASE_S, cap_s=_CAP_S)

    def over(self) -> None:
        """Note a success, and tell it if there were failures before."""
        if self._tries:
            sentence = f"{self._what} goes on: the database answers again"
            tell(self._log, self._tag, "database_back", sentence)
        self._tries = 0
