"""Statements that go past SQLAlchemy fail as others do: told apart, repeated, and without their values."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import pytest
from sqlalchemy import Connection, exc, text

from lib.errors import TryAgain, Unavailable
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


def test_where_one_connection_ended_none_that_is_as_old_is_used_again(pg_shop: Shop) -> None:
    ledger = PipelineLedger(open_database(pg_shop.url, schema=pg_shop.schema))
    with ExitStack() as opened:
        pids = [_pid(opened.enter_context(ledger.database.engine.connect())) for _ in range(3)]
    for pid in pids:  # as a restart of the server ends them
        pg_shop.ledger.look(partial(_end, pid=pid))
    ledger.look(lambda transaction: transaction.all("open_gates"))
    with ExitStack() as opened:
        fresh = {_pid(opened.enter_context(ledger.database.engine.connect())) for _ in range(3)}
    assert fresh.isdisjoint(pids)
    ledger.database.close()


def _end(transaction: Transaction, pid: int) -> None:
    DriverCursor(transaction.connection).rows("SELECT pg_terminate_backend(%(pid)s)", {"pid": pid})


def _pid(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_server_that_ends_each_connection_does_not_answer(pg_shop: Shop) -> None:
    def work(transaction: Transaction) -> None:
        DriverCursor(transaction.connection).rows("SELECT pg_terminate_backend(pg_backend_pid())", {})

    with pytest.raises(Unavailable, match="does not answer"):
        pg_shop.ledger.change(work)


def test_what_takes_too_long_is_to_be_tried_again(pg_shop: Shop) -> None:
    database = open_database(pg_shop.url, schema=pg_shop.schema, patience_s=0.1, statement_timeout_ms=500)
    ledger = PipelineLedger(database)
    with pytest.raises(TryAgain):
        ledger.change(lambda transaction: DriverCursor(transaction.connection).rows("SELECT pg_sleep(9)", {}))
    database.close()


def test_an_error_says_nothing_of_the_values(pg_shop: Shop) -> None:
    def work(transaction: Transaction) -> None:
        with pytest.raises(exc.DBAPIError) as told:
            DriverCursor(transaction.connection).run("SELECT CAST(%(secret)s AS TEXT) FROM nowhere", _SECRET)
        assert _SECRET["secret"] not in str(told.value)
        assert isinstance(told.value, exc.ProgrammingError)

    pg_shop.ledger.look(work)


_SECRET = {"secret": "hush-hush"}
