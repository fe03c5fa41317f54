"""The commands on a real Postgres: its schema, its addresses, and what they keep quiet about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from job_pipeline.main import PROGRAM
from tests.postgres_servers import Postgres


@pytest.fixture
def at_home(tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, with settings that lead to the server."""
    for name in ("JOBS_DATA_DIR", "JOB_PIPELINE_DAG", "ORCHEX_DAG", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", postgres.url())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_schema_is_a_ledger_of_its_own(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """P9."""
    for schema in ("commands_a", "commands_b"):
        monkeypatch.setenv("DB_SCHEMA", schema)
        assert [PROGRAM.run(["init-db", "--dag", "demo"]) for _ in range(2)] == [0, 0]
        assert PROGRAM.run(["enqueue", "--run-id", schema]) == 0
        assert PROGRAM.run(["cancel", schema]) == 0
        assert PROGRAM.run(["resume", schema]) == 0
        capsys.readouterr()

        assert PROGRAM.run(["list-jobs", "--json"]) == 0
        (run,) = json.loads(capsys.readouterr().out)["runs"]
        assert (run["id"], run["state"], run["lines_state"]) == (schema, "queued", "READY")
    for command in ("queue-depth", "failures", "stale-locks", "gates", "events", "orchestrator"):
        assert PROGRAM.run([command, "--json"]) == 0, command


def test_a_database_that_is_not_there_is_one_line_without_the_password(
    at_home: Path,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """P8."""
    host = postgres.url().partition("@")[2].partition("/")[0]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://ann:s3cr3t@{host}/nowhere")

    assert PROGRAM.run(["list-jobs"]) in (69, 78)

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "DATABASE_URL of the environment" in said
    assert "s3cr3t" not in said
