"""What a watcher says of itself when it is asked: its gauges, and whether it is ready."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Final

from job_watcher.liveness import LifePhase, Pulse
from job_watcher.logs import redactor
from job_watcher.probes import PageAnswer, verdict
from lib.clock import Clock
from lib.errors import JobRunnerError
from lib.events.metrics import Gauge
from lib.jobqueue import JobQueue, Snapshot
from lib.storage import Storage, StoredArtifact

_FRESH_S: Final = 5.0
_WAIT_S: Final = 3.0  # for an answer; a store that hangs may take a minute
_LONG: Final = "it takes long to answer"
#: An artifact that no store has: asking for it costs one small request and reads nothing.
_NOBODYS: Final = StoredArtifact(f"blobs/sha256/00/{'0' * 64}", "0" * 64, 0)

OpenQueue = Callable[[], AbstractContextManager[JobQueue]]


@dataclass(frozen=True, slots=True)
class SeenOutside:
    """The queue and the store as they were a few seconds ago; a sentence for each that did not answer."""

    snapshot: Snapshot | None = None
    queue_trouble: str | None = None
    store_trouble: str | None = None


class Moment:
    """Looks at the queue and the store when somebody asks, over a connection of its own, and not too often.

    Nobody asks an idle watcher: then it costs nothing. Whoever asks is answered within `within_s` seconds.

    Threads: any.
    Raises: nothing.
    """

    def __init__(
        self,
        pulse: Pulse,
        clock: Clock,
        open_queue: OpenQueue,
        storage: Storage,
        *,
        within_s: float = _WAIT_S,
    ) -> None:
        self._pulse, self._clock, self._open, self._storage = pulse, clock, open_queue, storage
        self._within_s = within_s
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._queue: JobQueue | None = None
        self._seen, self._seen_at = SeenOutside(queue_trouble="it was not asked yet"), float("-inf")
        self._looked: threading.Event | None = None  # set when the look that is under way is over
        self._refused: str | None = None  # why the store could not be used when it was last asked
        #: How many jobs are at hand, and the leader's epoch where one leads; whoever has them sets them.
        self.held: Callable[[], int] = int
        self.epoch: Callable[[], int | None] = lambda: None
        self.has_leader = False
        #: Why no machine can be used, as a sentence; None where one can, or will be tried yet.
        self.no_machine: Callable[[], str | None] = lambda: None

    def epoch_now(self) -> int | None:
        """The leader's epoch, where this watcher leads."""
        return self.epoch()

    def note_store(self, trouble: str | None) -> None:
        """Know why the store did not let itself be used, or that it did."""
        self._refused = trouble

    def store_trouble(self) -> str | None:
        """Why the store could not be used when it was last asked; it is asked again behind the caller's back.

        Only a store that refused is: of a sound one an idle watcher asks nothing.
        """
        if self._refused is not None:
            self._begin_look()
        return self._refused

    def close(self) -> None:
        """Give the connection back; a look under way is waited for as long as by whoever asks."""
        with self._lock:
            looked = self._looked
        if looked is None or looked.wait(self._within_s):
            self._stack.close()
            self._queue = None

    # --- pages -------------------------------------------------------------------------------------------

    def live(self) -> PageAnswer:
        """Whether the loop turned lately. Asks nobody else: a server that is away is no reason to end us."""
        return verdict(self._pulse.is_alive, loop_age_seconds=round(self._pulse.age_s, 1))

    def ready(self) -> PageAnswer:
        """Whether work would be done here: the queue and the store answer, and nothing ends or hangs.

        A leader of whose machines none can be used is not ready, whether jobs wait or not. One that stands by
        is, and so is one whose machines are being prepared.
        """
        seen, phase = self.look(), self._pulse.phase
        passed = phase is LifePhase.WORKING and self._pulse.is_alive
        no_machine = self.no_machine()
        passed = passed and seen.queue_trouble is None and seen.store_trouble is None and no_machine is None
        return verdict(
            passed,
            phase=phase.value,
            queue=redactor.hide(seen.queue_trouble or "ok"),
            store=redactor.hide(seen.store_trouble or "ok"),
            machines=redactor.hide(no_machine or "ok"),
            role=self._role(),
        )

    def gauges(self) -> list[Gauge]:
        """The numbers of this moment; those of the queue are missing while it does not answer."""
        found = [
            Gauge("job_watcher_leases", "Jobs at hand here", {"": self.held()}),
            Gauge("job_watcher_loop_age_seconds", "Since the loop last turned", {"": self._pulse.age_s}),
            Gauge(
                "job_watcher_leads", "1 where this watcher drives machines", {"": self._role() != "stand-by"}
            ),
        ]
        seen = self.look()
        found.append(Gauge("job_queue_up", "1 when the queue answered", {"": seen.queue_trouble is None}))
        return found if seen.snapshot is None else found + _of_queue(seen.snapshot)

    def _role(self) -> str:
        if not self.has_leader:
            return "worker"
        return "stand-by" if self.epoch() is None else "leader"

    # --- looking -----------------------------------------------------------------------------------------

    def look(self) -> SeenOutside:
        """The queue and the store, five seconds old at most; or that one takes long to answer."""
        looked = self._begin_look()
        if looked is not None:
            looked.wait(self._within_s)
        return self._seen

    def _begin_look(self) -> threading.Event | None:
        """The look that is under way, begun where what was seen is old; None: it is fresh."""
        with self._lock:
            now = self._clock.monotonic()
            if self._looked is None and now - self._seen_at < _FRESH_S:
                return None
            if self._looked is None:
                self._looked = threading.Event()
                self._seen, self._seen_at = SeenOutside(None, _LONG, _LONG), now
                threading.Thread(target=self._look, args=(self._looked,), name="look", daemon=True).start()
            return self._looked

    def _look(self, looked: threading.Event) -> None:
        try:
            snapshot, queue_trouble = self._snapshot()
            self._seen = SeenOutside(snapshot, queue_trouble, _LONG)
            self._refused = self._store_trouble()
            self._seen = SeenOutside(snapshot, queue_trouble, self._refused)
        finally:
            with self._lock:
                self._looked = None
            looked.set()

    def _snapshot(self) -> tuple[Snapshot | None, str | None]:
        try:
            if self._queue is None:
                self._queue = self._stack.enter_context(self._open())
            return self._queue.snapshot(), None
        except JobRunnerError as error:
            return None, error.message

    def _store_trouble(self) -> str | None:
        try:
            self._storage.has(_NOBODYS)
        except JobRunnerError as error:
            return error.message
        return None


def _of_queue(shot: Snapshot) -> list[Gauge]:
    jobs = {"waiting": shot.waiting, "running": shot.pending, "delayed": shot.delayed}
    watchers = sum(watcher.live for watcher in shot.watchers)
    return [
        Gauge("job_queue_jobs", "Jobs that are not finished", jobs),
        Gauge(
            "job_queue_stale_leases", "Leases that ran out and were not given on yet", {"": shot.stale_pel}
        ),
        Gauge(
            "job_queue_oldest_waiting_seconds",
            "How long the job that waits longest has waited",
            {"": shot.oldest_waiting_s or 0.0},
        ),
        Gauge("job_queue_paused", "1 while the queue is paused", {"": shot.paused}),
        Gauge("job_queue_watchers", "Watchers that live", {"": watchers}),
    ]
