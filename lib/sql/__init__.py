"""Opens SQL databases: SQLite for one machine, Postgres by URL for several.

Importing this does not import SQLAlchemy; `open_database` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lib.sql.address import DatabaseAddress, DatabaseOptions, read_address

if TYPE_CHECKING:
    from lib.sql.database import Database

__all__ = ["DatabaseAddress", "DatabaseOptions", "open_database", "read_address"]


def open_database(
    url: str,
    *,
    schema: str | None = None,
    origin: str = "",
    patience_s: float = 10.0,
    pause: Callable[[float], None] | None = None,
    pool_min: int = 1,
    pool_max: int = 10,
    statement_timeout_ms: int = 30_000,
) -> Database:
    """Open the database at `url` and see that it answers.

    `schema` names the Postgres schema that holds our tables, made when it is missing; SQLite has none and
    ignores it. `origin` says in errors where the URL came from, such as "DATABASE_URL of the environment".
    A transaction that meets another one is repeated for up to `patience_s` seconds, with `pause` between
    the tries (None: the process sleeps). `pool_min` connections are opened now and kept,
    more are opened while they are needed, `pool_max` at most. A statement that takes longer than
    `statement_timeout_ms` is stopped, on Postgres.

    Raises:
        BadConfiguration: the URL, the file or the folder cannot be used, or the password is refused.
        MissingExtra: the packages for this database are not installed.
        TryAgain: the server has no connection left.
        Unavailable: no server answers there.
    """
    address = read_address(url, schema=schema, origin=origin)
    try:
        from lib.sql.database import Database, DatabaseLimits
    except ModuleNotFoundError as error:
        raise _missing(error, "A database", "watcher") from None
    try:
        limits = DatabaseLimits(pool_min, pool_max, statement_timeout_ms)
        return Database(address, patience_s=patience_s, pause=pause, limits=limits)
    except ModuleNotFoundError as error:
        raise _missing(error, "A Postgres database", "postgres") from None


def _missing(error: ModuleNotFoundError, feature: str, extra: str) -> Exception:
    """The sentence for a package that an extra brings; anything else is our own mistake and stays one."""
    from lib.errors import MissingExtra

    if (error.name or "").partition(".")[0] in ("sqlalchemy", "alembic", "psycopg"):
        return MissingExtra(feature, extra)
    return error
