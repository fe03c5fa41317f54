"""Tells which nets hold a rented machine, and what it can still cost if all of this stopped now."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final

from lib.fleet import State
from lib.machines.model import HistoryEvent, MachineRow
from lib.providers.rental import BootPlan
from lib.units import MICROS

_HOUR_S: Final = 3600
_SWITCH_S: Final = BootPlan("", "").lease_s


class Net(StrEnum):
    """What ends a machine when nobody does."""

    LEDGER = "ledger"  # whoever leads next finds it there
    LABEL = "label"  # a sweep finds it at the company, without ledger and queue
    SWITCH = "switch"  # the machine ends itself when no watcher renews its lease
    DEADLINE = "deadline"  # the machine ends itself at the end of its time, whoever renews


def held_by(row: MachineRow, history: Iterable[HistoryEvent]) -> tuple[Net, ...]:
    """The nets that are known to hold it; one of which nothing was heard yet does not count.

    It carries the label once the company named the rental. That the script with switch and deadline runs
    there was seen when its checks were passed: it repeats what only that script was told.
    """
    labelled = (Net.LABEL,) if row.instance is not None else ()
    checked = any(event.state == State.READY for event in history)
    return (Net.LEDGER, *labelled, *((Net.SWITCH, Net.DEADLINE) if checked else ()))


def worst_case(row: MachineRow, spent_micros: int, now: float) -> Decimal:
    """Dollars that it can still cost if every watcher stopped now and only the end of its time ended it."""
    intent = row.intent
    left = max(0, round((intent.expires_at - now) * 1000))
    fee = max(0, intent.fee_micros - spent_micros)
    return (Decimal(intent.hourly_micros) * left / (_HOUR_S * 1000) + fee) / MICROS


def switched_off(row: MachineRow, nets: Iterable[Net], now: float) -> Decimal | None:
    """Dollars until its switch ends it, if every watcher stopped now; None where none is known to hold it."""
    if Net.SWITCH not in nets:
        return None
    left = min(_SWITCH_S * 1000, max(0, round((row.intent.expires_at - now) * 1000)))
    return Decimal(row.intent.hourly_micros) * left / (_HOUR_S * 1000) / MICROS
