"""Keeps the trail's files up to date beside a program that stays."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lib.clock import Clock, SystemClock
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
def kept_trail_files(
    open_ledger: Callable[[], PipelineLedger],
    folder: Path,
    *,
    every_s: float = _EVERY_S,
    clock: Clock | None = None,
) -> Iterator[None]:
    """Within the block, bring the trail's files up to date every `every_s` seconds; and once more at its end.

    Under load it follows by and by: it takes a tenth of the time at most, and where several processes keep
    the same files, one at a time does.

    It has a connection of its own. While the database is away, or the disk refuses, it tries again: nothing
    is lost by that, for the files follow the ledger.

    Threads: its own. Raises: what opening the ledger says.
    """
    ledger = open_ledger()
    keeper = _Keeper(TrailFiles(ledger, folder, page=_PAGE), every_s, clock or SystemClock())
    try:
        yield
    finally:
        keeper.close()
        ledger.database.close()


class _Keeper:
    def __init__(self, trail_files: TrailFiles, every_s: float, clock: Clock) -> None:
        self._trail_files, self._every_s, self._clock = trail_files, every_s, clock
        self._stop = threading.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="trail_files", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._every_s
        while True:
            last = self._stop.wait(pause)
            began = self._clock.monotonic()
            kept_s = _ROUNDS * self._every_s
            written = self._catch_up() if last else self._catch_up(1, unless_others_s=kept_s)
            if last:
                return
            # To wait for a database that is away, or for another writer, is no work: nothing to rest from.
            rest = _REST * (self._clock.monotonic() - began) if written else 0.0
            pause = rest if written >= self._trail_files.page else max(self._every_s, rest)

    def _catch_up(self, pages: float = math.inf, *, unless_others_s: float = 0.0) -> int:
        """How many events were written."""
        try:
            written = self._trail_files.catch_up(pages=pages, unless_others_s=unless_others_s)
        except (OSError, JobRunnerError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if reason != self._told:  # once, while it lasts
                log.warning("the files of the trail are behind and follow later: %s", reason)
            self._told = reason
            return 0
        self._told = ""
        return written
