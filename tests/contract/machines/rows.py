"""Values for the suite: one intent and what may follow it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lib.machines.labels import MachineLabel
from lib.machines.model import Books, Change, Intent, MachineRow
from lib.machines.port import Ledger

NOON = 1_790_000_000.0
HOUR = int(NOON // 3600)


def anything(_books: Books) -> str | None:
    """No cap."""
    return None


def intent(number: int = 1, **fields: Any) -> Intent:
    """What we are about to rent; each number has a token of its own."""
    token = f"token-{number:08d}"
    base = Intent(
        token=token,
        epoch=1,
        provider="rehearsal",
        offer_id=f"offer-{number}",
        machine_id="m7",
        host_id="h3",
        gpu="RTX 3060",
        interruptible=False,
        hourly_micros=210_000,
        fee_micros=12_345,
        created_at=NOON + 0.125,
        expires_at=NOON + 7200.5,
        label=MachineLabel("studio", 1, token, NOON + 7200).text(),
        batch="episode-12",
        why="40 jobs wait",
    )
    return replace(base, **fields)


def planned(ledger: Ledger, number: int = 1, **fields: Any) -> MachineRow:
    """A planned row, without any cap."""
    return ledger.plan(intent(number, **fields), state="planned", hours=(), allow=anything)


def step(row: MachineRow, state: str = "rented", **fields: Any) -> Change:
    """The change that takes `row` to `state`."""
    base = Change(row.token, row.version, row.epoch, state, f"to {state}", row.since + 1, f"because {state}")
    return replace(base, **fields)
