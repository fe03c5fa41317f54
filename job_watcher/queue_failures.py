"""Tells of failures that the queue recorded by itself, in whose making no watcher had a hand.

A job that outlived its last worker fails while somebody asks for work. Nobody is told by that, so the records
are looked through: from where the last look ended, which is written down, so that a restart misses none. What
is told twice, by two computers or after a crash, has the same identity, hence the same delivery's id.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from job_watcher.readiness import OpenQueue
from lib.errors import JobRunnerError
from lib.events import EventSink
from lib.events.model import JobFailure
from lib.files import read_plain, write_whole
from lib.foreign import parse_json
from lib.jobqueue import FinishedJob, JobQueue, JobState

log = logging.getLogger(__name__)

_EVERY_S: Final = 15.0
#: Looked through again: the server's clock may be set back, by a fail-over for one.
_OVERLAP_S: Final = 60.0
_PAGE: Final = 500
_LARGEST: Final = 16 * 1024 * 1024
_FILE: Final = "queue-failures"


class QueueFailures:
    """Follows the records of failed jobs in a thread of its own; `turn` is one look.

    `may` says whether it is this process that looks, of all on the data folder.

    Threads: `turn` one at a time; `stop` any.
    Raises: nothing.
    """

    def __init__(
        self, open_queue: OpenQueue, sink: EventSink, folder: Path, *, may: Callable[[], bool]
    ) -> None:
        self._open, self._sink, self._file, self._may = open_queue, sink, folder / _FILE, may
        self._stack = ExitStack()
        self._queue: JobQueue | None = None
        self._until: float | None = None  # the newest record that was seen, by the server's clock
        self._told: dict[str, float] = {}  # when each ended that is not older than the overlap
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look again and again."""
        self._thread = threading.Thread(target=self._run, name="queue failures", daemon=True)
        self._thread.start()

    def stop(self, within_s: float = 3.0) -> None:
        """Look no more; what was not told is told by the next process."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(within_s)
        if self._thread is None or not self._thread.is_alive():
            self._stack.close()

    def turn(self) -> None:
        """Tell of what ended since the last look."""
        if not self._may():
            return
        try:
            if self._queue is None:
                self._queue = self._stack.enter_context(self._open())
            self._look(self._queue)
        except JobRunnerError as error:  # the loop says so too, louder
            log.debug("failures were not looked for: %s", error)
        except OSError as error:
            log.error("%s cannot be written: %s", self._file, error.strerror)

    def _look(self, queue: JobQueue) -> None:
        if self._until is None and not self._remember():
            newest = queue.history(limit=1)
            self._until = newest[0].finished_at if newest else 0.0
            before, _ = self._since(queue, max(0.0, self._until - _OVERLAP_S))
            self._told = {_key(item): item.finished_at for item in before}
            self._write_down()
            return
        until = self._until or 0.0
        fresh, newest_at = self._since(queue, max(0.0, until - _OVERLAP_S))
        for item in reversed(fresh):
            self._tell(item)
            self._told[_key(item)] = item.finished_at
        if newest_at > until or fresh:
            self._until = max(until, newest_at)
            oldest = self._until - _OVERLAP_S - 1.0
            self._told = {key: at for key, at in self._told.items() if at >= oldest}
            self._write_down()

    def _since(self, queue: JobQueue, since: float) -> tuple[list[FinishedJob], float]:
        """Failures that were not told yet, the newest first, and when the newest of all ended."""
        fresh, newest_at, behind = list[FinishedJob](), 0.0, None
        while not self._ended.is_set():
            page = queue.history(limit=_PAGE, status=JobState.FAILED, since=since, behind=behind)
            newest_at = max(newest_at, *(item.finished_at for item in page), 0.0)
            fresh += [item for item in page if item.failed_unheld and _key(item) not in self._told]
            if len(page) < _PAGE:
                break
            behind = page[-1]
        return fresh, newest_at

    def _tell(self, item: FinishedJob) -> None:
        failure = item.error or {}
        self._sink.emit(
            JobFailure(
                request_id=item.request_id,
                lease_no=item.lease_no,
                attempt=item.attempt,
                host="",
                reason=str(failure.get("message", "")),
                error_class=str(failure.get("class", "")),
                identity=f"queue {round(item.finished_at * 1000)}",
            )
        )

    def _remember(self) -> bool:
        """Where the process before this one ended, if it said so."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            found = parse_json(read_plain(self._file, _LARGEST))
            told = {str(key): float(at) for key, at in found["told"].items()}
            self._until, self._told = float(found["until"]), told
            return True
        return False

    def _write_down(self) -> None:
        state = {"until": self._until, "told": self._told}
        write_whole(self._file, json.dumps(state).encode(), sync=True)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.turn()
            except Exception as error:  # whatever it is, the next look may do better
                log.error("failures were not looked for: %s: %s", type(error).__name__, error)
            self._ended.wait(_EVERY_S)


def _key(item: FinishedJob) -> str:
    return f"{item.request_id} {item.lease_no} {round(item.finished_at * 1000)}"
