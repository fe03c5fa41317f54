"""A campaign of seeded runs: mixed faults of the fake Vast, and a watcher that dies at any boundary (W3-W8).

The loop, the adapter and Vast's own client are the real ones, time is the fake's, and machines are fast
ones: a run takes a second. The same command with the number of a seed repeats its run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from job_watcher.rehearsal.vast import (
    HostOffer,
    Mishap,
)
from job_watcher.simulation.fault_schedule import Crash
from lib.fleet import Policy
from tests.integration.vast.catalogue.office import Office, behaving, host
from tests.integration.vast.fault_draws import drawn_fault

QUICK, ALL = 2, 300
MISHAPS = [
    Mishap.OUTBID,
    Mishap.EXIT,
    Mishap.OFFLINE,
    Mishap.UNKNOWN,
    Mishap.SSH_DEAD,
    Mishap.GPU_GONE,
    Mishap.RESUME,
]
#: What the watcher does that a successor must make sense of, with the moments before and after it.
BOUNDARIES = [
    f"{call} {side}"
    for call in (
        *("ledger.open_epoch", "ledger.plan", "ledger.change", "ledger.charge", "ledger.note_host"),
        *("provider.rent", "provider.list", "provider.destroy", "provider.bill", "provider.offers"),
        *("queue.claim", "queue.begin", "queue.complete", "queue.adopt", "queue.renew"),
    )
    for side in ("before", "after")
]
SEEDS = [*range(QUICK), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(QUICK, ALL))]


def _market(chance: random.Random) -> Iterator[HostOffer]:
    """Some bad hosts, which are cheap, and enough good ones."""
    for number in range(1, 4):
        ill: dict[str, Any] = chance.choice(
            [
                {"stuck_at": chance.choice(["null", "created", "loading"])},
                {"gpu_shown": "Tesla T4"},
                {"befalls": ((chance.uniform(0, 60), chance.choice(MISHAPS)),)},
                {"stuck_at": "loading", "message": "net/http: TLS handshake timeout"},
            ]
        )
        yield behaving(number, 0.10 + number / 50, **ill)
    for number in range(4, 12):
        yield host(number, 0.20 + number / 50, surcharge=0.5 if chance.random() < 0.1 else 0.0)


class Deaths:
    """Ends the process at some boundaries, each the so-manieth time that it is reached."""

    def __init__(self, planned: dict[str, int]) -> None:
        self.planned = dict(planned)
        self.happened: list[str] = []

    def __call__(self, step: str) -> None:
        left = self.planned.get(step)
        if left is None:
            return
        self.planned[step] = left - 1
        if left == 1:
            del self.planned[step]
            self.happened.append(step)
            raise Crash


@pytest.fixture
def campaign() -> Iterator[Callable[[random.Random], Office]]:
    opened: list[Office] = []

    def open_office(chance: random.Random) -> Office:
        most, bids = chance.randint(1, 3), chance.random() < 0.5
        policy = Policy(max_machines=most, idle_hold_s=0.0, interruptible=bids)
        opened.append(Office(list(_market(chance)), policy=policy))
        return opened[-1]

    yield open_office
    for each in opened:
        each.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_work_is_done_once_and_no_machine_is_left(
    campaign: Callable[[random.Random], Office], seed: int
) -> None:
    """And the ledger says what the bill says, within the caps of an hour, with no key in any request."""
    print(f"again: python -m pytest -m '' 'tests/integration/vast/test_campaign.py' -k '[{seed}]'")
    chance = random.Random(seed)
    here = campaign(chance)
    here.trip = Deaths({chance.choice(BOUNDARIES): chance.randint(1, 3) for _ in range(chance.randint(1, 4))})
    here.vast.throttle.on = chance.random() < 0.3
    here.vast.lags.seen_after_s = chance.choice([0.0, 0.0, 40.0, 90.0])
    here.vast.lags.gone_after_s = chance.choice([0.0, 5.0, 60.0])
    here.vast.faults.add(*(drawn_fault(chance, latest=12, most=4) for _ in range(chance.randint(1, 5))))
    for _ in range(chance.randint(0, 3)):
        here.vast.plan(chance.uniform(30, 600), chance.choice(MISHAPS))

    here.work(chance.randint(2, 6), sentences=chance.randint(4, 30))
    here.live(chance.uniform(0, 900))
    here.work(chance.randint(1, 4), sentences=10)
    here.finish(12 * 3600.0)

    most = 2.0 * (1 + here.seconds() / 3600)  # the cap of an hour, in each
    assert here.vast.bill().total <= most
    here.check(cents=200)


def test_who_leads_next_publishes_what_was_recorded_as_done_and_nothing_more(
    campaign: Callable[[random.Random], Office],
) -> None:
    """The disk of the one before is gone: `check` looks for each job's audio at its name."""
    here = campaign(random.Random(0))
    here.trip = deaths = Deaths({"queue.complete after": 1})

    here.work(1)
    here.finish()

    assert deaths.happened
    here.check(cents=200)
