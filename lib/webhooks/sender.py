"""Sends what lies in the outbox, in a thread of its own: again and again, for a day.

After a refusal the receiver is left alone for a while, longer each time. One notification that it always
refuses keeps no other one waiting for longer than that.
"""

from __future__ import annotations

import heapq
import logging
import os
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from lib.backoff import backoff_s
from lib.clock import Clock
from lib.files import take_lock
from lib.webhooks.outbox import Notification, Outbox
from lib.webhooks.receiver import NotDelivered, Receiver
from lib.webhooks.signing import ID, SIGNATURE, TIMESTAMP, signature

log = logging.getLogger(__name__)

KEEP_S: Final = 86400.0
#: More are not kept: each takes a block of the disk, and a receiver may be away for a day.
MOST: Final = 50_000
_LOOK_S: Final = 2.0  # between looks at a folder that other watchers write to as well
_LOOK_AGAIN_S: Final = 10.0  # while there is much to send
_GRACE_S: Final = 3600.0  # seen for so long, before the date alone says that one is too old
_REMIND: Final = 60  # refusals in a row between two lines in the log
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0  # for the receiver
_LONGEST_WAIT_S: Final = 600.0  # for one notification

#: Hears of each end of a try: `delivered`, `refused` or `dropped`.
Count = Callable[[str], None]


@dataclass(slots=True)
class _Tried:
    seen_at: float  # monotonic seconds, as the next one
    age_s: float  # when it was seen first, by the date
    times: int = 0
    again_at: float = 0.0
    delivered: bool = False  # and could not be removed


def _uncounted(outcome: str) -> None:
    return


class WebhookSender:
    """Sends from one outbox to one receiver; of several watchers on a data folder, one at a time does.

    `turn` is one look, for who drives it by a clock of his own; `start` does it in a thread.

    Threads: `turn` one at a time; `wake` and `stop` any.
    Raises: nothing.
    """

    def __init__(
        self,
        outbox: Outbox,
        receiver: Receiver,
        secret: str,
        clock: Clock,
        *,
        count: Count | None = None,
        jitter: Callable[[], float] = random.random,
        most: int = MOST,
    ) -> None:
        self._outbox, self._receiver, self._secret, self._clock = outbox, receiver, secret, clock
        self._count, self._jitter = count or _uncounted, jitter
        self._most = most
        self._tried: dict[str, _Tried] = {}
        self._refusals = 0  # in a row
        self._rest_until = 0.0
        self._lock: int | None = None
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Look at the outbox soon."""
        self._woken.set()

    def start(self) -> None:
        """Send in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self, within_s: float = 3.0) -> None:
        """Send no more; a post under way may take `within_s` seconds. What was not taken stays."""
        self._ended.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(within_s)
        if self._lock is not None and (self._thread is None or not self._thread.is_alive()):
            os.close(self._lock)
            self._lock = None

    @property
    def leads(self) -> bool:
        """Whether it is this one that sends, of all on the folder."""
        return self._lock is not None

    @property
    def waits(self) -> int:
        """How many waited at the last look; 0 where another process sends."""
        return len(self._tried)

    def turn(self) -> float:
        """Send what is due; returns after how many seconds there is more to do, at most two."""
        if not self._has_lock():
            return _LOOK_S
        began = self._clock.monotonic()
        if began < self._rest_until:
            return min(_LOOK_S, self._rest_until - began)
        line = [
            (tried.times, item)
            for item in self._fresh()
            if (tried := self._tried[item.file]).again_at <= began
        ]
        heapq.heapify(line)
        while line and not self._ended.is_set():
            was_away = self._refusals > 0
            _, item = heapq.heappop(line)
            self._send(item)
            now = self._clock.monotonic()
            if now < self._rest_until:
                return min(_LOOK_S, self._rest_until - now)
            if was_away or now - began >= _LOOK_AGAIN_S:
                return 0.0  # others are due by now
        return _LOOK_S

    def _has_lock(self) -> bool:
        """Whether this process sends: it has the lock, which the kernel frees with the process."""
        if self._lock is None:
            try:
                self._lock = take_lock(self._outbox.folder / "lock")
            except OSError as error:
                log.error("the outbox cannot be locked: %s", error.strerror)
        return self._lock is not None

    def _fresh(self) -> list[Notification]:
        """All that wait, without those that waited for a day, and those that are too many."""
        try:
            waiting = self._outbox.waiting()
        except OSError as error:
            log.error("the outbox cannot be read: %s", error.strerror)
            return []
        now, date = self._clock.monotonic(), self._clock.now()
        before, self._tried = self._tried, {}
        for item in waiting:
            self._tried[item.file] = before.get(item.file) or _Tried(now, max(0.0, date - item.since))
        surplus = waiting[: max(0, len(waiting) - self._most)]
        if surplus:
            log.error(
                "too many wait (%d notifications), the oldest are dropped: %s", len(waiting), _ids(surplus)
            )
        old = [item for item in waiting[len(surplus) :] if self._is_old(item, now)]
        if old:
            log.error("not taken within a day and dropped (%d notifications): %s", len(old), _ids(old))
        for item in (*surplus, *old):
            self._forget(item, "dropped")
        gone = {*surplus, *old}
        return [item for item in waiting if item not in gone]

    def _is_old(self, item: Notification, now: float) -> bool:
        """Whether it waited for a day. The date may jump: what is new to this process is not old yet."""
        tried = self._tried[item.file]
        seen_s = now - tried.seen_at
        return seen_s + tried.age_s > KEEP_S and seen_s >= _GRACE_S

    def _send(self, item: Notification) -> None:
        """Post one, and forget it when it was taken."""
        if self._tried[item.file].delivered:
            self._forget(item)
            return
        try:
            body = self._outbox.body(item)
        except OSError as error:  # too many open files, a disk that hiccups: it is still there
            self._refused(item, NotDelivered(f"its file cannot be read: {error.strerror}"))
            return
        if body is None:
            log.error("notification %s is no file of ours any more and is dropped", item.id)
            self._forget(item, "dropped")
            return
        timestamp = int(self._clock.now())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "job-runner-webhook/1",
            ID: item.id,
            TIMESTAMP: str(timestamp),
            SIGNATURE: signature(self._secret, timestamp, body),
        }
        try:
            self._receiver.post(body, headers)
        except NotDelivered as error:
            self._refused(item, error)
            return
        if self._refusals:
            log.info("the receiver of notifications answers again")
            for tried in self._tried.values():
                tried.again_at = 0.0  # what waited for it waits no longer
        self._refusals, self._rest_until = 0, 0.0
        self._tried[item.file].delivered = True
        self._forget(item, "delivered")

    def _refused(self, item: Notification, error: NotDelivered) -> None:
        now, tried = self._clock.monotonic(), self._tried[item.file]
        tried.times += 1
        tried.again_at = now + backoff_s(tried.times, self._jitter(), base_s=_PAUSE_S, cap_s=_LONGEST_WAIT_S)
        self._refusals += 1
        pause = backoff_s(self._refusals, self._jitter(), base_s=_PAUSE_S, cap_s=_LONGEST_PAUSE_S)
        self._rest_until = now + pause
        self._count("refused")
        if self._refusals % _REMIND == 1:
            log.warning("notifications wait (%d), next try in %.0f s: %s", len(self._tried), pause, error)

    def _forget(self, item: Notification, outcome: str | None = None) -> None:
        """Remove one from the outbox. `outcome` is counted."""
        if outcome is not None:
            self._count(outcome)
        try:
            self._outbox.remove(item)
        except OSError as error:
            log.error("notifications cannot be removed from the outbox: %s", error.strerror)
            self._tried[item.file].again_at = self._clock.monotonic() + _LONGEST_WAIT_S
        else:
            self._tried.pop(item.file, None)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                pause = self.turn()
            except Exception as error:  # whatever it is, the next look may do better
                log.error("notifications were not sent: %s: %s", type(error).__name__, error)
                pause = _LONGEST_PAUSE_S
            self._woken.wait(pause)
            self._woken.clear()


def _ids(items: Iterable[Notification]) -> str:
    """The first ids of several."""
    ids = [item.id for item in items]
    return ", ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")
