"""What the ledger says of machines that are paid for, for whoever only looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from lib.clock import rfc3339
from lib.jobs.safety_nets import Net, held_by, switched_off, worst_case
from lib.machines.model import MachineRow
from lib.machines.port import Ledger
from lib.units import MICROS

_CENT_OF_CENT: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class RentedMachine:
    """One row that is not closed, at a moment. Money is US dollars.

    `listed` says whether the company lists it; None: it was not asked, or its list is incomplete.
    """

    row: MachineRow
    spent: Decimal
    nets: tuple[Net, ...]
    worst: Decimal
    switched_off: Decimal | None
    listed: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """An item of `instances --json`."""
        row, intent = self.row, self.row.intent
        until_switch = self.switched_off
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
            "held_by": [net.value for net in self.nets],
            "listed": self.listed,
            "worst_usd": str(self.worst.quantize(_CENT_OF_CENT)),
            "switch_usd": None if until_switch is None else str(until_switch.quantize(_CENT_OF_CENT)),
        }

    @property
    def per_hour(self) -> Decimal:
        """Its price."""
        return Decimal(self.row.intent.hourly_micros) / MICROS


def rented_machines(ledger: Ledger | None, now: float) -> Sequence[RentedMachine]:
    """Every machine that may cost money now, oldest first; none where there is no ledger.

    Raises:
        Unavailable: the ledger does not answer.
    """
    if ledger is None:
        return ()
    books = ledger.books(())
    found = []
    for row in books.open:
        spent = books.spent_by_machine.get(row.token, 0)
        nets = held_by(row, ledger.history(row.token))
        found.append(
            RentedMachine(
                row,
                Decimal(spent) / MICROS,
                nets,
                worst_case(row, spent, now),
                switched_off(row, nets, now),
            )
        )
    return found


def worst_of(machines: Sequence[RentedMachine]) -> Decimal:
    """Dollars that all of them can still cost if every watcher stopped now."""
    return sum((machine.worst for machine in machines), Decimal()).quantize(_CENT_OF_CENT)


def rented_json(provider: str, machines: Sequence[RentedMachine]) -> dict[str, Any]:
    """The value of `instances --json`, where the company was not asked."""
    return {
        "provider": provider,
        "instances": [machine.to_json() for machine in machines],
        "worst_usd": str(worst_of(machines)),
    }
