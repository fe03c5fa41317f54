"""A real Postgres, and databases of both kinds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.machines import open_ledger
from lib.machines.sql_ledger import SqlLedger
from tests.postgres_servers import Postgres

_numbers = itertools.count(1)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


class Place:
    """Where a ledger is; opens it, several times if need be."""

    def __init__(self, url: str, schema: str | None = None) -> None:
        self.url = url
        self.schema = schema
        self._opened: list[SqlLedger] = []

    def open(self) -> SqlLedger:
        """A ledger with connections of its own, as another process has."""
        ledger = open_ledger(self.url, schema=self.schema)
        self._opened.append(ledger)
        return ledger

    def close(self) -> None:
        for ledger in self._opened:
            ledger.close()


def place_in(kind: str, request: pytest.FixtureRequest) -> Place:
    """An empty ledger's place in a database of that kind: `sqlite`, `postgres` or `postgres_15`."""
    if kind == "sqlite":
        return Place(request.getfixturevalue("sqlite_url"))
    server: Postgres = request.getfixturevalue(kind)
    return Place(server.url(), f"ledger_{next(_numbers)}")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """As `place_in`, for each kind."""
    place = place_in(request.param, request)
    yield place
    place.close()
