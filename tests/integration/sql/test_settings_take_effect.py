"""What DATABASE_URL, DB_POOL_* and STATEMENT_TIMEOUT_MS say reaches the connections of the ledger."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from job_watcher.providers.wiring import ledger_options, ledger_url
from job_watcher.wiring import open_rented
from lib.errors import BadConfiguration, ExitStatus, JobRunnerError, TryAgain, Unavailable
from lib.machines import open_ledger
from lib.settings import load_settings
from lib.sql import open_database
from tests.postgres_servers import Postgres


def test_the_ledger_keeps_to_them(postgres: Postgres, tmp_path: Path) -> None:
    name = "ledger_of_settings"
    environ = {
        "HOME": str(tmp_path),
        "DATABASE_URL": f"{postgres.url()}&application_name={name}",
        "DB_POOL_MIN": "3",
        "DB_POOL_MAX": "4",
        "STATEMENT_TIMEOUT_MS": "700",  # making the tables keeps to it, too
    }
    settings = load_settings({}, environ, tmp_path)

    with closing(open_ledger(ledger_url(settings), **ledger_options(settings))):
        asked = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'"
        assert postgres.sees(asked) == "3"
    with closing(open_database(ledger_url(settings), **ledger_options(settings))) as database:
        with pytest.raises(
            TryAgain, match=r"\(DATABASE_URL of the environment\) stopped a statement after 700 ms"
        ):
            database.read(lambda connection: connection.execute(text("SELECT pg_sleep(60)")))
        assert database.engine.pool.status().endswith("of at most 4 connections open, 3 of them idle")


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("", BadConfiguration, r"DATABASE_URL is empty \(.*\.env\) but must be a URL"),
        (
            "mysql://me@127.0.0.1/db",
            BadConfiguration,
            r"DATABASE_URL is a hidden value \(.*\.env\) but must be",
        ),
        (
            "postgresql://me:hush@127.0.0.1",
            BadConfiguration,
            r"DATABASE_URL of .*\.env: .* names no database",
        ),
        (
            "postgresql://me:hush@127.0.0.1:1/db",
            Unavailable,
            r"db \(DATABASE_URL of .*\.env\) does not answer",
        ),
    ],
)
def test_an_address_of_no_use_is_said_with_the_place_where_it_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, kind: type[JobRunnerError], said: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JOBS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"DATABASE_URL={url}\n")

    with pytest.raises(kind, match=said) as caught, open_rented():
        pass

    assert caught.value.exit_status in (ExitStatus.BAD_CONFIGURATION, ExitStatus.UNAVAILABLE)
    assert "hush" not in caught.value.message
    assert "\n" not in caught.value.message
    assert not list(tmp_path.rglob("*.db"))  # never SQLite instead
