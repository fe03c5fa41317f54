"""Tables of pictures on a real Postgres, each test in a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from lib.picture_tables import init_tables, open_images
from lib.picture_tables.image_tables import ImageTables
from tests.postgres_servers import Postgres

ANN = "aaaaaaaa-0000-4000-8000-000000000001"
BOB = "bbbbbbbb-0000-4000-8000-000000000002"
MakeRole = Callable[..., None]
_numbers = itertools.count(1)


@dataclass
class Shelf:
    """A database with the tables, and its owner's own eyes on it, which see every row."""

    server: Postgres
    database: str
    opened: list[ImageTables] = field(default_factory=list)

    def url(self, user: str = "postgres") -> str:
        return self.server.url(database=self.database, user=user)

    def connect(self, user: str = "postgres", **more: Any) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=str(self.server.folder), user=user, dbname=self.database, autocommit=True, **more
        )

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            found = connection.execute(statement.encode(), values)
            return found.fetchall() if found.description else []

    def order(
        self, prompt: str = "a fox", backend: str = "mock", owner: str | None = ANN, **more: Any
    ) -> str:
        """Insert a row as an application does; its id."""
        values = {
            "owner_user_id": owner,
            "prompt": prompt,
            "backend": backend,
            "width": 64,
            "height": 64,
            **more,
        }
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        (row,) = self.execute(
            f"INSERT INTO imagen.jobs ({names}) VALUES ({marks}) RETURNING id::text", *values.values()
        )
        return str(row[0])

    def row(self, id: str) -> dict[str, Any]:
        """A row of jobs."""
        with self.connect() as connection:
            cursor = connection.execute("SELECT * FROM imagen.jobs WHERE id = %s", (id,))
            assert cursor.description
            names = [column.name for column in cursor.description]
            found = cursor.fetchone()
        assert found is not None
        return dict(zip(names, found, strict=True))

    def tables(self, user: str = "postgres") -> ImageTables:
        self.opened.append(open_images(self.url(user)))
        return self.opened[-1]


@pytest.fixture
def role(postgres: Postgres) -> Iterator[MakeRole]:
    """Makes roles that are gone after the test. The databases that knew them go first."""
    made: list[str] = []

    def make(name: str, words: str = "LOGIN") -> None:
        postgres.execute(f"CREATE ROLE {name} {words}")
        made.append(name)

    yield make
    for name in made:
        postgres.execute(f"DROP ROLE {name}")


@pytest.fixture
def bare(postgres: Postgres, role: MakeRole) -> Iterator[Shelf]:
    """A database without the tables; it goes before the roles that know it."""
    shelf = Shelf(postgres, f"pictures_{next(_numbers)}")
    postgres.execute(f'CREATE DATABASE "{shelf.database}"')
    yield shelf
    for tables in shelf.opened:
        tables.close()
    postgres.execute(f'DROP DATABASE "{shelf.database}" WITH (FORCE)')


@pytest.fixture
def shelf(bare: Shelf) -> Shelf:
    init_tables(bare.url())
    return bare
