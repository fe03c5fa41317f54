"""`enqueue`, `enqueue-beatsheet` and following jobs, against a real server (Q14, Q15, Q22)."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from tests.e2e.desk import Desk
from tests.e2e.home import check_shape


def sheet_in(folder: Path, **beat: Any) -> Path:
    path = folder / "tides.json"
    beats = [{"id": "b1", "text": "Twice a day."}, {"id": "b2", "narration": "It is the moon.", **beat}]
    path.write_text(json.dumps({"topic": "tides", "beats": beats}))
    return path


# --- enqueue (Q14) and enqueue-beatsheet (Q15) ----------------------------------------------------


def test_enqueue_says_what_became_of_each_job(desk: Desk) -> None:
    """Q14."""
    first = desk.shaped("enqueue", desk.file_of("a", "b"))
    again = desk.shaped("enqueue", desk.file_of("a", "b", "c"))

    assert first["counts"] == {"created": 2}
    assert again["counts"] == {"created": 1, "duplicate": 2}
    assert [job["state"] for job in again["jobs"]] == ["waiting"] * 3


def test_a_conflict_keeps_the_whole_file_out_unless_it_is_skipped(desk: Desk) -> None:
    """Q14."""
    desk.enqueue("a")
    changed = desk.file_of("a", "b", text="Other words.")

    refused = desk.shaped("enqueue", changed, status=65)
    assert refused["counts"] == {"conflict": 1, "withheld": 1}
    assert desk.json("status")["outstanding"] == 1

    skipped = desk.shaped("enqueue", changed, "--skip-conflicts")
    assert skipped["counts"] == {"created": 1, "conflict": 1}
    assert desk.json("status")["outstanding"] == 2


def test_a_dry_run_says_the_same_and_changes_nothing(desk: Desk) -> None:
    """Q14."""
    would = desk.shaped("enqueue", desk.file_of("a", "b"), "--dry-run")

    assert (would["counts"], would["dry_run"]) == ({"created": 2}, True)
    shown = desk.run("enqueue", desk.file_of("a"), "--dry-run")
    assert shown.stdout.startswith("would be created")
    assert "would be" in shown.stderr
    assert desk.json("status")["outstanding"] == 0


def test_a_full_queue_rejects_the_file_with_75(desk: Desk) -> None:
    """Q14."""
    desk.environ["JOBS_MAX_DEPTH"] = "1"

    assert desk.shaped("enqueue", desk.file_of("a", "b"), status=75)["counts"] == {"rejected": 2}


def test_enqueue_wait_follows_the_jobs_to_their_end(desk: Desk) -> None:
    """Q14."""
    process = desk.start("enqueue", desk.file_of("a", "b"), "--wait", "--json")
    _until_it_follows(process)
    desk.work()
    out, err = process.communicate(timeout=30)

    value = json.loads(out)
    check_shape("enqueue", value)
    assert process.returncode == 0
    assert [row["state"] for row in value["results"]] == ["done", "done"]
    assert "jobs: 2/2 (100%)" in err


def test_ctrl_c_while_waiting_leaves_the_jobs_and_says_how_to_go_on(desk: Desk) -> None:
    """Q14."""
    for words in (("enqueue", desk.file_of("a"), "--wait"), ("wait", "topic:a")):
        process = desk.start(*words)
        _until_it_follows(process)

        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

        assert process.returncode == 130
        assert "Look again with: job-runner" in err
        assert desk.json("status")["waiting"] == 1


def test_sigterm_while_waiting_leaves_the_jobs_with_75_and_the_same_words(desk: Desk) -> None:
    desk.enqueue("a")
    process = desk.start("wait", "topic:a")
    _until_it_follows(process)

    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 75
    assert "Look again with: job-runner" in err


def test_who_waits_where_nobody_works_is_told(desk: Desk) -> None:
    process = desk.start("enqueue", desk.file_of("a"), "--wait")
    _until(process, "no watcher runs")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_a_job_that_ended_badly_is_not_tried_again_and_that_is_said(desk: Desk) -> None:
    desk.enqueue("a")
    desk.queue.cancel("topic:a")

    done = desk.run("enqueue", desk.file_of("a"))

    assert done.returncode == 0
    assert "job-runner retry topic:a" in done.stderr


def test_waiting_ends_when_the_queue_is_emptied_below_it(desk: Desk) -> None:
    desk.enqueue("a")
    process = desk.start("wait", "topic:a")
    _until_it_follows(process)

    desk.empty()
    _, err = process.communicate(timeout=30)

    assert process.returncode == 75
    assert "gone from the queue" in err


def test_a_beatsheet_becomes_jobs_once_with_the_outcomes_of_enqueue(desk: Desk) -> None:
    """Q15."""
    path = sheet_in(desk.folder, speaker="Ryan")

    first = desk.shaped("enqueue-beatsheet", path, "--voice", "newsroom")
    again = desk.shaped("enqueue-beatsheet", path, "--voice", "newsroom")
    other = desk.shaped("enqueue-beatsheet", path, "--speaker", "Vivian", status=65)
    desk.work()

    assert [job["request_id"] for job in first["jobs"]] == ["tides:b1", "tides:b2"]
    assert again["counts"] == {"duplicate": 2}
    assert other["counts"] == {"conflict": 1, "duplicate": 1}
    done = desk.json("result", "tides:b2")["result"]
    assert done["output"] == "tides/b2.wav"
    assert done["callback_data"] == {"topic": "tides", "beat_id": "b2", "index": 1}
    assert done["spoken"]["speaker"] == "Ryan"


def test_a_beatsheet_with_any_problem_is_refused_whole_with_every_problem(desk: Desk) -> None:
    """Q15."""
    path = sheet_in(desk.folder, voise="x", speaker="Nobody")

    value = desk.shaped("enqueue-beatsheet", path, "--voice", "nope", schema="error", status=65)

    fields = [(problem["job"], problem["field"]) for problem in value["error"]["problems"]]
    assert ("b2", "voise") in fields
    assert (None, "voice") in fields  # no such voice: told once, for it was given once
    assert desk.json("status")["outstanding"] == 0
    assert desk.run("enqueue-beatsheet", path, "--voice", "a", "--speaker", "b").returncode == 2


def _until_it_follows(process: Any) -> None:
    _until(process, "following")


def _until(process: Any, words: str) -> None:
    while line := process.stderr.readline():
        if words in line:
            return
    raise AssertionError(f"it ended before it said {words!r}")
