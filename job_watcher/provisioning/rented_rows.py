"""What the ledger says of machines that are paid for, for commands that only look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lib.clock import rfc3339
from lib.machines.model import MachineRow
from lib.machines.port import Ledger

_MICROS = Decimal(1_000_000)
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class RentedMachine:
    """One row that is not closed. Money is US dollars."""

    row: MachineRow
    spent: Decimal

    def to_json(self) -> dict[str, Any]:
        """An item of `instances --json`."""
        row, intent = self.row, self.row.intent
        return {
            "token": row.token,
            "provider": intent.provider,
            "instance": row.instance,
            "gpu": intent.gpu,
            "state": row.state,
            "since": rfc3339(row.since),
            "reason": row.reason,
            "batch": intent.batch,
            "why": intent.why,
            "usd_per_hour": str(self.per_hour),
            "spent_usd": str(self.spent),
            "expires_at": rfc3339(intent.expires_at),
        }

    @property
    def per_hour(self) -> Decimal:
        """Its price."""
        return Decimal(self.row.intent.hourly_micros) / _MICROS

    def worst(self, now: float) -> Decimal:
        """What it can still cost, if nobody but its own switch ends it."""
        left = Decimal(max(0.0, self.row.intent.expires_at - now) / _HOUR_S)
        return self.per_hour * left


def rented_machines(ledger: Ledger | None) -> Sequence[RentedMachine]:
    """Every machine that may cost money now, oldest first; none where there is no ledger.

    Raises:
        Unavailable: the ledger does not answer.
    """
    if ledger is None:
        return ()
    books = ledger.books(())
    return [
        RentedMachine(row, Decimal(books.spent_by_machine.get(row.token, 0)) / _MICROS) for row in books.open
    ]
