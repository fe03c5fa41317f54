"""Tries whether a ledger can be used, and changes nothing in it: its tables stay at the version they have."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final, Unpack

from sqlalchemy import Connection

from lib.errors import BadConfiguration
from lib.machines.sql_ledger import HEAD, VERSION_TABLE
from lib.sql import DatabaseOptions, open_database, read_address
from lib.sql.database import Database
from lib.sql.migrate import revision_of

_MIGRATIONS: Final = Path(__file__).parent / "migrations" / "versions"


def has_ledger(url: str, **options: Unpack[DatabaseOptions]) -> bool:
    """Whether a ledger is there, without making one: whoever only looks must not.

    `options` are those of `open_ledger`; the schema is not made either.

    Raises:
        BadConfiguration, MissingExtra, Unavailable, TryAgain: as `open_ledger`.
    """
    file = read_address(url, origin=options.get("origin", "")).file
    if file is not None:
        return file.exists()
    with closing(_opened(url, options)) as database:
        return revision_of(database, VERSION_TABLE, schema=options.get("schema")) is not None


def is_current(url: str, **options: Unpack[DatabaseOptions]) -> bool:
    """Whether opening the ledger would change nothing: it is there, and of this program's version.

    Raises: as `has_ledger`.
    """
    if not has_ledger(url, **options):
        return False
    with closing(_opened(url, options)) as database:
        place = None if database.address.file else options.get("schema")
        return revision_of(database, VERSION_TABLE, schema=place) == HEAD


def examine_ledger(url: str, **options: Unpack[DatabaseOptions]) -> None:
    """See that the ledger at `url` opens, is whole, has tables that we know and can be written.

    An older version is no trouble: whoever opens it next brings it up to date. On Postgres the rights to
    single tables are not tried.

    Raises:
        BadConfiguration, MissingExtra, Unavailable, TryAgain: as a sentence, what keeps it from being used.
    """
    with closing(_opened(url, options)) as database:
        revision = revision_of(
            database, VERSION_TABLE, schema=None if database.address.file else options.get("schema")
        )
        known = {path.name.partition("_")[0] for path in _MIGRATIONS.glob("[0-9]*.py")}
        place = database.address.place
        if revision is not None and revision not in known:
            raise BadConfiguration(
                f"the ledger {place} is of version {revision}, which this program does not know; install the "
                "newer version of job-runner that made it"
            )
        if database.address.file and (said := database.read(_check)) != "ok":
            raise BadConfiguration(f"the ledger {place} is damaged: {said}; restore it from a backup")
        database.write(lambda connection: None)  # takes the right to write, and gives it back


def _opened(url: str, options: DatabaseOptions) -> Database:
    """The database, without the schema that opening it would make."""
    without: DatabaseOptions = {**options, "schema": None}
    return open_database(url, **without)


def _check(connection: Connection) -> str:
    return str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
