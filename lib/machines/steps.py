"""Makes the rows that a write leaves, the same for every ledger: rows in, rows out, no storage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from lib.machines.model import Change, Epoch, FinishedWork, HistoryEvent, Intent, MachineRow
from lib.machines.port import RowChanged, StaleEpoch

PLANNED: Final = "planned"  # the event that begins each history
_LONGEST_TEXT: Final = 2000

Value = TypeVar("Value", bound=Any)


def storable(value: Value) -> Value:
    """The value with texts that every database can hold: a provider's words may be anything."""
    changed: dict[str, object] = {}
    for item in fields(value):
        held = getattr(value, item.name)
        if type(held) is str and (fit := _fit(held)) != held:
            changed[item.name] = fit
    result: Value = replace(value, **changed) if changed else value
    return result


def _fit(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text[:_LONGEST_TEXT]
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")[:_LONGEST_TEXT]


def check_epoch(epoch: int, last: int) -> None:
    """Refuse a write of a leader whose term is over.

    Raises:
        StaleEpoch: a newer epoch was opened.
    """
    if epoch < last:
        raise StaleEpoch(
            f"the watcher of epoch {epoch} is no longer the leader: epoch {last} has begun; nothing was "
            "written, it must stop acting"
        )


def epoch_taken(epoch: Epoch, last: int) -> StaleEpoch:
    """The refusal of a term whose number is not new."""
    return StaleEpoch(
        f"epoch {epoch.number} of {epoch.owner} cannot begin: epoch {last} was opened already; "
        "take the leader's lock again with a number above it"
    )


def unknown_machine(token: str) -> ValueError:
    """A charge for a machine that was never planned: a mistake of ours."""
    return ValueError(f"machine {token} was never planned, so nothing can be charged to it or kept for it")


def planned(intent: Intent, state: str) -> tuple[MachineRow, HistoryEvent]:
    """The first version of a row, and the first line of its history."""
    row = MachineRow(intent, state, intent.created_at, 1, intent.epoch, reason=intent.why)
    return row, HistoryEvent(row.token, 1, row.since, row.epoch, PLANNED, state, intent.why)


def planned_again(known: Intent, intent: Intent) -> None:
    """A token that is in the ledger already may only come with the intent it came with.

    Raises:
        ValueError: it comes with another one.
    """
    if known != intent:
        raise ValueError(f"the token {intent.token} was used for another intent; each needs a new one")


def changed(row: MachineRow, change: Change) -> tuple[MachineRow, HistoryEvent]:
    """The row after `change`, and the line of history that goes with it.

    `since` moves only when the state does, and a row once closed stays so.
    """
    intent = row.intent
    if change.hourly_micros is not None:
        intent = replace(intent, hourly_micros=change.hourly_micros)
    closed_at = row.closed_at
    if change.closed and closed_at is None:
        closed_at = change.at
    after = MachineRow(
        intent=intent,
        state=change.state,
        since=row.since if change.state == row.state else change.at,
        version=row.version + 1,
        epoch=change.epoch,
        instance=row.instance if change.instance is None else change.instance,
        reason=change.reason,
        closed_at=closed_at,
    )
    return after, event_of(change)


def in_order(work: Iterable[FinishedWork]) -> list[FinishedWork]:
    """By machine and time, whatever a database takes for the order of letters."""
    return sorted(work, key=lambda one: (one.token, one.at, one.request_id, one.lease_no))


def event_of(change: Change) -> HistoryEvent:
    """The line of history that `change` leaves."""
    return HistoryEvent(
        change.token,
        change.version + 1,
        change.at,
        change.epoch,
        change.event,
        change.state,
        change.reason,
    )


def row_changed(change: Change, row: MachineRow | None) -> RowChanged:
    """The refusal of a change that was decided on an older row."""
    found = "it is not in the ledger" if row is None else f"it is at version {row.version}, {row.state}"
    return RowChanged(
        f"machine {change.token} was not changed to {change.state}: the change was decided at version "
        f"{change.version}, but {found}; read the ledger again"
    )
