"""The ledger in SQL: SQLite beside one watcher, Postgres for several."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, exc

from lib.machines.model import (
    Books,
    Change,
    Charge,
    Epoch,
    HistoryEvent,
    HostNote,
    Intent,
    MachineKey,
    MachineRow,
    PaidMachines,
)
from lib.machines.port import Allow, SpendingRefused
from lib.machines.sql_rows import (
    charge_from,
    columns_of,
    event_from,
    intent_of,
    note_from,
    row_of,
    rows_of,
)
from lib.machines.steps import (
    changed,
    check_epoch,
    epoch_taken,
    event_of,
    planned,
    planned_again,
    row_changed,
    storable,
    unknown_machine,
)
from lib.sql.database import Database
from lib.sql.migrate import migrate
from lib.sql.statements import load_statements

_STATEMENTS: Final = load_statements("lib.machines", "ledger.sql")
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
HEAD: Final = "0002"
VERSION_TABLE: Final = "machines_version"


class SqlLedger:
    """`Ledger` on a database; see the port for what each method promises.

    Each method is one transaction. The tables are made or brought up to date when it is opened.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        migrate(database, _MIGRATIONS, head=HEAD, version_table=VERSION_TABLE)

    def last_epoch(self) -> int:
        """The newest epoch that was opened; 0 when there was none."""
        return self._database.read(_last_epoch)

    def open_epoch(self, epoch: Epoch) -> None:
        """Begin a term. The same owner may repeat its own."""
        epoch = storable(epoch)

        def work(connection: Connection) -> None:
            newest = _one(connection, "last_epoch")
            last, owner = (newest["number"], newest["owner"]) if newest else (0, "")
            if epoch.number > last:
                _run(connection, "open_epoch", asdict(epoch))
            elif (epoch.number, epoch.owner) != (last, owner):
                raise epoch_taken(epoch, last)

        self._database.write(work)

    def plan(self, intent: Intent, *, state: str, hours: Collection[int], allow: Allow) -> MachineRow:
        """Write an intent in `state`, if `allow` finds room."""
        intent = storable(intent)

        def work(connection: Connection) -> MachineRow:
            check_epoch(intent.epoch, _last_epoch(connection))
            if known := _one(connection, "row", token=intent.token):
                planned_again(intent_of(known), intent)
                return row_of(known)
            if refusal := allow(_books(connection, hours, (intent.batch,))):
                raise SpendingRefused(refusal)
            row, event = planned(intent, state)
            _run(connection, "plan", columns_of(row))
            _run(connection, "record", asdict(event))
            return row

        return self._database.write(work)

    def open_rows(self) -> list[MachineRow]:
        """Every row that is not closed, oldest first."""
        return self._database.read(lambda connection: rows_of(_all(connection, "open_rows")))

    def row(self, token: str) -> MachineRow | None:
        """One row, open or closed."""
        return self._database.read(lambda connection: _row(connection, token))

    def change(self, change: Change) -> MachineRow:
        """Carry out one transition and write its history."""
        change = storable(change)

        def work(connection: Connection) -> MachineRow:
            check_epoch(change.epoch, _last_epoch(connection))
            row = _row(connection, change.token)
            if row is not None and row.version == change.version + 1 and _is_done(connection, change):
                return row  # a repeat after a lost reply
            if row is None or row.version != change.version:
                raise row_changed(change, row)
            after, event = changed(row, change)
            _run(connection, "change", columns_of(after))
            _run(connection, "record", asdict(event))
            if after.closed_at is not None:
                _run(connection, "forget_key", {"token": after.token})
            return after

        return self._database.write(work)

    def charge(self, charges: Sequence[Charge], *, epoch: int) -> None:
        """Set hourly totals, all or none."""

        def work(connection: Connection) -> None:
            check_epoch(epoch, _last_epoch(connection))
            try:
                if charges:
                    _run(connection, "charge", [asdict(charge) for charge in charges])
            except exc.IntegrityError:
                raise unknown_machine(_unknown(connection, charges)) from None

        self._database.write(work)

    def charges(self, token: str) -> list[Charge]:
        """Every hourly total of one machine."""
        return self._database.read(
            lambda connection: [charge_from(token, one) for one in _all(connection, "charges", token=token)]
        )

    def books(self, hours: Collection[int], batches: Collection[str] = ()) -> Books:
        """The money side now."""
        return self._database.read(lambda connection: _books(connection, hours, batches))

    def paid(self, first_hour: int, last_hour: int) -> PaidMachines:
        """What was paid in those hours, and the machines it was paid for."""
        hours = {"first": first_hour, "last": last_hour}

        def work(connection: Connection) -> PaidMachines:
            return PaidMachines(
                tuple(rows_of(_all(connection, "paid_rows", **hours))),
                tuple(charge_from(one["token"], one) for one in _all(connection, "paid_charges", **hours)),
                tuple(event_from(one) for one in _all(connection, "paid_events", **hours)),
            )

        return self._database.read(work)

    def note_host(self, note: HostNote, *, epoch: int) -> None:
        """Remember what a host did. The same note twice counts once."""
        note = storable(note)

        def work(connection: Connection) -> None:
            check_epoch(epoch, _last_epoch(connection))
            _run(connection, "note_host", asdict(note))

        self._database.write(work)

    def host_notes(self, since: float) -> list[HostNote]:
        """Every note since then, oldest first."""
        return self._database.read(
            lambda connection: [note_from(one) for one in _all(connection, "host_notes", since=since)]
        )

    def history(self, token: str) -> list[HistoryEvent]:
        """A machine's life, oldest first."""
        return self._database.read(
            lambda connection: [event_from(one) for one in _all(connection, "history", token=token)]
        )

    def keep_key(self, token: str, key: MachineKey) -> MachineKey:
        """Keep the key of a planned machine; the first one stays."""

        def work(connection: Connection) -> MachineKey:
            if (known := _key(connection, token)) is not None:
                return known
            if _row(connection, token) is None:
                raise unknown_machine(token)
            _run(connection, "keep_key", {"token": token, **asdict(key)})
            return key

        return self._database.write(work)

    def key(self, token: str) -> MachineKey | None:
        """The key of a machine that is not gone."""
        return self._database.read(lambda connection: _key(connection, token))

    def pin(self, token: str, host_key: str) -> str:
        """Know the machine by its host key; the first one stays."""

        def work(connection: Connection) -> str:
            known = _key(connection, token)
            if known is None or known.host_key:
                return host_key if known is None else known.host_key
            _run(connection, "pin", {"token": token, "host_key": host_key})
            return host_key

        return self._database.write(work)

    def close(self) -> None:
        """Give back the database's connections."""
        self._database.close()


def _run(
    connection: Connection, name: str, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> None:
    connection.execute(_STATEMENTS[name], parameters)


def _all(connection: Connection, name: str, **parameters: Any) -> Sequence[RowMapping]:
    return connection.execute(_STATEMENTS[name], parameters).mappings().all()


def _one(connection: Connection, name: str, **parameters: Any) -> RowMapping | None:
    return connection.execute(_STATEMENTS[name], parameters).mappings().first()


def _last_epoch(connection: Connection) -> int:
    newest = _one(connection, "last_epoch")
    return int(newest["number"]) if newest else 0


def _row(connection: Connection, token: str) -> MachineRow | None:
    found = _one(connection, "row", token=token)
    return row_of(found) if found else None


def _key(connection: Connection, token: str) -> MachineKey | None:
    found = _one(connection, "key", token=token)
    return MachineKey(**found) if found else None


def _is_done(connection: Connection, change: Change) -> bool:
    """Whether this very change made the version after the one it was decided on."""
    found = _one(connection, "event", token=change.token, version=change.version + 1)
    return found is not None and event_from(found) == event_of(change)


def _unknown(connection: Connection, charges: Sequence[Charge]) -> str:
    """A token of a charge that the foreign key refused; on Postgres only the first can be named."""
    if connection.dialect.name == "postgresql":
        return charges[0].token if len(charges) == 1 else "of one of the charges"
    return next(charge.token for charge in charges if _row(connection, charge.token) is None)


def _books(connection: Connection, hours: Collection[int], batches: Collection[str]) -> Books:
    rows = tuple(rows_of(_all(connection, "open_rows")))
    by_machine = {one["token"]: int(one["micros"]) for one in _all(connection, "spent_by_machine")}
    by_hour: dict[int, int] = {}
    if hours:
        found = _all(connection, "spent_by_hour", first=min(hours), last=max(hours))
        by_hour = {one["hour"]: int(one["micros"]) for one in found}
    return Books(
        open=rows,
        spent_by_hour={hour: by_hour.get(hour, 0) for hour in hours},
        spent_by_machine={row.token: by_machine.get(row.token, 0) for row in rows},
        spent_by_batch={batch: _spent(connection, batch) for batch in batches},
    )


def _spent(connection: Connection, batch: str) -> int:
    found = _one(connection, "spent_by_batch", batch=batch)
    return int(found["micros"] or 0) if found else 0
