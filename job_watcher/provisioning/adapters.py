"""Adapts the real queue and market to the ports of the loop for rented machines.

The SQL ledger, the queue on Redis and `lib.leadership.lock.Leadership` fit as they are. Not here: the way to
machines, which belongs to the provider.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, cast

from job_watcher.provisioning.ports import NotLeading, Tell
from lib.clock import Clock
from lib.errors import BadInput, Unavailable
from lib.fleet import Offer, Speeds
from lib.jobqueue import JobQueue
from lib.leadership.lock import LeaderLock
from lib.market.model import GpuMarket, Market
from lib.market.stored import publish_market
from lib.redislink.term import LeadershipLost

#: What anybody may ask of a queue, for it changes no job.
OPEN_TO_ALL: Final = frozenset(
    (
        *("job", "jobs", "specs", "result", "results", "revisions", "history", "nearest", "place"),
        *("snapshot", "server_health", "ids_under", "look_along", "listed", "ended"),
        *("last_event_id", "latest_events", "follow_events", "watchers", "wake", "close"),
        # a stand-by is a watcher of the registry as well
        *("register_watcher", "heartbeat_watcher", "remove_watcher"),
    )
)
#: What only a leader may ask. A method that stands in neither list is nobody's until somebody decides.
LEADERS_ONLY: Final = frozenset(
    (
        *("claim", "adopt", "assign", "begin", "renew", "progress", "release", "release_unplaced", "excuse"),
        *("complete", "complete_many", "fail", "enqueue", "cancel", "retry", "pause", "resume", "admin"),
    )
)


class KnowsEpoch(Protocol):
    """A lock that can say in which epoch its owner leads, as far as it knows.

    Threads: any.
    Raises: nothing.
    """

    @property
    def epoch(self) -> int | None:
        """None: it does not lead."""
        ...


class Holds(Protocol):
    """Who can say whether we lead.

    Threads: any.
    Raises: nothing.
    """

    def held(self, epoch: int) -> bool:
        """Whether we lead in this epoch now. False whenever that is not certain."""
        ...


def leaders_queue(queue: JobQueue, lock: KnowsEpoch, leadership: Holds) -> JobQueue:
    """The queue, of which all that may change a job is done only while we lead; else it raises NotLeading.

    A leader that was stopped for longer than its lock and shorter than its jobs' leases still passes the
    queue's own fence: it would begin and renew jobs beside its successor.
    """

    def leads() -> bool:
        epoch = lock.epoch
        return epoch is not None and leadership.held(epoch)

    return cast(JobQueue, _LeadersQueue(queue, leads))


class _LeadersQueue:
    """The methods of both lists, and no other: what the port learns later has to be put into one of them."""

    def __init__(self, queue: JobQueue, leads: Callable[[], bool]) -> None:
        self._queue, self._leads = queue, leads

    def __getattr__(self, method: str) -> Any:
        if method not in OPEN_TO_ALL | LEADERS_ONLY:
            raise AttributeError(f"It is not decided who may call {method} of a leader's queue.")
        call, leads = getattr(self._queue, method), self._leads
        if method in OPEN_TO_ALL:
            return call

        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not leads():
                raise NotLeading("This watcher does not lead any more: its jobs are another one's.")
            return call(*args, **kwargs)

        return guarded


class RedisMarketBoard:
    """`MarketBoard` in Redis: a summary by GPU, for `job-runner plan`. Only the leader's passes the fence.

    Threads: the loop's only.
    Raises: as `MarketBoard`.
    """

    def __init__(self, lock: LeaderLock, *, provider: str, clock: Clock, tell: Tell) -> None:
        self._lock, self._provider, self._clock, self._tell = lock, provider, clock, tell

    def show(self, offers: Sequence[Offer], speeds: Speeds) -> None:
        """Publish; a market that cannot be published is no reason to stop renting."""
        market = Market(self._provider, self._clock.now(), summary(offers, speeds))
        try:
            publish_market(self._lock, market)
        except LeadershipLost as error:
            raise NotLeading(error.message) from None
        except (Unavailable, BadInput) as error:
            self._tell("trouble", error.message, "")


def summary(offers: Sequence[Offer], speeds: Speeds) -> tuple[GpuMarket, ...]:
    """The offers by GPU and by whether they can be taken away, cheapest class first."""
    classes: dict[tuple[str, bool], list[Offer]] = defaultdict(list)
    for offer in offers:
        classes[offer.gpu, offer.interruptible].append(offer)
    found = [_class(members, speeds) for members in classes.values()]
    return tuple(sorted(found, key=lambda item: (item.lowest_hourly_micros, item.gpu)))


def _class(offers: Sequence[Offer], speeds: Speeds) -> GpuMarket:
    cheapest = min(offers, key=lambda offer: (offer.hourly_micros, offer.id))
    return GpuMarket(
        gpu=cheapest.gpu,
        offers=len(offers),
        lowest_hourly_micros=cheapest.hourly_micros,
        median_hourly_micros=statistics.median_high(offer.hourly_micros for offer in offers),
        fee_micros=cheapest.fee_micros,
        interruptible=cheapest.interruptible,
        perf=cheapest.perf,
        speeds={
            engine: speed
            for engine in sorted(speeds.engines())
            if (speed := speeds.known(engine, cheapest.gpu)) is not None
        },
        cold_start_s=speeds.cold.get(cheapest.gpu),
    )
