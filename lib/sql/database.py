"""One database, asked in whole transactions that are repeated when another one was in the way."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.pool import ConnectionPoolEntry

from lib.errors import BadConfiguration, JobRunnerError, TryAgain
from lib.sql import failures
from lib.sql.address import DatabaseAddress
from lib.sql.pool import BoundedPool

T = TypeVar("T")

_BUSY_MS: Final = 2000  # how long SQLite itself waits for a lock, within one try
_CONNECT_WITHIN_S: Final = 5
#: A program that stands still in the middle of a transaction (stopped, swapped out) lets go of its locks.
_STILL_MS: Final = 60_000
_FIRST_PAUSE_S: Final = 0.005
_LONGEST_PAUSE_S: Final = 0.25
_WRITES: Final = "job_runner_writes"
_TABLES: Final = "tables"


@dataclass(frozen=True, slots=True)
class DatabaseLimits:
    """Connections kept open and at most, and how long a statement may take (milliseconds; Postgres only)."""

    pool_min: int = 1
    pool_max: int = 10
    statement_timeout_ms: int = 30_000


class Database:
    """`read` and `write` run a function in one transaction each; that is all there is.

    A written transaction is durable when `write` returns: SQLite syncs its log (WAL, FULL), Postgres its own
    (`synchronous_commit` is switched on). Transactions are serializable on both, except in `write_rows`.

    Threads: any; each call has a connection of its own.

    Raises, from every method:
        TryAgain: other transactions were in the way for longer than `patience_s`, a statement took longer
            than it may, or no connection became free; nothing was written.
        BadConfiguration: the file or the server refuses for good.
        Unavailable: the server does not answer. A `write` may have happened or not.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        *,
        patience_s: float = 10.0,
        pause: Callable[[float], None] | None = None,
        limits: DatabaseLimits = DatabaseLimits(),
    ) -> None:
        self.address = address
        self._limits = limits
        self._patience_s = patience_s
        self._pause = pause or time.sleep
        make = _sqlite_engine if address.file else _postgres_engine
        self.engine = make(address, limits, patience_s)
        self._reading = self.engine.execution_options(**{} if address.file else _SNAPSHOT)
        self._writing = self.engine.execution_options(**{_WRITES: True})
        self._locking = self._writing if address.file else self.engine.execution_options(**_ROW_BY_ROW)
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

    def write_rows(self, work: Callable[[Connection], T]) -> T:
        """As `write`, for work that locks the rows it changes (`FOR UPDATE`) before it reads them.

        On Postgres each statement sees what was committed before it began (READ COMMITTED): whoever waits
        for a row sees its newest state instead of a collision. Nothing else is protected. SQLite has one
        writer at a time.
        """
        return self._repeat(self._locking, work)

    def write_alone(self, name: str, work: Callable[[Connection], T]) -> T:
        """As `write`, with no other `write_alone` of that name at the same time, and seeing all it did.

        For changes of tables, which serializable transactions do not protect from each other.
        """
        if self.address.file:  # SQLite has one writer at a time anyway
            return self._repeat(self.engine.execution_options(**{_WRITES: _TABLES}), work)

        def locked(connection: Connection) -> T:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
            return work(connection)

        return self._repeat(self._locking, locked)

    def _repeat(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        give_up = time.monotonic() + self._patience_s
        pause = _FIRST_PAUSE_S
        renewed = False
        while True:
            ready = False
            try:
                with engine.begin() as connection:
                    result = work(connection)
                    ready = True  # from here on it may have been committed
                return result
            except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
                if not ready and not renewed and failures.is_cut_off(error):
                    renewed = True  # the server was restarted since: nothing was written, and a new one opens
                    continue
                if not failures.collides(error) or time.monotonic() + pause > give_up:
                    raise self._sentence(error) from None
            self._pause(pause * random.uniform(0.5, 1.0))
            pause = min(_LONGEST_PAUSE_S, pause * 2)

    def _sentence(self, error: Exception) -> JobRunnerError:
        if isinstance(error, exc.TimeoutError):
            return TryAgain(
                f"all {self._limits.pool_max} connections to the database {self.address.place} stayed in use "
                f"for {self._patience_s:g} seconds; try again later, or set DB_POOL_MAX higher"
            )
        return failures.sentence(error, self.address, statement_ms=self._limits.statement_timeout_ms)

    def _greet(self) -> None:
        schema = self.address.schema
        if schema:
            make = text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            self.write_alone(schema, lambda connection: connection.execute(make))
        else:
            self.read(lambda connection: connection.execute(text("SELECT 1")))
        try:
            with ExitStack() as opened:
                for _ in range(self._limits.pool_min):
                    opened.enter_context(self.engine.connect())
        except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
            raise self._sentence(error) from None

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


_SNAPSHOT: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_ROW_BY_ROW: Final[dict[str, Any]] = {"isolation_level": "READ COMMITTED"}


def _pool(limits: DatabaseLimits, wait_s: float) -> dict[str, Any]:
    """What an engine is given so that it keeps to the limits."""
    return {
        "poolclass": BoundedPool,
        "kept": limits.pool_min,
        "most": limits.pool_max,
        "wait_s": wait_s,
    }


def _sqlite_engine(address: DatabaseAddress, limits: DatabaseLimits, wait_s: float) -> Engine:
    _make_file(address)
    engine = create_engine(
        f"sqlite:///{address.file}",
        **_pool(limits, wait_s),
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
    )
    event.listen(engine, "connect", lambda raw, entry: _prepare_sqlite(raw, entry, address))
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "commit", _check_references)
    event.listen(engine, "checkin", _keep_references)
    return engine


#: Held while a file is made, so that its descriptor is closed before anybody of this process opens it.
_MAKING: Final = threading.Lock()


def _make_file(address: DatabaseAddress) -> None:
    """Make the file before SQLite does, for its user alone: it tells what machines we have.

    One that exists is not opened here, not even to look at it: to close any descriptor of a file drops every
    lock that this process has on it. Other processes would then take the database for unused and delete the
    log that our open connections go on writing to.
    """
    assert address.file is not None
    try:
        with _MAKING:
            os.close(os.open(address.file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if address.file.is_dir():
            raise _unopenable(address, "Is a directory") from None
    except OSError as error:
        raise _unopenable(address, error.strerror) from None


def _unopenable(address: DatabaseAddress, why: str | None) -> BadConfiguration:
    return BadConfiguration(
        f"the database {address.place} cannot be opened: {why}; "
        "see that its folder exists and that this user may write it"
    )


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
    if writes == _TABLES:
        # SQLite alters a table by making it anew, and would miss what refers to the old one when that goes.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.info[_TABLES] = True
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


def _check_references(connection: Connection) -> None:
    """What was not looked at while tables changed is looked at before that holds."""
    if connection.info.get(_TABLES) and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise sqlite3.IntegrityError("after the change of its tables rows would refer to what is not there")


def _keep_references(raw: Any, entry: ConnectionPoolEntry) -> None:
    if entry.info.pop(_TABLES, False):
        raw.execute("PRAGMA foreign_keys = ON")


def _postgres_engine(address: DatabaseAddress, limits: DatabaseLimits, wait_s: float) -> Engine:
    options = [
        f"-c statement_timeout={limits.statement_timeout_ms}",
        # For all that is asked: of a table that grew fast the server's planner knows nothing yet, and would
        # read all tasks that wait to hand out the first.
        "-c enable_bitmapscan=off",
        f"-c idle_in_transaction_session_timeout={_STILL_MS}",
        "-c synchronous_commit=on",
    ]
    if address.schema:
        options.append(f"-c search_path={address.schema}")
    try:
        return create_engine(
            address.url,
            isolation_level="SERIALIZABLE",
            **_pool(limits, wait_s),
            hide_parameters=True,
            connect_args={"connect_timeout": _CONNECT_WITHIN_S, "options": " ".join(options)},
        )
    except exc.ArgumentError:
        raise BadConfiguration(
            f"the Postgres address for {address.place} cannot be read; "
            "percent-encode special characters in user and password"
        ) from None
