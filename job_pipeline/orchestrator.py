"""Sees what follows: makes ready what is ready, lets gates time out, and puts events into their order.

Any number of orchestrators may run at once; one that was killed leaves nothing behind that the next round,
of any of them, does not see to.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from job_pipeline.log_tags import tell
from job_pipeline.rounds import Rounds
from lib.clock import Clock, SystemClock
from lib.pipeline.gates import time_out_gates
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.orchestration import settle_runs
from lib.pipeline.trail import place_events

log = logging.getLogger(__name__)

#: How often every run is looked at that has not ended, whatever its rows say of it.
EVERYTHING_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class OrchestratorRound:
    """What one round did: runs that changed, gates whose time was over, events that got their place."""

    settled: int
    gates: int
    placed: int


def orchestrate(ledger: PipelineLedger, *, everything: bool = True) -> OrchestratorRound:
    """Make one round; `everything`: over all runs that have not ended, not only those that workers left.

    Raises:
        TryAgain, Unavailable, BadConfiguration: of the database; what was done until then stands.
    """
    runs = settle_runs(ledger, everything=everything)
    for run in runs:
        tell(log, "orchestrator", "settled", "what follows was made ready", run=run, level=logging.DEBUG)
    gates = time_out_gates(ledger)
    for gate in gates:
        tell(
            log,
            "gate",
            "gate_timeout",
            "its time is over",
            run=gate.run,
            task=gate.task,
            attempt=gate.attempt,
        )
    return OrchestratorRound(len(runs), len(gates), place_events(ledger))


def orchestrator_loop(
    ledger: PipelineLedger,
    *,
    poll_s: float = 1.0,
    everything_s: float = EVERYTHING_S,
    clock: Clock | None = None,
    chance: Callable[[], float] = random.random,
) -> Rounds:
    """The loop over `orchestrate`; every `everything_s` seconds, and first, over everything."""
    ticking = clock or SystemClock()
    last: list[float] = []

    def step() -> None:
        now = ticking.monotonic()
        everything = not last or now - last[0] >= everything_s
        orchestrate(ledger, everything=everything)
        if everything:
            last[:] = [now]

    return Rounds(step, poll_s=poll_s, log=log, what="the orchestrator", chance=chance)
