"""A DATABASE_URL of no use is one line that says where it was set, and no other database is used (P8)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.e2e.pipeline.conftest import PipelineDesk


@pytest.mark.parametrize("place", ["environment", ".env"])
@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("", 78, "DATABASE_URL is empty"),
        ("mysql://host/db", 78, "DATABASE_URL"),
        ("postgresql://host", 78, "names no database"),
        ("postgresql://u@127.0.0.1:1/runs", 69, "does not answer"),
        ("sqlite:////nowhere/at/all/pipeline.db", 78, "/nowhere/at/all/pipeline.db"),
    ],
)
def test_an_address_of_no_use_is_one_line_with_its_place(
    pipelines: PipelineDesk, monkeypatch: pytest.MonkeyPatch, url: str, status: int, words: str, place: str
) -> None:
    """P8."""
    if place == "environment":
        monkeypatch.setenv("DATABASE_URL", url)
    else:
        monkeypatch.delenv("DATABASE_URL")
        (pipelines.folder / ".env").write_text(f"DATABASE_URL={url}\n")

    sentence = pipelines.refused("list-jobs", status=status)

    assert words in sentence
    assert place in sentence
    assert not (pipelines.folder / ".local").exists()


def test_tables_of_a_later_version_are_left_alone(pipelines: PipelineDesk) -> None:
    """P8."""
    with sqlite3.connect(pipelines.folder / "pipeline.db") as connection:
        connection.execute("UPDATE pipeline_version SET version_num = '9999'")

    sentence = pipelines.refused("list-jobs", status=78)

    assert "9999" in sentence
    assert "DATABASE_URL of the environment" in sentence


def test_without_an_address_the_ledger_lies_in_the_data_folder(
    pipelines: PipelineDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """P8."""
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("JOBS_DATA_DIR", str(tmp_path / "data"))
    pipelines.run("enqueue", "--dag", "shop:dag", "--run-id", "one")

    assert (tmp_path / "data" / "pipeline.db").is_file()
    assert (tmp_path / "data" / "jobs" / "state.jsonl").is_file()
    assert (tmp_path / "data" / "runs" / "one" / "state.json").is_file()
