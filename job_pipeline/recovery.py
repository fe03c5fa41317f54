"""Takes back tasks whose worker is gone or asleep: their leases ran out."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Final

from job_pipeline.log_tags import tell
from job_pipeline.rounds import Rounds
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.orchestration import recover

log = logging.getLogger(__name__)

_AT_ONCE: Final = 200


def take_back(ledger: PipelineLedger) -> list[tuple[str, str]]:
    """Make one round: every task whose lease ran out is ready again; run and name of each.

    Raises:
        TryAgain, Unavailable, BadConfiguration: of the database; what was done until then stands.
    """
    found: list[tuple[str, str]] = []
    while taken := recover(ledger, count=_AT_ONCE):
        for run, task in taken:
            sentence = "its worker let the lease run out; it is ready again, or dead after its last attempt"
            tell(log, "orchestrator", "recovered", sentence, run=run, task=task, level=logging.WARNING)
        found += taken
    return found


def recovery_loop(
    ledger: PipelineLedger, *, poll_s: float = 5.0, chance: Callable[[], float] = random.random
) -> Rounds:
    """The loop over `take_back`."""

    def step() -> None:
        take_back(ledger)

    return Rounds(step, poll_s=poll_s, log=log, what="recovery", chance=chance)
