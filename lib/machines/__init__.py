"""The ledger of rented machines. Importing this imports no database; `open_ledger` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.machines.sql_ledger import SqlLedger

__all__ = ["open_ledger"]


def open_ledger(url: str, *, schema: str | None = None) -> SqlLedger:
    """Open the ledger in the database at `url`, with its tables made or brought up to date.

    `schema` names the Postgres schema to keep them in; SQLite ignores it. Close it when done.

    Raises:
        BadConfiguration: the address or the database cannot be used, or its tables are of a newer version.
        MissingExtra: the packages for this database are not installed.
        Unavailable: no server answers there.
        TryAgain: other programs kept the database locked for too long.
    """
    from lib.sql import open_database

    database = open_database(url, schema=schema)
    from lib.machines.sql_ledger import SqlLedger

    try:
        return SqlLedger(database)
    except BaseException:
        database.close()
        raise
