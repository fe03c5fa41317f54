"""What a worker sees to beside its tasks, so that nothing waits for ever where workers are all there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from job_pipeline.orchestrator import orchestrate
from job_pipeline.recovery import take_back
from lib.clock import Clock
from lib.pipeline.ledger import PipelineLedger

#: On the average; `recovery` and `orchestrator-loop` are sooner.
EVERY_S: Final = 10.0


class WorkerUpkeep:
    """Takes back tasks whose worker is gone and lets gates time out, now and then.

    Threads: one.
    Raises, from `tend`: what the database says.
    """

    def __init__(self, ledger: PipelineLedger, clock: Clock, chance: Callable[[], float]) -> None:
        self._ledger, self._clock, self._chance = ledger, clock, chance
        self._next = clock.monotonic() + EVERY_S * chance()

    @property
    def due_in_s(self) -> float:
        """Seconds until `tend` has something to do."""
        return max(0.0, self._next - self._clock.monotonic())

    def tend(self) -> None:
        """Do it, if it is time."""
        now = self._clock.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY_S * (0.5 + self._chance())  # several workers take turns
        take_back(self._ledger)
        orchestrate(self._ledger, everything=False)
