"""The databases that the suite of pipelines runs on, one set of tables for all tests, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lib.clock import ManualClock
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.tables import metadata
from lib.sql import open_database
from lib.sql.database import Database
from tests.contract.pipeline.floor import Floor

#: The oldest server takes every statement in `make test` (integration/sql/test_oldest_postgres.py).
DATABASES = ("sqlite", "postgres", pytest.param("postgres_15", marks=pytest.mark.soak))


def _open(name: str, request: pytest.FixtureRequest, folder: Path) -> Database:
    if name == "sqlite":
        return open_database(f"sqlite:///{folder / 'pipeline.db'}")
    return open_database(request.getfixturevalue(name).url(), schema="job_pipeline")


@pytest.fixture(params=DATABASES, scope="package")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with the tables of pipelines."""
    opened = _open(request.param, request, tmp_path_factory.mktemp("pipeline"))
    PipelineLedger(opened)
    yield opened
    opened.close()


def empty(database: Database) -> None:
    """Forget every run; SQLite's row numbers go on."""
    tables = [table.name for table in reversed(metadata.sorted_tables)]
    database.write_rows(
        lambda connection: [connection.execute(text(f"DELETE FROM {name}")) for name in tables]
    )


@pytest.fixture
def floor(database: Database) -> Floor:
    """An empty ledger whose time stands still."""
    empty(database)
    clock = ManualClock()
    return Floor(PipelineLedger(database, clock=clock), clock)
