"""Addresses of databases: read once, never shown with their password."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import BadConfiguration
from lib.sql import read_address


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////var/lib/l.db", Path("/var/lib/l.db")),
        ("sqlite:///l.db", Path.cwd() / "l.db"),
        ("sqlite:////a%20b/l%3Fx.db", Path("/a b/l?x.db")),
    ],
)
def test_an_sqlite_address_is_a_file(url: str, file: Path) -> None:
    address = read_address(url)

    assert address.file == file
    assert address.place == str(file)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://me:hush@db.example/ledger", "db.example:5432/ledger"),
        ("postgres://me@db.example:6543/ledger?sslmode=require", "db.example:6543/ledger"),
        ("postgresql+psycopg://me@/ledger?host=%2Frun%2Fpg", "/run/pg/ledger"),
        ("postgresql:///ledger", "localhost:5432/ledger"),
        ("postgresql://me:hush@[::1]:1/ledger?password=too", "::1:1/ledger"),
    ],
)
def test_a_postgres_address_is_shown_as_its_place(url: str, place: str) -> None:
    address = read_address(url, schema="ours")

    assert address.place == place
    assert address.url.startswith("postgresql+psycopg://")
    assert address.schema == "ours"
    assert "hush" not in repr(address)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is empty; write it like"),
        ("mysql://me:hush@host/db", "is neither SQLite nor Postgres"),
        ("sqlite:me:hush", "is neither SQLite nor Postgres"),
        ("sqlite://", "names no file"),
        ("sqlite://hush/l.db", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///l.db?mode=hush", "names no file"),
        ("postgresql://me:hush@host", "names no database"),
        ("postgresql://me:hush@host:port/db", "cannot be read"),
        ("postgresql://me:a@hush@host/db", "percent-encode"),
        ("postgresql://me:a/hush@host/db", "percent-encode"),
        ("postgresql://me@host/db?password=a&hush=b", "no parameter of a connection"),
        ("postgresql://me@host/db?password=a&hush", "no parameter of a connection"),
        ("sqlite:///me:hush@host/l.db", "percent-encode"),
        ("postgresql://me:hush@[host/db", "cannot be read"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str, said: str) -> None:
    with pytest.raises(BadConfiguration, match=said) as caught:
        read_address(url)

    assert "hush" not in caught.value.message


@pytest.mark.parametrize("schema", ["", "Ours", "1st", 'a"; DROP', "x" * 64, "a b"])
def test_a_schema_is_a_plain_name(schema: str) -> None:
    with pytest.raises(BadConfiguration, match="use lower-case letters, digits and '_'"):
        read_address("postgresql://host/db", schema=schema)
