"""Sends what lies in the outbox, in a thread of its own: again and again, for a day.

After a refusal the receiver is left alone for a while, longer each time. One notification that it always
refuses keeps no other one waiting for longer than that.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Callable
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
_LOOK_S: Final = 2.0  # between looks at a folder that other watchers write to as well
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0  # for the receiver
_LONGEST_WAIT_S: Final = 600.0  # for one notification

#: Hears of each end of a try: `delivered`, `refused` or `dropped`.
Count = Callable[[str], None]


@dataclass(slots=True)
class _Tried:
    times: int = 0
    again_at: float = 0.0  # monotonic seconds


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
    ) -> None:
        self._outbox, self._receiver, self._secret, self._clock = outbox, receiver, secret, clock
        self._count, self._jitter = count or _uncounted, jitter
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

    def turn(self) -> float:
        """Send what is due; returns after how many seconds there is more to do, at most two."""
        if not self._leads():
            return _LOOK_S
        waiting = self._fresh()
        while not self._ended.is_set():
            now = self._clock.monotonic()
            if now < self._rest_until:
                return min(_LOOK_S, self._rest_until - now)
            due = [item for item in waiting if self._tried_of(item).again_at <= now]
            if not due:
                return _LOOK_S
            chosen = min(due, key=lambda item: (self._tried_of(item).times, item))
            if self._send(chosen):
                waiting.remove(chosen)
        return 0.0

    def _leads(self) -> bool:
        """Whether this process sends: it has the lock, which the kernel frees with the process."""
        if self._lock is None:
            try:
                self._lock = take_lock(self._outbox.folder / "lock")
            except OSError as error:
                log.error("the outbox cannot be locked: %s", error.strerror)
        return self._lock is not None

    def _fresh(self) -> list[Notification]:
        """All that wait, without those that waited for a day."""
        try:
            waiting = self._outbox.waiting()
        except OSError as error:
            log.error("the outbox cannot be read: %s", error.strerror)
            return []
        self._tried = {item.file: self._tried_of(item) for item in waiting}
        old = [item for item in waiting if self._clock.now() - item.since > KEEP_S]
        for item in old:
            log.error("notification %s was not taken within a day and is dropped", item.id)
            self._forget(item, "dropped")
        return [item for item in waiting if item not in old]

    def _tried_of(self, item: Notification) -> _Tried:
        return self._tried.setdefault(item.file, _Tried())

    def _send(self, item: Notification) -> bool:
        """Post one; whether it is done with."""
        try:
            body = self._outbox.body(item)
        except OSError as error:  # too many open files, a disk that hiccups: it is still there
            self._refused(item, NotDelivered(f"its file cannot be read: {error.strerror}"))
            return False
        if body is None:
            self._forget(item, "dropped")
            return True
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
            return False
        if self._refusals:
            log.info("the receiver of notifications answers again")
            for tried in self._tried.values():
                tried.again_at = 0.0  # what waited for it waits no longer
        self._refusals, self._rest_until = 0, 0.0
        self._forget(item, "delivered")
        return True

    def _refused(self, item: Notification, error: NotDelivered) -> None:
        now, tried = self._clock.monotonic(), self._tried_of(item)
        tried.times += 1
        tried.again_at = now + backoff_s(tried.times, self._jitter(), base_s=_PAUSE_S, cap_s=_LONGEST_WAIT_S)
        self._refusals += 1
        pause = backoff_s(self._refusals, self._jitter(), base_s=_PAUSE_S, cap_s=_LONGEST_PAUSE_S)
        self._rest_until = now + pause
        self._count("refused")
        if self._refusals == 1 or tried.times == 1:
            log.warning("notification %s waits, next try in %.0f s: %s", item.id, pause, error)

    def _forget(self, item: Notification, outcome: str) -> None:
        try:
            self._outbox.remove(item)
        except OSError as error:
            log.error("notification %s cannot be removed and is sent again: %s", item.id, error.strerror)
        self._tried.pop(item.file, None)
        self._count(outcome)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                pause = self.turn()
            except Exception as error:  # whatever it is, the next look may do better
                log.error("notifications were not sent: %s: %s", type(error).__name__, error)
                pause = _LONGEST_PAUSE_S
            self._woken.wait(pause)
            self._woken.clear()
