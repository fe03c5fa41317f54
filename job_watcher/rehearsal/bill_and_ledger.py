"""Compares the bill of a rehearsal with what the watcher's own ledger counted, machine by machine."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lib.machines import open_ledger
from lib.machines.ledger_exam import has_ledger
from lib.machines.model import MachineRow
from lib.units import MICROS, usd

#: They agree if they are not further apart than this share of the bill, or than a thousandth of a cent.
TOLERANCE: Final = 0.01
_CRUMB_MICROS: Final = 10
_HOURS: Final = (0, 2**31)


@dataclass(frozen=True, slots=True)
class CountedRental:
    """One rental, micro-dollars: what the company billed and what the ledger has.

    `counted` is None where the ledger knows no such machine, `billed` where the company does not.
    """

    instance: str
    billed: int | None
    counted: int | None

    @property
    def drift(self) -> int:
        """How much more the ledger has than the bill."""
        return (self.counted or 0) - (self.billed or 0)

    @property
    def percent(self) -> float | None:
        """The same, of the bill; None where nothing was billed."""
        return 100 * self.drift / self.billed if self.billed else None

    @property
    def agrees(self) -> bool:
        """Whether both say the same, but for rounding and the moments between."""
        return abs(self.drift) <= max(_CRUMB_MICROS, TOLERANCE * (self.billed or 0))

    def to_json(self) -> dict[str, Any]:
        """As `rehearse --json` has it."""
        percent = self.percent
        return {
            "instance": self.instance,
            "billed_usd": None if self.billed is None else usd(self.billed),
            "counted_usd": None if self.counted is None else usd(self.counted),
            "drift_usd": usd(self.drift),
            "drift_percent": None if percent is None else round(percent, 1),
            "agrees": self.agrees,
        }


@dataclass(frozen=True, slots=True)
class BillAndLedger:
    """Every machine of the bill or of the ledger, and all of them together."""

    machines: tuple[CountedRental, ...]

    @property
    def total(self) -> CountedRental:
        """All of them as one."""
        billed = sum(each.billed or 0 for each in self.machines)
        return CountedRental("all", billed, sum(each.counted or 0 for each in self.machines))

    @property
    def agrees(self) -> bool:
        """Whether they agree on each machine."""
        return all(each.agrees for each in self.machines)

    def to_json(self) -> dict[str, Any]:
        """`ledger` of `rehearse --json`."""
        told = self.total.to_json()
        del told["instance"]
        machines = [each.to_json() for each in self.machines]
        return {**told, "agrees": self.agrees, "machines": machines}


def counted_in(data: Path) -> Mapping[str, int]:
    """Micro-dollars by the company's id of a machine, from the ledger in the data folder of a rehearsal.

    A machine that never had an id stands by its token, if anything was counted for it.
    """
    url = f"sqlite:///{data / 'ledger.db'}"
    if not has_ledger(url):
        return {}
    with contextlib.closing(open_ledger(url)) as ledger:
        paid = ledger.paid(*_HOURS)
    rows: dict[str, MachineRow] = {row.token: row for row in paid.rows}
    counted: dict[str, int] = defaultdict(int)
    for charge in paid.charges:
        counted[rows[charge.token].instance or charge.token] += charge.micros
    return counted


def compared(billed: Iterable[tuple[str, float]], counted: Mapping[str, int]) -> BillAndLedger:
    """`billed` are ids and dollars, as the company has them."""
    bill = {instance: round(dollars * MICROS) for instance, dollars in billed}
    ids = [*bill, *(each for each in counted if each not in bill)]
    return BillAndLedger(tuple(CountedRental(each, bill.get(each), counted.get(each)) for each in ids))
