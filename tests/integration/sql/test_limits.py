"""Connections and statements keep to their bounds on a real server, and one that is lost is opened anew."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, create_engine, text

from lib.clock import ManualClock
from lib.errors import TryAgain, Unavailable
from lib.sql import open_database
from lib.sql.database import Database
from lib.sql.pool import BoundedPool
from tests.postgres_servers import Postgres

T = TypeVar("T")

_numbers = itertools.count(1)
_WITHIN_S = 30


class Named:
    """Databases whose connections the server tells apart from all others."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.name = f"limits_{next(_numbers)}"
        self.url = f"{server.url()}&application_name={self.name}"

    def connections(self) -> int:
        """How many the server holds for us."""
        return int(self.server.sees(f"SELECT count(*) {self._ours()}"))

    def come_down_to(self, number: int) -> bool:
        """Whether so many are left once the server has seen the others go, which it does in its own time."""
        give_up = time.monotonic() + _WITHIN_S
        while self.connections() > number and time.monotonic() < give_up:
            self.server.sees("SELECT pg_sleep(0.005)")
        return self.connections() == number

    def cut_off(self) -> None:
        """End them all, as a restart of the server does, and see them gone."""
        self.server.execute(f"SELECT pg_terminate_backend(pid, {_WITHIN_S}000) {self._ours()}")
        assert self.come_down_to(0)

    def _ours(self) -> str:
        return f"FROM pg_stat_activity WHERE application_name = '{self.name}'"


@pytest.fixture
def named(postgres: Postgres) -> Named:
    return Named(postgres)


def question(statement: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(statement)).scalar()


def at_once(database: Database, number: int, then: Callable[[], T]) -> T:
    """Run `then` while `number` transactions are open."""
    everybody = threading.Barrier(number + 1)
    done = threading.Event()

    def work(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))
        everybody.wait(_WITHIN_S)
        done.wait(_WITHIN_S)

    with ThreadPoolExecutor(number) as pool:
        open_ones = [pool.submit(database.read, work) for _ in range(number)]
        everybody.wait(_WITHIN_S)
        try:
            found = then()
        finally:
            done.set()
        for each in open_ones:
            each.result(_WITHIN_S)
    return found


class TestConnections:
    def test_the_least_are_open_from_the_start(self, named: Named) -> None:
        with closing(open_database(named.url, pool_min=3)):
            assert named.connections() == 3

        assert named.come_down_to(0)

    def test_more_are_opened_while_they_are_needed_and_stay_for_the_next(self, named: Named) -> None:
        with closing(open_database(named.url, pool_min=1, pool_max=4)) as database:
            assert at_once(database, 4, named.connections) == 4
            assert named.connections() == 4

    def test_none_above_the_most_and_whoever_gets_none_is_told(self, named: Named) -> None:
        with closing(open_database(named.url, pool_max=2, patience_s=0.1)) as database:

            def third() -> None:
                with pytest.raises(
                    TryAgain, match=r"all 2 connections to .* in use .* set DB_POOL_MAX higher"
                ):
                    database.read(question("SELECT 1"))
                assert named.connections() == 2

            at_once(database, 2, third)
            assert database.read(question("SELECT 1")) == 1

    def test_whoever_waits_gets_the_one_that_is_given_back(self, named: Named) -> None:
        with closing(open_database(named.url, pool_max=1)) as database, ThreadPoolExecutor(1) as pool:
            waiting = at_once(database, 1, lambda: pool.submit(database.read, question("SELECT 7")))

            assert waiting.result(_WITHIN_S) == 7

    @pytest.mark.parametrize(("kept", "left"), [(2, 2), (1, 1)])
    def test_what_nobody_needed_for_a_minute_is_closed_down_to_the_least(
        self, named: Named, kept: int, left: int
    ) -> None:
        clock = ManualClock()
        engine = create_engine(named.url, poolclass=BoundedPool, kept=kept, most=4, clock=clock.monotonic)
        with ExitStack() as opened:
            for _ in range(4):
                opened.enter_context(engine.connect())
        clock.advance(59)
        engine.connect().close()
        assert named.connections() == 4

        clock.advance(1)
        engine.connect().close()

        assert named.come_down_to(left)
        engine.dispose()

    def test_with_none_to_keep_each_is_closed_after_use(self, named: Named) -> None:
        with closing(open_database(named.url, pool_min=0)) as database:
            assert named.come_down_to(0)
            assert database.read(lambda c: (question("SELECT 1")(c), named.connections())) == (1, 1)
            assert named.come_down_to(0)

    def test_one_in_use_while_the_database_is_closed_is_closed_after_it(self, named: Named) -> None:
        database = open_database(named.url)

        at_once(database, 2, database.close)

        assert named.come_down_to(0)

    def test_a_server_with_none_left_says_so(self, named: Named) -> None:
        named.server.execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
        url = named.server.url(user="narrow")

        with pytest.raises(TryAgain, match=r"has no connection left; .* set DB_POOL_MAX lower"):
            open_database(url, pool_min=2)


class TestConnectionsThatWereCutOff:
    def test_are_opened_anew_before_anybody_notices(self, named: Named) -> None:
        with closing(open_database(named.url, pool_min=3)) as database:
            named.cut_off()

            assert [database.write(question("SELECT 1")) for _ in range(3)] == [1, 1, 1]
            assert named.connections() >= 1

    def test_again_and_again_are_said(self, named: Named) -> None:
        tries = []

        def work(connection: Connection) -> None:
            tries.append(1)
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with (
            closing(open_database(named.url)) as database,
            pytest.raises(Unavailable, match="does not answer"),
        ):
            database.write(work)

        assert len(tries) == 2

    def test_while_they_committed_are_not_repeated(self, named: Named) -> None:
        """Nobody knows whether it happened, and it must not happen twice."""
        named.server.execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"
        )
        named.server.execute("CREATE TABLE graves (number int)")
        named.server.execute(
            "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON graves "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"
        )
        tries = []

        def work(connection: Connection) -> None:
            tries.append(1)
            connection.execute(text("INSERT INTO graves VALUES (1)"))

        with (
            closing(open_database(named.url)) as database,
            pytest.raises(Unavailable, match="does not answer"),
        ):
            database.write(work)

        assert len(tries) == 1


class TestStatements:
    def test_that_take_too_long_are_stopped_and_the_next_one_works(self, named: Named) -> None:
        with closing(open_database(named.url, statement_timeout_ms=500)) as database:
            with pytest.raises(
                TryAgain,
                match=r"stopped a statement after 500 ms; nothing was written; .* STATEMENT_TIMEOUT_MS",
            ):
                database.write(question("SELECT pg_sleep(60)"))

            assert database.write(question("SHOW statement_timeout")) == "500ms"

    def test_of_a_program_that_stands_still_lose_their_locks(self, named: Named) -> None:
        with closing(open_database(named.url)) as database:
            assert database.read(question("SHOW idle_in_transaction_session_timeout")) == "1min"


@pytest.fixture
def counters(named: Named) -> Iterator[Database]:
    """A table of two counters at nought."""
    database = open_database(named.url, schema=named.name)
    database.write(lambda c: c.execute(text("CREATE TABLE counters (name text PRIMARY KEY, n int)")))
    database.write(lambda c: c.execute(text("INSERT INTO counters VALUES ('a', 0), ('b', 0)")))
    yield database
    database.close()


def locked(connection: Connection, name: str) -> int:
    found = connection.execute(text("SELECT n FROM counters WHERE name = :name FOR UPDATE"), {"name": name})
    return int(found.scalar_one())


class TestRows:
    def test_that_are_waited_for_are_seen_as_they_are_now(self, counters: Database) -> None:
        tries = []

        def add(connection: Connection) -> None:
            tries.append(1)
            number = locked(connection, "a")
            connection.execute(text("UPDATE counters SET n = :n WHERE name = 'a'"), {"n": number + 1})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: counters.write_rows(add), range(40)))

        assert counters.read(question("SELECT n FROM counters WHERE name = 'a'")) == 40
        assert len(tries) == 40  # in serializable transactions most would have been repeated
        assert counters.write_rows(question("SHOW transaction_isolation")) == "read committed"
        assert counters.write_rows(question("SHOW synchronous_commit")) == "on"

    def test_that_two_lock_crosswise_are_locked_again(self, counters: Database) -> None:
        both_hold_one = threading.Barrier(2)
        tries = itertools.count()

        def cross(first: str, second: str) -> None:
            def work(connection: Connection) -> None:
                connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
                locked(connection, first)
                if next(tries) < 2:
                    both_hold_one.wait(_WITHIN_S)
                locked(connection, second)
                connection.execute(text("UPDATE counters SET n = n + 1 WHERE name = :n"), {"n": second})

            counters.write_rows(work)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(cross, "ab", "ba"))

        assert counters.read(question("SELECT sum(n) FROM counters")) == 2
        assert next(tries) >= 3

    def test_on_sqlite_are_for_one_writer_at_a_time(self, tmp_path: Path) -> None:
        with (
            closing(open_database(f"sqlite:///{tmp_path / 'a.db'}")) as database,
            closing(sqlite3.connect(tmp_path / "a.db", timeout=0, isolation_level=None)) as other,
        ):

            def work(_connection: Connection) -> None:
                with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                    other.execute("BEGIN IMMEDIATE")

            database.write_rows(work)  # which has asked for nothing yet
            other.execute("BEGIN IMMEDIATE")
