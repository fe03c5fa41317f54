"""Machines, offers and accounts for the tests of decisions; plain values with names for what matters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lib.fleet import Demand, Machine, Offer, Seen, State
from lib.fleet.money import Accounts, Commitment

NOW = 1_790_035_200.0 + 9 * 3600  # nine o'clock of some day, UTC
DOLLAR = 1_000_000


def offer(**different: Any) -> Offer:
    base = Offer(
        id="o1",
        machine_id="m1",
        host_id="h1",
        gpu="RTX 3090",
        hourly_micros=DOLLAR // 5,
        cuda=12.8,
        driver=550,
        reliability=0.99,
    )
    return replace(base, **different)


def machine(state: State = State.READY, **different: Any) -> Machine:
    base = Machine(
        token="t1",
        state=state,
        since=NOW - 600,
        instance="i1",
        gpu="RTX 3090",
        machine_id="m1",
        hourly_micros=DOLLAR // 5,
        expires_at=NOW + 4 * 3600,
        created_at=NOW - 900,
        seen=Seen.RUNNING,
        answered_at=NOW,
    )
    return replace(base, **different)


def absent(state: State, **different: Any) -> Machine:
    """A machine that two honest listings, a minute apart, did not show, and that its id does not find."""
    facts: dict[str, Any] = {
        "seen": Seen.ABSENT,
        "absences": 2,
        "absent_for": 60.0,
        "unseen_at_s": 300.0,
        "confirmed_absent": True,
        "answered_at": None,
    }
    return machine(state, **(facts | different))


def demand(waiting: int = 0, running: int = 0, **different: Any) -> Demand:
    return Demand(waiting=waiting, running=running, **different)


def accounts(*promised: Commitment, **different: Any) -> Accounts:
    return replace(Accounts(NOW, promised), **different)
