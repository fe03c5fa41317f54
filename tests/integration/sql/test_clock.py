"""Rows are stamped by the server's clock where there is a server."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, text

from lib.sql import open_database
from lib.sql.clock import now
from tests.postgres_servers import Postgres


def test_on_postgres_it_is_the_servers_and_moves_on_within_a_transaction(postgres: Postgres) -> None:
    def work(connection: Connection) -> tuple[float, float, float]:
        began = connection.execute(text("SELECT extract(epoch FROM now())")).scalar_one()
        first = now(connection)
        connection.execute(text("SELECT pg_sleep(0.001)"))
        return float(began), first, now(connection)

    with closing(open_database(postgres.url())) as database:
        began, first, second = database.read(work)

    assert began < first <= second - 0.001


def test_on_sqlite_it_is_this_machines(tmp_path: Path) -> None:
    with closing(open_database(f"sqlite:///{tmp_path / 'a.db'}")) as database:
        before = time.time()
        assert before <= database.read(now) <= time.time()


def test_a_clock_that_is_passed_in_goes_before_both(postgres: Postgres, tmp_path: Path) -> None:
    for url in (postgres.url(), f"sqlite:///{tmp_path / 'a.db'}"):
        with closing(open_database(url)) as database:
            assert database.read(lambda connection: now(connection, lambda: 12.5)) == 12.5
