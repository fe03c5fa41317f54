"""One database, asked in whole transactions that are repeated when another one was in the way."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from lib.errors import BadConfiguration
from lib.sql import failures
from lib.sql.address import DatabaseAddress

T = TypeVar("T")

_BUSY_MS: Final = 2000  # how long SQLite itself waits for a lock, within one try
_CONNECT_WITHIN_S: Final = 5
_STATEMENT_MS: Final = 30_000
_FIRST_PAUSE_S: Final = 0.005
_LONGEST_PAUSE_S: Final = 0.25
_WRITES: Final = "job_runner_writes"


class Database:
    """`read` and `write` run a function in one transaction each; that is all there is.

    A written transaction is durable when `write` returns: SQLite syncs its log (WAL, FULL), Postgres its own
    (`synchronous_commit` is switched on). Transactions are serializable on both.

    Raises, from every method:
        TryAgain: other transactions were in the way for longer than `patience_s`; nothing was written.
        BadConfiguration: the file or the server refuses for good.
        Unavailable: the server does not answer. A `write` may have happened or not.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        *,
        patience_s: float = 10.0,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        self.address = address
        self._patience_s = patience_s
        self._pause = pause or time.sleep
        self.engine = _sqlite_engine(address) if address.file else _postgres_engine(address)
        self._reading = self.engine.execution_options(**{} if address.file else _SNAPSHOT)
        self._writing = self.engine.execution_options(**{_WRITES: True})
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one consistent state; it must not write."""
        return self._repeat(self._reading, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, durable on return; an exception from it undoes everything.

        `work` may run several times, each time on a state where none of its earlier tries happened.
        """
        return self._repeat(self._writing, work)

    def write_alone(self, name: str, work: Callable[[Connection], T]) -> T:
        """As `write`, with no other `write_alone` of that name at the same time, and seeing all it did.

        For changes of tables, which serializable transactions do not protect from each other.
        """
        if self.address.file:  # SQLite has one writer at a time anyway
            return self.write(work)

        def locked(connection: Connection) -> T:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
            return work(connection)

        return self._repeat(self.engine.execution_options(isolation_level="READ COMMITTED"), locked)

    def _repeat(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        give_up = time.monotonic() + self._patience_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except (exc.DBAPIError, sqlite3.Error) as error:
                if not failures.collides(error) or time.monotonic() + pause > give_up:
                    raise failures.sentence(error, self.address) from None
            self._pause(pause * random.uniform(0.5, 1.0))
            pause = min(_LONGEST_PAUSE_S, pause * 2)

    def _greet(self) -> None:
        schema = self.address.schema
        if schema:
            make = text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            self.write_alone(schema, lambda connection: connection.execute(make))
        else:
            self.read(lambda connection: connection.execute(text("SELECT 1")))

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


_SNAPSHOT: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _sqlite_engine(address: DatabaseAddress) -> Engine:
    _make_file(address)
    engine = create_engine(
        f"sqlite:///{address.file}",
        poolclass=QueuePool,
        pool_size=2,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
    )
    event.listen(engine, "connect", lambda raw, entry: _prepare_sqlite(raw, entry, address))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_file(address: DatabaseAddress) -> None:
    """Make the file before SQLite does, for its user alone: it tells what machines we have."""
    assert address.file is not None
    try:
        os.close(os.open(address.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise BadConfiguration(
            f"the database {address.place} cannot be opened: {error.strerror}; "
            "see that its folder exists and that this user may write it"
        ) from None


def _prepare_sqlite(raw: Any, _entry: ConnectionPoolEntry, address: DatabaseAddress) -> None:
    connection: sqlite3.Connection = raw.driver_connection if hasattr(raw, "driver_connection") else raw
    connection.isolation_level = None  # we begin transactions ourselves, see _begin_sqlite
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise BadConfiguration(
            f"the database {address.place} lies on a file system without shared memory (mode {mode}); "
            "move it to a local disk"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that begins by reading may be refused when it comes to write."""
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


def _postgres_engine(address: DatabaseAddress) -> Engine:
    options = [f"-c statement_timeout={_STATEMENT_MS}", "-c synchronous_commit=on"]
    if address.schema:
        options.append(f"-c search_path={address.schema}")
    try:
        return create_engine(
            address.url,
            isolation_level="SERIALIZABLE",
            pool_pre_ping=True,
            pool_size=2,
            hide_parameters=True,
            connect_args={"connect_timeout": _CONNECT_WITHIN_S, "options": " ".join(options)},
        )
    except exc.ArgumentError:
        raise BadConfiguration(
            f"the Postgres address for {address.place} cannot be read; "
            "percent-encode special characters in user and password"
        ) from None
