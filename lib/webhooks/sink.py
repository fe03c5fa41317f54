"""Which events a receiver is told of, and what it is told: they go into the outbox."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from typing import Any, Final

from lib.clock import Clock, rfc3339
from lib.events.model import BudgetReached, JobDone, JobFailure, JobTransition, LifecycleEvent, OrphanFound
from lib.webhooks.outbox import Outbox

log = logging.getLogger(__name__)

#: What a receiver is told of.
TOLD: Final = (JobDone, JobFailure, BudgetReached, OrphanFound)
_NAMES: Final = frozenset({"event", "request_id", "output_name"})  # given by who enqueues: told as they are


class WebhookSink:
    """Puts what a receiver is told of into the outbox; a sender takes it from there.

    `hide` takes secrets out of its sentences.

    Threads: any.
    Raises: nothing; what the disk refuses is told in the log, and lost with this process.
    """

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        *,
        deployment: str,
        watcher: str,
        wake: Callable[[], None],
        hide: Callable[[str], str] = str,
    ) -> None:
        self._outbox, self._clock, self._wake, self._hide = outbox, clock, wake, hide
        self._about = {"deployment": deployment, "watcher": watcher}

    def emit(self, event: LifecycleEvent) -> None:
        """Keep it, if it is one of those."""
        if not isinstance(event, TOLD):
            return
        now = self._clock.now()
        id = self._id_of(event)
        try:
            self._outbox.add(id, {"id": id, "at": rfc3339(now), **self._about, **self._told(event)}, now)
        except OSError as error:
            log.error("notifications are in memory only, the outbox refuses: %s", error.strerror)
        self._wake()

    def _told(self, event: LifecycleEvent) -> dict[str, Any]:
        """Its fields without any secret: a sentence may repeat what a store or a machine wrote."""
        return {
            name: self._hide(value) if isinstance(value, str) and name not in _NAMES else value
            for name, value in event.to_json().items()
        }

    def _id_of(self, event: LifecycleEvent) -> str:
        """The same for the same end of a job, though a restart tells of it again; of others a new one."""
        if not isinstance(event, JobTransition) or not event.identity:
            return secrets.token_hex(16)
        parts = (self._about["deployment"], event.name, event.request_id, str(event.lease_no), event.identity)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
