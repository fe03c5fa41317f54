"""Keeps the journal up to date beside a program that stays."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lib.errors import JobRunnerError
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.trail_files.files import TrailFiles

log = logging.getLogger(__name__)

_EVERY_S: Final = 0.5
#: After writing it rests for so much longer, so that the work has the processor.
_REST: Final = 9
#: Events that it writes at once. Of as many runs that is 0.1 s: more would hold up the work beside it.
_PAGE: Final = 200
#: Who wrote within so many rounds still keeps the files, be it that it rests.
_ROUNDS: Final = 6


@contextlib.contextmanager
def kept_journal(
    open_ledger: Callable[[], PipelineLedger], folder: Path, *, every_s: float = _EVERY_S
) -> Iterator[None]:
    """Within the block, bring the journal up to date every `every_s` seconds; and once more at its end.

    Under load it follows by and by: it takes a tenth of the time at most, and where several processes keep
    the same files, one at a time does.

    It has a connection of its own. While the database is away, or the disk refuses, it tries again: nothing
    is lost by that, for the files follow the ledger.

    Threads: its own. Raises: what opening the ledger says.
    """
    ledger = open_ledger()
    keeper = _Keeper(TrailFiles(ledger, folder, page=_PAGE), every_s)
    try:
        yield
    finally:
        keeper.close()
        ledger.database.close()


class _Keeper:
    def __init__(self, journal: TrailFiles, every_s: float) -> None:
        self._journal, self._every_s = journal, every_s
        self._stop = threading.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._every_s
        while True:
            last = self._stop.wait(pause)
            began = time.monotonic()
            kept_s = _ROUNDS * self._every_s
            is_behind = self._catch_up() if last else self._catch_up(1, unless_others_s=kept_s)
            if last:
                return
            rest = _REST * (time.monotonic() - began)
            pause = rest if is_behind else max(self._every_s, rest)

    def _catch_up(self, pages: float = math.inf, *, unless_others_s: float = 0.0) -> bool:
        """Whether there may be more to write at once."""
        try:
            written = self._journal.catch_up(pages=pages, unless_others_s=unless_others_s)
        except (OSError, JobRunnerError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if reason != self._told:  # once, while it lasts
                log.warning("the files of the trail are behind and follow later: %s", reason)
            self._told = reason
            return False
        self._told = ""
        return written >= self._journal.page
