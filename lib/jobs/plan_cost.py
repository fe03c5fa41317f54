"""What a plan would cost on rented machines, at the prices that a watcher saw last.

The market lies in Redis (docs/reference/ledger.md, `the market`). It is a courtesy: whatever goes wrong here,
the cost is unknown and the plan is as good as ever. So it is asked for in a thread, with a deadline.
"""

from __future__ import annotations

import os
import stat
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lib.clock import rfc3339
from lib.errors import JobRunnerError
from lib.market.model import FRESH_S, GpuMarket, Market
from lib.units import MICROS

if TYPE_CHECKING:
    from lib.fleet import Offer, Policy, Price, RentalTerms, Speeds
    from lib.fleet.batch_price import Stop

_CLOCKS_APART_S: Final = 60.0  # a market seen later than that after now was not seen
_BATCH_CAP: Final = "SPEND_CAP_BATCH"
PATIENCE_S: Final = 0.35  # from when the plan itself is ready


@dataclass(frozen=True, slots=True)
class PricedWork:
    """One job as money sees it: seconds of audio, all takes together, and its engine, None: unknown."""

    audio_s: float
    engine: str | None
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the jobs cost, micro-dollars: together, and the share of each in the order given."""

    expected_micros: int
    worst_micros: int
    shares: tuple[int, ...]
    worst_shares: tuple[int, ...]
    provider: str
    gpu: str
    seen_at: float  # seconds since the epoch
    stopped: str = ""  # which cap ends the batch before it is finished, as a sentence
    over_cap: str = ""  # the worst case and the cap of each batch that may not be finished within it

    def basis(self) -> str:
        """For people: what the figures rest on."""
        return f"{self.gpu} at {self.provider}, as seen at {rfc3339(self.seen_at)}"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A market was seen, and nothing on it may be rented: why, as sentences that name the settings."""

    reasons: tuple[str, ...]


# --- asking ----------------------------------------------------------------------------------------------


class MarketQuestion:
    """Asks a server for the market, from now on, in a thread, while the caller does something else."""

    def __init__(self, url: str, prefix: str) -> None:
        self._market: Market | None = None
        self._thread = threading.Thread(target=self._ask, args=(url, prefix), name="market", daemon=True)
        self._thread.start()

    def answer(self, patience_s: float = PATIENCE_S) -> Market | None:
        """The market, if it has come; waits at most `patience_s` seconds."""
        self._thread.join(patience_s)
        return self._market

    def _ask(self, url: str, prefix: str) -> None:
        from lib.market.stored import read_market
        from lib.redislink.transport import Transport

        with suppress(JobRunnerError):  # whatever is wrong there is for the commands that need the queue
            transport = Transport(url, patience_s=0.0)
            with closing(transport):
                transport.greet()
                self._market = read_market(transport, prefix=prefix)


def embedded_url(data_dir: Path) -> str | None:
    """The address of the data folder's embedded server, if its socket is there and ours; starts nothing."""
    from lib.redislink.embedded import EmbeddedServer

    try:
        if not (data_dir / "redis").is_dir():
            return None
        server = EmbeddedServer(data_dir)
        found = server.socket_path.lstat()
    except OSError:
        return None
    return server.url if stat.S_ISSOCK(found.st_mode) and found.st_uid == os.getuid() else None


# --- reckoning -------------------------------------------------------------------------------------------


def cost_of(
    work: Sequence[PricedWork], market: Market | None, found: RentalTerms, *, now: float
) -> Cost | Forbidden | None:
    """Price the jobs on the market; None when there is none, it is stale, or there is no work.

    Expected is at the lowest price of each class of GPU, worst at the median of each: the cheapest offer may
    be gone when it is wanted. A job's share is that of its audio, so shares add up to the whole. Under a cap
    by batch each batch is priced for itself, as it will be rented for.
    """
    if not work or market is None or not -_CLOCKS_APART_S <= now - market.seen_at <= FRESH_S:
        return None
    batches: dict[str, list[PricedWork]] = {}
    for item in work:
        batches.setdefault("" if found.spend_cap_batch is None else item.batch, []).append(item)
    costs = {}
    for name, members in batches.items():
        cost = _cost_of(members, market, found, now, name)
        if isinstance(cost, Forbidden):
            return cost
        costs[name] = cost
    return next(iter(costs.values())) if len(costs) == 1 else _together(work, costs)


def _together(work: Sequence[PricedWork], costs: Mapping[str, Cost]) -> Cost:
    """What several batches cost, each job with its share of its own batch."""
    shares = {name: (iter(cost.shares), iter(cost.worst_shares)) for name, cost in costs.items()}
    of_jobs = [(next(shares[item.batch][0]), next(shares[item.batch][1])) for item in work]
    dearest = max(costs.values(), key=lambda cost: cost.expected_micros)
    return replace(
        dearest,
        expected_micros=sum(cost.expected_micros for cost in costs.values()),
        worst_micros=sum(cost.worst_micros for cost in costs.values()),
        shares=tuple(expected for expected, _ in of_jobs),
        worst_shares=tuple(worst for _, worst in of_jobs),
        stopped="; ".join(cost.stopped for cost in costs.values() if cost.stopped),
        over_cap="; ".join(cost.over_cap for cost in costs.values() if cost.over_cap),
    )


def _cost_of(
    work: Sequence[PricedWork], market: Market, found: RentalTerms, now: float, batch: str
) -> Cost | Forbidden:
    """The cost of one batch."""
    classes = market.classes
    lowest = _price(work, [(item, item.lowest_hourly_micros) for item in classes], found, now)
    median = _price(work, [(item, item.median_hourly_micros) for item in classes], found, now)
    if lowest is None:
        return _forbidden(classes, found, now)
    dearer = lowest if median is None or lowest.worst_micros > median.worst_micros else median
    return Cost(
        lowest.expected_micros,
        dearer.worst_micros,
        _shared(lowest.expected_micros, work),
        _shared(dearer.worst_micros, work),
        market.provider,
        lowest.gpu,
        market.seen_at,
        _stopped(lowest.stopped, dearer.stopped_at_worst, batch),
        _over_cap(dearer.stopped_at_worst, batch),
    )


def _forbidden(classes: Sequence[GpuMarket], found: RentalTerms, now: float) -> Forbidden:
    from lib.fleet import caps_of, obstacles, policy_of
    from lib.fleet.money import Accounts

    if not classes:
        return Forbidden(("the watcher saw no machine that fits the work within its limits",))
    policy, caps = policy_of(found), caps_of(found)
    offers = [
        _offer(item, item.lowest_hourly_micros, policy, str(index)) for index, item in enumerate(classes)
    ]
    return Forbidden(tuple(item.sentence for item in obstacles(offers, policy, caps, Accounts(now))))


def _over_cap(worst: Stop | None, batch: str) -> str:
    if worst is None or worst.setting != _BATCH_CAP:
        return ""
    subject = f"the batch {batch}" if batch else "this work, which names no batch,"
    return (
        f"{subject} may cost up to ${worst.needed_micros / MICROS:.4f}, and SPEND_CAP_BATCH is "
        f"${worst.allowed_micros / MICROS:.4f}"
    )


def _stopped(usual: Stop | None, worst: Stop | None, batch: str) -> str:
    """Which cap ends the batch before it is finished, as a sentence; "" when none does."""
    stop, when = (usual, "") if usual is not None else (worst, "at worst ")
    if stop is None:
        return ""
    needed = "about" if usual is not None else "up to"
    subject = f"the batch {batch}" if batch else "it"
    in_time = "" if stop.setting == _BATCH_CAP else " in that time"
    return (
        f"{when}{subject} is not finished within {stop.setting}: {needed} ${stop.needed_micros / MICROS:.4f} "
        f"would be needed and ${stop.allowed_micros / MICROS:.4f} is allowed{in_time}"
    )


def _price(
    work: Sequence[PricedWork], classes: Sequence[tuple[GpuMarket, int]], found: RentalTerms, now: float
) -> Price | None:
    from lib.fleet import Demand, caps_of, policy_of, price_batch

    policy = policy_of(found)
    offers = [_offer(item, price, policy, str(index)) for index, (item, price) in enumerate(classes)]
    demand = Demand(
        waiting=len(work),
        audio_s_per_job=sum(item.audio_s for item in work) / len(work),
        engine=_main_engine(work),
    )
    speeds = _speeds([item for item, _ in classes])
    return price_batch(offers, demand, policy=policy, caps=caps_of(found), speeds=speeds, hosts={}, now=now)


def _offer(item: GpuMarket, hourly_micros: int, policy: Policy, name: str) -> Offer:
    """A class as one offer. What is in the market was found fit for the work: that is not asked again."""
    from lib.fleet import Offer

    return Offer(
        id=name,
        machine_id=name,
        host_id=name,
        gpu=item.gpu,
        hourly_micros=hourly_micros,
        fee_micros=item.fee_micros,
        perf=item.perf,
        cuda=policy.least_cuda,
        interruptible=item.interruptible,
    )


def _speeds(classes: Sequence[GpuMarket]) -> Speeds:
    from lib.fleet import Speeds

    speeds = Speeds()
    for item in classes:
        speeds.audio |= {(engine, item.gpu): speed for engine, speed in item.speeds.items()}
        if item.cold_start_s is not None:
            speeds.cold[item.gpu] = item.cold_start_s
    return speeds


def _main_engine(work: Sequence[PricedWork]) -> str:
    """The one that makes most of the audio: machines carry one."""
    audio: Counter[str] = Counter()
    for item in work:
        if item.engine is not None:
            audio[item.engine] += round(item.audio_s * 1000)
    return audio.most_common(1)[0][0] if audio else ""


def _shared(micros: int, work: Sequence[PricedWork]) -> tuple[int, ...]:
    whole = sum(item.audio_s for item in work) or 1.0
    shares, given, audio_s = [], 0, 0.0
    for item in work:
        audio_s += item.audio_s
        upto = round(micros * audio_s / whole)
        shares.append(upto - given)
        given = upto
    return tuple(shares)
