"""The ledger in memory, for the simulation and for unit tests. It keeps every promise of the port but one:
nothing outlives the process."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from lib.machines.model import (
    Books,
    Category,
    Change,
    Charge,
    Epoch,
    FinishedWork,
    HistoryEvent,
    HostNote,
    Intent,
    MachineKey,
    MachineRow,
    PaidMachines,
)
from lib.machines.port import Allow, SpendingRefused
from lib.machines.steps import (
    changed,
    check_epoch,
    epoch_taken,
    event_of,
    in_order,
    planned,
    planned_again,
    row_changed,
    storable,
    unknown_machine,
)


class MemoryLedger:
    """`Ledger` in dictionaries; one lock makes every call a transaction."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._last = Epoch(0, "", 0.0)
        self._rows: dict[str, MachineRow] = {}
        self._planned: dict[str, Intent] = {}
        self._open: dict[str, MachineRow] = {}
        self._history: dict[str, list[HistoryEvent]] = {}
        self._charges: dict[str, dict[tuple[Category, int], int]] = defaultdict(dict)
        self._by_hour: dict[int, int] = defaultdict(int)
        self._by_machine: dict[str, int] = defaultdict(int)
        self._by_batch: dict[str, int] = defaultdict(int)
        self._notes: dict[HostNote, None] = {}
        self._keys: dict[str, MachineKey] = {}
        self._work: dict[str, dict[tuple[str, int], FinishedWork]] = defaultdict(dict)

    def last_epoch(self) -> int:
        """The newest epoch that was opened; 0 when there was none."""
        return self._last.number

    def open_epoch(self, epoch: Epoch) -> None:
        """Begin a term. The same owner may repeat its own."""
        epoch = storable(epoch)
        with self._lock:
            if epoch.number > self._last.number:
                self._last = epoch
            elif (epoch.number, epoch.owner) != (self._last.number, self._last.owner):
                raise epoch_taken(epoch, self._last.number)

    def plan(self, intent: Intent, *, state: str, hours: Collection[int], allow: Allow) -> MachineRow:
        """Write an intent in `state`, if `allow` finds room."""
        intent = storable(intent)
        with self._lock:
            check_epoch(intent.epoch, self._last.number)
            if known := self._planned.get(intent.token):
                planned_again(known, intent)
                return self._rows[intent.token]
            if refusal := allow(self._books(hours, (intent.batch,))):
                raise SpendingRefused(refusal)
            row, event = planned(intent, state)
            self._planned[intent.token] = intent
            self._rows[intent.token] = self._open[intent.token] = row
            self._history[intent.token] = [event]
            return row

    def open_rows(self) -> list[MachineRow]:
        """Every row that is not closed, oldest first."""
        with self._lock:
            return list(self._open.values())

    def row(self, token: str) -> MachineRow | None:
        """One row, open or closed."""
        return self._rows.get(token)

    def change(self, change: Change) -> MachineRow:
        """Carry out one transition and write its history."""
        change = storable(change)
        with self._lock:
            check_epoch(change.epoch, self._last.number)
            row = self._rows.get(change.token)
            if row is not None and self._history[change.token][-1] == event_of(change):
                return row  # a repeat after a lost reply
            if row is None or row.version != change.version:
                raise row_changed(change, row)
            after, event = changed(row, change)
            self._history[change.token].append(event)
            self._rows[change.token] = after
            if after.closed_at is None:
                self._open[change.token] = after
            else:
                self._open.pop(change.token, None)
                self._keys.pop(change.token, None)
            return after

    def charge(self, charges: Sequence[Charge], *, epoch: int) -> None:
        """Set hourly totals, all or none."""
        with self._lock:
            check_epoch(epoch, self._last.number)
            for charge in charges:
                if charge.token not in self._rows:
                    raise unknown_machine(charge.token)
            for charge in charges:
                self._set(charge)

    def _set(self, charge: Charge) -> None:
        place = (charge.category, charge.hour)
        totals = self._charges[charge.token]
        more = charge.micros - totals.get(place, 0)
        totals[place] = charge.micros
        self._by_hour[charge.hour] += more
        self._by_machine[charge.token] += more
        self._by_batch[self._planned[charge.token].batch] += more

    def charges(self, token: str) -> list[Charge]:
        """Every hourly total of one machine."""
        with self._lock:
            totals = self._charges.get(token, {})
            found = [Charge(token, category, hour, micros) for (category, hour), micros in totals.items()]
        return sorted(found, key=lambda charge: (charge.hour, charge.category))

    def books(self, hours: Collection[int], batches: Collection[str] = ()) -> Books:
        """The money side now."""
        with self._lock:
            return self._books(hours, batches)

    def _books(self, hours: Collection[int], batches: Collection[str]) -> Books:
        return Books(
            open=tuple(self._open.values()),
            spent_by_hour=dict.fromkeys(hours, 0)
            | {hour: micros for hour, micros in self._by_hour.items() if hour in hours},
            spent_by_machine={token: self._by_machine.get(token, 0) for token in self._open},
            spent_by_batch={batch: self._by_batch.get(batch, 0) for batch in batches},
        )

    def paid(self, first_hour: int, last_hour: int) -> PaidMachines:
        """What was paid in those hours, and the machines it was paid for."""
        with self._lock:
            charges = [
                Charge(token, category, hour, micros)
                for token in sorted(self._charges)
                for (category, hour), micros in self._charges[token].items()
                if first_hour <= hour <= last_hour
            ]
            tokens = {charge.token for charge in charges} | set(self._open)
            return PaidMachines(
                tuple(row for token, row in self._rows.items() if token in tokens),
                tuple(sorted(charges, key=lambda charge: (charge.token, charge.hour, charge.category))),
                tuple(event for token in sorted(tokens) for event in self._history[token]),
                tuple(in_order(one for token in tokens for one in self._work.get(token, {}).values())),
            )

    def note_work(self, work: Sequence[FinishedWork], *, epoch: int) -> None:
        """Remember what machines finished. The same lease of a job counts once."""
        work = [storable(one) for one in work]
        with self._lock:
            check_epoch(epoch, self._last.number)
            for one in work:
                if one.token not in self._rows:
                    raise unknown_machine(one.token)
            for one in work:
                self._work[one.token].setdefault((one.request_id, one.lease_no), one)

    def note_host(self, note: HostNote, *, epoch: int) -> None:
        """Remember what a host did. The same note twice counts once."""
        with self._lock:
            check_epoch(epoch, self._last.number)
            self._notes.setdefault(storable(note))

    def host_notes(self, since: float) -> list[HostNote]:
        """Every note since then, oldest first."""
        with self._lock:
            return sorted((note for note in self._notes if note.at >= since), key=lambda note: note.at)

    def history(self, token: str) -> list[HistoryEvent]:
        """A machine's life, oldest first."""
        with self._lock:
            return list(self._history.get(token, ()))

    def keep_key(self, token: str, key: MachineKey) -> MachineKey:
        """Keep the key of a planned machine; the first one stays."""
        with self._lock:
            if token not in self._rows:
                raise unknown_machine(token)
            return self._keys.setdefault(token, key)

    def key(self, token: str) -> MachineKey | None:
        """The key of a machine that is not gone."""
        return self._keys.get(token)

    def pin(self, token: str, host_key: str) -> str:
        """Know the machine by its host key; the first one stays."""
        with self._lock:
            known = self._keys.get(token)
            if known is None or known.host_key:
                return host_key if known is None else known.host_key
            self._keys[token] = replace(known, host_key=host_key)
            return host_key
