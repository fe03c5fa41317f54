"""A job file from another program: `-` is standard input, wherever a file of jobs is named."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import warm
from tests.e2e.home import PROGRAMS, Home

JOBS = "output_name: sea/one\nspeaker: Ryan\ntext: The sea comes back.\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    user = Home(tmp_path)
    yield user
    user.run("down")


def piped(
    home: Home, jobs: str, *words: str, program: str = "job-runner"
) -> subprocess.CompletedProcess[str]:
    argv, given = [str(PROGRAMS / program), *words], jobs.encode()
    call, environ = warm.CALLS[program], home.environ
    return warm.run(argv, call, cwd=home.folder, environ=environ, timeout_s=90, given=given)


def test_a_file_is_planned_as_it_is_made(home: Home) -> None:
    done = piped(home, JOBS, "plan", "-", "--json")

    assert done.returncode == 0, done.stderr
    assert [job["request_id"] for job in json.loads(done.stdout)["jobs"]] == ["sea:one"]


def test_problems_name_where_they_came_from(home: Home) -> None:
    refused = piped(home, JOBS + "profle: fast\n", "plan", "-")

    assert refused.returncode == 65
    assert "standard input:4: job sea/one: profle: " in refused.stderr
    assert "-:4" not in refused.stderr


def test_texts_lie_beside_the_folder_one_stands_in(home: Home) -> None:
    (home.folder / "one.txt").write_text("The sea comes back.")

    done = piped(home, JOBS.replace("text: The sea comes back.", "text_file: one.txt"), "plan", "-", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["jobs"][0]["characters"] == 19


def test_the_queue_and_its_readers_take_it_too(home: Home) -> None:
    first = piped(home, JOBS, "enqueue", "-")
    again = piped(home, JOBS, "report", "-", "--json")

    assert first.returncode == 0, first.stderr
    assert [row["state"] for row in json.loads(again.stdout)["jobs"]] == ["waiting"]


def test_a_beatsheet_and_a_simulation_take_it_too(home: Home) -> None:
    sheet = json.dumps({"topic": "sea", "beats": [{"id": "one", "text": "The sea comes back."}]})

    enqueued = piped(home, sheet, "enqueue-beatsheet", "-", "--voice", "newsroom", "--dry-run")
    simulated = piped(home, JOBS, "simulate", "-", "--seeds", "1", "--json", program="job-watcher")

    assert enqueued.returncode == 0, enqueued.stderr
    assert json.loads(simulated.stdout)["jobs"] == 1


def test_what_is_spoken_here_needs_a_name_for_its_folder(home: Home) -> None:
    refused = piped(home, JOBS, "run", "-")
    done = piped(home, JOBS, "run", "-", "--out", "audio", "--dry-run")

    assert refused.returncode == 2
    assert "say where their audio goes with --out DIR" in refused.stderr
    assert done.returncode == 0, done.stderr
