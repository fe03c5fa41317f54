"""Plans the faults of a simulated world: which, when, for how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from job_watcher.simulation.machine import Sickness


class Crash(BaseException):
    """The watcher's process ends here, as by SIGKILL. Nothing of ours may catch it."""


class Fault(StrEnum):
    """Kinds of trouble. Those with a duration hold from `at` for `seconds`."""

    CRASH = "crash"  # the next time the step is reached, the process dies before or after it
    PAUSE = "pause"  # the process stands still at the step, others go on
    DRAIN = "drain"  # it is told to end, and another starts
    LOST_CALL = "lost call"  # provider calls vanish without an effect
    LOST_REPLY = "lost reply"  # provider calls take effect, the answers vanish
    REFUSING = "refusing"  # the provider answers 5xx
    RATE_LIMIT = "rate limit"
    LIST_BROKEN = "list broken"  # the listing cannot be parsed
    LIST_PARTIAL = "list partial"  # pages are missing, and it shows
    LIST_EMPTY = "list empty"  # an empty listing that says it is complete
    LIST_SHORT = "list short"  # one that lacks rows and says it is complete
    HALF_RENT = "half rent"  # refused, and a stopped rental exists
    LATE_RENT = "late rent"  # no answer, and the rental is made minutes later
    PARTITION = "partition"  # no machine can be reached
    CLOCK_JUMP = "clock jump"  # the watcher's wall clock is off
    PREEMPTION = "preemption"  # an interruptible machine is taken, and comes back by itself
    OFFLINE = "offline"  # a host is away and comes back
    VANISH = "vanish"  # a host takes its machine away for good
    BROKEN = "broken"  # a rental ends in an error
    ZOMBIE = "zombie"  # destroys are accepted and forgotten
    REDIS_DOWN = "redis down"
    REDIS_LOSES_LOCK = "redis loses lock"
    QUEUE_REPLIES = "queue replies lost"
    LEDGER_REPLIES = "ledger replies lost"
    STORE_REFUSES = "store refuses"
    PRICES = "prices"  # they move, also between search and rent
    NO_CREDIT = "no credit"
    PRICE_RAISED = "price raised"  # a rental's price rises while it runs
    SICKNESS = "sickness"  # a machine breaks in one of the ways of `Sickness`, and answers on


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault of a schedule. `step` names a boundary ("ledger.plan after") for crashes and pauses."""

    kind: Fault
    at: float  # seconds from the start
    seconds: float = 0.0
    watcher: int = 0
    step: str = ""
    chance: float = 1.0  # of each call to be hit
    sickness: Sickness | None = None

    def __str__(self) -> str:
        """One line for a trace."""
        parts = [f"{self.kind.value} at {self.at:.0f} s"]
        parts += [f"for {self.seconds:.0f} s"] if self.seconds else []
        parts += [f"of watcher {self.watcher} at {self.step}"] if self.step else []
        parts += [f"({self.sickness.value})"] if self.sickness else []
        return " ".join(parts)


#: Seconds by which a clock is off at most.
MOST_OFF_S: Final = 240.0

#: Every place where a watcher can die or stand still between two steps of an intent.
STEPS: Final = tuple(
    f"{name} {side}"
    for name in (
        "ledger.plan",
        "ledger.change",
        "ledger.charge",
        "ledger.open_epoch",
        "ledger.note_host",
        "provider.rent",
        "provider.destroy",
        "provider.list",
        "queue.claim",
        "queue.begin",
        "queue.complete",
        "queue.release",
        "machine.submit",
    )
    for side in ("before", "after")
)
#: A pause between the check of the lock and the call cannot be fenced by anybody, so pauses lie elsewhere.
PAUSE_STEPS: Final = tuple(step for step in STEPS if not step.startswith("provider"))

_LASTING: Final[dict[Fault, tuple[float, float]]] = {
    Fault.LOST_CALL: (60, 600),
    Fault.LOST_REPLY: (60, 600),
    Fault.REFUSING: (60, 1200),
    Fault.RATE_LIMIT: (60, 600),
    Fault.LIST_BROKEN: (60, 1200),
    Fault.LIST_PARTIAL: (60, 1200),
    Fault.LIST_EMPTY: (30, 270),
    Fault.LIST_SHORT: (30, 900),
    Fault.HALF_RENT: (60, 600),
    Fault.LATE_RENT: (60, 1200),
    Fault.PARTITION: (30, 600),
    Fault.CLOCK_JUMP: (60, 3600),
    Fault.REDIS_DOWN: (5, 300),
    Fault.QUEUE_REPLIES: (60, 600),
    Fault.LEDGER_REPLIES: (60, 600),
    Fault.STORE_REFUSES: (60, 900),
    Fault.PRICES: (60, 1800),
    Fault.NO_CREDIT: (120, 900),
}
_SOMETIMES: Final = frozenset(
    {
        Fault.LOST_CALL,
        Fault.LOST_REPLY,
        Fault.REFUSING,
        Fault.RATE_LIMIT,
        Fault.HALF_RENT,
        Fault.QUEUE_REPLIES,
        Fault.LEDGER_REPLIES,
        Fault.LIST_SHORT,
    }
)


def sicknesses(chance: random.Random, *, horizon_s: float) -> tuple[list[Planned], bool]:
    """Machines that break after their checks and answer on: on one day of three, and on half of these
    nothing else goes wrong (the second value): how soon they are given back is judged on such days.
    """
    if chance.random() >= 1 / 3:
        return [], False
    sick = [
        Planned(Fault.SICKNESS, at=chance.uniform(120, horizon_s), sickness=chance.choice(list(Sickness)))
        for _ in range(chance.randint(1, 3))
    ]
    return sorted(sick, key=lambda item: item.at), chance.random() < 0.5


def schedule(chance: random.Random, *, horizon_s: float, most: int, watchers: int) -> list[Planned]:
    """A bad day: up to `most` faults over `horizon_s` seconds, crashes and lost replies above all."""
    kinds = [
        *(kind for kind in Fault if kind is not Fault.SICKNESS),
        Fault.CRASH,
        Fault.CRASH,
        Fault.CRASH,
        Fault.LOST_REPLY,
        Fault.LIST_EMPTY,
        Fault.PAUSE,
        Fault.LATE_RENT,
    ]
    found = []
    for _ in range(chance.randint(1, most)):
        kind = chance.choice(kinds)
        seconds = chance.uniform(*_LASTING.get(kind, (60, 600)))
        step = ""
        if kind is Fault.CRASH:
            step = chance.choice(STEPS)
        elif kind is Fault.PAUSE:
            step = chance.choice(PAUSE_STEPS)
        found.append(
            Planned(
                kind,
                at=chance.uniform(0, horizon_s),
                seconds=seconds,
                watcher=chance.randrange(watchers),
                step=step,
                chance=chance.choice((0.3, 0.7, 1.0)) if kind in _SOMETIMES else 1.0,
            )
        )
    return sorted(found, key=lambda item: item.at)
