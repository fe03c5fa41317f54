"""What the rented machines cost that worked for a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Set
from dataclasses import dataclass

from lib.jobs.costs import CostsBy, costs_of, hours_of
from lib.machines.port import Ledger
from lib.units import MICROS

_BILL_S = 86_400.0  # a bill may come so much later


@dataclass(frozen=True, slots=True)
class RunCost:
    """US dollars, and how many of its jobs they were paid for."""

    usd: float
    jobs: int


def run_cost(
    open_rented: Callable[[], contextlib.AbstractContextManager[Ledger | None]],
    jobs: Set[str],
    begin: float,
    end: float,
) -> RunCost | None:
    """What the jobs cost that the queue did for a run; None where nothing was rented, or not for it.

    Raises: Unavailable.
    """
    if not jobs:
        return None
    with open_rented() as ledger:
        if ledger is None:
            return None
        paid = ledger.paid(*hours_of(begin, end + _BILL_S))
    lines = [line for line in costs_of(paid, begin, end + _BILL_S, CostsBy.JOB).lines if line.name in jobs]
    return RunCost(sum(line.total for line in lines) / MICROS, len(lines)) if lines else None
