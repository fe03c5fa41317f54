"""Statements carried out by the driver of Postgres itself, on the connection of a transaction.

SQLAlchemy takes three times as long as the driver to carry one out and to hand over what it finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, exc

from lib.sql.statements import PARAMETER


def for_driver(statement: str) -> str:
    """A statement with `:named` parameters as the driver takes it."""
    return PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%"))


class DriverCursor:
    """What a transaction asks of Postgres past SQLAlchemy, in the same transaction.

    Threads: one.
    Raises: `sqlalchemy.exc.DBAPIError` as SQLAlchemy does; what is wrong with the connection, it knows then.
    """

    def __init__(self, connection: Connection) -> None:
        from psycopg import Error  # an extra of the project
        from psycopg.rows import dict_row

        self._connection = connection
        driver: Any = connection.connection.driver_connection
        self._driver = driver
        self._cursor, self._of_mappings = driver.cursor(), driver.cursor(row_factory=dict_row)
        self._refusals = Error

    def run(self, statement: str, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> int:
        """Carry out a statement, once or for each of several `values`; the number of rows it met."""
        try:
            if isinstance(values, Mapping):
                self._cursor.execute(statement, values)
            else:
                self._cursor.executemany(statement, values)
        except self._refusals as error:
            raise self._told(error) from None
        return int(self._cursor.rowcount)

    def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What a statement finds: the columns in its order."""
        return self._fetched(self._cursor, statement, values)

    def mappings(self, statement: str, values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What a statement finds: each column by its name."""
        return self._fetched(self._of_mappings, statement, values)

    def _fetched(self, cursor: Any, statement: str, values: Mapping[str, Any]) -> list[Any]:
        try:
            found: list[Any] = cursor.execute(statement, values).fetchall()
        except self._refusals as error:
            raise self._told(error) from None
        return found

    def _told(self, error: Exception) -> Exception:
        """The error as SQLAlchemy has it. A connection that is gone nobody uses again, nor one as old."""
        dialect: Any = self._connection.dialect
        is_gone = bool(dialect.is_disconnect(error, self._driver, None))
        if is_gone and not self._connection.invalidated:
            with suppress(exc.DBAPIError):  # SQLAlchemy sees it for itself, and tells its pool
                self._connection.exec_driver_sql("SELECT 1")
        return exc.DBAPIError.instance(
            None,
            None,
            error,
            self._refusals,
            hide_parameters=True,
            connection_invalidated=is_gone,
            dialect=dialect,
        )
