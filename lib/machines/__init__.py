"""The ledger of rented machines. Importing this imports no database; `open_ledger` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

if TYPE_CHECKING:
    from lib.machines.sql_ledger import SqlLedger
    from lib.sql import DatabaseOptions

__all__ = ["open_ledger"]


def open_ledger(url: str, **options: Unpack[DatabaseOptions]) -> SqlLedger:
    """Open the ledger in the database at `url`, with its tables made or brought up to date.

    `schema` names the Postgres schema to keep them in; SQLite ignores it. The other options are those of
    `open_database`. Close it when done.

    Raises:
        BadConfiguration: the address or the database cannot be used, or its tables are of a newer version.
        MissingExtra: the packages for this database are not installed.
        Unavailable: no server answers there.
        TryAgain: other programs kept the database locked for too long.
    """
    from lib.sql import open_database

    database = open_database(url, **options)
    from lib.machines.sql_ledger import SqlLedger

    try:
        return SqlLedger(database)
    except BaseException:
        database.close()
        raise
