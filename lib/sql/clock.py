"""The time that rows in a database are stamped with: one clock for all who share it."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, text


def now(connection: Connection, clock: Callable[[], float] | None = None) -> float:
    """Seconds since the epoch: the server's clock on Postgres, this machine's beside an SQLite file.

    It moves on within a transaction. `clock`, when given, is asked instead: for tests that set the time.
    """
    if clock is not None:
        return clock()
    if connection.dialect.name == "sqlite":
        return time.time()
    return float(connection.execute(_SERVERS).scalar_one())


#: Of Postgres.
SERVER_TIME = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS double precision)"
_SERVERS = text(SERVER_TIME)
