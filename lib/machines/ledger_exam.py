"""Tries whether a ledger can be used, and changes nothing in it: its tables stay at the version they have."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from lib.errors import BadConfiguration
from lib.machines.sql_ledger import VERSION_TABLE
from lib.sql import open_database, read_address
from lib.sql.migrate import revision_of

_MIGRATIONS: Final = Path(__file__).parent / "migrations" / "versions"


def has_ledger(url: str, *, schema: str | None = None) -> bool:
    """Whether a ledger is there, without making one: whoever only looks must not.

    `schema` is of Postgres, and ignored by SQLite, as in `open_ledger`.

    Raises:
        BadConfiguration, MissingExtra, Unavailable, TryAgain: as `open_ledger`.
    """
    file = read_address(url).file
    if file is not None:
        return file.exists()
    with closing(open_database(url)) as database:
        return revision_of(database, VERSION_TABLE, schema=schema) is not None


def examine_ledger(url: str, *, schema: str | None = None) -> None:
    """See that the ledger at `url` opens, is whole, has tables that we know and can be written.

    An older version is no trouble: whoever opens it next brings it up to date. On Postgres the rights to
    single tables are not tried.

    Raises:
        BadConfiguration, MissingExtra, Unavailable, TryAgain: as a sentence, what keeps it from being used.
    """
    with closing(open_database(url)) as database:
        revision = revision_of(database, VERSION_TABLE, schema=None if database.address.file else schema)
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


def _check(connection: Connection) -> str:
    return str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
