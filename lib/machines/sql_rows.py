"""Turns the ledger's values into table rows and back: one place for the columns' names and types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import RowMapping

from lib.machines.model import Category, Charge, HistoryEvent, HostNote, Intent, MachineRow


def intent_of(found: RowMapping) -> Intent:
    """The intent as it was planned."""
    return Intent(
        token=found["token"],
        epoch=found["intent_epoch"],
        provider=found["provider"],
        offer_id=found["offer_id"],
        machine_id=found["machine_id"],
        host_id=found["host_id"],
        gpu=found["gpu"],
        interruptible=bool(found["interruptible"]),
        hourly_micros=found["planned_hourly_micros"],
        fee_micros=found["fee_micros"],
        created_at=found["created_at"],
        expires_at=found["expires_at"],
        label=found["label"],
        batch=found["batch"],
        why=found["why"],
    )


def row_of(found: RowMapping) -> MachineRow:
    """The row as it is now; its intent carries the price last seen."""
    return MachineRow(
        intent=replace(intent_of(found), hourly_micros=found["hourly_micros"]),
        state=found["state"],
        since=found["since"],
        version=found["version"],
        epoch=found["epoch"],
        instance=found["instance"],
        reason=found["reason"],
        closed_at=found["closed_at"],
    )


def rows_of(found: Iterable[RowMapping]) -> list[MachineRow]:
    """As `row_of`, for many."""
    return [row_of(one) for one in found]


def columns_of(row: MachineRow) -> dict[str, Any]:
    """What the statements `plan` and `change` take."""
    intent = asdict(row.intent)
    intent["intent_epoch"] = intent.pop("epoch")
    return intent | {
        "state": row.state,
        "since": row.since,
        "version": row.version,
        "epoch": row.epoch,
        "instance": row.instance,
        "reason": row.reason,
        "closed_at": row.closed_at,
    }


def event_from(found: RowMapping) -> HistoryEvent:
    """One line of a history."""
    return HistoryEvent(**found)


def charge_from(token: str, found: RowMapping) -> Charge:
    """One hourly total."""
    return Charge(token, Category(found["category"]), found["hour"], found["micros"])


def note_from(found: RowMapping) -> HostNote:
    """One note about a host."""
    return HostNote(**{**found, "ok": bool(found["ok"])})
