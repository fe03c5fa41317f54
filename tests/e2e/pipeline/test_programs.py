"""Programs that stay, as processes: a worker with the trail's files, the loops, and the demo."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home, check_shape

_PROGRAM = "job-pipeline"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'pipeline.db'}")
    yield made
    made.close()


def test_the_demo_does_three_runs_and_its_journal_has_all_of_it(home: Home) -> None:
    """P8, P24."""
    done = home.run("demo", "--json", program=_PROGRAM)
    events = json.loads(home.run("events", "--json", program=_PROGRAM).stdout)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    check_shape("job-pipeline-demo", told)
    assert [run["state"] for run in told["runs"]] == ["completed"] * 3
    assert sum(event["event"] == "job_completed" for event in events) == 3
    trail_files = (home.folder / "jobs" / "state.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in trail_files] == events
    for run in told["runs"]:
        folder = home.folder / "runs" / run["id"]
        assert "words" in (folder / "summary.txt").read_text()
        assert json.loads((folder / "state.json").read_text())["state"] == "completed"


def test_a_worker_works_until_it_is_asked_to_stop_and_tells_each_transition(home: Home) -> None:
    """P7, P24."""
    home.run("enqueue", "--dag", "demo", "--run-id", "one", "--inputs", '{"text": "a b"}', program=_PROGRAM)
    worker = home.start("worker", "--dag", "demo", "--worker-id", "ann", "--json", program=_PROGRAM)
    followed = home.run("events", "--follow", "--run", "one", "--json", program=_PROGRAM)
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=60)

    assert (worker.returncode, err) == (0, "")
    events = [json.loads(line) for line in followed.stdout.splitlines()]
    assert events[-1]["event"] == "job_completed"
    assert events[1]["data"] == {"worker": "ann"}
    lines = [json.loads(line) for line in out.splitlines()]
    for line in lines:
        check_shape("job-pipeline-worker", line)
    begun = [line["task"] for line in lines if line["event"] == "begins"]
    assert sorted(begun) == ["lines", "seconds", "summary", "words"]
    assert {(line["tag"], line["run"]) for line in lines if line["event"] == "begins"} == {("stage", "one")}
    of_run = (home.folder / "runs" / "one" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in of_run] == events


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["text", "json"])
def test_whoever_follows_through_a_pipe_is_told_at_once(home: Home, words: tuple[str, ...]) -> None:
    """P24."""
    home.run("init-db", "--dag", "demo", program=_PROGRAM)
    follower = home.start("events", "--follow", *words, program=_PROGRAM, PYTHONUNBUFFERED="")
    home.run("enqueue", "--run-id", "one", program=_PROGRAM)

    assert follower.stdout is not None
    line = follower.stdout.readline()  # or the test's time is over

    assert "job_started" in line
    assert follower.poll() is None


@pytest.mark.parametrize("words", [("orchestrator-loop", "--poll", "0.05"), ("recovery", "--poll", "0.05")])
def test_a_loop_brings_the_journal_up_to_date_and_ends_when_it_is_asked_to(
    home: Home, words: tuple[str, ...]
) -> None:
    """P5, P24."""
    home.run("enqueue", "--dag", "demo", "--run-id", "one", program=_PROGRAM)
    trail_files = home.folder / "jobs" / "state.jsonl"
    trail_files.unlink()
    loop = home.start(*words, program=_PROGRAM)
    while not trail_files.exists() or not trail_files.read_text():
        assert loop.poll() is None
        time.sleep(0.02)
    loop.send_signal(signal.SIGTERM)
    loop.communicate(timeout=60)

    assert loop.returncode == 0
    assert json.loads(trail_files.read_text())["event"] == "job_started"
