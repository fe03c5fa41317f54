"""Keeps the state that all parts of a simulated world share: time, faults, leader, broken promises."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from job_watcher.simulation.fault_schedule import Crash, Fault, Planned
from job_watcher.simulation.market import SimulatedMarket
from lib.jobqueue.memory.queue import MemoryQueue
from lib.machines.memory import MemoryLedger
from lib.storage.memory import MemoryStorage

LOCK_S = 90.0


@dataclass(slots=True)
class Lock:
    """The leader's lock, by the server's time."""

    owner: str = ""
    epoch: int = 0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the story."""

    at: float
    watcher: str
    kind: str
    text: str
    token: str


@dataclass(slots=True)
class Conditions:
    """Shared by everything in one world. `pause` lets the others go on for so many seconds,
    `later` does something after as many."""

    now: float
    chance: random.Random
    market: SimulatedMarket
    queue: MemoryQueue
    ledger: MemoryLedger
    owner: str = "rehearsal"
    lock: Lock = field(default_factory=Lock)
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    active: dict[Fault, Planned] = field(default_factory=dict)
    armed: list[Planned] = field(default_factory=list)  # crashes and pauses that wait for their step
    story: list[Told] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    rents: dict[str, int] = field(default_factory=dict)  # rent calls by token
    pause: Callable[[float], None] = lambda seconds: None
    slept: tuple[float, float] = (0.0, 0.0)  # the last stretch for which a watcher stood still
    later: Callable[[float, Callable[[], None]], None] = lambda seconds, action: None

    def hit(self, fault: Fault) -> bool:
        """Whether this call is hit by that fault, if it is on."""
        planned = self.active.get(fault)
        return planned is not None and (planned.chance >= 1.0 or self.chance.random() < planned.chance)

    def reached(self, watcher: int, step: str) -> None:
        """A watcher is at a boundary: it may die here, or stand still."""
        for planned in self.armed:
            if planned.step == step and planned.watcher == watcher:
                self.armed.remove(planned)
                self.tell(f"watcher {watcher}", planned.kind.value, f"at {step}")
                if planned.kind is Fault.CRASH:
                    raise Crash
                began = self.now
                self.pause(planned.seconds)
                self.slept = (began, self.now)
                return

    def tell(self, watcher: str, kind: str, text: str, token: str = "") -> None:
        """Add a line to the story."""
        self.story.append(Told(self.now, watcher, kind, text, token))

    def wrong(self, sentence: str) -> None:
        """An invariant is broken."""
        self.violations.append(sentence)
        self.tell("", "VIOLATION", sentence)
