"""Statements that go past SQLAlchemy fail as others do: told apart, repeated, and without their values."""

from __future__ import annotations

import pytest
from sqlalchemy import exc

from lib.errors import TryAgain
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.sql import open_database
from lib.sql.driver_cursor import DriverCursor, for_driver
from tests.integration.pipeline import sample_dags
from tests.integration.pipeline.shop import Shop


def test_parameters_and_percent_signs_are_the_drivers() -> None:
    asked = "SELECT 10 % 3, CAST(:a AS TEXT), 'b'::text WHERE :a LIKE 'x%'"
    assert for_driver(asked) == "SELECT 10 %% 3, CAST(%(a)s AS TEXT), 'b'::text WHERE %(a)s LIKE 'x%%'"


def test_a_transaction_whose_connection_ends_is_repeated_on_another(pg_shop: Shop) -> None:
    pg_shop.start(sample_dags.five, "r1")
    tries: list[int] = []

    def work(transaction: Transaction) -> list[str]:
        tries.append(1)
        if len(tries) == 1:
            driver = DriverCursor(transaction.connection)
            driver.rows("SELECT pg_terminate_backend(pg_backend_pid())", {})
        return [row["id"] for row in transaction.all("lock_runs", runs=["r1"])]

    assert pg_shop.ledger.change(work) == ["r1"]
    assert len(tries) == 2


def test_what_takes_too_long_is_to_be_tried_again(pg_shop: Shop) -> None:
    database = open_database(pg_shop.url, schema=pg_shop.schema, patience_s=0.1, statement_timeout_ms=50)
    ledger = PipelineLedger(database)
    with pytest.raises(TryAgain):
        ledger.change(lambda transaction: DriverCursor(transaction.connection).rows("SELECT pg_sleep(9)", {}))
    database.close()


def test_an_error_says_nothing_of_the_values(pg_shop: Shop) -> None:
    def work(transaction: Transaction) -> None:
        with pytest.raises(exc.DBAPIError) as told:
            DriverCursor(transaction.connection).run("SELECT CAST(%(secret)s AS TEXT) FROM nowhere", _SECRET)
        assert _SECRET["secret"] not in str(told.value)

    pg_shop.ledger.look(work)


_SECRET = {"secret": "hush-hush"}
