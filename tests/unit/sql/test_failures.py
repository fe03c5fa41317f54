"""What a database refuses is a sentence with the place, and never a password or a statement."""

from __future__ import annotations

import re
import sqlite3
import sys

import pytest
from sqlalchemy import exc

import lib.sql
from lib.errors import BadConfiguration, JobRunnerError, MissingExtra, TryAgain, Unavailable, install_command
from lib.sql import open_database, read_address
from lib.sql.failures import collides, sentence

ADDRESS = read_address("postgresql://me:hush%21@db.example/ledger")
FILE = read_address("sqlite:////var/lib/l.db")


class Refusal(Exception):
    """A driver's error, with Postgres' code."""

    def __init__(self, said: str, sqlstate: str | None = None) -> None:
        super().__init__(said)
        self.sqlstate = sqlstate


def wrapped(inner: BaseException, kind: type[exc.DBAPIError] = exc.OperationalError) -> exc.DBAPIError:
    return kind("INSERT INTO secrets VALUES (:x)", {"x": "private"}, inner)


def sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("it did not work")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_transactions_that_met_on_postgres_are_repeated(state: str) -> None:
    assert collides(wrapped(Refusal("could not serialize", state)))


@pytest.mark.parametrize("name", ["SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED_SHAREDCACHE"])
def test_transactions_that_met_on_sqlite_are_repeated(name: str) -> None:
    assert collides(wrapped(sqlite_error(name)))
    assert collides(sqlite_error(name))  # while a connection is opened, nothing wraps it


@pytest.mark.parametrize("state", ["23505", "08006", "57P01", None])
def test_nothing_else_is_repeated(state: str | None) -> None:
    assert not collides(wrapped(Refusal("no", state)))


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (Refusal("deadlock detected", "40P01"), TryAgain, "is busy"),
        (
            Refusal("FATAL:  password authentication failed"),
            BadConfiguration,
            "refuses this user or password",
        ),
        (
            Refusal('FATAL:  database "ledger" does not exist'),
            BadConfiguration,
            "has no database of that name",
        ),
        (Refusal('FATAL:  role "me" does not exist'), BadConfiguration, "refuses this user or password"),
        (Refusal("permission denied", "42501"), BadConfiguration, "does not permit this user"),
        (Refusal("FATAL:  sorry, too many clients already"), TryAgain, "has no connection left"),
        (
            Refusal("ending it: idle-in-transaction", "25P03"),
            TryAgain,
            "stood still in it; nothing was written",
        ),
        (
            Refusal("canceling statement due to user request", "57014"),
            TryAgain,
            r"stopped a statement \(cancel",
        ),
        (Refusal("connection refused\nIs it running?"), Unavailable, r"\(connection refused\); start it"),
        (Refusal("sent hush! to the server"), Unavailable, r"sent \*\*\* to the server"),
        (Refusal(""), Unavailable, "Refusal"),
    ],
)
def test_a_refusal_of_postgres_is_a_sentence(error: Refusal, kind: type[JobRunnerError], said: str) -> None:
    found = sentence(wrapped(error), ADDRESS)

    assert type(found) is kind
    with pytest.raises(kind, match=said):
        raise found
    assert "db.example:5432/ledger" in found.message
    assert "\n" not in found.message
    for secret in ("hush", "INSERT", "private"):
        assert secret not in found.message


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("SQLITE_BUSY", TryAgain, "is busy"),
        ("SQLITE_FULL", BadConfiguration, "the disk is full"),
        ("SQLITE_READONLY_DBMOVED", BadConfiguration, "is read-only"),
        ("SQLITE_CANTOPEN", BadConfiguration, "cannot be opened"),
        ("SQLITE_NOTADB", BadConfiguration, "is not an SQLite database"),
        ("SQLITE_CORRUPT", BadConfiguration, "is damaged"),
        ("SQLITE_IOERR_FSYNC", BadConfiguration, "the disk reports an error"),
        ("SQLITE_ERROR", Unavailable, "refuses: it did not work"),
    ],
)
def test_a_refusal_of_sqlite_is_a_sentence(name: str, kind: type[JobRunnerError], said: str) -> None:
    found = sentence(wrapped(sqlite_error(name)), FILE)

    assert type(found) is kind
    assert said in found.message
    assert "/var/lib/l.db" in found.message


@pytest.mark.parametrize(
    ("missing", "url", "extra"),
    [
        ("sqlalchemy", "sqlite:////tmp/never-made.db", "watcher"),
        ("psycopg", "postgresql://host/db", "postgres"),
    ],
)
def test_a_package_that_is_not_installed_is_named_by_its_extra(
    monkeypatch: pytest.MonkeyPatch, missing: str, url: str, extra: str
) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == missing or name == "lib.sql.database":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delattr(lib.sql, "database", raising=False)

    with pytest.raises(MissingExtra, match=re.escape(install_command(extra))):
        open_database(url)
