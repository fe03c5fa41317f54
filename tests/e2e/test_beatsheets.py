"""A beatsheet goes wherever a job file goes (Q44)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.desk import Desk

SHEET = {
    "topic": "rivers",
    "beats": [{"id": "one", "text": "A river."}, {"id": "two", "text": "Two rivers."}],
}


def sheet(desk: Desk, **root: Any) -> Path:
    path = desk.folder / "rivers.json"
    path.write_text(json.dumps({**SHEET, **root}))
    return path


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (("plan",), "plan"),
        (("compile", "--out", "staged"), "compile"),
        (("run", "--dry-run"), None),
        (("enqueue", "--dry-run"), "enqueue"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_every_command_of_files_takes_a_beatsheet(
    desk: Desk, words: tuple[str, ...], schema: str | None
) -> None:
    path = sheet(desk)
    silent = desk.run(words[0], path, *words[1:])
    assert silent.returncode == 65
    assert "voice: is missing" in silent.stderr

    done = desk.run(words[0], path, *words[1:], "--voice", "newsroom", "--json")

    assert done.returncode == 0, done.stderr
    if schema:
        desk.shaped(words[0], path, *words[1:], "--voice", "newsroom", schema=schema)


def test_a_sheet_is_simulated_like_a_job_file(desk: Desk) -> None:
    done = desk.run("simulate", sheet(desk), "--voice", "newsroom", "--seeds", "1", program="job-watcher")

    assert done.returncode == 0, done.stderr


def test_a_sheet_is_enqueued_spoken_and_reported_on(desk: Desk) -> None:
    path = sheet(desk, voice="newsroom")

    assert desk.shaped("enqueue", path)["counts"] == {"created": 2}
    assert desk.shaped("enqueue-beatsheet", path)["counts"] == {"duplicate": 2}
    assert desk.shaped("report", path, status=75)["totals"]["waiting"] == 2
    assert desk.shaped("report", path, "--speaker", "Ryan", status=1)["totals"]["changed"] == 2
    results = json.loads(desk.run("up", path, "--json").stdout)["results"]
    assert [row["output_name"] for row in results] == ["rivers/one", "rivers/two"]


def test_a_voice_without_a_sheet_is_a_usage_error(desk: Desk) -> None:
    jobs = desk.file_of("one")

    assert "is a job file" in desk.run("plan", jobs, "--voice", "newsroom").stderr
    assert [desk.run(*words, "--voice", "x").returncode for words in (("plan", jobs), ("up",))] == [2, 2]
