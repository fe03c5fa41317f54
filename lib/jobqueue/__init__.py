"""The queue of narration jobs: the port, its values, and the ways to get one.

Importing this does not import redis; `connect` does.
"""

from __future__ import annotations

from collections.abc import Callable

from lib.jobqueue.admin.observed import PlaceInLine
from lib.jobqueue.admin.port import Admin
from lib.jobqueue.errors import LeaseLost, QueueBusy, UnknownJob
from lib.jobqueue.model import (
    TERMINAL,
    WATCHER_LIVE_S,
    CancelOutcome,
    Changed,
    EnqueueOutcome,
    ErrorClass,
    Event,
    Failure,
    FinishedJob,
    JobRecord,
    JobState,
    Lease,
    Outcome,
    Placement,
    RetryOutcome,
    Snapshot,
    WatcherInfo,
)
from lib.jobqueue.options import QueueOptions, options_of
from lib.jobqueue.port import JobQueue
from lib.jobqueue.watchers import WatcherRole, drains, role_of
from lib.jobspec import JobSpec, normalize_job_spec
from lib.redislink.errors import ServerFull
from lib.redislink.term import LeadershipLost, Term

__all__ = [
    "TERMINAL",
    "WATCHER_LIVE_S",
    "Admin",
    "CancelOutcome",
    "Changed",
    "EnqueueOutcome",
    "ErrorClass",
    "Event",
    "Failure",
    "FinishedJob",
    "JobQueue",
    "JobRecord",
    "JobSpec",
    "JobState",
    "LeadershipLost",
    "Lease",
    "LeaseLost",
    "Outcome",
    "PlaceInLine",
    "Placement",
    "QueueBusy",
    "QueueOptions",
    "RetryOutcome",
    "ServerFull",
    "Snapshot",
    "Term",
    "UnknownJob",
    "WatcherInfo",
    "WatcherRole",
    "connect",
    "drains",
    "normalize_job_spec",
    "options_of",
    "role_of",
]


def connect(
    url: str,
    options: QueueOptions | None = None,
    *,
    now_ms: Callable[[], int] | None = None,
    patience_s: float = 10.0,
    origin: str = "",
) -> JobQueue:
    """Open the queue on the server at `url` (redis://, rediss://, unix://) and see that it answers.

    `now_ms` replaces the server's clock in tests. A call is repeated for up to `patience_s` seconds while
    the server restarts or fails over; this first one is not. `origin` says in errors where the URL came from.

    Raises:
        Unavailable: nothing answers there, or it refuses the password.
        BadConfiguration: the URL cannot be read.
    """
    from lib.jobqueue.redis.queue import RedisQueue
    from lib.redislink.transport import Transport

    transport = Transport(url, patience_s=patience_s, origin=origin)
    transport.greet()
    return RedisQueue(transport, options, now_ms=now_ms)
