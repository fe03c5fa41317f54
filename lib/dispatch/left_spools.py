"""Adopts what is finished in the spools that a killed process left, then removes them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable

from lib.dispatch.dispatcher import Dispatcher
from lib.workers import LeftSpool

log = logging.getLogger(__name__)


class LeftSpools:
    """Hosts that take no new job. Their workers, where they live on, finish the piece at hand.

    `look` is to be called after each step of the dispatcher.

    Threads: the loop's only.
    Raises: `look` as the dispatcher's methods do; a folder that cannot be removed is told.
    """

    def __init__(self, dispatcher: Dispatcher, spools: Iterable[LeftSpool]) -> None:
        self._dispatcher = dispatcher
        self._spools = list(spools)
        self._deserted: set[str] = set()
        for spool in self._spools:
            dispatcher.add(spool, lambda: 0, serves=spool.is_served)

    def __len__(self) -> int:
        return len(self._spools)

    def look(self, *, last: bool = False) -> None:
        """Remove spools that nobody serves and that hold nothing any more; `last` removes those with
        finished work for which no lease came, too.
        """
        for spool in list(self._spools):
            self._dispatcher.withdraw("its worker takes no new job", spool.name)
            if spool.is_served():
                continue
            if spool.name not in self._deserted:
                self._deserted.add(spool.name)  # what came to its outbox until now the next step sees
                continue
            self._dispatcher.give_up_unfinished(spool.name, "its worker ended")
            if self._dispatcher.holds_nothing(spool.name) or last:
                self._remove(spool)

    def _remove(self, spool: LeftSpool) -> None:
        self._dispatcher.remove(spool.name, why="its worker ended", lost=False)
        self._spools.remove(spool)
        with contextlib.suppress(OSError):
            spool.remove()
            return
        log.warning("the spool %s cannot be removed", spool.folder)

    def close(self) -> None:
        """Let go of what is left."""
        for spool in self._spools:
            spool.close()
